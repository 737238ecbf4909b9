"""`Report` as text, HTML and tables, and `Report.check`."""

import copy
import pickle

import numpy as np
import pytest

import bpfast
from bpfast.inside import explain
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import rounded

RNG = np.random.default_rng(1)
X = RNG.standard_normal((150, 3))
Y = np.sin(2 * X[:, :1]) * X[:, 1:2]


def network(**options):
    arguments = {"hidden": "tanh", "output": "identity", "init": "xavier", "seed": 0}
    return bpfast.Network([3, 6, 1], **(arguments | options))


@pytest.fixture(scope="module")
def report():
    net = network()
    net.biases[0][:] = 15
    return explain(net, X, Y, learning_rate=0.02)


def test_text(report):
    lines = str(report).splitlines()
    assert lines[0].startswith("Report on 3-6-1: 150 examples, cost ")
    assert lines[2].startswith("1. saturated hidden neurons, layer 2 (BP2): at 100% of the neurons")
    assert any(line.startswith("   evidence: mean of σ' ") for line in lines)
    assert "   try: start with biases of 0" in lines
    assert any(line.split()[:4] == ["layer", "neurons", "activation", "arrives"] for line in lines)
    assert max(map(len, lines)) <= 110
    assert repr(report) == "<Report 3-6-1: saturated hidden neurons in layer 2>"


def test_html(report):
    text = report._repr_html_()
    assert text.count("<table>") >= 2
    assert "saturated hidden neurons" in text
    assert "σ&#x27; is below a tenth" in text


def test_tables(report):
    columns = report.to_dict()
    assert columns["layer"].tolist() == [2] * 6 + [3]
    assert columns["neuron"].tolist() == [0, 1, 2, 3, 4, 5, 0]
    assert columns["gate"].dtype == np.float64
    frame = report.to_pandas()
    assert frame.shape == (7, len(columns) - 2)
    assert frame.loc[(2, 3), "gate"] == columns["gate"][3]
    medians = report.layer_medians
    assert medians.keys() == {2, 3}
    assert medians[2]["inputs"] == rounded(np.median(columns["inputs"][:6]))


def test_copies_and_pickles(report):
    for twin in (copy.deepcopy(report), pickle.loads(pickle.dumps(report))):
        assert str(twin) == str(report)


def test_a_check_shows_prediction_beside_outcome(report):
    check = report.check()
    assert check.kind == "saturated_hidden"
    assert check.change == "biases of layer 2 set to 0"
    assert check.confirmed
    assert check.predicted_ratio > 100
    assert check.ratio > 100
    assert len(check.cost_before) == len(check.cost_after) == check.steps + 1 == 201
    # It learned nothing before. The prediction is of the first step, the steepest; the change makes
    # a factor of 1e10.
    assert check.cost_before[-1] > 0.95
    assert check.cost_after[-1] < 0.5
    assert 1e-2 < check.after / check.predicted_after < 10
    lines = str(check).splitlines()
    assert lines[0] == "saturated hidden neurons, with biases of layer 2 set to 0: confirmed"
    assert lines[1].split()[:3] == ["as", "it", "is"]
    assert [line.split()[0] for line in lines[3:]] == ["predicted", "measured", "cost", "cost"]
    assert "<caption>saturated hidden" in check._repr_html_()


def test_the_costs_of_a_check_are_those_of_a_plain_loop(report):
    check = report.check(steps=5, optimizer=bpfast.SGD(0.1, momentum=0.9))
    net = network()
    net.biases[0][:] = 15
    optimizer, costs = bpfast.SGD(0.1, momentum=0.9), [net.cost(X, Y)]
    for _ in range(5):
        optimizer.step(net.params, net.backprop(X, Y))
        costs.append(net.cost(X, Y))
    assert check.cost_before == pytest.approx(np.array(costs) / report.baseline, rel=1e-10)


def test_a_check_begins_with_a_new_state():
    net = network()
    net.biases[0][:] = 15
    net.fit(X, Y, epochs=3, optimizer=bpfast.Adam(0.05), seed=0)
    check = explain(net, X, Y).check("saturated_hidden", steps=3)
    optimizer, after = bpfast.Adam(0.05), net.copy()
    for _ in range(3):
        optimizer.step(after.params, after.backprop(X, Y))
    base = explain(net, X, Y).baseline
    assert check.cost_before[-1] == pytest.approx(after.cost(X, Y) / base, rel=1e-10)


def test_a_check_changes_nothing_and_repeats(report):
    net = network(dtype="float32")
    net.params *= 60
    before = net.params.copy()
    found = explain(net, X, Y, optimizer="adam")
    text = str(found)
    first, again = found.check(steps=20), found.check(steps=20)
    assert (net.params == before).all()
    assert str(found) == text
    np.testing.assert_array_equal(first.cost_after, again.cost_after)
    assert (first.cost_after != found.check(steps=20, seed=1).cost_after).any()


@pytest.mark.parametrize(
    ("x", "y", "options", "kind", "change"),
    [
        (500 * X, Y, {}, "unscaled_features", "x scaled to"),
        (X + 200, Y, {}, "uncentred_features", "x scaled to"),
        (1e-3 * X, Y, {}, "quiet_inputs", "x scaled to"),
        (X, 5000 * Y, {}, "target_scale", "y scaled to"),
        (X, Y, {"optimizer": "sgd", "learning_rate": 1e-6}, "small_step", "learning_rate="),
        (X, Y, {"optimizer": "sgd", "learning_rate": 50.0}, "large_step", "learning_rate="),
    ],
)
def test_suggestions_that_help(x, y, options, kind, change):
    found = explain(network(), x, y, **(options or {"optimizer": bpfast.SGD(0.1)}))
    assert found.main.kind == kind
    check = found.check(kind)
    assert check.change.startswith(change)
    assert check.confirmed
    assert check.predicted_after > max(check.predicted_before, 0)


def test_a_change_that_makes_it_worse_has_no_multiple(report):
    check = report.check(steps=3, optimizer="sgd", learning_rate=1e3)
    assert (check.predicted_after, check.after) == (-np.inf, -np.inf)
    assert not check.confirmed
    assert str(check).splitlines()[3].split()[-2:] == ["cost", "rises"]
    assert "∞" not in str(check)


def test_unrelated_targets_are_learned_no_faster_than_shuffled_ones():
    y = Y[np.random.default_rng(5).permutation(len(Y))]
    found = explain(network(), X, y, learning_rate=0.01)
    assert found.main.kind == "unrelated_targets"
    assert found.check().confirmed


def test_nothing_is_confirmed_where_nothing_is_learned():
    """Neither by targets that a rate far too small learns as little as shuffled ones ..."""
    y = Y[np.random.default_rng(5).permutation(len(Y))]
    found = explain(network(), X, y)
    assert found.main.kind == "unrelated_targets"
    assert found.check(optimizer="sgd", learning_rate=0.1).confirmed
    assert not found.check(optimizer="sgd", learning_rate=1e-7).confirmed
    # ... nor by many times nothing.
    net = network()
    net.biases[0][:] = 12
    found = explain(net, X, Y)
    assert found.main.kind == "saturated_hidden"
    assert found.check(optimizer="sgd", learning_rate=0.1).confirmed
    net.weights[-1][:] = 0  # begins at about the best constant answer
    net.biases[-1][:] = Y.mean(axis=0)
    check = explain(net, X, Y).check("saturated_hidden", optimizer="sgd", learning_rate=1e-7)
    assert check.after > 1.5 * check.before >= 0
    assert not check.confirmed


def test_bad_input(report):
    healthy = explain(network(), X, Y)
    with refuses(ValueError, "^finding: expected a report with a finding, got one without$"):
        healthy.check()
    for arguments, kind, message in (
        ({"finding": 1}, ValueError, "^finding: expected an index below 1, got 1$"),
        (
            {"finding": "large_step"},
            ValueError,
            "^finding: expected one of saturated_hidden, got 'l",
        ),
        ({"finding": 0.5}, TypeError, "^finding: expected an integer, got float$"),
        ({"steps": 0}, ValueError, "^steps: expected a positive integer, got 0$"),
        ({"optimizer": "best"}, ValueError, "^optimizer: unknown name"),
        ({"seed": "a"}, TypeError, "^seed: "),
    ):
        with refuses(kind, message):
            report.check(**arguments)
