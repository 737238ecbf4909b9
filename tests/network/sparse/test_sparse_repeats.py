"""Places of a sparse x that are stored more than once: the numbers and the bits of `toarray()`."""

import numpy as np
import pytest

import bpfast
from bpfast.testing import check_gradients
from tests.helpers.bits import bits
from tests.helpers.refuses import refuses

sparse = pytest.importorskip("scipy.sparse")

RNG = np.random.default_rng(0)
N, WIDTH = 20, 12
# Each row: two places stored twice, one three times, one once, with rising columns.
INDICES = np.tile([0, 0, 3, 3, 3, 7, 7, 9], N).astype(np.int32)
INDPTR = np.arange(0, len(INDICES) + 1, 8, dtype=np.int32)
Y = RNG.random((N, 2))
# Sums in the dtype and in the order of the matrix differ from all others.
DATA = {
    "bool": RNG.random(len(INDICES)) < 0.7,
    "int8": RNG.integers(60, 128, len(INDICES)).astype(np.int8),
    "uint8": RNG.integers(120, 256, len(INDICES)).astype(np.uint8),
    "int16": RNG.integers(20_000, 32_768, len(INDICES)).astype(np.int16),
    "uint32": RNG.integers(2**31, 2**32, len(INDICES)).astype(np.uint32),
    "int64": 2**53 + RNG.integers(0, 4, len(INDICES)),
    "uint64": 2**63 + RNG.integers(0, 4, len(INDICES)).astype(np.uint64),
    "float32": RNG.standard_normal(len(INDICES)).astype(np.float32),
    "float64": np.tile([1.0, 2.0**-53, 1e16, 1.0, -1e16, 1e-30, 1.0, 3.0], N),
    "longdouble": np.tile([1.0, 2.0**-60, 1e16, 1.0, -1e16, 1e-30, 1.0, 3.0], N).astype("g"),
    "overflow": np.tile([1e308, 1e308, 1.0, np.inf, -np.inf, np.nan, 1.0, 3.0], N),
}


def csr(data):
    return sparse.csr_array((data, INDICES, INDPTR), shape=(N, WIDTH))


def csc(data):
    """Columns whose rows are stored twice in a row."""
    x = csr(data)
    coo = sparse.coo_array((data, (np.repeat(np.arange(N), 8), INDICES)), shape=x.shape)
    order = np.lexsort((coo.row, coo.col))
    starts = np.searchsorted(coo.col[order], np.arange(WIDTH + 1))
    return sparse.csc_array((data[order], coo.row[order], starts), shape=x.shape)


def coo(data):
    order = np.random.default_rng(1).permutation(len(data))
    rows = np.repeat(np.arange(N), 8)
    return sparse.coo_array((data[order], (rows[order], INDICES[order])), shape=(N, WIDTH))


def bsr(data):
    """Two blocks at each place."""
    blocks = np.resize(data, (2 * N // 2, 2, 3))
    indices, indptr = np.tile([1, 1], N // 2), np.arange(0, N + 1, 2)
    return sparse.bsr_array((blocks, indices, indptr), shape=(N, WIDTH))


def bsr_of_many(data):
    """Many blocks at each of few places, more than a sort keeps in order by chance."""
    blocks = np.resize(data, (64 * 2, 2, 3))
    indices = np.random.default_rng(2).integers(0, 2, len(blocks))
    indptr = np.array([0, 64, 128, *[128] * (N // 2 - 2)])
    return sparse.bsr_array((blocks, indices, indptr), shape=(N, WIDTH))


def coo_of_many(data):
    rng = np.random.default_rng(3)
    rows, columns = rng.integers(0, 2, len(data)), rng.integers(0, 3, len(data))
    return sparse.coo_array((data, (rows, columns)), shape=(N, WIDTH))


FORMATS = {"csr": csr, "csc": csc, "coo": coo, "bsr": bsr}
FORMATS |= {"many blocks": bsr_of_many, "many places": coo_of_many}
ONCE = ["lil", "dok", "dia"]  # these store a place once


def net_of(dtype="float64", width=WIDTH, **options):
    return bpfast.Network([width, 5, 2], dtype=dtype, hidden="tanh", seed=0, **options)


def kept(x):
    names = ("data", "indices", "indptr", "row", "col")
    arrays = [(name, getattr(x, name)) for name in names if hasattr(x, name)]
    return [(name, id(a), a.dtype, a.tobytes()) for name, a in arrays]


def computed(net, x):
    """The bits of all that a network makes of x without a step."""
    weights, biases = list(net.weights), list(net.biases)
    found = [net.forward(x), net.trace(x), net.cost(x, Y), net.errors(x, Y), net.backprop(x, Y)]
    found.append(bpfast.forward(weights, biases, x, hidden="tanh"))
    cost, nabla_w, nabla_b = bpfast.backprop(weights, biases, x, Y, hidden="tanh")
    return bits([*found, cost, nabla_w, nabla_b])


def trained(net, x):
    """The bits of trainings on x, and of their metrics."""
    how = {"batch_size": 7, "seed": 0, "check_finite": False, "sparse": True}
    net.fit(x, Y, epochs=2, validation=(x, Y), metrics="mean_squared_error", **how)
    figures = net.history.to_dict()
    figures.pop("seconds")
    net.fit(x, Y, epochs=1, validation=0.3, **how)
    # A dense batch is not taken the sparse way, whose steps are the same but for rounding.
    batch = x if sparse.issparse(x) else sparse.csr_array(x)
    net.partial_fit(batch, Y, check_finite=False)
    net.fit(iter([(batch, Y)]), epochs=1, check_finite=False)
    return bits(net.params), repr(figures)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, at what overflows
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_of_the_dense_array(dtype, name, format_):
    x = FORMATS[format_](DATA[name])
    dense, before = x.toarray(), kept(x)
    assert bits(net_of(dtype).trace(x).a[0]) == bits(net_of(dtype).trace(dense).a[0])
    if name != "overflow":  # an infinite number times 0, which is not stored, is NaN
        assert computed(net_of(dtype), x) == computed(net_of(dtype), dense)
        assert trained(net_of(dtype), x) == trained(net_of(dtype), dense)
    assert kept(x) == before


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", ["bool", "int8", "float64"])
def test_gradient_by_touched_inputs(name, format_):
    x = FORMATS[format_](DATA[name])
    before = kept(x)
    inputs, g = net_of().backprop_touched(x, Y)
    expected = net_of().backprop(x.toarray(), Y)
    assert g.cost == expected.cost
    assert g.weights[0].tobytes() == expected.weights[0][:, inputs].tobytes()
    assert g.biases[0].tobytes() == expected.biases[0].tobytes()
    assert kept(x) == before


@pytest.mark.parametrize("format_", FORMATS)
def test_the_rest_of_the_package(format_):
    x = FORMATS[format_](DATA["int8"])
    before = kept(x)
    x_dense = x.toarray()
    report = check_gradients(net_of(), x, Y, directions=2, parameters=5, weighted_inputs=5)
    assert str(report) == str(
        check_gradients(net_of(), x_dense, Y, directions=2, parameters=5, weighted_inputs=5)
    )
    nets = [net_of(), net_of()]
    for net, rows in zip(nets, (x, x_dense), strict=True):
        bpfast.scipy_minimize(net, rows, Y, max_iterations=3)
    assert nets[0].params.tobytes() == nets[1].params.tobytes()
    assert kept(x) == before


@pytest.mark.parametrize("format_", ONCE)
def test_formats_that_store_a_place_once(format_):
    x = csr(DATA["int8"])
    x.sum_duplicates()
    assert computed(net_of(), x.asformat(format_)) == computed(net_of(), x.toarray())


def test_half_precision_adds_up_in_float32():
    """As SciPy does where it converts: its own `toarray` has no float16."""
    data = np.tile([1.0, 2.0**-11, 1.0, 1.0, 1.0, 2048.0, 1.0, 3.0], N).astype(np.float16)
    expected = csr(data.astype(np.float32)).toarray()
    assert computed(net_of(), csr(data)) == computed(net_of(), expected)


def test_rows_without_duplicates_keep_their_order():
    """The bits of an example do not depend on what else is in its batch."""
    rng = np.random.default_rng(2)
    rows = [rng.permutation(50)[:30] for _ in range(6)]
    rows[3] = np.append(rows[3], rows[3][[4, 4, 9]])
    data = rng.standard_normal(sum(map(len, rows)))
    indptr = np.cumsum([0, *map(len, rows)])
    x = sparse.csr_array((data, np.concatenate(rows), indptr), shape=(6, 50))
    assert not x.has_canonical_format
    net = net_of(width=50)
    together = net.forward(x)
    for k in range(6):
        alone = sparse.csr_array(
            (data[indptr[k] : indptr[k + 1]], rows[k], [0, len(rows[k])]), shape=(1, 50)
        )
        assert net.forward(alone).tobytes() == together[k].tobytes()


@pytest.mark.parametrize("positions", [np.int32, np.int64])
def test_flags_of_a_matrix_are_not_trusted(positions):
    """SciPy keeps what it once found; the arrays may have changed since."""
    x = sparse.csr_array(np.eye(4, dtype=np.uint8) * 200)
    assert x.has_canonical_format
    x.indices, x.indptr = np.array([1, 1, 2, 3], positions), np.array([0, 2, 2, 3, 4], positions)
    x.has_canonical_format = True
    net = net_of(width=4)
    assert bits(net.trace(x).a[0]) == bits(np.asarray(x.toarray(), float))
    assert x.has_canonical_format


def test_data_after_the_last_row_is_ignored():
    x = csr(DATA["uint8"])
    expected = net_of().forward(x.toarray())
    x.data, x.indices = np.append(x.data, 7), np.append(x.indices, 0)
    assert net_of().forward(x).tobytes() == expected.tobytes()


def test_a_matrix_without_duplicates_is_not_copied():
    """No copy of it is made to look for them."""
    x = csr(DATA["float64"])
    x.sum_duplicates()
    found = bpfast._validation.arrays.sparse.without_duplicates(x)
    assert found is x
    assert bpfast._validation.arrays.sparse.by_rows(x) is x


def test_damaged_positions():
    x = coo(DATA["float64"])
    x.col = np.where(x.col == 9, WIDTH, x.col)
    message = "^x: expected col positions of at least 0 and below 12, got 12$"
    for call in (net_of().forward, lambda x: net_of().fit(x, Y)):
        with refuses(ValueError, message, x.data):
            call(x)
    x = bsr(DATA["float64"])
    x.indices[3] = 99
    with refuses(ValueError, "^x: ", x.data):
        net_of().forward(x)
