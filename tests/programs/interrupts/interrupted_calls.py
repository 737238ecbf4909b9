"""Be interrupted again and again in a call; print when it begins, and the time at which it ended.

A machine that ends the call before the signal comes gets twice the work from then on: a call that
does not listen has to be one that is late.
"""

import json
import sys

import numpy as np

import bpfast
from tests.helpers.child import case, outcome
from tests.helpers.processes.interrupts import now

sizes, n, options, call, turns = json.loads(sys.argv[1])
bpfast.set_num_threads(2)
batch = case("mnist", 500, "float32")
before = outcome(*batch)
net = bpfast.Network(sizes, init="zeros", **options)
x, y = np.ones((n, sizes[0]), net.dtype), np.zeros((n, sizes[-1]), net.dtype)
g = bpfast.Gradient(net)
calls = {
    "backprop": lambda: net.backprop(x, y, out=g),
    "forward": lambda: net.forward(x),
    "trace": lambda: net.trace(x),
    "cost": lambda: net.cost(x, y),
    "errors": lambda: net.errors(x, y),
    "taylor": lambda: net.taylor(x, np.eye(sizes[0])),
    "hvp": lambda: net.hvp(x, y, net.params, out=g),
    "clipped_backprop": lambda: net.clipped_backprop(x, y, 1e-9, out=g),
    "bp2": lambda: bpfast.bp2(y, net.weights[0], x),
    "bp4": lambda: bpfast.bp4(y, x),
}
for _ in range(turns):
    try:
        print("in", flush=True)
        while True:
            calls[call]()
            x, y = np.repeat(x, 2, axis=0), np.repeat(y, 2, axis=0)
    except KeyboardInterrupt:
        print(now(), flush=True)
print(outcome(*batch) == before)
