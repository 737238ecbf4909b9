"""The peak of the memory of one call, and the size of a gradient."""

import json
import sys

import numpy as np

import bpfast
from tests.programs.memory.own_memory import extra

sizes, n, dtype, call = json.loads(sys.argv[1])
net = bpfast.Network(sizes, hidden="relu", output="identity", dtype=dtype, init="zeros")
x, y = np.ones((n, sizes[0]), dtype), np.ones((n, sizes[-1]), dtype)
g, a = bpfast.Gradient(net), np.ones((n, sizes[-1]), dtype)
g.flat[:] = 1  # its pages are there
calls = {
    "backprop": lambda: net.backprop(x, y, out=g),
    "forward": lambda: net.forward(x, out=a),
    "cost": lambda: net.cost(x, y),
    "errors": lambda: net.errors(x, y),
    "trace": lambda: net.trace(x),
}
with bpfast.num_threads(4):
    print(json.dumps([extra(calls[call]), net.params.nbytes]))
