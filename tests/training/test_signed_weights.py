"""Weights of either sign, as policy gradients have them."""

import numpy as np
import pytest

import bpfast
from bpfast._training.data.held_out import split_rows
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


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("custom", [False, True])
def test_errors_have_the_rows_of_the_user(many, custom):
    """Also after some examples are held out."""

    def squares(a, y):
        return np.square(a - y).sum(axis=1) / 2, a - y

    def fit(weight):
        # `fit_many` trains a network with a callable cost by itself.
        net = bpfast.Network([3, 4], output="identity", cost=squares, seed=0)
        net, options = net if custom else policy(), {"validation": 0.5, "seed": 0, "epochs": 1}
        y = np.eye(4)[LABELS]
        if many:
            bpfast.fit_many([net], X, y, sample_weight=[weight], **options)
        else:
            net.fit(X, y, sample_weight=weight, **options)

    trained, held = split_rows(0.5, 40, 0)
    where = r"nets\[0\]: " if many else ""
    weight = np.ones(40)
    weight[held[7]] = -1
    message = rf"^{where}sample_weight\[{held[7]}\]: expected .* for validation, got -1$"
    with pytest.raises(ValueError, match=message):
        fit(weight)
    weight = np.ones(40)
    weight[trained] = -1
    message = rf"^{where}sample_weight\[{trained[0]}\]: expected .* no weight is above 0, got -1$"
    with pytest.raises(ValueError, match=message):
        fit(weight)


def test_class_weights_of_which_no_product_is_above_0():
    weight = np.where(LABELS == 0, 1.0, -1.0)
    first = int((LABELS != 0).argmax())
    message = f"^class_weight: expected a weight above 0 .*, got -1 for example {first} and none"
    with pytest.raises(ValueError, match=message):
        policy().fit(X, LABELS, sample_weight=weight, class_weight={0: 0.0})


def test_weights_that_may_be_negative_are_only_called_finite():
    net = policy()
    weight = np.ones(40)
    weight[3] = np.nan
    x, y = X.tolist(), LABELS.tolist()
    plain = [[w.tolist() for w in net.weights], [b.tolist() for b in net.biases]]
    names = {"output": net.config["output"], "hidden": net.config["hidden"]}
    for call in (
        lambda: net.fit(X, LABELS, sample_weight=weight),
        lambda: bpfast.reference.cost(
            *plain, x, y, cost="log_likelihood", sample_weight=weight, reduction="sum", **names
        ),
    ):
        with pytest.raises(ValueError, match=r"^sample_weight\[3\]: expected a finite weight, got"):
            call()
    for call in (
        lambda: net.evaluate(X, LABELS, sample_weight=weight),
        lambda: bpfast.reference.cost(
            *plain, x, y, cost="log_likelihood", sample_weight=weight, **names
        ),
    ):
        with pytest.raises(ValueError, match="a finite weight, 0 or above, got"):
            call()
