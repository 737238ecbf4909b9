"""Interrupt short epochs at any moment, mostly between two calls of the core.

What is counted is what was done.
"""

import json
import random
import signal

import numpy as np

import bpfast

signal.signal(signal.SIGALRM, signal.default_int_handler)
rng = np.random.default_rng(0)
x, y = rng.standard_normal((4, 3)), rng.random((4, 2))


def network():
    return bpfast.Network([3, 2], seed=0)


steps = []
for _ in range(200):
    net = network()
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.001, 0.006))
        net.fit(x, y, epochs=10**6, batch_size=2, seed=3, metrics="r2", validation=(x, y))
    except KeyboardInterrupt:
        pass
    if net.history is None:
        steps.append(0)  # it had not begun
        continue
    count, history = net.optimizer.steps, net.history
    assert history.stopped == "interrupted"
    assert 0 <= count - 2 * len(history) <= 2, (count, len(history))
    assert all(len(history[name]) == len(history) for name in history.names)
    twin = network()
    if count >= 2:
        twin.fit(x, y, epochs=count // 2, batch_size=2, seed=3)
    if count % 2:
        rows = bpfast._core.permutation(3, count // 2 + 1, 4)[:2]
        twin.partial_fit(x[rows], y[rows])
    assert count == 0 or twin.optimizer.steps == count
    assert twin.params.tobytes() == net.params.tobytes()
    net.partial_fit(x, y)
    steps.append(count)
print(json.dumps(max(steps) > 20))
