"""Every activation with every cost, then every shape."""

import json
import sys

import numpy as np

import bpfast
from tests.helpers.child import EVERY, outcome

cases, costs = json.loads(sys.argv[1])


def batch(net, n):
    rng = np.random.default_rng(n)
    x, y = rng.standard_normal((n, net.sizes[0])), rng.random((n, net.sizes[-1]))
    return x.astype(net.dtype), y.astype(net.dtype)


found = {}
for dtype in ("float32", "float64"):
    for hidden in EVERY:
        for output, cost in costs:
            options = {"hidden": hidden, "output": output, "cost": cost, "dtype": dtype}
            net = bpfast.Network([9, 23, 19, 6], seed=3, **options)
            found[f"{hidden} {output} {cost} {dtype}"] = outcome(net, *batch(net, 100))
    for output in bpfast.ACTIVATIONS:
        net = bpfast.Network([9, 21], output=output, dtype=dtype, seed=3)
        found[f"{output} {dtype}"] = outcome(net, *batch(net, 100))
    for sizes, n in cases:
        hidden = [EVERY[i % len(EVERY)] for i in range(2, len(sizes))]
        net = bpfast.Network(sizes, hidden=hidden, output="tanh", dtype=dtype, seed=4)
        found[f"{sizes} {n} {dtype}"] = outcome(net, *batch(net, n))
json.dump(found, sys.stdout)
