"""Sparse matrices whose arrays do not go together: SciPy would read and write out of bounds."""

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

sparse = pytest.importorskip("scipy.sparse")

SHAPE = 4, 6
NET = bpfast.Network([SHAPE[1], 2], seed=0)
Y = np.zeros((SHAPE[0], 2))
DENSE = (np.arange(24.0).reshape(SHAPE) % 5) * (np.arange(24).reshape(SHAPE) % 2)


def damaged(kind, name, value):
    """A matrix of which one array is another."""
    x = sparse.bsr_array(DENSE, blocksize=(2, 3)) if kind == "bsr" else sparse.coo_array(DENSE)
    x = x.asformat(kind)
    before = getattr(x, name)
    setattr(x, name, value(before.copy()))
    return x


def put(place, number):
    def value(array):
        array[place] = number
        return array

    return value


def short(array):
    return array[:-1]


def long(array):
    return np.concatenate([array, array])


def nan(array):
    return np.full(array.shape, np.nan)


def fewer(rows):
    rows[1] = rows[1][:1]
    return rows


INDPTR = "an indptr that starts at 0 and never decreases, got"
CASES = [
    ("bsr", "indptr", put(1, 1 << 30), ValueError, f"{INDPTR} 4 as its number 2$"),
    ("bsr", "indptr", put(0, 1), ValueError, f"{INDPTR} 1 as its number 0$"),
    ("bsr", "indptr", put(2, 99), ValueError, "indices for 99 stored blocks, got 4$"),
    ("bsr", "indptr", short, ValueError, r"an indptr of 2 \+ 1 numbers, got 2$"),
    ("bsr", "indptr", nan, TypeError, "indptr that are integers, got dtype float64$"),
    ("bsr", "indices", put(1, 2), ValueError, "indices of at least 0 and below 2, got 2$"),
    ("bsr", "indices", put(1, -1), ValueError, "indices of at least 0 and below 2, got -1$"),
    ("bsr", "indices", short, ValueError, "indices for 4 stored blocks, got 3$"),
    ("bsr", "indices", nan, TypeError, "indices that are integers, got dtype float64$"),
    ("bsr", "data", short, ValueError, "data for 4 stored blocks, got 3$"),
    ("bsr", "data", np.ravel, ValueError, r"data of 3 dimensions, got shape \(24,\)$"),
    ("bsr", "data", lambda x: x[:, :, :0], ValueError, r"blocks that divide .* \(2, 0\)$"),
    ("bsr", "data", lambda x: np.ones((4, 3, 3)), ValueError, r"blocks that divide .* \(3, 3\)$"),
    ("csc", "indptr", put(slice(1, 4), 1 << 30), ValueError, f"{INDPTR} "),
    ("coo", "row", put(0, 4), ValueError, "row positions of at least 0 and below 4, got 4$"),
    ("coo", "col", put(0, -7), ValueError, "col positions of at least 0 and below 6, got -7$"),
    ("coo", "data", short, ValueError, "as many row positions .*, got 10 for 9 stored numbers$"),
    ("coo", "col", short, ValueError, "as many col positions .*, got 9 for 10 stored numbers$"),
    ("dia", "offsets", long, ValueError, r"offsets of \d diagonals, got \d+$"),
    ("dia", "offsets", short, ValueError, r"offsets of \d diagonals, got \d$"),
    ("dia", "offsets", nan, TypeError, "offsets that are integers, got dtype float64$"),
    ("dia", "data", short, ValueError, r"offsets of \d diagonals, got \d$"),
    ("dia", "data", np.ravel, ValueError, r"data of 2 dimensions, got shape \(\d+,\)$"),
    ("lil", "rows", fewer, ValueError, "as many columns as numbers .*, got 1 and 3 in row 1$"),
    ("lil", "data", fewer, ValueError, "as many columns as numbers .*, got 3 and 1 in row 1$"),
    ("lil", "data", put(1, None), TypeError, "lists of columns and numbers, .* in row 1$"),
    ("lil", "rows", short, ValueError, "rows of 4 rows, got 3$"),
    ("lil", "data", long, ValueError, "data of 4 rows, got 8$"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "value", "error", "message"), CASES)
def test_inconsistent_arrays(kind, name, value, error, message):
    x = damaged(kind, name, value)
    for call, given in (
        (NET.forward, (x,)),
        (NET.backprop, (x, Y)),
        (NET.backprop_touched, (x, Y)),
        (NET.fit, (x, Y)),
        (NET.partial_fit, (x, Y)),
        (bpfast.scipy_minimize, (NET, x, Y)),
    ):
        with refuses(error, f"^x: expected {message}", NET):
            call(*given)


@pytest.mark.parametrize("options", [{}, {"validation": 0.5}, {"sparse": False}])
@pytest.mark.parametrize("kind", [str, object])
def test_elements_that_are_not_numbers(kind, options):
    x = sparse.csr_array(DENSE)
    x.data = x.data.astype(kind)
    with refuses(TypeError, "^x: expected real numbers, got dtype (<U|object)", NET):
        NET.fit(x, Y, **options)


@pytest.mark.parametrize("kind", ["csr", "csc", "bsr", "coo", "dia", "lil", "dok"])
def test_the_matrix_is_valid_before_the_damage(kind):
    x = sparse.bsr_array(DENSE, blocksize=(2, 3)) if kind == "bsr" else sparse.coo_array(DENSE)
    assert NET.forward(x.asformat(kind)).tobytes() == NET.forward(DENSE).tobytes()


def test_diagonals_beside_the_matrix():
    x = sparse.dia_array((np.ones((3, 6)), [-9, 0, 40]), shape=SHAPE)
    assert NET.forward(x).tobytes() == NET.forward(x.toarray()).tobytes()


REGRESSION = bpfast.Network([SHAPE[1], 2], output="identity", seed=0)
CALLS = {
    "fit": lambda x: REGRESSION.fit(x, Y, epochs=1),
    "fit_many": lambda x: bpfast.fit_many([REGRESSION], x, Y, epochs=1),
    "validation": lambda x: bpfast.fit_many([REGRESSION], DENSE, Y, validation=(x, Y), epochs=1),
    "evaluate": lambda x: REGRESSION.evaluate(x, Y),
    "cross_validate": lambda x: bpfast.cross_validate(REGRESSION, x, Y, folds=2, epochs=1),
    "distributed": lambda x: bpfast.distributed.fit(REGRESSION, x, Y, epochs=1),
    "shards": lambda x: bpfast.distributed.fit(REGRESSION, [lambda: (x, Y)], epochs=1),
}
# These take None for another reason to refuse x: the core converts its arrays first.
OF_LISTS = {
    "explain": lambda x: bpfast.inside.explain(REGRESSION, x, Y),
    "least_squares": lambda x: bpfast.least_squares(REGRESSION, x, Y),
    "curvature": lambda x: REGRESSION.curvature(x, Y),
    "check_gradients": lambda x: bpfast.testing.check_gradients(REGRESSION, x, Y),
}


@pytest.mark.parametrize("value", [None, [1, 2, 3]])
@pytest.mark.parametrize("name", ["data", "indices", "indptr"])
@pytest.mark.parametrize("call", CALLS)
def test_what_is_not_an_array_is_named(call, name, value):
    x = sparse.csr_array(DENSE)
    x.__dict__[name] = value
    got = type(value).__name__
    with refuses(TypeError, rf"x: expected {name} in an array, got {got}$", REGRESSION):
        CALLS[call](x)


@pytest.mark.parametrize("call", OF_LISTS)
def test_lists_in_place_of_arrays_are_named(call):
    x = sparse.csr_array(DENSE)
    name = "data" if call in ("least_squares", "curvature") else "indices"
    x.__dict__[name] = getattr(x, name).tolist()
    with refuses(TypeError, f"^x: expected {name} in an array, got list$", REGRESSION):
        OF_LISTS[call](x)
