"""Memory of a training: no step holds what all examples make of all layers."""

import json

import pytest

from tests.helpers.child import run
from tests.helpers.peak_memory import MB, PRELUDE, needs_proc

pytestmark = needs_proc

N, HIDDEN = 120_000, 256
LAYERS = N * (2 * HIDDEN + 1) * 4  # bytes of z^l, a^l or δ^l of all examples and layers: 246 MB

PROGRAM = """
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
net = bpfast.Network([width, hidden, hidden, 1], hidden="relu", output="identity",
                     dtype="float32", seed=0)
def quadratic(a, y):
    return ((a - y) ** 2).sum(axis=1) / 2, a - y
custom = bpfast.Network(net.sizes, hidden="relu", output="identity", dtype="float32",
                        cost=quadratic, seed=0)
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
"""

# What is asked for: the order of the examples, their figures, and, of examples in another order, x
# and y in that order; the positions of a sparse x, proven.
ORDER = 4 * N
DENSE, SPARSE, FIGURES = N * 8 * 4, N * (4 * 8 + 8), N * 4 * 8
CALLS = {
    "small steps": ORDER,
    "measured": ORDER + FIGURES,
    "whole batch": ORDER + DENSE + 4 * N,
    "whole batch as it stands": ORDER,
    "custom cost": ORDER + FIGURES,
    "partial_fit": ORDER,
    "partial_fit with dropout": ORDER,
}
# The chunks' layers, and 64 branches of the gradient: 18 MB dense, 30 MB sparse.
BRANCHES = {"dense": 64 * 0.28 * MB, "sparse": 64 * 0.48 * MB}


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("call", CALLS)
def test_a_training_takes_little(call, kind):
    if kind == "sparse":
        pytest.importorskip("scipy.sparse")
    asked = CALLS[call] + (2 * SPARSE if kind == "sparse" else 0)
    limit = 1.1 * (asked + BRANCHES[kind]) + 15 * MB
    assert limit < LAYERS / 2.5  # else this test could not tell
    assert run(PRELUDE + PROGRAM, json.dumps([kind, call, N, HIDDEN])) < limit
