"""Weights of either sign, as policy gradients have them."""

import numpy as np
import pytest

import bpfast
from tests.helpers.tolerance import close

rng = np.random.default_rng(0)
X, LABELS = rng.standard_normal((40, 3)), rng.integers(0, 4, 40)
ADVANTAGES = rng.standard_normal(40)


def policy():
    return bpfast.Network([3, 8, 4], output="softmax", cost="log_likelihood", seed=1)


def of_each():
    """∂C_x of each example, (n, P)."""
    return policy().per_example_gradients(X, LABELS).flat


def test_a_sum_takes_them():
    net = policy()
    found = net.backprop(X, LABELS, sample_weight=ADVANTAGES, reduction="sum")
    assert close(found.flat, ADVANTAGES @ of_each(), "float64")
    costs = net.cost(X, LABELS, reduction="none")
    assert np.isclose(found.cost, ADVANTAGES @ costs, rtol=1e-12)
    parameters = (net.weights, net.biases, X.tolist(), LABELS.tolist())
    kind = {"output": "softmax", "cost": "log_likelihood", "reduction": "sum"}
    c, *_ = bpfast.reference.backprop(*parameters, sample_weight=ADVANTAGES.tolist(), **kind)
    assert np.isclose(c, found.cost, rtol=1e-12)


def test_a_mean_does_not():
    with pytest.raises(ValueError, match="0 or above, got"):
        policy().backprop(X, LABELS, sample_weight=ADVANTAGES)


@pytest.mark.parametrize("weight", [np.nan, np.inf, -np.inf])
def test_they_are_finite(weight):
    weights = np.where(np.arange(40) == 3, weight, ADVANTAGES)
    net, message = policy(), rf"^sample_weight\[3\]: expected a finite weight, got {weight}$"
    parameters, kind = (net.weights, net.biases), {"output": "softmax", "cost": "log_likelihood"}
    signed = {"sample_weight": weights, "reduction": "sum"}
    for call in (
        lambda: net.backprop(X, LABELS, **signed),
        lambda: net.cost(X, LABELS, **signed),
        lambda: net.partial_fit(X, LABELS, sample_weight=weights),
        lambda: bpfast.reference.cost(*parameters, X.tolist(), LABELS.tolist(), **kind, **signed),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_partial_fit_uses_them_as_given():
    net = policy()
    before = net.params.copy()
    net.partial_fit(X, LABELS, batch_size=40, sample_weight=ADVANTAGES, optimizer="sgd",
                    learning_rate=0.5)  # fmt: skip
    assert close(net.params, before - 0.5 * (ADVANTAGES @ of_each()) / 40, "float64")


@pytest.mark.parametrize("batch_size", [1, 8, 40])
def test_fit_divides_by_their_mean_size(batch_size):
    net = policy()
    before = net.params.copy()
    rate = 1e-6  # steps so small that their gradients add up
    net.fit(X, LABELS, epochs=1, batch_size=batch_size, sample_weight=ADVANTAGES,
            optimizer="sgd", learning_rate=rate, seed=0)  # fmt: skip
    expected = ADVANTAGES @ of_each() / np.abs(ADVANTAGES).mean()
    step = (before - net.params) / rate
    assert np.allclose(step * batch_size, expected, rtol=1e-3, atol=1e-3)
    assert np.isfinite(net.history["cost"]).all()


def test_the_cost_of_fit_is_what_is_minimised():
    net = policy()
    costs = net.cost(X, LABELS, reduction="none")
    expected = ADVANTAGES @ costs / np.abs(ADVANTAGES).sum()
    history = net.fit(
        X, LABELS, epochs=1, batch_size=40, sample_weight=ADVANTAGES, learning_rate=1e-3
    )
    assert np.isclose(history["cost"][0], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda net: net.fit(X, LABELS, sample_weight=-np.ones(40)),
            "no weight is above 0, got -1$",
        ),
        (
            lambda net: net.fit(X, LABELS, sample_weight=ADVANTAGES, validation=0.5),
            "of the examples for validation",
        ),
        (
            lambda net: net.fit(X, LABELS, validation=(X, LABELS, ADVANTAGES)),
            "validation: sample_weight.*0 or above",
        ),
        (lambda net: net.evaluate(X, LABELS, sample_weight=ADVANTAGES), "0 or above"),
    ],
)
def test_a_validation_is_a_mean(call, message):
    with pytest.raises(ValueError, match=message):
        call(policy())
