"""A gradient that was interrupted is as it was or half-written, and as good as new for the next."""

import json
import os
import signal
import threading
import time

import numpy as np

import bpfast
from tests.helpers.child import digest

net = bpfast.Network([256, 512, 256, 1], dtype="float32", seed=0)
x, y = np.ones((10_000, 256), "float32"), np.ones((10_000, 1), "float32")
g = net.backprop(x, y)
bits, cost, inputs = digest(g.flat), g.cost, digest(net.params, x, y)
interrupted = 0
for delay in (0.0, 0.01, 0.02, 0.05, 0.1):
    timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        net.backprop(x, y, out=g)
        time.sleep(5)
    except KeyboardInterrupt:
        interrupted += 1
    timer.join()
    assert digest(net.params, x, y) == inputs
    net.backprop(x, y, out=g)
    assert (digest(g.flat), g.cost) == (bits, cost)
print(json.dumps(interrupted))
