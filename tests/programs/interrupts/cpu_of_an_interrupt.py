"""How much a call computes that is interrupted early, and how much it computes when left alone.

Both in seconds of the CPU, at which the signal comes too: other processes change neither.
"""

import json
import signal
import sys
import time

import numpy as np

import bpfast

sizes, n, options, name = json.loads(sys.argv[1])
bpfast.set_num_threads(2)
net = bpfast.Network(sizes, init="zeros", **options)
LONG = 0.25  # s of the CPU: a call looks for signals every 25 ms


def call():
    """Do the call, with the x and y of now."""
    if name == "backprop":
        net.backprop(x, y)
    elif name == "forward":
        net.forward(x)
    elif name == "hvp":
        net.hvp(x, y, net.params)
    elif name == "clipped_backprop":
        net.clipped_backprop(x, y, 1e-9)
    elif name == "per_example_norms":
        net.per_example_norms(x, y)
    elif name == "taylor":
        net.taylor(x, np.eye(sizes[0]))
    elif name == "backprop_taylor":
        net.backprop_taylor(x, np.eye(sizes[0]), lambda _: (y[:, 0], (y, None, None)))
    else:
        bpfast.bp4(y, x)


def seconds():
    start = time.process_time()
    call()
    return time.process_time() - start


def batch(n):
    return np.ones((n, sizes[0]), net.dtype), np.zeros((n, sizes[-1]), net.dtype)


x, y = batch(n)
while (whole := seconds()) < LONG:
    n = int(n * max(1.2, min(8, 1.3 * LONG / whole)))
    x, y = batch(n)
    call()  # its memory is there
signal.signal(signal.SIGPROF, signal.default_int_handler)
start = time.process_time()
signal.setitimer(signal.ITIMER_PROF, whole / 10)
try:
    call()
except KeyboardInterrupt:
    pass
print(json.dumps([time.process_time() - start, whole]))
