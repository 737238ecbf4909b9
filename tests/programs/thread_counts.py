"""The number of threads of the process, NumPy's among them, at each step of a life."""

import json
import os
import time

import numpy as np


def threads():
    return len(os.listdir("/proc/self/task"))


found = {"before": threads()}
import bpfast  # noqa: E402 - the threads before it are counted

found["import"] = threads()
small, one = bpfast.Network([784, 30, 10], seed=0), np.ones((1, 784))
large, x, y = bpfast.Network([64, 64, 1], seed=0), np.ones((20000, 64)), np.ones((20000, 1))
small.forward(one)
small.backprop(one, np.ones((1, 10)))
small.cost(np.ones((10, 784)), np.ones((10, 10)))
bpfast.bp4(np.ones((5, 3)), np.ones((5, 3)))
found["small calls"] = threads()
bpfast.set_num_threads(1)
large.backprop(x, y)
found["one"] = threads()
most = 0
for count in (2, 3, 8, 4):
    with bpfast.num_threads(count):
        large.forward(x)
        large.trace(x)
        for call in (large.cost, large.errors, large.backprop):
            call(x, y)
        most = max(most, count)
        # A pool that was too small ends by itself; give its threads the time to be gone.
        until = time.monotonic() + 5
        while threads() > found["before"] + most - 1 and time.monotonic() < until:
            time.sleep(0.01)
        found[f"with {count}"] = threads()
print(json.dumps(found))
