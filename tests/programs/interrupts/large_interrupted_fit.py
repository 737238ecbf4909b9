"""Train a large network, interrupted; print "in" before the first step.

What was done is then done once more, step by step.
"""

import numpy as np

import bpfast
from tests.helpers.child import digest
from tests.programs.interrupts.large_network import begin, net

rng = np.random.default_rng(1)
x, y = rng.standard_normal((40, 7100), "float32"), rng.random((40, 8), "float32")
said = []


def rate(step):
    if not said:
        print("in", flush=True)
    said.append(step)
    return 0.001


try:
    net.fit(x, y, epochs=1000, batch_size=20, seed=7, optimizer=bpfast.Adam(rate))
except KeyboardInterrupt:
    steps, history, bits = net.optimizer.steps, net.history, digest(net.params)
    assert history.stopped == "interrupted"
    assert 0 <= steps - 2 * len(history) <= 2, (steps, len(history))
    net.optimizer.reset()
    begin()
    for step in range(steps):
        order = bpfast._core.permutation(7, step // 2 + 1, 40)
        rows = order[:20] if step % 2 == 0 else order[20:]
        net.partial_fit(x[rows], y[rows])
    assert digest(net.params) == bits, steps
    print("whole", flush=True)
    raise
