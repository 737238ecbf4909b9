"""A child's threads may have the numbers of threads of its parent's that are not there."""

import json
import os
import threading

import numpy as np

import bpfast
from tests.helpers.processes.forks import RIGHT, WRONG
from tests.programs.forks.forking import end_of_child, ends, fork, parent

running, go_on = threading.Event(), threading.Event()


def cost(a, y):
    if os.getpid() == parent:
        running.set()
        assert go_on.wait(60)
    return ((a - y) ** 2).sum(axis=1), 2 * (a - y)


net = bpfast.Network([2, 3, 1], cost=cost, seed=0)
said = []


def fit():
    try:
        net.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, seed=0)
    except Exception as error:
        said.append(error)


trainers = [threading.Thread(target=fit)]
trainers[0].start()
assert running.wait(60)
if fork() == 0:
    for turn in range(4):
        thread = threading.Thread(target=fit)
        thread.start()
        thread.join()
    end_of_child(WRONG if said else RIGHT)
go_on.set()
trainers[0].join()
print(json.dumps([len(said), ends()]))
