"""Every derivative against the pure-Python reference: random networks, batches and layouts."""

import numpy as np
import pytest
from hypothesis import given, settings

import bpfast
from bpfast import reference
from tests.helpers.cases.any_speed import ANY_SPEED
from tests.helpers.cases.random_networks import ALLOWED, HIDDEN, PAIRS, cases
from tests.helpers.derivatives import activations, flat, kinds, vector
from tests.helpers.tolerance import close


def check(net, x, y, kwargs):
    """Everything the engine computes equals what the reference computes."""
    rng = np.random.default_rng(0)
    directions(net, x, rng)
    examples(net, x, y, kwargs)
    curvature(net, x, y, kwargs, vector(net, rng))


def directions(net, x, rng):
    """By the outputs, by x, and along directions."""
    dtype, parameters, kind = net.dtype.name, (net.weights, net.biases), activations(net)
    v = rng.standard_normal((len(x), net.sizes[-1])).astype(dtype)
    for at in ("a", "z"):
        gradient, dx = net.vjp(x, v, at=at)
        *expected, expected_dx = reference.vjp(*parameters, x, v, at=at, **kind)
        # Sums keep the rounding of terms that cancel, which are of the order of v.
        scale = 0.1 * float(np.linalg.norm(v))
        assert close(gradient.flat, flat(*expected), dtype, scale=scale)
        assert close(dx, expected_dx, dtype, scale=scale)
        expected = reference.jacobian(*parameters, x, at=at, **kind)
        assert close(net.jacobian(x, at=at), expected, dtype, scale=0.1)
    dx, dparams = rng.standard_normal(x.shape).astype(dtype), vector(net, rng)
    dw, db = dparams.weights, dparams.biases
    for ours, theirs in [
        ({"dx": dx}, {"dx": dx}),
        ({"dparams": dparams}, {"dweights": dw, "dbiases": db}),
        ({"dx": dx, "dparams": dparams}, {"dx": dx, "dweights": dw, "dbiases": db}),
    ]:
        a, da = net.jvp(x, **ours)
        expected = reference.jvp(*parameters, x, **theirs, **kind)
        scale = 0.1 * float(np.linalg.norm(dx))
        assert close(da, expected[1], dtype, scale=scale)
        np.testing.assert_array_equal(a, net.forward(x))
    layer = 2 + int(rng.integers(len(net.sizes) - 1))
    z = net.trace(x).z[layer - 2]
    expected = reference.forward_from(*parameters, layer, z, **kind)
    assert close(net.forward_from(layer, z), expected, dtype, scale=0.1)
    np.testing.assert_array_equal(net.forward_from(layer, z), net.forward(x))


def factors(net, x, kwargs):
    """s_x, or s_x / Σ s, and the norm of outputs of order 1 with these weights."""
    weight = np.asarray(kwargs.get("sample_weight", np.ones(len(x))))
    factor = weight / weight.sum() if kwargs["reduction"] == "mean" else weight
    return weight, float(np.linalg.norm(factor)) * np.sqrt(net.sizes[-1])


def examples(net, x, y, kwargs):
    """By x, and of single examples."""
    dtype, parameters, kind = net.dtype.name, (net.weights, net.biases), kinds(net)
    weight, scale = factors(net, x, kwargs)
    expected = reference.input_gradient(*parameters, x, y, **kind, **kwargs)
    assert close(net.input_gradient(x, y, **kwargs), expected, dtype, scale=scale)
    weights = {"sample_weight": weight}
    g = net.per_example_gradients(x, y, **weights)
    expected = reference.per_example_gradients(*parameters, x, y, **kind, **weights)
    inputs = max(1.0, float(np.linalg.norm(np.asarray(x, np.float64), axis=1).max()))
    scale = float(np.linalg.norm(weight)) * np.sqrt(net.sizes[-1]) * inputs
    for got, wanted in zip([*g.weights, *g.biases], [*expected[0], *expected[1]], strict=True):
        assert close(got, wanted, dtype, scale=scale)
    for per_layer in (False, True):
        options = {"per_layer": per_layer, **weights}
        norms = net.per_example_norms(x, y, **options)
        expected = reference.per_example_norms(*parameters, x, y, **kind, **options)
        assert close(norms, expected, dtype, scale=scale)
        assert norms.dtype == np.float64
    c = 1.01 * float(np.median(net.per_example_norms(x, y))) or 1.0
    scale = len(x) * np.sqrt(net.sizes[-1]) * inputs
    for reduction in ("mean", "sum"):
        got = net.clipped_backprop(x, y, c, reduction=reduction)
        expected = reference.clipped_backprop(*parameters, x, y, c, **kind, reduction=reduction)
        assert close(got.flat, flat(*expected), dtype, scale=scale)
    if len(x) > 1:
        s = net.gradient_statistics(x, y)
        expected = reference.gradient_statistics(*parameters, x, y, **kind)
        assert close(s.mean.flat, flat(*expected[:2]), dtype, scale=scale)
        # Of gradients that are rounded themselves.
        flat_x = net.per_example_gradients(x, y).flat.astype(np.float64)
        rounding = float(np.linalg.norm(flat_x.std(axis=0) * np.abs(flat_x).max(axis=0)))
        assert close(s.variance.flat, flat(*expected[2:]), dtype, scale=4 * rounding)


def curvature(net, x, y, kwargs, v):
    dtype, parameters, kind = net.dtype.name, (net.weights, net.biases), kinds(net)
    _, scale = factors(net, x, kwargs)
    arguments = (*parameters, x, y, v.weights, v.biases)
    for name in ("hvp", "ggn_vp"):
        got = getattr(net, name)(x, y, v, **kwargs)
        expected = getattr(reference, name)(*arguments, **kind, **kwargs)
        assert close(got.flat, flat(*expected), dtype, scale=scale), name
        assert np.isnan(got.cost)
    got = net.empirical_fisher_vp(x, y, v, **kwargs)
    expected = reference.empirical_fisher_vp(*arguments, **kind, **kwargs)
    # Σ f ∂C_x (∂C_x · v), whose dot products may cancel, of differences a − y.
    norms = np.maximum(net.per_example_norms(x, y), 0.1)
    scale = float(scale * (norms**2).max() * np.linalg.norm(v.flat))
    assert close(got.flat, flat(*expected), dtype, scale=scale)


@given(cases("float64"))
@settings(ANY_SPEED, max_examples=150)
def test_float64(case):
    check(*case)


@given(cases("float32"))
@settings(ANY_SPEED, max_examples=150)
def test_float32(case):
    check(*case)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", range(len(PAIRS)), ids=["-".join(pair) for pair in PAIRS])
def test_every_cost_with_its_outputs(k, dtype):
    """Over two hidden layers of a kind each, which change from pair to pair."""
    output, cost = PAIRS[k]
    few_outputs = cost in ALLOWED
    for first in range(k, k + len(HIDDEN), 2 if few_outputs else 4):
        hidden = [HIDDEN[layer % len(HIDDEN)] for layer in (first, first + 1)]
        rng = np.random.default_rng(5)
        net = bpfast.Network(
            [3, 4, 5, 2], hidden=hidden, output=output, cost=cost, dtype=dtype, init="he", seed=rng
        )
        x = rng.standard_normal((4, 3)).astype(dtype)
        y = rng.uniform(0.1, 0.9, (4, 2)).astype(dtype)
        check(net, x, y, {"reduction": "mean", "sample_weight": [1.0, 0.0, 2.0, 0.5]})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sizes_beyond_a_tile(dtype):
    rng = np.random.default_rng(6)
    net = bpfast.Network([37, 65, 33, 17], hidden=["tanh", "gelu"], output="softmax",
                         cost="log_likelihood", dtype=dtype, seed=rng)  # fmt: skip
    x, y = rng.standard_normal((19, 37)).astype(dtype), rng.integers(0, 17, 19)
    examples(net, x, y, {"reduction": "mean"})
    curvature(net, x, y, {"reduction": "mean"}, vector(net, rng))
