"""Trainings on a sparse x."""

import numpy as np
import pytest

import bpfast

sparse = pytest.importorskip("scipy.sparse")

# Cut by parts of the gradient, by lanes of the batch, and not at all.
CASES = {
    "parts": ([600, 90, 7], 400, 100, 30),
    "lanes": ([12, 9, 3], 9000, 4500, 3),
    "small": ([40, 5, 3], 60, 9, 4),
    "whole": ([500, 300, 4], 300, 300, 20),
}


def fitted(case, dtype, kind, **options):
    """Parameters and figures after two epochs, or of partial_fit: `kind` makes x of the matrix."""
    sizes, n, batch_size, stored = CASES[case]
    x = kind(matrix(n, sizes[0], stored, dtype))
    y = np.random.default_rng(n).integers(0, sizes[-1], n)
    net = bpfast.Network(
        sizes, hidden="gelu", output="softmax", cost="log_likelihood", dtype=dtype, seed=1
    )
    how = {"optimizer": "adam", "l2": 0.01} | options
    history = net.fit(
        x, y, epochs=2, batch_size=batch_size, seed=5, validation=0.2, metrics="accuracy", **how
    )
    cost = net.partial_fit(x, y, batch_size=batch_size, dropout=0.1, seed=3)
    return net.params, [*history.cost, *history.validation_cost, cost]


def matrix(n, width, stored, dtype="float64", positions=np.int32):
    """Rows of up to 2 · stored numbers: each third one empty, the others in no order and some
    places twice, in half of the columns alone."""
    rng = np.random.default_rng([n, width])
    counts = rng.integers(1, 2 * stored + 1, n)
    counts[::3] = 0
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(positions)
    indices = 2 * rng.integers(0, width // 2, indptr[-1]).astype(positions)
    data = rng.standard_normal(indptr[-1]).astype(dtype)
    x = sparse.csr_array((data, indices, indptr), shape=(n, width))
    x.indices, x.indptr = indices, indptr  # SciPy may have chosen other integers
    return x
