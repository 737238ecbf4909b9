"""Mean and variance of gradients over examples, and what is derived from them."""

import math

import numpy as np
import pytest

import bpfast
from tests.helpers.cases.sparse import sparse
from tests.helpers.tolerance import close


def problem(dtype="float64", n=300):
    rng = np.random.default_rng(0)
    net = bpfast.Network([4, 6, 3], hidden="relu", output="sigmoid", dtype=dtype, seed=rng)
    return net, rng.standard_normal((n, 4)).astype(dtype), rng.random((n, 3)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [2, 3, 17, 513])
def test_against_the_gradients_of_the_examples(n, dtype):
    net, x, y = problem(dtype, n)
    flat = net.per_example_gradients(x, y).flat.astype(float)
    found = net.gradient_statistics(x, y)
    assert found.n == n
    g = net.backprop(x, y)
    assert close(found.mean.flat, g.flat, dtype)
    assert found.mean.cost == pytest.approx(g.cost, rel=1e-12 if dtype == "float64" else 1e-6)
    expected = flat.var(axis=0, ddof=1)
    # The gradients that it is computed from are rounded to float32.
    rtol = {"float32": 1e-5, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(found.variance.flat, expected, rtol, 1e-3 * rtol)
    deviation = found.standard_deviation.flat
    np.testing.assert_allclose(deviation, np.sqrt(expected), rtol, 1e-3 * rtol)


def test_objects_without_a_length():
    """NumPy takes what has `__array__` alone."""
    net, x, y = problem(n=5)
    only_array = type("OnlyArray", (), {"__array__": lambda self, dtype=None, copy=None: x})()
    found = net.gradient_statistics(only_array, y)
    assert found.n == 5
    assert (found.variance.flat == net.gradient_statistics(x, y).variance.flat).all()


def linear(dtype="float32"):
    """∂C_x = (-y x, -y)."""
    return bpfast.Network([1, 1], output="identity", init="zeros", dtype=dtype)


@pytest.mark.parametrize("n", [2, 100, 1000])
@pytest.mark.parametrize(
    ("dtype", "offset"), [("float32", 2.0**20), ("float64", 2.0**20), ("float64", -(2.0**45))]
)
def test_a_small_spread_beside_a_large_mean(dtype, offset, n):
    """Every number is exact; 0 … n - 1 has the variance n (n + 1) / 12."""
    y = offset + np.arange(n, dtype=float)[:, np.newaxis]
    found = linear(dtype).gradient_statistics(np.ones((n, 1)), y)
    expected = n * (n + 1) / 12
    np.testing.assert_allclose(
        found.variance.flat, expected, rtol=1e-6 if dtype == "float32" else 1e-13
    )
    np.testing.assert_allclose(
        found.mean.flat, -y.mean(), rtol=1e-7 if dtype == "float32" else 1e-15
    )
    ratio = abs(y.mean()) / math.sqrt(expected)
    np.testing.assert_allclose(
        found.signal_to_noise, ratio, rtol=1e-6 if dtype == "float32" else 1e-13
    )


@pytest.mark.parametrize("scale", [1e-38, 1e-30, 1e-19, 1.0, 1e19, 1e30, 1e37])
def test_scales_whose_squares_leave_float32(scale):
    net, y = linear(), np.float32([[1], [2], [6]]) * np.float32(scale)
    for x in (np.ones((3, 1)), sparse.csr_array(np.ones((3, 1)))):
        found = net.gradient_statistics(x, y)
        np.testing.assert_allclose(found.mean.flat, -3 * scale, rtol=1e-6)
        deviation = found.standard_deviation.flat
        np.testing.assert_allclose(deviation, math.sqrt(7) * scale, rtol=1e-6)
        np.testing.assert_allclose(found.signal_to_noise, 3 / math.sqrt(7), rtol=1e-6)
        # ‖mean‖² - tr Σ / n = 2 (9 - 7/3).
        assert found.noise_scale == pytest.approx(7 / (9 - 7 / 3), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_a_large_x_beside_a_small_error(scale):
    """x² and δ² leave float32, (δ x)² does not."""
    net = linear()
    x = np.float32([[1], [2], [6]]) / np.float32(scale)
    y = np.full((3, 1), scale, np.float32)
    found = net.gradient_statistics(x, y)
    np.testing.assert_allclose(found.variance.weights[0], 7, rtol=1e-6)
    fisher = net.curvature(x, y, matrix="empirical_fisher").diagonal()
    np.testing.assert_allclose(fisher[0], (1 + 4 + 36) / 3, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zeros_of_x_count_as_examples(dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 7)) * (rng.random((300, 7)) < 0.2)
    x[:, 3] = 0
    x[:, 5] = 1e3  # a large mean beside no spread
    net = bpfast.Network([7, 4, 2], dtype=dtype, seed=0)
    y = rng.random((300, 2))
    flat = net.per_example_gradients(x, y).flat.astype(float)
    rtol = {"float32": 1e-5, "float64": 1e-11}[dtype]
    for given in (x, sparse.csr_array(x)):
        found = net.gradient_statistics(given, y)
        np.testing.assert_allclose(found.variance.flat, flat.var(axis=0, ddof=1), rtol, 1e-15)


def test_infinity_and_nan_reach_the_parameters_of_their_examples():
    net, x, y = problem(n=300)
    y[200, 1] = np.inf
    flat = net.per_example_gradients(x, y).flat
    found = net.gradient_statistics(x, y)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(np.isnan(found.mean.flat), np.isnan(flat.mean(axis=0)))
        np.testing.assert_array_equal(np.isinf(found.mean.flat), np.isinf(flat.mean(axis=0)))
        expected = np.isnan(flat.var(axis=0, ddof=1))
    assert expected.any()
    np.testing.assert_array_equal(np.isnan(found.variance.flat), expected)


def test_signal_to_noise_and_the_noise_scale():
    net, x, y = problem()
    flat = net.per_example_gradients(x, y).flat
    found = net.gradient_statistics(x, y)
    with np.errstate(invalid="ignore"):
        expected = np.abs(flat.mean(axis=0)) / flat.std(axis=0, ddof=1)
    np.testing.assert_allclose(found.signal_to_noise, expected, rtol=1e-11)
    trace = flat.var(axis=0, ddof=1).sum()
    squared = (flat.mean(axis=0) ** 2).sum() - trace / 300
    assert found.noise_scale == pytest.approx(trace / squared, rel=1e-11)


def test_equal_examples_have_no_variance():
    net, x, y = problem(n=1)
    found = net.gradient_statistics(np.repeat(x, 8, axis=0), np.repeat(y, 8, axis=0))
    assert found.noise_scale == 0
    assert found.variance.flat.max() == 0
    with np.errstate(all="raise"):
        assert np.isnan(found.signal_to_noise[found.mean.flat == 0]).all()


def test_opposite_examples_leave_no_signal():
    net = bpfast.Network([1, 1], output="identity", init="zeros")
    found = net.gradient_statistics([[0], [0]], [[1], [-1]])
    assert (found.mean.biases[0], found.variance.biases[0]) == (0.0, 2.0)
    assert found.noise_scale == math.inf


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_has_no_noise_scale(value):
    net = bpfast.Network([2, 1], output="identity", seed=0)
    with np.errstate(all="raise"):
        found = net.gradient_statistics([[1.0, 2.0], [3.0, value]], [0.0, 1.0])
        assert math.isnan(found.noise_scale)


def test_the_noise_scale_of_large_float32_gradients():
    net = bpfast.Network([1, 1], output="identity", init="zeros", dtype="float32")
    found = net.gradient_statistics([[0.0], [0.0], [0.0]], np.float32([[1e18], [1e18], [1.5e18]]))
    assert math.isfinite(found.noise_scale)


def test_squares_beyond_float32_are_infinite():
    net = bpfast.Network([1, 1], output="identity", init="zeros", dtype="float32")
    with np.errstate(all="raise"):
        found = net.gradient_statistics([[1.0], [1.0]], np.float32([[1e25], [3e25]]))
    assert found.variance.biases[0][0] == math.inf


def test_one_example_is_refused():
    net, x, y = problem(n=1)
    with pytest.raises(ValueError, match=r"^x: expected at least two examples, got 1$"):
        net.gradient_statistics(x, y)


def test_results_are_frozen_and_show_what_they_are():
    net, x, y = problem()
    found = net.gradient_statistics(x, y)
    with pytest.raises(AttributeError):
        found.n = 3
    each = net.per_example_gradients(x, y)
    assert repr(each) == f"PerExampleGradients(300 examples, {net.params.size} parameters, float64)"
    assert len(each) == 300
    assert np.asarray(each) is not None
    np.testing.assert_array_equal(np.asarray(each, "f4"), each.flat.astype("f4"))
    assert all(np.shares_memory(view, each.flat) for view in [*each.weights, *each.biases])
