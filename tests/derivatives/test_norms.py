"""Norms of examples whose squares overflow or underflow, and what NaN and infinity do to them."""

import math

import numpy as np
import pytest

import bpfast
from tests.helpers.tolerance import rounded

# Norms are computed in float64 from numbers of the dtype.
NEAR = {"float32": 1e-6, "float64": 1e-14}


def linear(dtype, size):
    """∂C_x/∂b = ∂C_x/∂w = -size at x = 1, for targets of this size."""
    net = bpfast.Network([1, 3], output="identity", init="zeros", dtype=dtype)
    return net, np.ones((1, 1), dtype), np.full((1, 3), size, dtype)


SIZES = {
    "float32": [1e-44, 1e-30, 1e-22, 1e-10, 1.0, 1e10, 1e19, 1e38],
    "float64": [5e-324, 1e-300, 1e-170, 1e-150, 1e-14, 1.0, 1e14, 1e150, 1e170, 1e300],
}


@pytest.mark.parametrize(
    ("dtype", "size"), [(dtype, size) for dtype, sizes in SIZES.items() for size in sizes]
)
def test_squares_that_overflow_or_underflow(dtype, size):
    net, x, y = linear(dtype, size)
    exact = math.sqrt(6) * float(y[0, 0])
    for per_layer in (False, True):
        norm = net.per_example_norms(x, y, per_layer=per_layer).ravel()
        assert norm == pytest.approx(exact, rel=NEAR[dtype], abs=5e-324)


@pytest.mark.parametrize("size", [1e-200, 1e-100, 1e100, 1e200])
def test_x_of_extreme_size(size):
    net, _, y = linear("float64", 1.0)
    norm = net.per_example_norms([[size]], y)
    assert norm == pytest.approx([math.sqrt(3) * math.hypot(size, 1)], rel=1e-14)


def test_layers_of_very_different_size():
    net = bpfast.Network([1, 1, 1], hidden="identity", output="identity", init="zeros")
    net.weights[1][:] = 1e200
    norms = net.per_example_norms([[0.0]], [[3.0]], per_layer=True)
    assert norms == rounded(np.array([[3e200, 3.0]]))
    assert net.per_example_norms([[0.0]], [[3.0]]) == rounded([3e200])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-30, 1e-12, 1.0, 1e12, 1e30])
def test_clipping_of_extreme_gradients(dtype, size):
    net, x, y = linear(dtype, size)
    expected = -min(float(y[0, 0]), 1 / math.sqrt(6))
    got = net.clipped_backprop(x, y, 1.0)
    assert got.flat == pytest.approx(np.full(6, expected), rel=NEAR[dtype], abs=0)
    assert net.clipped_backprop(x, y, 1e-300 if dtype == "float64" else 1e-40).flat.any()


def test_a_gradient_beyond_float64_has_an_infinite_norm_and_no_clipped_sum():
    net = bpfast.Network([1, 1], output="identity", init="zeros")
    x, y = [[1e200], [1.0]], [[1e200], [1.0]]
    assert net.per_example_norms(x, y).tolist() == [math.inf, math.sqrt(2)]
    got = net.clipped_backprop(x, y, 1.0, reduction="sum").flat
    assert np.isnan(got).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["x", "y"])
def test_nan_and_infinity_stay_in_their_row(where, bad):
    rng = np.random.default_rng(0)
    net = bpfast.Network([4, 6, 2], hidden="tanh", output="identity", seed=rng)
    x, y = rng.standard_normal((100, 4)), rng.random((100, 2))
    norms, flat = net.per_example_norms(x, y), net.per_example_gradients(x, y).flat
    dx = net.input_gradient(x, y)
    (x if where == "x" else y)[70, 1] = bad
    got, others = net.per_example_norms(x, y), np.arange(100) != 70
    assert not np.isfinite(got[70]) or np.isinf(bad)
    assert got[others].tobytes() == norms[others].tobytes()
    assert net.per_example_gradients(x, y).flat[others].tobytes() == flat[others].tobytes()
    assert net.input_gradient(x, y)[others].tobytes() == dx[others].tobytes()


@pytest.mark.parametrize("width", [1, 15, 31, 32, 33, 100, 513, 5000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_wide_layers(width, dtype):
    rng = np.random.default_rng(width)
    net = bpfast.Network([width, 2], output="identity", init="zeros", dtype=dtype)
    x, y = rng.standard_normal((70, width)).astype(dtype), rng.standard_normal((70, 2))
    y = y.astype(dtype)
    exact = [
        math.hypot(*map(float, row)) * math.hypot(1, *map(float, x_row))
        for row, x_row in zip(y, x, strict=True)
    ]
    np.testing.assert_allclose(net.per_example_norms(x, y), exact, rtol=NEAR[dtype])
