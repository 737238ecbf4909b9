"""The engine against the pure-Python reference: random networks, batches and layouts."""

import numpy as np
import pytest
from hypothesis import given, settings

import bpfast
from tests.helpers.cases.any_speed import ANY_SPEED
from tests.helpers.cases.random_networks import HIDDEN, PAIRS, cases
from tests.helpers.tolerance import RELATIVE, close


def check(net, x, y, kwargs):
    """Everything the engine computes for a batch equals what the reference computes."""
    dtype = net.dtype.name
    parameters = (net.weights, net.biases)
    functions = {k: net.config[k] for k in ("hidden", "output")}
    costs = functions | {"cost": net.config["cost"]} | kwargs

    expected, got = bpfast.reference.trace(*parameters, x, **functions), net.trace(x)
    assert close(got.a[0], expected.a[0], dtype)
    # z is a sum: it keeps the rounding of terms that cancel, and so does a where σ is near z.
    for k, (w, b) in enumerate(zip(*parameters, strict=True)):
        # By einsum: a BLAS may read beyond small matrices, and warn of NaN there.
        products = np.einsum("xk,jk->xj", np.abs(got.a[k]), np.abs(w))
        terms = float(np.linalg.norm(products + np.abs(b)))
        assert close(got.z[k], expected.z[k], dtype, scale=terms)
        activation = [*net.config["hidden"], net.config["output"]][k]
        scale = 0.0 if activation in ("sigmoid", "softmax", "softplus") else terms
        assert close(got.a[k + 1], expected.a[k + 1], dtype, scale=scale)
    a = bpfast.reference.forward(*parameters, x, **functions)
    assert close(net.forward(x), a, dtype, scale=scale)

    deltas = bpfast.reference.errors(*parameters, x, y, **costs)
    # δ^L is a difference a − y: it keeps the rounding of outputs of order 1, times s_x / Σ s.
    weight = np.asarray(kwargs.get("sample_weight", np.ones(len(x))))
    factor = weight / weight.sum() if kwargs["reduction"] == "mean" else weight
    scale = float(np.linalg.norm(factor)) * np.sqrt(net.sizes[-1])
    got_deltas = net.errors(x, y, **kwargs)
    assert all(close(g, w, dtype, scale=scale) for g, w in zip(got_deltas, deltas, strict=True))

    cost, nabla_w, nabla_b = bpfast.reference.backprop(*parameters, x, y, **costs)
    g = net.backprop(x, y, **kwargs)
    tolerance = RELATIVE[dtype]
    assert g.cost == pytest.approx(cost, rel=tolerance, abs=tolerance * scale)
    assert net.cost(x, y, **kwargs) == g.cost
    inputs = max(1.0, float(np.linalg.norm(np.asarray(x, np.float64), axis=1).max()))
    for mine, theirs in [(g.weights, nabla_w), (g.biases, nabla_b)]:
        assert all(
            close(m, t, dtype, scale=scale * inputs) for m, t in zip(mine, theirs, strict=True)
        )


@given(cases("float64"))
@settings(ANY_SPEED, max_examples=300)
def test_float64(case):
    check(*case)


@given(cases("float32"))
@settings(ANY_SPEED, max_examples=300)
def test_float32(case):
    check(*case)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_every_activation_with_every_cost(hidden, output, cost, dtype):
    rng = np.random.default_rng(5)
    net = bpfast.Network(
        [3, 4, 5, 2], hidden=hidden, output=output, cost=cost, dtype=dtype, init="he", seed=rng
    )
    x = rng.standard_normal((4, 3)).astype(dtype)
    check(net, x, rng.uniform(0.1, 0.9, (4, 2)).astype(dtype), {"reduction": "mean"})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sizes_beyond_a_tile(dtype):
    # The engine divides products into tiles and micropanels; the reference does not.
    rng = np.random.default_rng(6)
    net = bpfast.Network([37, 65, 33, 17], hidden=["tanh", "gelu"], output="softmax",
                         cost="log_likelihood", dtype=dtype, seed=rng)  # fmt: skip
    x = rng.standard_normal((19, 37)).astype(dtype)
    check(net, x, rng.integers(0, 17, 19), {"reduction": "mean"})


def test_the_functional_form_is_the_network():
    rng = np.random.default_rng(7)
    net = bpfast.Network(
        [4, 3, 2], hidden="tanh", output="softmax", cost="log_likelihood", seed=rng
    )
    x, y = rng.standard_normal((5, 4)), rng.integers(0, 2, 5)
    functions = {k: net.config[k] for k in ("hidden", "output")}
    costs = functions | {"cost": net.config["cost"], "sample_weight": [1, 2, 3, 4, 5]}
    parameters = (net.weights, net.biases)
    same = np.testing.assert_array_equal
    same(bpfast.forward(*parameters, x, **functions), net.forward(x))
    for got, expected in zip(bpfast.trace(*parameters, x, **functions), net.trace(x), strict=True):
        for g, w in zip(got, expected, strict=True):
            same(g, w)
    g = net.backprop(x, y, sample_weight=[1, 2, 3, 4, 5])
    cost, nabla_w, nabla_b = bpfast.backprop(*parameters, x, y, **costs)
    assert cost == g.cost
    assert bpfast.cost(*parameters, x, y, **costs) == cost
    for got, expected in [(nabla_w, g.weights), (nabla_b, g.biases)]:
        for one, two in zip(got, expected, strict=True):
            same(one, two)
    errors = bpfast.errors(*parameters, x, y, **costs)
    for got, expected in zip(errors, net.errors(x, y, sample_weight=[1, 2, 3, 4, 5]), strict=True):
        same(got, expected)
