"""The gradients of single examples of a sparse x."""

import numpy as np
import pytest

import bpfast

sparse = pytest.importorskip("scipy.sparse")


@pytest.mark.parametrize("sizes", [[4, 2], [4, 3, 2]])
@pytest.mark.parametrize("n", [1, 2, 300])
def test_they_are_those_of_the_dense_array(sizes, n):
    x = np.random.default_rng(0).integers(0, 3, (n, 4)).astype(float)
    y, net = np.ones((n, 2)), bpfast.Network(sizes, seed=0)
    found = net.per_example_gradients(sparse.csr_array(x), y)
    for k, row in enumerate(np.asarray(found.flat).reshape(n, -1)):
        expected = net.backprop(x[k : k + 1], y[k : k + 1]).flat
        assert np.allclose(row, expected, rtol=1e-12, atol=1e-14)
