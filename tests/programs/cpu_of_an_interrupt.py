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
x, y = np.ones((n, sizes[0]), net.dtype), np.zeros((n, sizes[-1]), net.dtype)
calls = {
    "backprop": lambda: net.backprop(x, y),
    "forward": lambda: net.forward(x),
    "trace": lambda: net.trace(x),
    "cost": lambda: net.cost(x, y),
    "errors": lambda: net.errors(x, y),
    "bp2": lambda: bpfast.bp2(y, net.weights[0], x),
    "bp4": lambda: bpfast.bp4(y, x),
}
call = calls[name]
call()  # its memory is there
start = time.process_time()
call()
whole = time.process_time() - start
signal.signal(signal.SIGPROF, signal.default_int_handler)
start = time.process_time()
signal.setitimer(signal.ITIMER_PROF, whole / 10)
try:
    call()
except KeyboardInterrupt:
    pass
print(json.dumps([time.process_time() - start, whole]))
