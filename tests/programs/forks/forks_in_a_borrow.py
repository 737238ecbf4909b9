"""Fork while another thread is in the middle of a step, and in a cost of one's own.

The child, where that thread does not run, uses what it used; after the fork in a cost both go on.
"""

import json
import os
import signal
import threading

import numpy as np

import bpfast

rng = np.random.default_rng(0)
x, y, z = (rng.random((500, k), "float32") for k in (200, 100, 200))
net, opt = bpfast.Network([200, 300, 100], dtype="float32", seed=0), bpfast.Adam()
other = bpfast.Network([200, 200], dtype="float32", seed=0)
over = threading.Event()


def in_child(work):
    pid = os.fork()
    if pid == 0:
        signal.alarm(300)  # kills the child if it hangs, while the parent's thread trains on
        try:
            work()
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def everything():
    g = net.backprop(x, y)
    opt.step(net.params, g.flat)  # what it keeps too
    bpfast.SGD(0.1).step(net.params, g.flat)
    net.partial_fit(x, y)
    net.fit(x, y, epochs=2)
    other.forward(z, out=x)


def train():
    while not over.is_set():
        net.partial_fit(x, y, optimizer=opt)


def in_a_step():
    while True:
        try:
            net.copy()
        except ValueError:
            return


thread = threading.Thread(target=train)
thread.start()
codes = []
for _ in range(2):
    in_a_step()
    codes.append(in_child(everything))
over.set()
thread.join()
codes.append(in_child(everything))

x, y = rng.random((6, 3)), rng.random((6, 2))


def quadratic(a, y):
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


pids = []


def forks(a, y):
    if not pids:
        pids.append(os.fork())
    return quadratic(a, y)


alone, net = (bpfast.Network([3, 2], cost=cost, seed=0) for cost in (quadratic, forks))
for one in (alone, net):
    one.fit(x, y, epochs=3, seed=0)
same = net.params.tobytes() == alone.params.tobytes()
if pids[0] == 0:
    os._exit(0 if same else 1)
codes.append(os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]))
print(json.dumps([codes, same]))
