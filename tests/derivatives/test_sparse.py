"""Derivatives of a sparse batch: the bits of those of the dense one."""

import numpy as np
import pytest

import bpfast
from tests.helpers.cases.every_derivative import calls, digests
from tests.helpers.cases.sparse import NET, X, Y, batch, disordered, sparse
from tests.helpers.child import NETWORKS
from tests.helpers.tolerance import rounded


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 17, 70])
@pytest.mark.parametrize("name", NETWORKS)
def test_sparse_has_the_bits_of_dense(name, n, dtype):
    net, x, y = batch(name, n, dtype)
    assert digests(net, sparse.csr_array(x), y) == digests(net, x, y)


@pytest.mark.parametrize("kind", ["csc_array", "coo_matrix", "lil_array", "dia_array"])
def test_other_formats(kind):
    assert digests(NET, getattr(sparse, kind)(X), Y) == digests(NET, X.astype(float), Y)


def test_disordered_rows_with_duplicates():
    """Norms and squares add up the elements of a row: duplicates have to be summed before."""
    x = X.astype(float)
    given = disordered(x)
    found, expected = calls(NET, given, Y), calls(NET, x, Y)
    for name, call in expected.items():
        for got, wanted in zip(found[name](given), call(x), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-14, err_msg=name)


def test_samples_are_rows_of_a_sparse_x():
    options = {"sampling_rate": 0.5, "seed": 1, "reduction": "sum"}
    for form in (sparse.csr_array, sparse.csr_matrix, sparse.csc_array):
        got = NET.clipped_backprop(form(X), Y, 1.0, **options)
        assert got.flat.tobytes() == NET.clipped_backprop(X, Y, 1.0, **options).flat.tobytes()


def test_a_row_without_elements():
    x = np.zeros((3, 5))
    net = bpfast.Network([5, 3], output="identity", init="zeros")
    norms = net.per_example_norms(sparse.csr_array(x), np.ones((3, 3)))
    assert norms == rounded(np.full(3, np.sqrt(3)))  # of the biases alone
    flat = net.per_example_gradients(sparse.csr_array(x), np.ones((3, 3))).flat
    np.testing.assert_array_equal(flat, np.r_[np.zeros(15), -np.ones(3)] * np.ones((3, 1)))
