"""The bits that 20 steps of each optimizer leave."""

import json
import sys

import numpy as np

from tests.helpers.cases.training.every_optimizer import CASES
from tests.helpers.child import digest

rng = np.random.default_rng(0)
found = {}
for dtype in ("float32", "float64"):
    for n in (1, 15, 17, 1000, 300_001):
        g = [rng.standard_normal(n).astype(dtype) for _ in range(3)]
        start = rng.standard_normal(n).astype(dtype)
        for case in CASES:
            p, optimizer = start.copy(), case.make()
            for one in g:
                optimizer.step(p, one)
            kept = [array for name, array in optimizer.state.items() if name != "steps"]
            found[f"{case} {dtype} {n}"] = digest(p, *kept)
json.dump(found, sys.stdout)
