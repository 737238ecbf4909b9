"""What cannot be a sparse x, and what calls with one leave alone."""

import threading

import numpy as np
import pytest

import bpfast
from tests.helpers.bits import bits
from tests.helpers.cases.sparse import NET, X, Y, dense, everything
from tests.helpers.child import finished, run
from tests.helpers.messages import EMPTY_BATCH, INPUTS
from tests.helpers.refuses import refuses

sparse = pytest.importorskip("scipy.sparse")

OUT = f"^{INPUTS.format('out')}"


def test_out():
    x, expected = sparse.csr_array(X.astype(float)), NET.forward(X)
    out, g = np.full_like(expected, np.nan), bpfast.Gradient(NET)
    assert NET.forward(x, out=out) is out
    assert out.tobytes() == expected.tobytes()
    assert NET.backprop(x, Y, out=g) is g
    assert g.flat.tobytes() == NET.backprop(X, Y).flat.tobytes()


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("name", ["data", "indices", "indptr"])
def test_an_out_that_overlaps_x(name, kind):
    memory = np.zeros(100)
    x = kind(X.astype(float))
    array = getattr(x, name)
    view = memory.view(array.dtype)[: len(array)]
    view[:] = array
    setattr(x, name, view)
    assert np.shares_memory(getattr(x, name), memory)
    with refuses(ValueError, OUT, memory, NET):
        NET.forward(x, out=memory[:18].reshape(6, 3))
    g = bpfast.Gradient(NET)
    view = g.flat.view(array.dtype)[: len(array)]
    view[:] = array
    setattr(x, name, view)
    with refuses(ValueError, OUT, g, NET):
        NET.backprop(x, Y, out=g)


def csr(data=(1.0, 2.0, 3.0), indices=(0, 4, 2), indptr=(0, 1, 1, 3), shape=(3, 5), kind="csr"):
    """A matrix whose arrays are what they are said to be, damaged or not."""
    x = sparse.csr_array((3, 5)) if kind == "csr" else sparse.csc_array((5, 3))
    x.data, x.indices, x.indptr = map(np.asarray, (data, indices, indptr))
    x._shape = shape if kind == "csr" else shape[::-1]
    return x


DAMAGED = [
    ({"indices": [0, 5, 2]}, ValueError, "indices of at least 0 and below 5, got 5$"),
    ({"indices": [0, -1, 2]}, ValueError, "indices of at least 0 and below 5, got -1$"),
    ({"indices": [0, 1 << 32, 2]}, ValueError, "indices .* below 5, got 4294967296$"),
    ({"indices": np.array([0, (1 << 64) - 1, 2], np.uint64)}, ValueError, "below 5, got -1$"),
    ({"indices": np.array([0, -1, 2], np.int32)}, ValueError, "below 5, got -1$"),
    ({"indices": [0, 4]}, ValueError, "indices for 3 stored numbers, got 2$"),
    ({"data": [1.0, 2]}, ValueError, "data for 3 stored numbers, got 2$"),
    ({"indptr": [0, 1, 3]}, ValueError, r"an indptr of 3 \+ 1 numbers, got 3$"),
    ({"indptr": [1, 1, 1, 3]}, ValueError, "at 0 and never decreases, got 1 as its number 0$"),
    ({"indptr": [0, 2, 1, 3]}, ValueError, "never decreases, got 1 as its number 2$"),
    ({"indptr": [0, -1, 1, 3]}, ValueError, "never decreases, got -1 as its number 1$"),
    ({"indptr": [0, 1, 1, 1 << 60]}, ValueError, "indices for 1152921504606846976 stored"),
    ({"indptr": np.array([0, 1, 1, 4], np.int32)}, ValueError, "indices for 4 stored numbers"),
    ({"indices": [0.0, 4.0, 2.0]}, TypeError, "positions that are integers, got dtype float64$"),
    ({"indptr": ["0", "1", "1", "3"]}, TypeError, "expected real numbers, got dtype <U1; "),
    ({"indices": [[0, 4, 2]]}, ValueError, r"positions of 1 dimension, got shape \(1, 3\)$"),
    ({"data": [[1.0, 2, 3]]}, ValueError, r"1 dimension, got shape \(1, 3\)$"),
    ({"data": [1j, 2, 3]}, TypeError, "expected real numbers, got dtype complex128$"),
    ({"data": np.array([1, 2, 3], object)}, TypeError, "real numbers, got dtype object; x.astype"),
]  # fmt: skip


@pytest.mark.parametrize(("arrays", "error", "message"), DAMAGED)
@pytest.mark.parametrize("kind", ["csr", "csc"])
def test_a_damaged_matrix(kind, arrays, error, message):
    message = f"^x: (expected )?.*{message}"
    with refuses(error, message, NET, *arrays.values()):
        NET.forward(csr(**arrays, kind=kind))
    with refuses(error, message, NET, *arrays.values()):
        NET.backprop(csr(**arrays, kind=kind), Y[:3])


def test_the_matrix_is_valid_before_the_damage():
    for kind in ("csr", "csc"):
        x = csr(kind=kind)
        net = bpfast.Network([x.shape[1], 2], seed=0)
        assert bits(net.forward(x)) == bits(net.forward(x.toarray()))


LOSSES = ("cost", "errors", "backprop")


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((6, 4), r"^x: expected shape \(6, 5\), got \(6, 4\)$"),
        ((5, 6), r"^x: expected shape \(5, 5\), got \(5, 6\); examples are rows: x.T$"),
        ((0, 5), f"^{EMPTY_BATCH.format('x')}$"),
    ],
)
def test_a_wrong_shape(shape, message, kind):
    x = kind(np.ones(shape))
    for call in (NET.forward, NET, NET.trace):
        with refuses(ValueError, message, NET):
            call(x)
    for name in LOSSES:
        with refuses(ValueError, message, NET):
            getattr(NET, name)(x, Y)


def test_other_ranks():
    with refuses(
        ValueError,
        r"^x: expected 2 dimensions, got shape \(5,\); one example is x.reshape\(1, -1\)$",
        NET,
    ):
        NET.forward(sparse.coo_array(np.ones(5)))


def test_only_x_may_be_sparse():
    x = sparse.csr_array(X)
    for make in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        y = make(Y)
        message = rf"^y: expected real numbers, got {make.__name__}; y.toarray\(\) has them$"
        for name in (*LOSSES, "fit", "partial_fit"):
            with refuses(TypeError, message, NET):
                getattr(NET, name)(x, y)
        assert (y.toarray() == Y).all()
    with refuses(TypeError, "^a: expected real numbers", NET):
        bpfast.bp4(Y, x)


def test_nothing_stored_and_one_row():
    x = sparse.csr_array((1, 5))
    assert everything(NET, x, Y[:1]) == everything(NET, np.zeros((1, 5)), Y[:1])


def test_an_object_that_looks_like_one_is_no_matrix():
    class Looks:
        format, shape = "csr", (1, 5)
        data, indices, indptr = np.ones(1), np.array([10**6]), np.array([0, 1])

    with refuses(TypeError, "^x: expected real numbers, got Looks$", NET):
        NET.forward(Looks())


def test_positions_that_change_during_a_call():
    net = bpfast.Network([500, 300, 2], seed=0)
    x = sparse.csr_array(dense((4000, 500), 0.2, "float64"))
    y, good, done = np.zeros((4000, 2)), x.indices.copy(), threading.Event()

    def spoil():
        while not done.is_set():
            x.indices[:] = 1 << 30
            x.indices[:] = good

    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        for _ in range(10):
            try:
                assert np.isfinite(net.backprop(x, y).cost)
            except ValueError as error:
                assert "indices of at least 0" in str(error)  # noqa: PT017 - either may be
    finally:
        done.set()
        thread.join()


ALONE = """
import sys, numpy as np, bpfast
net = bpfast.Network([2, 3, 1], seed=0)
g = net.backprop(np.ones((4, 2)), np.ones((4, 1)))
net.backprop([[1.0, 2.0]], [[1.0]])
print("true" if any(name.partition(".")[0] == "scipy" for name in sys.modules) else "false")
"""


def test_scipy_is_not_imported():
    assert run(ALONE) is False


def test_scipy_that_cannot_be_imported():
    program = "import sys; sys.modules['scipy.sparse'] = None\n" + ALONE
    done = finished(program)
    assert done.returncode == 0, done.stderr


def test_non_finite_numbers_are_found_without_a_dense_copy():
    """With its zeros such an x would take 8 TB."""
    from bpfast._training.data.non_finite import fault

    y = np.zeros(10**6)
    data, rows = np.array([1.0, np.inf, np.nan]), [5, 900, 900]
    x = sparse.coo_array((data, (rows, [3, 10**6 - 1, 7])), shape=(10**6, 10**6)).tocsr()
    x.sort_indices()
    for given in (x, x.tocsc()):
        assert fault(np.dtype("f8"), given, y) == "x[900]: expected finite numbers, got nan"
    x.data = np.array([1.0, 1e300, 2.0])
    expected = "x[900]: expected numbers that float32 can hold, got 1e+300"
    assert fault(np.dtype("f4"), x, y) == expected
    assert fault(np.dtype("f8"), x, y) is None
    assert fault(np.dtype("f4"), x[899:902], y[:3], np.array([4, 6, 8])) == expected.replace(
        "900", "6"
    )
