"""User code that fit calls forks at its second call; parent and child continue."""

import json
import sys

import numpy as np

import bpfast
from tests.helpers.child import digest
from tests.helpers.processes.forks import RIGHT, WRONG
from tests.programs.forks.forking import end_of_child, ends, fork

kind, turns, forked = sys.argv[1], 0, None


def turn():
    global turns, forked
    turns += 1
    if turns == 2 and forking:
        forked = fork()


def cost(a, y):
    turn()
    return ((a - y) ** 2).sum(axis=1), 2 * (a - y)


def batches():
    for k in range(0, 400, 100):
        if kind == "iterable":
            turn()
        yield x[k : k + 100], y[k : k + 100]


def fit():
    net = bpfast.Network([16, 32, 16], cost=cost if kind == "cost" else "quadratic", seed=0)
    options = {"callbacks": lambda *_: turn()} if kind.startswith("callback") else {}
    if kind == "metric":
        options = {"metrics": {"turns": lambda a, y: turn() or 0.0}}
    if kind in ("iterable", "callback between batches"):
        net.fit(batches, epochs=3, seed=0, **options)
    else:
        net.fit(x, y, epochs=3, batch_size=100, seed=0, **options)
    return digest(net.params)


rng = np.random.default_rng(0)
x, y = rng.standard_normal((400, 16)), rng.standard_normal((400, 16))
forking = False
expected = fit()
forking, turns = True, 0
code = RIGHT if fit() == expected else WRONG
end_of_child(code)
print(json.dumps([code, ends()]))
