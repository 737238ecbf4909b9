"""Missing values elsewhere: in SciPy's matrices, in tables, in the reference,."""

import warnings
from collections import deque

import numpy as np
import pytest

import bpfast
import bpfast.reference as reference
from tests.helpers.invalid.masked import FORMS, B, S, W, X, Y, masked, net_of
from tests.helpers.refuses import refuses


def test_scipy():
    sparse = pytest.importorskip("scipy.sparse")
    net, x = net_of(), sparse.csr_array(X)
    for form in ("masked", "in a list", "in an object"):
        values = FORMS[form]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            with refuses(ValueError, "^x: expected no missing values", net):
                bpfast.scipy_minimize(net, values(X), Y)
            with refuses(ValueError, "^y: expected no missing values", net):
                bpfast.scipy_minimize(net, X, values(Y))
            with refuses(ValueError, "^sample_weight: expected no missing values", net):
                bpfast.scipy_minimize(net, X, Y, sample_weight=values(S))
    x.data = masked(x.data)
    for call in (net.forward, lambda x: net.fit(x, Y), lambda x: net.fit(iter([(x, Y)]))):
        with refuses(ValueError, "x: expected no missing values, got 1 masked", net):
            call(x)


@pytest.mark.parametrize("form", ["masked", "in a list", "in a tuple", "all"])
def test_the_reference_refuses_the_same(form):
    x, y, s, w, b = (FORMS[form](a) for a in (X, Y, S, W[0], B[0]))

    def cost(a, y):
        return [0.0] * 6, np.zeros((6, 2))

    for name, call in {
        "x": lambda of, **_: of.forward(W, B, x),
        "y": lambda of, **_: of.cost(W, B, X, y),
        "sample_weight": lambda of, **_: of.cost(W, B, X, Y, sample_weight=s),
        r"weights\[0\]": lambda of, **_: of.forward([w], B, X),
        r"biases\[0\]": lambda of, **_: of.forward(W, [b], X),
        "y of a cost": lambda of, **_: of.cost(W, B, X, y, cost=cost),
    }.items():
        said = []
        for of in (bpfast, reference):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                message = f"^{name.split()[0]}: expected no missing values, got "
                with refuses(ValueError, message) as caught:
                    call(of)
                said.append(str(caught.value))
        assert said[0] == said[1]


def test_lists_of_numbers_are_unchanged():
    """No entry is looked at where none can have a mask, and a cycle is NumPy's to refuse."""
    loop = []
    loop.append(loop)
    with refuses(ValueError, "^x: expected at most 64 dimensions, got lists nested without end$"):
        reference.forward(W, B, loop)
    net = net_of()
    for x in (loop, [[1.0, 2.0], [3.0]], "text", [{"a": 1.0}], {"x": X}):
        with pytest.raises((ValueError, TypeError, RecursionError), match=r"^x: "):
            net.forward(x)
    for x in (X.tolist(), list(X), deque(X), [[np.float64(v) for v in row] for row in X]):
        assert net.forward(x).tobytes() == net.forward(X).tobytes()
    for x in (X.tolist(), list(X), memoryview(X)):
        assert reference.forward(W, B, x) == reference.forward(W, B, X)


def test_tables_with_missing_values():
    """pandas says NaN for them, or gives objects: no number takes the place of one."""
    pandas = pytest.importorskip("pandas")
    net = net_of()
    table = pandas.DataFrame({name: pandas.array([1, 2, None], "Int64") for name in "abc"})
    said = r"^x: expected no missing values, got 3 missing; fill them in with .fillna\(value\)$"
    with refuses(ValueError, said, net):
        net.forward(table)
    assert net.forward(table.astype("float64").fillna(0)).shape == (3, 2)
    floats = pandas.DataFrame({name: pandas.array([1.0, 2.0, None], "Float64") for name in "abc"})
    if np.asarray(floats).dtype == object:  # an older pandas
        with refuses(ValueError, said, net):
            net.forward(floats)
    else:
        assert np.isnan(net.forward(floats)).any(axis=1).tolist() == [False, False, True]
    with pytest.raises((TypeError, ValueError), match=r"^sample_weight"):
        net.cost(X[:3], Y[:3], sample_weight=table["a"])
