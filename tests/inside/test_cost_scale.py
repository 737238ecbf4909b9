"""How much is left to learn: measured from the least possible cost, which may be below 0."""

import warnings

import numpy as np
import pytest

import bpfast
from bpfast.inside import Monitor, explain
from bpfast.inside._batch import batch_of
from bpfast.inside._cost_scale import CostScale
from tests.helpers.cases.explained import LABELS, X, kinds

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(np.exp(3 + 0.5 * X[:, :1])).astype(float)
ENTROPY = 0.25 * np.log(4) - 0.75 * np.log(0.75)
SHARES = RNG.dirichlet([1.0, 2.0, 3.0], 200)


def network(**options):
    return bpfast.Network([4, 16, 1], hidden="tanh", init="xavier", seed=0, **options)


@pytest.mark.parametrize(
    ("output", "cost", "y", "least"),
    [
        ("softplus", "poisson", COUNTS, np.mean(COUNTS - COUNTS * np.log(np.maximum(COUNTS, 1)))),
        ("softmax", "log_likelihood", SHARES, -np.mean((SHARES * np.log(SHARES)).sum(axis=1))),
        ("softmax", "log_likelihood", np.eye(2)[LABELS], 0.0),
        ("sigmoid", "cross_entropy", np.full((200, 1), 0.25), ENTROPY),
        ("identity", "quadratic", COUNTS, 0.0),
    ],
)  # fmt: skip
def test_the_least_cost_by_hand(output, cost, y, least):
    net = bpfast.Network([4, y.shape[1]], output=output, cost=cost, seed=0)
    scale = CostScale.of(batch_of(net, X, y))
    assert scale.least == pytest.approx(least, rel=1e-9, abs=1e-9)
    assert scale.base >= scale.least - 1e-9
    if scale.size > 1e-6:
        assert scale.left(scale.base) == pytest.approx(1.0)
        assert scale.left((scale.base + scale.least) / 2) == pytest.approx(0.5)


def test_a_saturated_network_of_counts_has_not_learned():
    """Its costs are below 0: C leaves out ln y!."""
    net = network(output="softplus", cost="poisson")
    net.biases[0][:] = 30
    net.biases[1][:] = 10
    report = explain(net, X, COUNTS, optimizer="adam")
    assert report.baseline < report.cost < 0
    assert report.main.kind == "saturated_hidden"
    check = explain(net, X, COUNTS, optimizer=bpfast.Adam(0.01)).check(steps=200)
    assert check.confirmed
    assert min(check.cost_after) >= 0
    monitor = Monitor(X, COUNTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(X, COUNTS, epochs=2, callbacks=monitor, seed=0)
    assert monitor.warned == "saturated_hidden"
    net, rates = network(output="softplus", cost="poisson"), np.exp(3 + 0.5 * X[:, :1])
    net.fit(X, rates, epochs=400, optimizer=bpfast.Adam(0.02), seed=0)
    assert explain(net, X, rates).findings == ()


@pytest.mark.parametrize("seed", range(5))
def test_the_first_step_of_rmsprop_is_longer_than_the_next_and_no_cause(seed):
    x = np.random.default_rng(seed).uniform(-2, 2, (300, 1))
    net = bpfast.Network([1, 32, 32, 1], hidden="tanh", output="identity", init="xavier", seed=seed)
    assert kinds(explain(net, x, np.sin(2 * x), optimizer="rmsprop")) == []
    found = kinds(explain(net, x, np.sin(2 * x), optimizer=bpfast.RMSprop(0.5)))
    assert found == ["large_step"]


@pytest.mark.parametrize("output", ["softplus", "relu"])
def test_the_scale_of_outputs_that_are_never_below_0(output):
    y = np.exp(5 + 0.5 * X[:, :1])
    report = explain(network(output=output), X, y, optimizer="adam")
    assert report.main.suggestion == "divide y by its RMS, and scale the outputs back"
    check = report.check()
    assert check.confirmed
    assert check.change == "y divided by its RMS"
    scaled = y / np.sqrt(np.mean(y**2))
    assert "target_range" not in kinds(explain(network(output=output), X, scaled))


@pytest.mark.parametrize("cost", ["log_likelihood", "poisson"])
def test_shares_of_counts(cost):
    """Outputs of softmax add up to 1: the best answer for counts y is y / Σ y."""
    counts = np.random.default_rng(0).multinomial(50, [0.7, 0.2, 0.05, 0.05], 200).astype(float)
    net = bpfast.Network([4, 8, 4], hidden="tanh", output="softmax", cost=cost, seed=0)
    net.biases[0][:], net.weights[1][:] = 30, 0
    net.biases[1][:] = np.log(counts.mean(axis=0))
    report = explain(net, X, counts)
    assert report.cost == pytest.approx(report.baseline, rel=1e-9)
    assert report.main.kind == "saturated_hidden"


@pytest.mark.parametrize(
    "schedule", [bpfast.schedules.Cosine(0.01, 640), bpfast.schedules.Step(0.01, 64, 0.1)]
)
def test_the_small_rates_at_the_end_of_a_schedule_are_no_cause(schedule):
    y = np.sin(X[:, :1]) + RNG.standard_normal((200, 1))
    net = bpfast.Network([4, 8, 1], hidden="tanh", output="identity", init="xavier", seed=0)
    net.fit(X, y, epochs=64, batch_size=20, optimizer=bpfast.Adam(schedule), seed=0)
    assert "small_step" not in kinds(explain(net, X, y))
    tiny = bpfast.Network([4, 8, 1], hidden="tanh", output="identity", init="xavier", seed=0)
    tiny.fit(X, y, epochs=2, optimizer=bpfast.SGD(bpfast.schedules.Cosine(1e-9, 640)), seed=0)
    assert kinds(explain(tiny, X, y)) == ["small_step"]


@pytest.mark.parametrize(("output", "expected"), [("sigmoid", 0.56), ("softplus", 0.0)])
def test_saturation_of_outputs_of_the_poisson_cost(output, expected):
    """Records of steps have the numbers of records of epochs."""
    x, y = np.linspace(-8, 8, 50)[:, np.newaxis], np.full((50, 1), 0.5)
    net = bpfast.Network([1, 1], output=output, cost="poisson", init="zeros")
    net.weights[0][:] = 1
    epochs, steps = Monitor(x, y, warn=False), Monitor(x, y, every_steps=1, warn=False)
    epochs.record(net)
    net.fit(x, y, epochs=1, batch_size=50, optimizer=bpfast.SGD(1e-12), callbacks=steps, seed=0)
    assert epochs.saturation_2[0] == pytest.approx(expected)
    assert steps.saturation_2[0] == pytest.approx(expected)


def test_a_gradient_of_0_has_no_signal():
    net = bpfast.Network([4, 3, 1], output="identity", init="zeros")
    epochs = Monitor(X, np.zeros((200, 1)), warn=False)
    steps = Monitor(X, np.zeros((200, 1)), every_steps=1, warn=False)
    epochs.record(net)
    net.fit(X, np.zeros((200, 1)), epochs=1, batch_size=200, callbacks=steps)
    assert np.isnan([epochs.signal_to_noise[0], steps.signal_to_noise[0]]).all()
