"""A `Gradient` is an array to NumPy: its flat vector."""

import operator

import numpy as np
import pytest

import bpfast

HAS_COPY = np.lib.NumpyVersion(np.__version__) >= "2.0.0"


@pytest.fixture(params=["float32", "float64"])
def net(request):
    return bpfast.Network([3, 4, 2], dtype=request.param, seed=0)


@pytest.fixture
def g(net):
    rng = np.random.default_rng(1)
    return net.backprop(rng.normal(size=(5, 3)), rng.uniform(size=(5, 2)))


def test_asarray_returns_the_flat_vector_without_a_copy(net, g):
    array = np.asarray(g)
    assert array is g.flat
    assert array.shape == net.params.shape
    assert array.dtype == net.dtype
    assert np.asarray(g, net.dtype) is g.flat


def test_array_copies(g):
    array = np.array(g)
    assert not np.shares_memory(array, g.flat)
    np.testing.assert_array_equal(array, g.flat)
    assert not np.shares_memory(g.__array__(copy=True), g.flat)


def test_another_dtype_is_a_copy(net, g):
    other = np.dtype("float32" if net.dtype == "float64" else "float64")
    for array in (np.asarray(g, other), np.asarray(g, dtype=other.name), g.__array__(other)):
        assert array.dtype == other
        np.testing.assert_array_equal(array, g.flat.astype(other))


def test_copy_false_gives_a_view_or_an_error(net, g):
    assert g.__array__(copy=False) is g.flat
    assert g.__array__(net.dtype, copy=False) is g.flat
    with pytest.raises(ValueError, match=r"^copy: expected True or None with dtype int64, got F"):
        g.__array__(np.int64, copy=False)
    if HAS_COPY:
        assert np.asarray(g, copy=False) is g.flat
        with pytest.raises(ValueError, match="copy"):
            np.asarray(g, np.int64, copy=False)


@pytest.mark.parametrize("rate", [0.1, 2, np.float32(0.1), np.float64(0.1), np.array(0.1)])
def test_a_step_by_hand(net, g, rate):
    before, step = net.params.copy(), rate * g
    assert type(step) is np.ndarray
    assert step.dtype == (rate * g.flat).dtype
    if step.dtype == net.dtype:
        net.params -= rate * g
        np.testing.assert_array_equal(net.params, before - rate * g.flat)


def test_a_gradient_in_an_expression_of_arrays(net, g):
    before = net.params.copy()
    net.params -= g
    np.testing.assert_array_equal(net.params, before - g.flat)
    net.params = g
    np.testing.assert_array_equal(net.params, g.flat)
    np.testing.assert_array_equal(np.multiply(g, g), g.flat**2)
    assert np.linalg.norm(g) == np.linalg.norm(g.flat)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
def test_operators(g, name):
    f = getattr(operator, name)
    h = g.copy()
    h *= 0.5
    for other, array in (
        (2.0, 2.0),
        (h, h.flat),
        (h.flat, h.flat),
        ([3.0] * len(h.flat), np.full(len(h.flat), 3.0)),
    ):
        with np.errstate(invalid="ignore"):
            found, expected = f(g, other), f(g.flat, array)
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, expected)
        if name != "pow":
            np.testing.assert_array_equal(f(other, g), f(array, g.flat))


def test_operators_of_one_operand_and_products(g):
    np.testing.assert_array_equal(-g, -g.flat)
    np.testing.assert_array_equal(+g, g.flat)
    assert not np.shares_memory(+g, g.flat)
    np.testing.assert_array_equal(abs(g), abs(g.flat))
    assert g @ g == g.flat @ g.flat
    matrix = np.ones((2, len(g.flat)), g.flat.dtype)
    np.testing.assert_array_equal(matrix @ g, matrix @ g.flat)


def test_operators_in_place_keep_the_gradient(g):
    same, flat, cost = g, g.flat, g.cost
    expected = flat.copy()
    h = g.copy()
    g *= 3
    g /= 2
    g += h
    g -= 1
    expected *= 3
    expected /= 2
    expected += h.flat
    expected -= 1
    assert g is same
    assert g.flat is flat
    assert g.cost == cost
    np.testing.assert_array_equal(flat, expected)
    np.testing.assert_array_equal(np.concatenate([w.T.ravel() for w in g.weights[:1]]), flat[:12])


def test_flat_can_be_assigned(g):
    expected = 2 * g
    g.flat *= 2
    np.testing.assert_array_equal(g.flat, expected)
    g.flat = 0 * expected
    assert not g.flat.any()
    with pytest.raises(ValueError, match="flat: expected shape"):
        g.flat = [1.0]


def test_non_numeric_arrays_are_refused(g):
    with pytest.raises(TypeError):
        g * "a"
    with pytest.raises(TypeError):
        None + g
    with pytest.raises(ValueError, match="operands"):
        g + np.ones(2)
    before = g.flat.copy()
    with pytest.raises(ValueError, match="operands"):
        g += [1.0, 2.0]
    np.testing.assert_array_equal(g.flat, before)
