"""Training on a sparse x, however its rows are stored: the bits of any number of threads, and the
outcome of the dense array but for rounding."""

import numpy as np
import pytest

import bpfast
from tests.helpers.cases.training.sparse_fits import CASES, fitted, matrix
from tests.helpers.child import digest, run
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import OF_EPOCHS, close

sparse = pytest.importorskip("scipy.sparse")


PROGRAM = """
import json, sys
from tests.helpers.child import digest
from tests.helpers.cases.training.sparse_fits import CASES, fitted
found = {}
for case in CASES:
    for dtype in ("float32", "float64"):
        for optimizer in ("sgd", "adam"):
            params, figures = fitted(case, dtype, lambda x: x, optimizer=optimizer)
            named = f"{case} {dtype} {optimizer}"
            found[named] = [digest(params), [float(figure).hex() for figure in figures]]
print(json.dumps(found))
"""


def test_one_thread_and_two():
    one, two, five = (run(PROGRAM, BPFAST_NUM_THREADS=threads) for threads in "125")
    for case, outcome in one.items():
        assert two[case] == five[case] == outcome, case


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_outcome_of_the_dense_array(case, dtype, optimizer):
    got, figures = fitted(case, dtype, lambda x: x, optimizer=optimizer)
    expected, others = fitted(case, dtype, lambda x: x.toarray(), optimizer=optimizer, sparse=False)
    assert close(got, expected, dtype)
    np.testing.assert_allclose(figures, others, rtol=OF_EPOCHS[dtype])


def wide(x):
    x.indices, x.indptr = x.indices.astype(np.int64), x.indptr.astype(np.int64)
    return x


def read_only(x):
    for array in (x.data, x.indices, x.indptr):
        array.flags.writeable = False
    return x


# The same numbers in the same order.
ALIKE = {
    "int64": wide,
    "read-only": read_only,
    "csr_matrix": lambda x: sparse.csr_matrix((x.data, x.indices, x.indptr), shape=x.shape),
    "rows of a larger one": lambda x: sparse.vstack([x[:7], x]).tocsr()[7:],
}


@pytest.mark.parametrize("alike", ALIKE)
@pytest.mark.parametrize("case", CASES)
def test_the_bits_of_every_storage(case, alike):
    got, expected = (fitted(case, "float32", kind) for kind in (ALIKE[alike], lambda x: x))
    assert digest(got[0]) == digest(expected[0])
    assert got[1] == expected[1]


@pytest.mark.parametrize("kind", [sparse.csc_array, sparse.coo_array, sparse.lil_matrix])
@pytest.mark.parametrize("case", CASES)
def test_other_formats(case, kind):
    got, expected = (fitted(case, "float64", kind) for kind in (kind, lambda x: x))
    assert close(got[0], expected[0], "float64")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_nothing_stored(case, threads):
    def empty(x):
        return sparse.csr_array(x.shape, dtype=x.dtype)

    with bpfast.num_threads(threads):
        got, _ = fitted(case, "float64", empty)
        expected, _ = fitted(case, "float64", lambda x: np.zeros(x.shape), sparse=False)
    assert close(got, expected, "float64")


@pytest.mark.parametrize("case", CASES)
def test_an_array_taken_as_sparse_is_the_array_but_for_rounding(case):
    got, _ = fitted(case, "float64", lambda x: x.toarray(), sparse=True)
    expected, _ = fitted(case, "float64", lambda x: x.toarray(), sparse=False)
    assert close(got, expected, "float64")


def test_the_matrix_is_as_ill_conditioned_as_stated():
    x = matrix(60, 40, 4, positions=np.int64)
    assert not x.has_sorted_indices
    assert not x.copy().has_canonical_format
    assert x.indices.dtype == x.indptr.dtype == np.int64
    assert (np.diff(x.indptr) == 0).sum() >= 20
    assert not x.toarray()[:, 1::2].any()


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.coo_array, sparse.csr_matrix])
def test_a_matrix_without_y_is_no_iterable_of_batches(kind):
    net = bpfast.Network([40, 3], seed=0)
    message = f"^y: expected with x of type {kind.__name__}; without y, x is an iterable of"
    with refuses(TypeError, message, net):
        net.fit(kind(matrix(60, 40, 4)))
