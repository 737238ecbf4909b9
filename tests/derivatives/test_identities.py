"""What the derivatives have to do with one another, and with central differences."""

import numpy as np
import pytest

import bpfast
from tests.helpers.cases.random_networks import PAIRS
from tests.helpers.derivatives import matrix_of, vector
from tests.helpers.tolerance import close

SMOOTH = ["sigmoid", "tanh", "elu", "gelu", "gelu_tanh", "silu", "mish", "softplus", "sin"]


def problem(output="identity", cost="quadratic", hidden="tanh", n=7, seed=0):
    """A network, x, y and a generator."""
    rng = np.random.default_rng(seed)
    net = bpfast.Network([3, 5, 4, 2], hidden=hidden, output=output, cost=cost, init="he", seed=rng)
    return net, rng.standard_normal((n, 3)), rng.uniform(0.1, 0.9, (n, 2)), rng


def moved(net, direction, step):
    copy = net.copy()
    copy.params += step * direction
    return copy


def difference(function, step=1e-4):
    """f'(0) by differences of fourth order: its error is below 1e-10 for derivatives of order 1."""
    outer = function(2 * step) - function(-2 * step)
    return (8 * (function(step) - function(-step)) - outer) / (12 * step)


# The rounding of values of order 1, divided by the step, and the fourth power of the step.
NEAR = {"rtol": 1e-8, "atol": 1e-9}


@pytest.mark.parametrize("output", bpfast.ACTIVATIONS)
def test_products_with_the_jacobian_are_transposed(output):
    """⟨v, jvp⟩ = ⟨vjp, direction⟩."""
    net, x, _, rng = problem(output)
    v, dx, dparams = rng.standard_normal((7, 2)), rng.standard_normal((7, 3)), vector(net, rng)
    gradient, nabla_x = net.vjp(x, v)
    _, da = net.jvp(x, dx=dx, dparams=dparams)
    terms = np.r_[gradient.flat * dparams.flat, (nabla_x * dx).ravel()]
    assert np.sum(v * da) == pytest.approx(terms.sum(), abs=1e-13 * np.abs(terms).sum())
    parts = net.jvp(x, dx=dx)[1] + net.jvp(x, dparams=dparams)[1]
    np.testing.assert_allclose(parts, da, rtol=1e-12, atol=1e-13)
    jacobian = net.jacobian(x)
    np.testing.assert_allclose(np.einsum("xj,xjk->xk", v, jacobian), nabla_x, atol=1e-13)
    expected = np.einsum("xjk,xk->xj", jacobian, dx)
    np.testing.assert_allclose(expected, net.jvp(x, dx=dx)[1], atol=1e-13)


@pytest.mark.parametrize("output", ["identity", "softplus", "softmax"])
def test_directions_against_differences(output):
    net, x, _, rng = problem(output)
    v, dx, dparams = rng.standard_normal((7, 2)), rng.standard_normal((7, 3)), vector(net, rng)
    by_both = difference(lambda h: moved(net, dparams.flat, h).forward(x + h * dx))
    np.testing.assert_allclose(net.jvp(x, dx=dx, dparams=dparams)[1], by_both, **NEAR)
    gradient, nabla_x = net.vjp(x, v)
    slope = difference(lambda h: np.sum(v * moved(net, dparams.flat, h).forward(x + h * dx)))
    assert gradient.flat @ dparams.flat + np.sum(nabla_x * dx) == pytest.approx(
        slope, rel=NEAR["rtol"]
    )
    gradient, nabla_x = net.vjp(x, v, at="z")

    def at_z(h):
        return np.sum(v * moved(net, dparams.flat, h).trace(x + h * dx).z[-1])

    total = gradient.flat @ dparams.flat + np.sum(nabla_x * dx)
    assert total == pytest.approx(difference(at_z), rel=NEAR["rtol"])


@pytest.mark.parametrize("hidden", SMOOTH)
@pytest.mark.parametrize(("output", "cost"), [p for p in PAIRS if "relu" not in p[0]])
def test_second_derivatives_against_differences_of_gradients(output, cost, hidden):
    net, x, y, rng = problem(output, cost, hidden)
    v = vector(net, rng)
    near = 0.02 / np.linalg.norm(v.flat)  # so that no residual crosses a kink
    got = net.hvp(x, y, v.flat * near).flat
    expected = difference(lambda h: moved(net, v.flat * near, h).backprop(x, y).flat, 1e-2)
    np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_the_hessian_is_symmetric_and_the_others_have_no_negative_eigenvalue(output, cost):
    net, x, y, _ = problem(output, cost)
    size = net.params.size
    for name in ("hvp", "ggn_vp", "empirical_fisher_vp"):
        matrix = matrix_of(lambda unit, name=name: getattr(net, name)(x, y, unit), size)
        largest = np.abs(matrix).max()
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-13 * largest)
        if name != "hvp":
            assert np.linalg.eigvalsh(matrix).min() >= -1e-12 * largest
    g = net.per_example_gradients(x, y).flat
    np.testing.assert_allclose(matrix, g.T @ g / len(g), atol=1e-13 * largest)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_gauss_newton_is_the_hessian_of_a_linear_network(reduction):
    rng = np.random.default_rng(1)
    net = bpfast.Network([4, 3], output="identity", seed=rng)
    x, y, v = rng.standard_normal((6, 4)), rng.standard_normal((6, 3)), vector(net, rng)
    hessian, gauss_newton = (
        getattr(net, name)(x, y, v, reduction=reduction).flat for name in ("hvp", "ggn_vp")
    )
    np.testing.assert_array_equal(hessian, gauss_newton)
    # C is quadratic: its gradient changes by exactly H v.
    change = moved(net, v.flat, 1.0).backprop(x, y, reduction=reduction).flat
    change -= net.backprop(x, y, reduction=reduction).flat
    np.testing.assert_allclose(hessian, change, rtol=1e-12, atol=1e-13)


def test_gauss_newton_is_the_fisher_matrix_of_labels_drawn_from_the_outputs():
    """For the log-likelihood: the mean of ∂C_x ∂C_xᵀ over all labels, weighted by a."""
    net, x, _, rng = problem("softmax", "log_likelihood", n=5)
    v, a = vector(net, rng), net.forward(x)
    expected = np.zeros(net.params.size)
    for label in (0, 1):
        labels = np.full(5, label)
        options = {"sample_weight": a[:, label], "reduction": "sum"}
        expected += net.empirical_fisher_vp(x, labels, v, **options).flat / 5
    np.testing.assert_allclose(net.ggn_vp(x, [0, 1, 0, 1, 1], v).flat, expected, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_gradients_of_examples_add_up_to_the_gradient(output, cost, dtype):
    net, x, y, _ = problem(output, cost)
    net, s = net.astype(dtype), np.array([1, 2, 0, 0.5, 3, 1, 1])
    each = net.per_example_gradients(x, y, sample_weight=s)
    total = net.backprop(x, y, sample_weight=s, reduction="sum")
    assert close(each.flat.sum(axis=0), total.flat, dtype, scale=float(s.sum()))
    norms = net.per_example_norms(x, y, sample_weight=s)
    assert close(norms, np.linalg.norm(each.flat.astype(float), axis=1), dtype)
    layers = [
        np.sqrt((w.astype(float) ** 2).sum(axis=(1, 2)) + (b.astype(float) ** 2).sum(axis=1))
        for w, b in zip(each.weights, each.biases, strict=True)
    ]
    got = net.per_example_norms(x, y, sample_weight=s, per_layer=True)
    assert close(got, np.transpose(layers), dtype)
    nothing_clipped = net.clipped_backprop(x, y, np.inf, reduction="sum")
    np.testing.assert_array_equal(nothing_clipped.flat, net.backprop(x, y, reduction="sum").flat)
    dx = net.input_gradient(x, y, sample_weight=s, reduction="sum")
    assert close(dx, net.errors(x, y, sample_weight=s, reduction="sum")[0] @ net.weights[0], dtype)


def test_labels_are_rows_of_ones_and_zeros():
    net, x, _, rng = problem("softmax", "cross_entropy")
    labels, v = rng.integers(0, 2, 7), vector(net, rng)
    y = np.eye(2)[labels]
    for name in ("input_gradient", "per_example_norms"):
        np.testing.assert_array_equal(getattr(net, name)(x, labels), getattr(net, name)(x, y))
    for name in ("hvp", "ggn_vp", "empirical_fisher_vp"):
        np.testing.assert_array_equal(
            getattr(net, name)(x, labels, v).flat, getattr(net, name)(x, y, v).flat
        )
    flat = net.per_example_gradients(x, labels).flat
    np.testing.assert_array_equal(flat, net.per_example_gradients(x, y).flat)


def test_kinks_have_a_second_derivative_of_0():
    net = bpfast.Network([1, 1], output="relu", init="zeros")
    assert not net.hvp([[0.0]], [[1.0]], [1, 1]).flat.any()
    huber = bpfast.Network([1, 1], output="identity", cost="huber", init="zeros")
    at_1, beyond = (huber.hvp([[1.0]], [[y]], [0, 1]).biases[0] for y in (1.0, 1.0 + 1e-9))
    assert (at_1, beyond) == (1.0, 0.0)
