"""Mean and variance of gradients over examples, and what is derived from them."""

import math

import numpy as np
import pytest

import bpfast
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
    assert found.mean.flat.tobytes() == net.backprop(x, y).flat.tobytes()
    squares = float(np.linalg.norm((flat**2).mean(axis=0)))
    assert close(found.variance.flat, flat.var(axis=0, ddof=1), dtype, scale=2 * squares)
    assert (found.variance.flat >= 0).all()


def test_signal_to_noise_and_the_noise_scale():
    net, x, y = problem()
    flat = net.per_example_gradients(x, y).flat
    found = net.gradient_statistics(x, y)
    with np.errstate(invalid="ignore"):
        expected = np.abs(flat.mean(axis=0)) / flat.std(axis=0, ddof=1)
    np.testing.assert_allclose(found.signal_to_noise, expected, rtol=1e-9)
    trace = flat.var(axis=0, ddof=1).sum()
    squared = (flat.mean(axis=0) ** 2).sum() - trace / 300
    assert found.noise_scale == pytest.approx(trace / squared, rel=1e-10)


def test_equal_examples_have_no_variance():
    net, x, y = problem(n=1)
    found = net.gradient_statistics(np.repeat(x, 8, axis=0), np.repeat(y, 8, axis=0))
    assert found.noise_scale < 1e-12
    assert found.variance.flat.max() < 1e-15
    with np.errstate(all="raise"):
        assert np.isnan(found.signal_to_noise[found.mean.flat == 0]).all()


def test_opposite_examples_leave_no_signal():
    net = bpfast.Network([1, 1], output="identity", init="zeros")
    found = net.gradient_statistics([[0], [0]], [[1], [-1]])
    assert (found.mean.biases[0], found.variance.biases[0]) == (0.0, 2.0)
    assert found.noise_scale == math.inf


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
