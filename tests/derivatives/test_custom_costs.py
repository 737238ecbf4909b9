"""Callable costs: the derivatives of named costs, and a refusal where second ones are needed."""

import numpy as np
import pytest

import bpfast
from bpfast import reference
from tests.helpers.derivatives import flat, vector
from tests.helpers.tolerance import close


def quadratic(a, y):
    """As the named cost, for NumPy arrays and for the lists of the reference."""
    a, y = np.asarray(a), np.asarray(y)
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


def networks(dtype="float64", output="tanh"):
    rng = np.random.default_rng(0)
    named = bpfast.Network([3, 5, 2], hidden="silu", output=output, dtype=dtype, seed=rng)
    own = bpfast.Network([3, 5, 2], hidden="silu", output=output, dtype=dtype, cost=quadratic)
    own.params[:] = named.params
    x, y = rng.standard_normal((40, 3)).astype(dtype), rng.random((40, 2)).astype(dtype)
    return named, own, x, y, rng


CALLS = {
    "input_gradient": lambda net, x, y, s: net.input_gradient(x, y, sample_weight=s),
    "input_gradient, sum": (
        lambda net, x, y, s: net.input_gradient(x, y, sample_weight=s, reduction="sum")
    ),
    "per_example_gradients": (
        lambda net, x, y, s: net.per_example_gradients(x, y, sample_weight=s).flat
    ),
    "per_example_norms": lambda net, x, y, s: net.per_example_norms(x, y, sample_weight=s),
    "clipped_backprop": lambda net, x, y, s: net.clipped_backprop(x, y, 0.1).flat,
    "sampled": (
        lambda net, x, y, s: net.clipped_backprop(x, y, 0.1, sampling_rate=0.5, seed=1).flat
    ),
    "mean": lambda net, x, y, s: net.gradient_statistics(x, y).mean.flat,
    "variance": lambda net, x, y, s: net.gradient_statistics(x, y).variance.flat,
    "empirical_fisher_vp": (
        lambda net, x, y, s: (
            net.empirical_fisher_vp(x, y, np.ones(net.params.size), sample_weight=s).flat
        )
    ),
    "empirical_fisher_vp, sum": (
        lambda net, x, y, s: net.empirical_fisher_vp(x, y, net.params.copy(), reduction="sum").flat
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", ["identity", "tanh", "gelu", "softmax"])
@pytest.mark.parametrize("call", CALLS)
def test_a_callable_has_the_derivatives_of_the_named_cost(call, output, dtype):
    named, own, x, y, rng = networks(dtype, output)
    s = rng.uniform(0, 2, 40)
    got, expected = (CALLS[call](net, x, y, s) for net in (own, named))
    assert close(got, expected, dtype)
    got, expected = (CALLS[call](net, x, y, None) for net in (own, named))
    assert close(got, expected, dtype)


def test_against_the_reference():
    _, own, x, y, rng = networks()
    kinds = {"hidden": "silu", "output": "tanh", "cost": quadratic}
    s, v = rng.uniform(0, 2, 40), vector(own, rng)
    arguments = (own.weights, own.biases, x, y)
    expected = reference.empirical_fisher_vp(
        *arguments, v.weights, v.biases, sample_weight=s, **kinds
    )
    assert close(own.empirical_fisher_vp(x, y, v, sample_weight=s).flat, flat(*expected), "float64")
    expected = reference.input_gradient(*arguments, sample_weight=s, **kinds)
    assert close(own.input_gradient(x, y, sample_weight=s), expected, "float64")
    expected = reference.clipped_backprop(*arguments, 0.1, **kinds)
    assert close(own.clipped_backprop(x, y, 0.1).flat, flat(*expected), "float64")


@pytest.mark.parametrize("name", ["hvp", "ggn_vp"])
def test_second_derivatives_of_a_callable_are_refused(name):
    _, own, x, y, _ = networks()
    v = np.ones(own.params.size)
    expected = (
        r"^cost: expected a cost by name, whose second derivatives are known, got a callable$"
    )
    for given in (x, own.trace(x)):
        with pytest.raises(ValueError, match=expected):
            getattr(own, name)(given, y, v)
    vectors = ([np.zeros((5, 3)), np.zeros((2, 5))], [np.zeros(5), np.zeros(2)])
    with pytest.raises(ValueError, match=expected):
        getattr(reference, name)(own.weights, own.biases, x, y, *vectors, cost=quadratic)


def test_a_cost_is_called_once_for_the_drawn_examples():
    seen = []

    def cost(a, y):
        seen.append(len(y))
        return quadratic(a, y)

    net = bpfast.Network([3, 2], cost=cost, seed=0)
    x, y = np.ones((100, 3)), np.ones((100, 2))
    net.clipped_backprop(x, y, 1.0)
    net.clipped_backprop(x, y, 1.0, sampling_rate=0.3, seed=0)
    assert seen[0] == 100
    assert 0 < seen[1] < 60
    assert len(seen) == 2


@pytest.mark.parametrize("call", [name for name in CALLS if "sum" not in name])
def test_wrong_results_of_a_callable(call):
    _, _, x, y, _ = networks()
    for result, kind in [(1.0, TypeError), ((1.0,), ValueError),
                         ((np.ones(40), np.ones((40, 3))), ValueError)]:  # fmt: skip
        net = bpfast.Network([3, 5, 2], cost=lambda a, y, result=result: result)
        with pytest.raises(kind, match=r"^cost"):
            CALLS[call](net, x, y, None)


class Logits:
    """Cross-entropy over sigmoid, of z^L, on NumPy's arrays and on lists."""

    takes_z = True

    def __call__(self, z, y):
        z, y = np.asarray(z), np.asarray(y)
        a = 1 / (1 + np.exp(-z))
        costs, delta = (np.logaddexp(0, z) - y * z).sum(axis=1), a - y
        return (costs, delta)


def test_the_reference_knows_costs_of_z():
    rng = np.random.default_rng(0)
    x, y, s = rng.standard_normal((6, 3)), rng.random((6, 2)), rng.random(6)
    named = bpfast.Network([3, 4, 2], hidden="tanh", cost="cross_entropy", seed=0)
    own = bpfast.Network([3, 4, 2], hidden="tanh", cost=Logits(), seed=0)
    parameters, kinds = (own.weights, own.biases, x, y), {"hidden": "tanh", "cost": Logits()}
    c, *gradient = reference.backprop(*parameters, sample_weight=s, **kinds)
    for net in (named, own):
        g = net.backprop(x, y, sample_weight=s)
        assert g.cost == pytest.approx(c, rel=1e-14)
        assert close(g.flat, flat(*gradient), "float64")
    statistics = reference.gradient_statistics(*parameters, **kinds)
    assert close(own.gradient_statistics(x, y).variance.flat, flat(*statistics[2:]), "float64")
    assert reference.cost(*parameters, **kinds) == pytest.approx(own.cost(x, y), rel=1e-14)
    delta = reference.bp1(named.trace(x).z[-1], y, cost=Logits())
    assert close(bpfast.bp1(named.trace(x).z[-1], y, cost=Logits()), delta, "float64")
