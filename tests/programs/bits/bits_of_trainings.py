"""Networks and batches that are cut in every way, with all that a step can do."""

import json

import numpy as np

import bpfast
from tests.helpers.child import digest

WAYS = {
    "small": ([9, 23, 19, 6], 100, 8),
    "parts": ([784, 30, 10], 60, 10),
    "threads": ([300, 500, 10], 100, 60),
    "lanes": ([4, 6, 3], 3000, 1500),
    "long": ([10, 8000, 10], 650, 520),
}
HOW = {
    "plain": {"optimizer": "sgd"},
    "adam": {"optimizer": "adam", "dropout": 0.3, "l1": 0.001, "max_norm": 2.0},
    "clipped": {"optimizer": "rmsprop", "clip_norm": 0.1, "l2": 0.01},
}
found = {}
for dtype in ("float32", "float64"):
    for way, (sizes, n, batch_size) in WAYS.items():
        if way == "long" and dtype == "float64":
            continue
        rng = np.random.default_rng(n)
        x = rng.standard_normal((n, sizes[0])).astype(dtype) * (rng.random((n, sizes[0])) < 0.5)
        y, s = rng.integers(0, sizes[-1], n), rng.random(n)
        for name, how in HOW.items():
            if way == "long" and name == "clipped":
                continue
            for sparse in (False, True) if name == "adam" else (False,):
                net = bpfast.Network(
                    sizes,
                    hidden="gelu",
                    output="softmax",
                    cost="log_likelihood",
                    dtype=dtype,
                    seed=1,
                )
                history = net.fit(
                    x,
                    y,
                    epochs=2 if n < 1000 else 1,
                    batch_size=batch_size,
                    seed=5,
                    sample_weight=s,
                    validation=0.2,
                    sparse=sparse,
                    **how,
                )
                costs = (*history.cost, *history.validation_cost)
                figures = [float(cost).hex() for cost in costs]
                kept = [v for k, v in net.optimizer.state.items() if k != "steps"]
                found[f"{way} {name} {dtype} {sparse}"] = [digest(net.params, *kept), figures]
print(json.dumps(found))
