"""`explain`: its inputs and forms, healthy and extreme networks, and bad input."""

import re

import numpy as np
import pytest
from scipy import sparse

import bpfast
from bpfast.inside import CAUSES, Report, explain
from tests.helpers.cases.explained import LABELS, X, classifier, kinds
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import rounded


def test_a_healthy_network_has_no_finding():
    report = explain(classifier(), X, LABELS, optimizer="adam")
    assert report.findings == ()
    assert report.main is None
    assert "no cause of slow learning found" in str(report)


def test_the_baseline_is_the_best_constant_answer():
    report = explain(classifier(), X, LABELS)
    share = LABELS.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert report.baseline == pytest.approx(entropy, rel=1e-12)
    y = np.random.default_rng(1).normal([5, 0, 1], 1, (200, 3))
    net = bpfast.Network([4, 5, 3], output="identity", seed=0)
    assert explain(net, X, y).baseline == pytest.approx(y.var(axis=0).sum() / 2, rel=1e-12)
    assert report.cost == pytest.approx(classifier().cost(X, LABELS), rel=1e-12)


@pytest.mark.parametrize(
    ("output", "y"),
    [
        ("hard_swish", [0.2, 0.5]), ("gelu", [-0.1, 0.4]), ("leaky_relu", [-0.3, 0.1]),
        ("elu", [-0.7, 0.1]), ("tanh", [-1.0, 3.0]), ("sigmoid", [-1.0, -3.0]), ("sin", [2.0, 0.4]),
    ],
)  # fmt: skip
def test_the_baseline_of_other_outputs(output, y):
    """The lowest cost of all constant outputs, found by trying them."""
    every = bpfast.Network.from_parameters([[[1.0]]], [[0.0]], output=output)
    a = every.forward(np.linspace(-40, 40, 80_001)[:, np.newaxis])
    lowest = np.mean([(a - value) ** 2 / 2 for value in y], axis=0).min()
    net = bpfast.Network([2, 1], output=output, seed=0)
    # z is tried in steps of 1e-3, and the cost is flat at its minimum.
    assert explain(net, np.eye(2), y).baseline == pytest.approx(lowest, rel=1e-5)


def test_a_learned_network_has_no_finding_whatever_else_there_is():
    net = bpfast.Network([4, 1], output="identity", init="zeros")
    net.weights[0][0, 0] = 0.01
    report = explain(net, 100 * X, X[:, :1])
    assert report.findings == ()
    assert "the examples are learned" in str(report)


def test_nothing_is_changed():
    net, x, labels = classifier(dtype="float32"), X.copy(), LABELS.copy()
    optimizer = bpfast.Adam(bpfast.schedules.Cosine(0.01, steps=10))
    net.fit(x, labels, epochs=1, optimizer=optimizer, seed=0)
    state, before = repr(optimizer.state), net.params.copy()
    report = explain(net, x, labels)
    str(report)
    report.rows  # noqa: B018 - computed when it is asked for
    assert (net.params == before).all()
    assert repr(optimizer.state) == state
    assert net.optimizer is optimizer
    assert (x == X).all()
    assert (labels == LABELS).all()


def test_equal_arguments_give_equal_reports():
    net = classifier()
    net.weights[0] *= 30
    first, again = (str(explain(net, X, LABELS, learning_rate=0.1)) for _ in range(2))
    assert first == again


def test_sparse_x_rows_of_y_and_lists_are_the_same():
    expected = explain(classifier(), X, LABELS).to_dict()
    for x, y in (
        (sparse.csr_array(X), LABELS),
        (X.tolist(), LABELS.tolist()),
        (X, np.eye(2)[LABELS]),
    ):
        found = explain(classifier(), x, y).to_dict()
        for name, column in expected.items():
            np.testing.assert_array_equal(found[name], column)


def test_callable_costs_and_few_examples():
    def cost(a, y):
        return ((a[:, 0] - y) ** 2) / 2, (a[:, :1] - y[:, None])

    net = bpfast.Network([4, 3, 1], hidden="tanh", output="identity", cost=cost, seed=0)
    report = explain(net, X, X[:, 0], learning_rate=0.1)
    assert np.isfinite(report.cost)
    net.biases[0][:] = 20
    assert explain(net, X, X[:, 0]).main.kind == "saturated_hidden"
    one = explain(classifier(), X[:1], LABELS[:1], learning_rate=0.1)
    assert isinstance(one, Report)
    assert all(row.cancellation == rounded(1) for row in one.rows)  # one agrees with itself


def test_a_cost_that_takes_z():
    def cost(z, y):
        return ((z - y) ** 2).sum(axis=1) / 2, z - y

    cost.takes_z = True
    y = X[:, :1]
    net = bpfast.Network([4, 6, 1], hidden="tanh", output="sigmoid", cost=cost, seed=0)
    report = explain(net, X, y, learning_rate=0.1)
    (last,) = [row for row in report.rows if row.layer == 3]
    assert last.gate == 1  # δ^L is what the cost returns
    assert last.arrives == rounded(np.sqrt(np.mean((net.trace(X).z[-1] - y) ** 2)))
    net.biases[0][:] = 20
    check = explain(net, X, y, optimizer="sgd", learning_rate=0.1).check(steps=10)
    assert check.kind == "saturated_hidden"
    demon = bpfast.inside.demon(net, X, y, 2, 0, 1e-4)
    # A saturated neuron: ΔC is a difference of costs that are equal to 12 digits.
    assert demon.true == pytest.approx(demon.predicted, rel=1e-2)


def test_an_overflowing_network_is_explained_without_a_warning():
    net = bpfast.Network([4, 20, 20, 1], hidden="relu", output="identity", init="he", seed=0)
    net.params *= 1e120
    assert explain(net, X, X[:, :1], learning_rate=0.1).main.kind == "large_weights"


def test_outputs_that_are_saturated_to_the_last_bit():
    net = bpfast.Network([4, 6, 2], hidden="gelu", output="tanh", seed=0)
    net.weights[1] *= 1e4
    net.biases[1][:] = 1e6  # tanh is 1, its derivative 0: no error at all
    assert not np.any(net.errors(X, -np.ones((200, 2)))[-1])
    report = explain(net, X, -np.ones((200, 2)), learning_rate=0.1)
    assert "large_weights" in kinds(report)
    assert str(report)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_schedule_that_begins_or_ends_at_0(optimizer):
    """The next step changes nothing, so no multiple of it is better: the rate is another one."""
    start = bpfast.schedules.WarmUp(0.1, steps=10)
    new = explain(classifier(), X, LABELS, optimizer=optimizer, learning_rate=start)
    net, end = classifier(), bpfast.schedules.Cosine(0.1, steps=4)
    monitor = bpfast.inside.Monitor(X, LABELS, every_steps=1, warn=False)
    net.fit(
        X, LABELS, epochs=4, batch_size=200, optimizer=optimizer, learning_rate=end,
        callbacks=monitor, seed=0,
    )  # fmt: skip
    for report in (new, explain(net, X, LABELS)):
        assert kinds(report)[0] == "small_step"
        assert "at learning_rate=0 a step changes no parameter" in str(report)
        (rate,) = re.findall(r"try: learning_rate=(\S+)", str(report))
        assert float(rate) > 0
        assert all(row.step == 0 for row in report.rows)


def test_every_cause_has_a_title():
    assert all(kind.isidentifier() and title for kind, title in CAUSES.items())


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"net": None}, TypeError, r"^net: expected a Network, got NoneType$"),
        ({"x": X[:, :3]}, ValueError, r"^x: "),
        ({"x": X[:0], "y": LABELS[:0]}, ValueError, r"^x: "),
        ({"x": np.full((200, 4), np.nan)}, ValueError, r"^x\[0, 0\]: expected finite numbers"),
        ({"x": "text"}, TypeError, r"^x: expected real numbers"),
        ({"y": LABELS[:5]}, ValueError, r"^y: "),
        ({"y": LABELS + 1}, ValueError, r"^y"),
        ({"sample_weight": -np.ones(200)}, ValueError, r"^sample_weight"),
        ({"sample_weight": np.zeros(200)}, ValueError, r"^sample_weight"),
        ({"optimizer": "sdg"}, ValueError, r"^optimizer: unknown name 'sdg'; did you mean 'sgd'"),
        ({"optimizer": 3}, TypeError, r"^optimizer: expected a name or an optimizer, got int$"),
        ({"learning_rate": -1}, ValueError, r"^learning_rate: "),
        ({"optimizer": bpfast.SGD(), "learning_rate": 1}, ValueError, r"^learning_rate: expect"),
    ],
)  # fmt: skip
def test_bad_input(arguments, kind, message):
    net = classifier()
    given = {"net": net, "x": X, "y": LABELS} | arguments
    with refuses(kind, message, net):
        explain(**given)
