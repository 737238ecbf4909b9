"""The bits of derivatives by x and of the gradient of a cost of them, for many shapes."""

import json
import sys

import numpy as np

import bpfast
from tests.helpers.child import digest

SMOOTH = ["identity", "sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "mish", "softplus", "sin"]
# Few examples are summed in blocks and many in groups; layers on both sides of a register.
CASES = [([1, 1], 1), ([3, 9, 7, 2], 33), ([2, 50, 50, 1], 1500), ([17, 400, 350, 3], 70)]


def cost(taylor):
    """C_x = Σ a² + Σ ȧ³ + Σ ä² over outputs and directions."""
    a, da, dda = taylor
    c = (a**2).sum(axis=1) + (da**3 + dda**2).sum(axis=(0, 2))
    return c, (2 * a, 3 * da**2, 2 * dda)


found = {}
for dtype in ("float32", "float64"):
    for hidden in SMOOTH:
        for sizes, n in CASES:
            rng = np.random.default_rng(n)
            net = bpfast.Network(sizes, hidden=hidden, output="tanh", dtype=dtype, seed=rng)
            x = rng.normal(size=(n, sizes[0])).astype(dtype)
            for shape in ((2, sizes[0]), (2, n, sizes[0])):
                v = rng.normal(size=shape).astype(dtype)
                g = net.backprop_taylor(x, v, cost)
                name = f"{dtype} {hidden} {sizes} {shape}"
                found[name] = [digest(*net.taylor(x, v)), digest(g.flat), g.cost.hex()]
json.dump(found, sys.stdout)
