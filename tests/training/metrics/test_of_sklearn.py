"""Functions of `sklearn.metrics` get y first, and classes or scores as each expects."""

from functools import partial

import numpy as np
import pytest

import bpfast
from bpfast._training.metrics.of_sklearn import OF_CLASSES, OF_SECOND_CLASS
from tests.helpers.refuses import refuses

functions = pytest.importorskip("sklearn.metrics")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3))
BINARY = (X[:, 0] + 0.5 * RNG.standard_normal(60) > 0).astype(int)
CLASSES = X.argmax(axis=1)
SEVERAL = (X + 0.5 * RNG.standard_normal((60, 3)) > 0).astype(float)
ARGUMENTS = {"fbeta_score": {"beta": 0.5}}


def measure(net, y, name, **arguments):
    """The value in `evaluate`, which is that of both columns in `fit`."""
    function = getattr(functions, name)
    arguments = ARGUMENTS.get(name, {}) | arguments
    given = {name: partial(function, **arguments)} if arguments else function
    found = net.evaluate(X, y, metrics=given)[name]
    still = {"optimizer": "sgd", "learning_rate": lambda step: 0.0}
    history = net.fit(X, y, epochs=1, metrics=given, validation=(X, y), **still)
    assert history[name][0] == history[f"validation_{name}"][0] == found
    return found, partial(function, **arguments)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_classes(name):
    softmax = bpfast.Network([3, 5, 2], output="softmax", cost="log_likelihood", seed=0)
    two = bpfast.Network([3, 5, 2], cost="cross_entropy", seed=0)
    single = bpfast.Network([3, 5, 1], cost="cross_entropy", seed=0)
    single.biases[-1][:] = 0.5 - np.median(single.trace(X).z[-1])
    assert 0 < (single(X) > 0.5).mean() < 1
    for net, y, predicted in (
        (softmax, BINARY, softmax(X).argmax(axis=1)),
        (softmax, np.eye(2)[BINARY], softmax(X).argmax(axis=1)),
        (two, np.eye(2)[BINARY], two(X).argmax(axis=1)),
        (single, BINARY, single(X)[:, 0] > 0.5),
        (single, BINARY[:, np.newaxis].astype(float), single(X)[:, 0] > 0.5),
    ):
        found, function = measure(net, y, name)
        assert found == function(BINARY, predicted.astype(int))


@pytest.mark.parametrize("name", ["f1_score", "jaccard_score", "precision_score", "recall_score"])
def test_averages(name):
    net = bpfast.Network([3, 5, 3], output="softmax", cost="log_likelihood", seed=0)
    found, function = measure(net, CLASSES, name, average="macro", zero_division=0.0)
    assert found == function(CLASSES, net(X).argmax(axis=1))
    with refuses(ValueError, f"^metrics: {name}: Target is multiclass but average='binary'"):
        net.evaluate(X, CLASSES, metrics=getattr(functions, name))


def test_several_labels():
    net = bpfast.Network([3, 5, 3], cost="cross_entropy", seed=0)
    predicted = net(X) > 0.5
    for name in ("accuracy_score", "hamming_loss", "zero_one_loss"):
        found, function = measure(net, SEVERAL, name)
        assert found == function(SEVERAL, predicted)
    found, function = measure(net, SEVERAL, "f1_score", average="samples", zero_division=0.0)
    assert found == function(SEVERAL, predicted)
    signs = bpfast.Network([3, 5, 3], hidden="tanh", output="tanh", seed=0)
    found, function = measure(signs, 2 * SEVERAL - 1, "hamming_loss")
    assert found == function(SEVERAL, signs(X) > 0)
    with refuses(ValueError, "^metrics: matthews_corrcoef: multilabel-indicator is not supported"):
        net.evaluate(X, SEVERAL, metrics=functions.matthews_corrcoef)


@pytest.mark.parametrize("name", OF_SECOND_CLASS)
def test_scores_of_two_classes(name):
    softmax = bpfast.Network([3, 5, 2], output="softmax", cost="log_likelihood", seed=0)
    single = bpfast.Network([3, 5, 1], cost="cross_entropy", seed=0)
    sigmoid = bpfast.Network([3, 5, 2], cost="cross_entropy", seed=0)
    k = {"k": 1} if "top_k" in name else {}
    for net, y in ((softmax, BINARY), (softmax, np.eye(2)[BINARY]), (sigmoid, BINARY)):
        found, function = measure(net, y, name, **k)
        assert found == function(BINARY, net(X)[:, 1])
    found, function = measure(single, BINARY, name, **k)
    assert found == function(BINARY, single(X)[:, 0])


def test_scores_of_other_classes_are_all_outputs():
    net = bpfast.Network([3, 5, 3], output="softmax", cost="log_likelihood", seed=0)
    found, function = measure(net, CLASSES, "roc_auc_score", multi_class="ovr")
    assert found == function(CLASSES, net(X))
    found, function = measure(net, np.eye(3)[CLASSES], "top_k_accuracy_score")
    assert found == function(CLASSES, net(X))
    found, function = measure(net, CLASSES, "log_loss")
    assert found == function(CLASSES, net(X))
    several = bpfast.Network([3, 5, 2], cost="cross_entropy", seed=0)
    # Rows are multi-label, also if each happens to have one class.
    for rows in (SEVERAL[:, :2], np.eye(2)[BINARY]):
        found, function = measure(several, rows, "roc_auc_score")
        assert found == function(rows, several(X))


def test_a_y_that_has_no_classes():
    """Classes of it would be made up, as those of an accuracy."""
    net = bpfast.Network([3, 1], output="identity", seed=0)
    for y in (X[:, :1], np.sign(X[:, :1])):
        with refuses(ValueError, "^metrics: accuracy_score: y: expected labels, or outputs that"):
            net.evaluate(X, y, metrics=functions.accuracy_score)
    classes = bpfast.Network([3, 3], cost="cross_entropy", seed=0)
    with refuses(ValueError, "^validation: metrics: f1_score: y: expected one class in"):
        classes.fit(
            X, np.eye(3)[CLASSES], epochs=1, validation=(X, SEVERAL), metrics=functions.f1_score
        )


def test_errors_name_the_metric():
    net = bpfast.Network([3, 3], output="softmax", cost="log_likelihood", seed=0)
    with refuses(ValueError, "^metrics: roc_auc_score: multi_class must be in"):
        net.evaluate(X, CLASSES, metrics=functions.roc_auc_score)
    with refuses(ValueError, "^metrics: auc: multi_class must be in"):
        net.evaluate(X, CLASSES, metrics={"auc": functions.roc_auc_score})
    with refuses(TypeError, "^metrics: f1_score: .*unexpected keyword argument"):
        net.evaluate(X, CLASSES, metrics=partial(functions.f1_score, averages="macro"))


def test_in_other_trainings():
    y = BINARY
    metric = functions.balanced_accuracy_score
    settings = {"epochs": 2, "metrics": metric, "seed": 0}

    def net():
        return bpfast.Network([3, 4, 2], output="softmax", cost="log_likelihood", seed=0)

    alone = net().fit(X, y, validation=0.3, **settings)
    many = bpfast.fit_many([net()], X, y, validation=0.3, **settings)
    for name in ("balanced_accuracy_score", "validation_balanced_accuracy_score"):
        assert np.array_equal(many.histories[0][name], alone[name])
    shards = bpfast.distributed.LocalShards([(X[:30], y[:30]), (X[30:], y[30:])])
    history = bpfast.distributed.fit(net(), shards, validation=(X, y), **settings)
    assert len(history.validation_balanced_accuracy_score) == 2
