"""The peak of the memory of one training."""

import json
import sys

import numpy as np

import bpfast
from tests.programs.memory.own_memory import extra

kind, call, n, hidden = json.loads(sys.argv[1])
width = {"dense": 8, "sparse": 200}[kind]
if kind == "sparse":
    import scipy.sparse

    # Four numbers a row, at places that differ from row to row.
    rows = np.arange(n)[:, None]
    at = ((rows * 7 + np.arange(4) * 50) % width).astype("int32").ravel()
    starts = np.arange(0, 4 * n + 1, 4, dtype="int32")
    x = scipy.sparse.csr_array((np.ones(4 * n, "float32"), at, starts), shape=(n, width))
else:
    x = np.ones((n, width), "float32")
y = np.ones((n, 1), "float32")
net = bpfast.Network(
    [width, hidden, hidden, 1], hidden="relu", output="identity", dtype="float32", seed=0
)


def quadratic(a, y):
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


custom = bpfast.Network(
    net.sizes, hidden="relu", output="identity", dtype="float32", cost=quadratic, seed=0
)
how = {"epochs": 1, "optimizer": bpfast.SGD(1e-6), "seed": 0}
calls = {
    "small steps": lambda: net.fit(x, y, batch_size=100, **how),
    "measured": lambda: net.fit(x, y, batch_size=1000, validation=(x, y), metrics="r2", **how),
    "whole batch": lambda: net.fit(x, y, batch_size=n, **how),
    "whole batch as it stands": lambda: net.fit(x, y, batch_size=n, shuffle=False, **how),
    "custom cost": lambda: custom.fit(x, y, batch_size=n, shuffle=False, **how),
    "partial_fit": lambda: net.partial_fit(x, y),
    "partial_fit with dropout": lambda: net.partial_fit(x, y, dropout=0.5),
}
with bpfast.num_threads(4):
    net.partial_fit(x[:10], y[:10])
    print(json.dumps(extra(calls[call])))
