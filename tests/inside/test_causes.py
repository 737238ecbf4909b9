"""Each cause that `explain` names: its evidence by hand formulas, and where it is silent."""

import numpy as np
import pytest

import bpfast
from bpfast.inside import explain
from bpfast.inside._causes.limits import MAX_OUTPUTS_AT_ONCE
from bpfast.inside._causes.targets import similarities
from tests.helpers.cases.explained import LABELS, X, classifier, kinds
from tests.helpers.tolerance import rounded


def test_saturation_by_weights_or_by_biases():
    net = classifier()
    net.biases[0][:] = -9
    main = explain(net, X, LABELS).main
    assert (main.kind, main.layer, main.because) == ("saturated_hidden", 2, "biases")
    assert main.evidence["from biases"] == rounded(9)
    assert main.evidence["mean of σ'"] == pytest.approx(
        np.mean(1 - np.square(net.trace(X).a[1])), rel=1e-9
    )
    net = classifier()
    net.weights[0] *= 20
    main = explain(net, X, LABELS).main
    assert (main.kind, main.layer, main.because) == ("saturated_hidden", 2, "weights")


def test_training_may_have_saturated_them():
    net = classifier()
    net.fit(X, LABELS, epochs=1, optimizer=bpfast.SGD(1e5), seed=0)
    main = explain(net, X, LABELS).main
    assert main.kind == "saturated_hidden"
    assert main.suggestion.endswith("or lower the learning rate, if training caused this")
    assert "lower the learning rate" not in explain(net.copy(), X, LABELS).main.suggestion


def test_a_step_that_overshoots_by_momentum_alone_is_no_cause():
    rng = np.random.default_rng(4)
    y = X[:, :1] + rng.standard_normal((200, 1))
    net = bpfast.Network([4, 1], output="identity", init="zeros")
    design = np.hstack([X, np.ones((200, 1))])
    net.params = np.linalg.lstsq(design, y[:, 0], rcond=None)[0] + 1e-3
    optimizer = bpfast.SGD(0.1, momentum=0.9)
    optimizer.state = {"steps": 3, "velocity": np.full(5, 10.0)}
    after = net.params - 0.1 * (0.9 * 10 + net.backprop(X, y).flat)
    moved = net.copy()
    moved.params = after
    report = explain(net, X, y, optimizer=optimizer)
    assert moved.cost(X, y) > report.cost + report.baseline
    assert report.findings == ()


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
    assert main.evidence["largest RMS"] == rounded(rms[2])
    assert main.evidence["median RMS of the others"] == rounded(np.median(rms[[0, 1, 3]]))


def test_the_quiet_features_are_named():
    x = X * [1, 2e-3, 1, 1e-3]
    main = explain(classifier(), x, LABELS).main
    assert (main.kind, main.equation) == ("quiet_inputs", "BP4")
    assert main.neurons.tolist() == [3, 1]
    assert explain(classifier(), X * [1, 0.05, 1, 0.05], LABELS).findings == ()


def test_equal_examples_do_not_contradict_each_other():
    """Three equal y may have another mean, by rounding."""
    rng = np.random.default_rng(0)
    x = np.repeat(X[:20], 3, axis=0)
    y = np.repeat(0.1 * np.arange(1, 21) / 3, 3)
    y[30:] = rng.standard_normal(30)
    y[30::3] = y[31::3]  # two of three agree
    net = bpfast.Network([4, 8, 1], hidden="tanh", output="identity", init="xavier", seed=0)
    main = explain(net, x, y).main
    assert main.kind == "contradicting_examples"
    assert sorted(main.examples) == list(range(30, 60))
    assert main.evidence["examples"] == 30


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
    x = np.eye(30)[
        np.random.default_rng(1).integers(0, 12, 300)
    ]  # one-hot codes, of which 18 do not occur
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
    assert main.evidence["share of the variation"] == rounded(
        120 / 4 / (260 * share[1] * (1 - share[1]))
    )


def test_few_contradictions_are_no_cause():
    x, y = np.vstack([X, X[:10]]), np.append(LABELS, 1 - LABELS[:10])
    assert explain(classifier(), x, y).findings == ()


@pytest.mark.parametrize("kind", ["contradicting_examples", "class_imbalance", "unrelated_targets"])
def test_a_small_step_is_named_beside_a_cause_in_the_examples(kind):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 6))
    y = (x[:, 0] > (1.8 if kind == "class_imbalance" else 0)).astype(int)
    if kind == "contradicting_examples":
        x[200:], y[200:] = x[:200], rng.integers(0, 2, 200)
    elif kind == "unrelated_targets":
        y = rng.permutation(y)
    net = bpfast.Network(
        [6, 20, 2], hidden="tanh", output="softmax", cost="log_likelihood", init="xavier", seed=0
    )
    assert kinds(explain(net, x, y, optimizer=bpfast.SGD(0.1))) == [kind]
    assert kinds(explain(net, x, y, optimizer=bpfast.SGD(1e-5))) == [kind, "small_step"]


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


@pytest.mark.parametrize("outputs", [1, 3, MAX_OUTPUTS_AT_ONCE, MAX_OUTPUTS_AT_ONCE + 1])
def test_similarities_of_shuffled_targets(outputs):
    rng = np.random.default_rng(3)
    kernels, y = rng.random((3, 20, 20)), rng.standard_normal((20, outputs))
    orders = [rng.permutation(20) for _ in range(4)]
    expected = [[(kernel * (y[k] @ y[k].T)).sum() for k in orders] for kernel in kernels]
    assert similarities(kernels, y, orders) == pytest.approx(np.array(expected), rel=1e-12)


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
    # The eigenvalue is computed to 0.2 %, and is closer here.
    assert main.evidence["rate / largest stable rate"] == pytest.approx(5 * eigenvalue, rel=1e-3)
    assert explain(net, X, y, optimizer="sgd", learning_rate=0.1).findings == ()
