"""`Report.check`: the trainings, the prediction by the linearised network, and the verdict."""

import copy
import warnings

import numpy as np
import pytest

import bpfast
from bpfast.inside import explain
from bpfast.inside._report import speeds
from bpfast.inside._report.linear import checked_costs

RNG = np.random.default_rng(1)
X = RNG.standard_normal((150, 3))
Y = np.sin(2 * X[:, :1]) * X[:, 1:2]


def network(width=6, **options):
    arguments = {"hidden": "tanh", "output": "identity", "init": "xavier", "seed": 0}
    return bpfast.Network([3, width, 1], **(arguments | options))


def saturated(width=6, **options):
    net = network(width, **options)
    net.biases[0][:] = 15
    return net


@pytest.fixture(scope="module")
def report():
    return explain(saturated(), X, Y, learning_rate=0.02)


def test_a_check_shows_prediction_beside_outcome():
    check = explain(saturated(20), X, Y, optimizer="sgd", learning_rate=0.05).check()
    assert check.kind == "saturated_hidden"
    assert check.change == "biases of layer 2 set to 0"
    assert check.confirmed
    assert check.predicted_ratio == check.ratio == np.inf  # it learned nothing before
    assert len(check.cost_before) == len(check.cost_after) == check.steps + 1 == 201
    assert check.cost_before[-1] > 0.95
    assert check.cost_after[-1] < 0.9
    assert check.predicted_after == pytest.approx(check.after, rel=0.1)
    lines = str(check).splitlines()
    assert lines[0] == "saturated hidden neurons, with biases of layer 2 set to 0: confirmed"
    assert lines[1].split()[:3] == ["as", "it", "is"]
    assert [line.split()[0] for line in lines[3:]] == ["predicted", "measured", "cost", "cost"]
    assert lines[3].split()[-1] == lines[4].split()[-1] == "∞"
    assert "<caption>saturated hidden" in check._repr_html_()


def test_the_costs_of_a_check_are_those_of_a_plain_loop(report):
    check = report.check(steps=5, optimizer=bpfast.SGD(0.1, momentum=0.9))
    net = saturated()
    optimizer, costs = bpfast.SGD(0.1, momentum=0.9), [net.cost(X, Y)]
    for _ in range(5):
        optimizer.step(net.params, net.backprop(X, Y))
        costs.append(net.cost(X, Y))
    assert check.cost_before == pytest.approx(np.array(costs) / report.baseline, rel=1e-10)


def test_a_check_begins_with_a_new_state():
    net = saturated()
    net.fit(X, Y, epochs=3, optimizer=bpfast.Adam(0.05), seed=0)
    check = explain(net, X, Y).check("saturated_hidden", steps=3)
    optimizer, after = bpfast.Adam(0.05), net.copy()
    for _ in range(3):
        optimizer.step(after.params, after.backprop(X, Y))
    base = explain(net, X, Y).baseline
    assert check.cost_before[-1] == pytest.approx(after.cost(X, Y) / base, rel=1e-10)


def test_a_check_changes_nothing_and_repeats():
    net = network(dtype="float32")
    net.params *= 60
    before = net.params.copy()
    found = explain(net, X, Y, optimizer="adam")
    text = str(found)
    first, again = found.check(steps=20), found.check(steps=20)
    assert (net.params == before).all()
    assert str(found) == text
    np.testing.assert_array_equal(first.cost_after, again.cost_after)
    assert first.predicted_after == again.predicted_after
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
    assert not check.predicted_after <= max(check.predicted_before, 0)  # it may be unknown


def test_a_change_that_makes_it_worse_has_no_multiple(report):
    check = report.check(steps=3, optimizer="sgd", learning_rate=1e3)
    assert (check.predicted_after, check.after) == (-np.inf, -np.inf)
    assert np.isnan(check.ratio)
    assert not check.confirmed
    lines = str(check).splitlines()
    assert lines[0].endswith("not confirmed: nothing learned with the change")
    assert lines[3].split()[-3:] == ["cost", "rises", "–"]
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
    check = found.check(optimizer="sgd", learning_rate=1e-7)
    assert not check.confirmed
    assert "not confirmed: nor are y that depend on x learned" in str(check)
    # ... nor by many times nothing.
    net = saturated()
    found = explain(net, X, Y)
    assert found.main.kind == "saturated_hidden"
    assert found.check(optimizer="sgd", learning_rate=0.1).confirmed
    net.weights[-1][:] = 0  # begins at about the best constant answer
    net.biases[-1][:] = Y.mean(axis=0)
    check = explain(net, X, Y).check("saturated_hidden", optimizer="sgd", learning_rate=1e-7)
    assert check.after > 1.5 * check.before >= 0
    assert not check.confirmed
    assert "not confirmed: nothing learned with the change" in str(check)


@pytest.mark.parametrize(
    ("output", "cost"),
    [("identity", "quadratic"), ("sigmoid", "cross_entropy"), ("tanh", "huber"), ("custom", None)],
)
@pytest.mark.parametrize("optimizer", [bpfast.Adam(0.02), bpfast.SGD(0.05, momentum=0.9)])
def test_the_prediction_for_a_network_that_is_linear_already(output, cost, optimizer):
    def callable_cost(z, y):
        return np.sqrt(1 + (z - y) ** 2).sum(axis=1), (z - y) / np.sqrt(1 + (z - y) ** 2)

    callable_cost.takes_z = True
    options = {"output": output, "cost": cost}
    if output == "custom":
        options = {"output": "identity", "cost": callable_cost}
    y = (X[:, :1] > 0.3).astype(float)
    net = bpfast.Network([3, 1], init="zeros", **options)
    found = explain(net, 0.001 * X, y, optimizer=copy.deepcopy(optimizer))
    check = found.check("quiet_inputs", steps=40)
    assert check.predicted_before == pytest.approx(check.before, rel=1e-9, abs=1e-14)
    assert check.predicted_after == pytest.approx(check.after, rel=1e-9)
    assert check.predicted_after > 0


def test_the_prediction_is_the_training_of_the_first_order_expansion():
    """With the matrix J itself, by jvp along each axis, and an example weight."""
    weight = RNG.random(150)
    net = network(5, output="sigmoid", cost="cross_entropy")
    net.biases[0][:] = 12
    y = (Y > 0).astype(float)
    found = explain(net, X, y, sample_weight=weight, optimizer=bpfast.SGD(0.3))
    check = found.check("saturated_hidden", steps=30)
    net.biases[0][:] = 0
    linear = bpfast.Network.from_parameters(
        net.weights, net.biases, hidden="tanh", output="identity"
    )
    jacobian = np.column_stack(
        [linear.jvp(X, dparams=axis)[1][:, 0] for axis in np.eye(net.params.size)]
    )
    start, theta = linear.forward(X)[:, 0], np.zeros(net.params.size)
    share = weight / weight.sum()
    costs = []
    for _ in range(31):
        z = start + jacobian @ theta
        costs.append(share @ (np.logaddexp(0, z) - y[:, 0] * z))
        theta -= 0.3 * jacobian.T @ (share * (1 / (1 + np.exp(-z)) - y[:, 0]))
    base = found.baseline
    expected = np.log(min(costs[0] / base, 1) / (costs[-1] / base)) / 30
    assert costs[-1] > 0.5 * costs[0]
    assert check.predicted_after == pytest.approx(expected, rel=1e-9)


def test_no_prediction_where_the_expansion_does_not_hold():
    """Six neurons bend far; the first-order expansion learns what the network does not."""
    check = explain(network(), X, Y, optimizer="sgd", learning_rate=1e-6).check()
    assert check.confirmed
    assert np.isnan(check.predicted_after)
    assert np.isnan(check.predicted_ratio)
    line = str(check).splitlines()[3]
    assert line.split()[-2:] == ["–", "–"]


@pytest.mark.parametrize(
    ("costs", "true", "expected"),
    [
        ([2, 1.2, 0.8], 0.99, [2, 1.2, 0.8]),
        ([2, 1.2, 0.8], 1.01, None),  # counted from the best constant answer
        ([2, 1.2, 0.8], 19, None),
        ([2, 1.2, 0.8], 21, [2, np.inf, np.inf]),
        ([0.5, 0.4, 0.3], 9, None),
        ([0.5, 0.4, 0.3], 11, [0.5, np.inf, np.inf]),
        ([0.5, 0.4, 0.3], 0.49, [0.5, 0.4, 0.3]),
        ([0.5, 0.4, 0.3], 0.51, None),
        # Where nothing is learned, up to 1 %.
        ([0.5, 0.5, 0.499], 0.503, [0.5, 0.5, 0.499]),
        ([0.5, 0.5, 0.499], 0.505, None),
    ],
)
def test_where_the_expansion_holds(costs, true, expected):
    found = checked_costs(np.array(costs, float), true)
    if expected is None:
        assert found is None
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("biases", [False, [True, False]])
def test_networks_without_biases_are_checked(biases):
    net = network(biases=biases)
    net.weights[0] *= 100
    check = explain(net, X, Y, learning_rate=0.01).check(steps=20)
    assert check.kind in ("saturated_hidden", "large_weights")
    assert np.isfinite(check.cost_after).all()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Halved after two steps of one, four of the other: both up to the second.
        ([1, 0.7, 0.5, 0.1, 0.1], [1, 0.9, 0.8, 0.6, 0.5], (np.log(2) / 2, np.log(1 / 0.8) / 2)),
        # From the best constant answer if the cost begins above it.
        ([4, 2, 1.1], [4, 1, 0.8], (0.0, np.log(1 / 0.8) / 2)),
        ([4, 5, 7], [0.6, 0.6, 0.9001], (-np.inf, np.log(0.6 / 0.9001) / 2)),
        ([1, np.inf], [1, 0.999], (-np.inf, -np.log(0.999))),
        # Up to 1.5 times the higher of both is no rise.
        ([0.5, 1.49], [3, 4.4], (0.0, 0.0)),
        ([0.5, 1.51], [3, 4.6], (-np.inf, -np.inf)),
        # From 0 there is nothing to learn, nor to halve.
        ([1, 2, 0.7, 0.5], [0, 0, 0, 0], (np.log(2) / 3, np.nan)),
        ([0, 0], [0, 0.1], (np.nan, -np.inf)),
    ],
)
def test_mean_speeds(before, after, expected):
    found = speeds.mean_speeds(np.array(before, float), np.array(after, float))
    assert found == pytest.approx(expected, nan_ok=True)


def test_a_change_after_which_nothing_is_left_to_learn():
    """It was said that its cost rises, with a warning of NumPy."""
    net = bpfast.Network([2, 4, 1], hidden="relu", output="identity", init="he", seed=0)
    x, y = [[3.0, 0.0], [3.0, 0.0]], [[0.0], [0.0]]
    report = bpfast.inside.explain(net, x, y, optimizer="sgd", learning_rate=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check = report.check(steps=20)
    assert not check.cost_after.any()
    assert check.before > 0
    assert np.isnan(check.after)
    assert not check.confirmed
    assert (
        str(check)
        .splitlines()[0]
        .endswith("not confirmed: with the change the cost is 0 before the first step")
    )
    measured = next(line for line in str(check).splitlines() if line.startswith("measured"))
    assert measured.split()[3:] == ["–", "–"]


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [
        (0.2, 0.1, 2), (0.1, 0.2, 0.5), (0, 0.2, 0), (-np.inf, 0.2, 0), (0.2, 0, np.inf),
        (0.2, -np.inf, np.inf), (1e-9, 0, np.nan), (0, 0, np.nan), (-np.inf, -np.inf, np.nan),
        (np.nan, 0.1, np.nan), (0.1, np.nan, np.nan),
    ],
)  # fmt: skip
def test_ratios(after, before, expected):
    assert speeds.ratio(after, before, 100) == pytest.approx(expected, nan_ok=True)


def test_a_slower_change_is_told_as_a_fraction():
    """Weights that saturate a layer, at a rate at which the network learns nevertheless."""
    net = network(40, seed=4)
    net.weights[0] *= 12
    check = explain(net, X, Y, optimizer="sgd", learning_rate=0.1).check()
    assert not check.confirmed
    assert f"not confirmed: {check.ratio:.3g} times as fast, and 1.5 is needed" in str(check)
