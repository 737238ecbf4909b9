"""The number of threads of bpfast at each step of the life of a process.

By their names, in /proc: what others start in a process of this machine is not bpfast's.
"""

import contextlib
import json
import time
from pathlib import Path

import numpy as np

import bpfast


def threads():
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # one that has ended meanwhile
            names.append((task / "comm").read_text())
    return sum(name.startswith("bpfast") for name in names)


found = {"import": threads()}
small, one = bpfast.Network([784, 30, 10], seed=0), np.ones((1, 784))
large, x, y = bpfast.Network([64, 64, 1], seed=0), np.ones((20000, 64)), np.ones((20000, 1))
small.forward(one)
small.backprop(one, np.ones((1, 10)))
small.cost(one, np.ones((1, 10)))  # little work at any SIMD level
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
        # A thread names itself when it first runs, which a busy machine may put off.
        until = time.monotonic() + 30
        while threads() < most - 1 and time.monotonic() < until:
            time.sleep(0.01)
        found[f"with {count}"] = threads()
print(json.dumps(found))
