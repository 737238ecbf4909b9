"""SciPy's sparse matrices as x: the bits of the dense array, and only stored numbers count."""

import itertools
import json

import numpy as np
import pytest

import bpfast
from tests.helpers.bits import bits
from tests.helpers.cases.sparse import NET, S, X, Y, batch, dense, disordered, everything
from tests.helpers.child import NETWORKS, run
from tests.helpers.processes.simd_levels import turns
from tests.helpers.tolerance import close

sparse = pytest.importorskip("scipy.sparse")

DTYPES = ["float32", "float64"]
DENSITIES = [0, 0.01, 0.2, 1]
# On both sides of registers, and of what the kernels compute together.
WIDTHS = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 30, 31, 33, 64, 65, 130, 257]


def parts(x):
    return [x.data, x.indices, x.indptr]


def kept(x):
    """The bytes of a matrix."""
    arrays = parts(x) if x.format == "csr" else [x.toarray()]
    return [(a.dtype, a.tobytes()) for a in arrays]


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize(
    ("name", "n", "dtype"),
    [case for case in itertools.product(NETWORKS, [1, 17, 130, 700], DTYPES) if case[1] < 700]
    + [("tiny", 20011, "float64"), ("mnist", 1000, "float32"), ("deep", 1000, "float64")],
)
def test_the_bits_of_the_dense_array(name, n, dtype, density):
    net, x, y = batch(name, n, dtype, density)
    assert everything(net, sparse.csr_array(x), y) == everything(net, x, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_width(width, dtype):
    x, rng = dense((9, 40), 0.3, dtype), np.random.default_rng(width)
    net = bpfast.Network([40, width], output="identity", dtype=dtype, seed=rng)
    deeper = bpfast.Network([40, width, 2], hidden="gelu", dtype=dtype, seed=rng)
    y = rng.random((9, width))
    assert everything(net, sparse.csr_matrix(x), y) == everything(net, x, y)
    assert everything(deeper, sparse.csr_matrix(x), y[:, :1] * [1, 1]) == everything(
        deeper, x, y[:, :1] * [1, 1]
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NETWORKS)
def test_unsorted_rows_and_duplicates(name, dtype):
    net, x, y = batch(name, 50, dtype, 0.4)
    made = disordered(x)
    before = kept(made)
    t, expected = net.trace(made), net.trace(x)
    assert bits(t.a[0]) == bits(expected.a[0])
    terms = float(np.linalg.norm(np.abs(x) @ np.abs(net.weights[0].T)))
    assert close(t.z[0], expected.z[0], dtype, scale=terms)
    assert close(net.forward(made), net.forward(x), dtype, scale=1)
    g, h = net.backprop(made, y), net.backprop(x, y)
    assert close(g.cost, h.cost, dtype)
    assert close(g.flat, h.flat, dtype, scale=float(np.linalg.norm(x)) / len(x))
    assert kept(made) == before
    assert not made.has_canonical_format


def read_only(x):
    x = x.copy()
    for array in parts(x):
        array.flags.writeable = False
    return x


def wide_indices(x):
    x = x.copy()
    x.indices, x.indptr = x.indices.astype(np.int64), x.indptr.astype(np.int64)
    return x


def replaced(x, **arrays):
    x = x.copy()
    for name, array in arrays.items():
        setattr(x, name, array)
    return x


def strided(x):
    return replaced(x, **{k: np.repeat(getattr(x, k), 2)[::2] for k in ("data", "indices")})


def explicit_zeros(x):
    full = sparse.csr_array(np.where(x.toarray() == 0, 7, x.toarray()))
    full.data[full.data == 7] = 0
    assert full.nnz == x.shape[0] * x.shape[1]
    return full


LIKES = {
    "csr_array": lambda x: x,
    "csr_matrix": sparse.csr_matrix,
    "int64 indices": wide_indices,
    "mixed indices": lambda x: replaced(x, indptr=x.indptr.astype(np.int64)),
    "unsigned indices": lambda x: replaced(x, indices=x.indices.astype(np.uint8)),
    "a slice": lambda x: sparse.vstack([x[:2], x, x]).tocsr()[2 : 2 + x.shape[0]],
    "every second row": lambda x: sparse.csr_array(np.repeat(x.toarray(), 2, axis=0))[::2],
    "more room than numbers": lambda x: replaced(
        x, data=np.append(x.data, 9), indices=np.append(x.indices, 999).astype(np.int32)
    ),
    "read-only": read_only,
    "strided": strided,
    "explicit zeros": explicit_zeros,
    **{
        f"{dtype}": lambda x, dtype=dtype: x.astype(dtype)
        for dtype in ("int8", "int16", "int64", "float32", "longdouble")
    },
    "float16": lambda x: replaced(x, data=x.data.astype(np.float16)),
    "big-endian": lambda x: replaced(x, data=x.data.astype(">f8")),
    **{
        f"{name}_{kind}": lambda x, f=name, k=kind: getattr(sparse, f"{f}_{k}")(x)
        for name in ("csc", "coo", "lil", "dok", "bsr", "dia")
        for kind in ("matrix", "array")
    },
}


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_form_gives_the_same_bits(dtype, like):
    net = NET.astype(dtype)
    x = LIKES[like](sparse.csr_array(X.astype(float)))
    before = kept(x)
    assert everything(net, x, Y, sample_weight=S) == everything(net, X, Y, sample_weight=S)
    assert kept(x) == before


def test_booleans():
    x = X != 0
    assert everything(NET, sparse.csr_array(x), Y) == everything(NET, x, Y)


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix])
def test_the_functions(kind):
    x, parameters = kind(X), (NET.weights, NET.biases)
    kinds = {"hidden": "tanh", "cost": "cross_entropy"}
    for function in ("forward", "trace"):
        call = getattr(bpfast, function)
        got, expected = (call(*parameters, a, hidden="tanh") for a in (x, X))
        assert bits(got) == bits(expected)
    for function in ("cost", "errors", "backprop"):
        call = getattr(bpfast, function)
        got, expected = (call(*parameters, a, Y, **kinds, sample_weight=S) for a in (x, X))
        assert bits(got) == bits(expected)


def test_a_trace_has_all_numbers_of_x():
    a = NET.trace(sparse.csr_array(X)).a[0]
    assert type(a) is np.ndarray
    assert (a == X).all()


@pytest.mark.parametrize("y", [[0, 2, 1, 1, 0, 2], Y])
def test_labels_weights_reductions(y):
    net = bpfast.Network([5, 4, 3], output="softmax", cost="log_likelihood", seed=0)
    for kwargs in ({}, {"sample_weight": S}, {"reduction": "sum", "sample_weight": S}):
        got = everything(net, sparse.csr_array(X), y, **kwargs)
        assert got == everything(net, X, y, **kwargs)


def test_a_callable_cost():
    def cost(a, y):
        assert type(a) is np.ndarray
        return ((a - y) ** 2).sum(1) / 2, a - y

    net = bpfast.Network([5, 4, 3], cost=cost, seed=0)
    assert everything(net, sparse.csr_array(X), Y) == everything(net, X, Y)


def test_nan_and_infinity_stay_in_their_rows():
    x = dense((40, 30), 0.3, "float64")
    net = bpfast.Network([30, 17, 2], seed=0)
    whole = net.forward(x)
    for bad in (np.nan, np.inf):
        x[7, 3] = x[20, 29] = bad
        made = sparse.csr_array(x)
        a, others = net.forward(made), np.delete(np.arange(40), [7, 20])
        assert a[others].tobytes() == whole[others].tobytes()
        assert bits(a) == bits(net.forward(x))


def test_zeros_do_not_multiply_infinite_weights():
    net = bpfast.Network([2, 1], output="identity", init="zeros")
    net.weights[0][:] = [[np.inf, 3]]
    x = sparse.csr_array(([2.0], [1], [0, 1]), shape=(1, 2))
    assert net.forward(x).tolist() == [[6.0]]
    assert np.isnan(net.forward(x.toarray())).all()


def test_alone_and_in_any_batch():
    x = sparse.csr_array(dense((300, 90), 0.2, "float32"))
    net = bpfast.Network([90, 41, 3], dtype="float32", seed=0)
    whole = net.forward(x)
    for rows in (slice(0, 1), slice(7, 8), slice(3, 20), slice(100, 300)):
        assert net.forward(x[rows]).tobytes() == whole[rows].tobytes()


OUTCOMES = """
import json, sys
import numpy as np
from tests.helpers.child import outcome
from tests.helpers.cases.sparse import batch, disordered
found = []
for name, n, dtype, density in json.loads(sys.argv[1]):
    net, x, y = batch(name, n, dtype, density)
    found.append(outcome(net, disordered(x), y))
print(json.dumps(found))
"""
CUT = [("tiny", 5003), ("mnist", 10), ("mnist", 300), ("mnist", 1000), ("wide", 300), ("deep", 700)]
CASES = [(*case, dtype, 0.2) for case in CUT for dtype in DTYPES]
CASES += [("wide", 4300, "float32", 0.01), ("wide", 1, "float64", 0.5)]


def test_any_level_and_number_of_threads():
    first, *rest = (
        run(OUTCOMES, json.dumps(CASES), BPFAST_SIMD=level, BPFAST_NUM_THREADS=str(threads))
        for level, threads in turns(1, 2, 8)
    )
    for other in rest:
        assert other == first


def test_large_rows_on_several_threads():
    # One example, whose neurons are shared out; and rows enough for several blocks.
    x = dense((1, 3000), 0.5, "float32")
    net = bpfast.Network([3000, 2000, 3], dtype="float32", seed=0)
    y = np.ones((1, 3))
    with bpfast.num_threads(3):
        assert everything(net, sparse.csr_array(x), y) == everything(net, x, y)
