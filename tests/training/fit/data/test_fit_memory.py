"""Memory of a training: no step holds what all examples make of all layers."""

import json

import pytest

from tests.helpers.child import run
from tests.helpers.processes.peak_memory import MB, needs_proc

pytestmark = needs_proc

N, HIDDEN = 120_000, 256
LAYERS = N * (2 * HIDDEN + 1) * 4  # bytes of z^l, a^l or δ^l of all examples and layers: 246 MB


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


# Two kinds of x and all calls; the longest of them in `make test-deep` alone.
LONG = [("measured", "dense"), ("measured", "sparse"), ("small steps", "sparse")]
TRAININGS = [
    pytest.param(call, kind, marks=[pytest.mark.slow] * ((call, kind) in LONG))
    for call in CALLS
    for kind in ("dense", "sparse")
]


@pytest.mark.parametrize(("call", "kind"), TRAININGS)
def test_a_training_needs_little_memory(call, kind):
    if kind == "sparse":
        pytest.importorskip("scipy.sparse")
    asked = CALLS[call] + (2 * SPARSE if kind == "sparse" else 0)
    limit = 1.1 * (asked + BRANCHES[kind]) + 15 * MB
    assert limit < LAYERS / 2.5  # else this test could not tell
    assert run("memory_of_a_training", json.dumps([kind, call, N, HIDDEN])) < limit
