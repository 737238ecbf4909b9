"""`explain`: evidence against hand formulas, where it must be silent, and bad input."""

import numpy as np
import pytest
from scipy import sparse

import bpfast
from bpfast.inside import CAUSES, Report, explain
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 4))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


def classifier(**options):
    arguments = {"output": "softmax", "cost": "log_likelihood", "hidden": "tanh", "init": "xavier"}
    return bpfast.Network([4, 12, 2], seed=0, **(arguments | options))


def kinds(report):
    return [finding.kind for finding in report.findings]


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
    y = RNG.normal([5, 0, 1], 1, (200, 3))
    net = bpfast.Network([4, 5, 3], output="identity", seed=0)
    assert explain(net, X, y).baseline == pytest.approx(y.var(axis=0).sum() / 2, rel=1e-12)
    assert report.cost == pytest.approx(classifier().cost(X, LABELS), rel=1e-12)


def test_a_learned_network_has_no_finding_whatever_else_there_is():
    net = bpfast.Network([4, 1], output="identity", init="zeros")
    net.weights[0][0, 0] = 0.01
    report = explain(net, 100 * X, X[:, :1])
    assert report.findings == ()
    assert "the examples are learned" in str(report)


def test_saturation_by_weights_or_by_biases():
    net = classifier()
    net.biases[0][:] = -9
    main = explain(net, X, LABELS).main
    assert (main.kind, main.layer, main.because) == ("saturated_hidden", 2, "biases")
    assert main.evidence["from biases"] == pytest.approx(9)
    assert main.evidence["mean of σ'"] == pytest.approx(
        np.mean(1 - np.square(net.trace(X).a[1])), rel=1e-9
    )
    net = classifier()
    net.weights[0] *= 20
    main = explain(net, X, LABELS).main
    assert (main.kind, main.layer, main.because) == ("saturated_hidden", 2, "weights")


def test_what_is_upstream_comes_first():
    assert kinds(explain(classifier(), 100 * X, LABELS, learning_rate=0.1)) == [
        "unscaled_features",
        "saturated_hidden",
    ]


def test_the_loud_features_are_named():
    main = explain(classifier(), X * [1, 1, 500, 1], LABELS).main
    assert main.kind == "uneven_features"
    assert main.neurons.tolist() == [2]
    rms = np.sqrt(np.mean(np.square(X), axis=0)) * [1, 1, 500, 1]
    assert main.evidence["largest RMS"] == pytest.approx(rms[2])
    assert main.evidence["median RMS of the others"] == pytest.approx(np.median(rms[[0, 1, 3]]))


def test_the_quiet_features_are_named():
    x = X * [1, 2e-3, 1, 1e-3]
    main = explain(classifier(), x, LABELS).main
    assert (main.kind, main.equation) == ("quiet_inputs", "BP4")
    assert main.neurons.tolist() == [3, 1]
    assert explain(classifier(), X * [1, 0.05, 1, 0.05], LABELS).findings == ()


def test_a_class_of_a_tenth_is_rare_and_a_few_examples_tell_nothing():
    rare = np.zeros(200, int)
    rare[np.argsort(-X[:, 0])[:20]] = 1
    assert kinds(explain(classifier(), X, rare)) == ["class_imbalance"]
    rare[np.argsort(-X[:, 0])[:30]] = 1
    assert kinds(explain(classifier(), X, rare)) == []
    few = np.array([1, *[0] * 14])
    assert kinds(explain(classifier(), X[:15], few)) == []


def test_constant_features_are_named():
    x = X.copy()
    x[:, [1, 3]] = [2.0, -1.0]
    main = explain(classifier(), x, LABELS).main
    assert main.kind == "constant_features"
    assert main.neurons.tolist() == [1, 3]


def test_features_that_are_always_0_in_sparse_x_are_no_fault():
    x = np.eye(30)[RNG.integers(0, 12, 300)]  # one-hot codes, of which 18 do not occur
    net = bpfast.Network([30, 8, 2], hidden="tanh", output="softmax", cost="log_likelihood", seed=0)
    assert explain(net, x, x.argmax(axis=1) % 2).findings == ()


def test_contradicting_examples_are_listed_together():
    x = np.vstack([X, X[:60]])
    y = np.append(LABELS, 1 - LABELS[:60])
    main = explain(classifier(), x, y).main
    assert main.kind == "contradicting_examples"
    assert sorted(main.examples) == [*range(60), *range(200, 260)]
    pairs = main.examples.reshape(-1, 2)
    assert (x[pairs[:, 0]] == x[pairs[:, 1]]).all()
    # Σ of (1/2)² over the 120 against the variation of all.
    share = LABELS.mean(), y.mean()
    assert main.evidence["share of the variation"] == pytest.approx(
        120 / 4 / (260 * share[1] * (1 - share[1]))
    )


def test_few_contradictions_are_no_cause():
    x, y = np.vstack([X, X[:10]]), np.append(LABELS, 1 - LABELS[:10])
    assert explain(classifier(), x, y).findings == ()


def test_what_makes_errors_vanish():
    sizes, y = [4, 20, 20, 20, 20, 20, 2], LABELS
    options = {"output": "softmax", "cost": "log_likelihood", "init": "xavier", "seed": 0}
    gates = bpfast.Network(sizes, hidden="sigmoid", **options)
    weights = bpfast.Network(sizes, hidden="tanh", **options)
    weights.params *= 0.2
    assert kinds(explain(gates, X, y)) == ["vanishing_gradient"]
    assert kinds(explain(weights, X, y)) == ["small_weights"]
    norms = [
        np.sqrt(np.mean(np.square(d).sum(axis=1))) for d in gates.errors(X, y, reduction="sum")
    ]
    evidence = explain(gates, X, y).main.evidence
    assert list(evidence) == [f"‖δ^{l}‖" for l in range(2, 8)]  # noqa: E741 - the book's letter
    assert list(evidence.values()) == pytest.approx(norms, rel=1e-10)


def test_a_small_rise_near_the_minimum_is_no_cause():
    rng = np.random.default_rng(3)
    y = X[:, :1] + rng.standard_normal((200, 1))
    net = bpfast.Network([4, 1], output="identity", init="zeros")
    design = np.hstack([X, np.ones((200, 1))])
    net.params = np.linalg.lstsq(design, y[:, 0], rcond=None)[0] + 1e-3
    report = explain(net, X, y, optimizer=bpfast.Adam(0.01))
    assert report._facts.step.after > report.cost
    assert report.findings == ()


def test_equal_examples_with_equal_targets_are_no_fault():
    assert explain(classifier(), np.vstack([X, X]), np.append(LABELS, LABELS)).findings == ()


def test_weights_count():
    rare = (X[:, 0] > 1.9).astype(int)  # a few percent
    assert kinds(explain(classifier(), X, rare)) == ["class_imbalance"]
    balanced = np.where(rare, 0.5 / rare.mean(), 0.5 / (1 - rare.mean()))
    assert kinds(explain(classifier(), X, rare, sample_weight=balanced)) == []


def test_the_step_is_judged_by_its_line():
    net = bpfast.Network([4, 1], output="identity", init="zeros")
    y = X[:, :1]
    design = np.hstack([X, np.ones((200, 1))])
    gradient, hessian = design.T @ X[:, 0] / 200, design.T @ design / 200
    # Along −g the cost is a parabola; its minimum is at g·g / g·Hg.
    best = gradient @ gradient / (gradient @ hessian @ gradient)
    main = explain(net, X, y, optimizer="sgd", learning_rate=1e-6).main
    assert main.kind == "small_step"
    # The multiples are powers of 2.
    assert main.evidence["best multiple of the step"] * 1e-6 == pytest.approx(best, rel=0.5)
    eigenvalue = np.linalg.eigvalsh(hessian)[-1]
    main = explain(net, X, y, optimizer="sgd", learning_rate=10.0).main
    assert main.kind == "large_step"
    assert main.evidence["rate / largest stable rate"] == pytest.approx(5 * eigenvalue, rel=1e-3)
    assert explain(net, X, y, optimizer="sgd", learning_rate=0.1).findings == ()


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
    assert all(row.cancellation == pytest.approx(1) for row in one.rows)  # one agrees with itself


def test_a_cost_that_takes_z():
    def cost(z, y):
        return ((z - y) ** 2).sum(axis=1) / 2, z - y

    cost.takes_z = True
    y = X[:, :1]
    net = bpfast.Network([4, 6, 1], hidden="tanh", output="sigmoid", cost=cost, seed=0)
    report = explain(net, X, y, learning_rate=0.1)
    (last,) = [row for row in report.rows if row.layer == 3]
    assert last.gate == 1  # δ^L is what the cost returns
    assert last.arrives == pytest.approx(np.sqrt(np.mean((net.trace(X).z[-1] - y) ** 2)))
    net.biases[0][:] = 20
    check = explain(net, X, y, optimizer="sgd", learning_rate=0.1).check(steps=10)
    assert check.kind == "saturated_hidden"
    demon = bpfast.inside.demon(net, X, y, 2, 0, 1e-4)
    assert demon.true == pytest.approx(demon.predicted, rel=1e-2)


def test_an_overflowing_network_is_explained_without_a_warning():
    net = bpfast.Network([4, 20, 20, 1], hidden="relu", output="identity", init="he", seed=0)
    net.params *= 1e120
    assert explain(net, X, X[:, :1], learning_rate=0.1).main.kind == "large_weights"


def test_outputs_that_are_saturated_to_the_last_bit():
    net = bpfast.Network([4, 6, 2], hidden="gelu", output="tanh", seed=0)
    net.weights[1] *= 1e4  # tanh is 1, its derivative 0: no error at all
    report = explain(net, np.abs(X), -np.ones((200, 2)), learning_rate=0.1)
    assert report.main is not None
    assert str(report)


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
