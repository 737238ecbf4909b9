"""Estimators of scikit-learn as networks, and back."""

import numpy as np
import pytest

import bpfast
from bpfast.formats import from_sklearn, to_sklearn
from tests.helpers.cases.models import DTYPES, agree, inputs, network, same_bits
from tests.helpers.refuses import refuses

models = pytest.importorskip("sklearn.neural_network")
MLPClassifier, MLPRegressor = models.MLPClassifier, models.MLPRegressor

X = inputs("float64")
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, len(X))
TARGETS = RNG.standard_normal((len(X), 2))
ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


def fitted(class_, y, dtype="float64", **options):
    options = {"hidden_layer_sizes": (4, 4), "random_state": 0} | options
    estimator = class_(**options)
    extra = {"classes": np.unique(y)} if class_ is MLPClassifier and np.ndim(y) == 1 else {}
    if class_ is MLPClassifier and np.ndim(y) == 2:
        extra = {"classes": np.arange(y.shape[1])}
    return estimator.partial_fit(X.astype(dtype), y, **extra)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_classifier(activation, dtype):
    estimator = fitted(MLPClassifier, LABELS, dtype, activation=activation)
    net = from_sklearn(estimator)
    assert net.config["hidden"] == [ACTIVATIONS[activation]] * 2
    assert net.config["output"] == "softmax"
    assert net.config["cost"] == "log_likelihood"
    x = X.astype(dtype)
    assert agree(net(x), estimator.predict_proba(x), dtype)
    for k, w in enumerate(net.weights):
        assert w.tobytes("F") == estimator.coefs_[k].tobytes()


def test_two_classes_have_one_output():
    estimator = fitted(MLPClassifier, LABELS > 1)
    net = from_sklearn(estimator)
    assert net.sizes == (4, 4, 4, 1)
    assert net.config["cost"] == "cross_entropy"
    assert agree(net(X)[:, 0], estimator.predict_proba(X)[:, 1], "float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", [(), (5,)])
def test_two_softmax_outputs_become_one_logistic_output(hidden, dtype):
    config = {"output": "softmax", "cost": "log_likelihood", "dtype": dtype, "seed": 0}
    net = bpfast.Network([4, *hidden, 2], **config)
    mlp = bpfast.formats.to_sklearn(net, classes=["no", "yes"])
    assert (mlp.n_outputs_, mlp.out_activation_) == (1, "logistic")
    assert agree(mlp.predict_proba(X.astype(dtype)), net(X), dtype)
    assert mlp.predict(X.astype(dtype)).tolist() == mlp.classes_[net(X).argmax(1)].tolist()
    again = bpfast.formats.from_sklearn(mlp)
    assert agree(again(X)[:, 0], net(X)[:, 1], dtype)
    mlp.partial_fit(X, ["yes"] * len(X))


def test_several_labels():
    estimator = fitted(MLPClassifier, np.eye(3, dtype=int)[LABELS])
    net = from_sklearn(estimator)
    assert net.config["output"] == "sigmoid"
    assert agree(net(X), estimator.predict_proba(X), "float64")


@pytest.mark.parametrize("y", [TARGETS, TARGETS[:, 0]], ids=["two outputs", "one output"])
def test_a_regressor(y):
    estimator = fitted(MLPRegressor, y)
    net = from_sklearn(estimator)
    assert net.config["output"] == "identity"
    assert agree(net(X).reshape(y.shape), estimator.predict(X), "float64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", ["identity", "softmax", "sigmoid"])
@pytest.mark.parametrize("hidden", ACTIVATIONS.values())
def test_round_trip(hidden, output, dtype):
    net = network(hidden, output, dtype)
    estimator = to_sklearn(net)
    assert same_bits(from_sklearn(estimator), net)
    x = inputs(dtype)
    predict = estimator.predict if output == "identity" else estimator.predict_proba
    assert agree(predict(x), net(x), dtype)


def test_round_trip_without_hidden_layers():
    net = bpfast.Network([4, 3], output="softmax", cost="log_likelihood", seed=0)
    estimator = to_sklearn(net)
    assert same_bits(from_sklearn(estimator), net)
    assert agree(estimator.predict_proba(X), net(X), "float64")


@pytest.mark.parametrize("outputs", [1, 2])
def test_round_trip_of_a_regressor(outputs):
    net = bpfast.Network([4, 4, outputs], hidden="relu", output="identity", seed=0)
    estimator = to_sklearn(net)
    assert same_bits(from_sklearn(estimator), net)
    assert estimator.predict(X).shape == ((len(X),) if outputs == 1 else (len(X), outputs))


def test_named_classes():
    net = network("relu", "softmax")
    estimator = to_sklearn(net, classes=["ant", "bee", "fly"])
    expected = np.array(["ant", "bee", "fly"])[net(X).argmax(axis=1)]
    assert (estimator.predict(X) == expected).all()
    net = bpfast.Network([4, 4, 1], hidden="relu", cost="cross_entropy", seed=1)
    estimator = to_sklearn(net, classes=[False, True])
    assert (estimator.predict(X) == (net(X)[:, 0] > 0.5)).all()


def test_partial_fit_continues_from_the_parameters():
    net = network("relu", "softmax")
    estimator = to_sklearn(net)
    before = net.copy()
    estimator.set_params(learning_rate_init=1e-9).partial_fit(X, LABELS)
    after = from_sklearn(estimator)
    assert 0 < np.abs(after.params - before.params).max() < 1e-6
    assert (net.params == before.params).all()


def test_the_estimator_owns_its_arrays():
    net = network("relu", "softmax")
    before = net.params.copy()
    estimator = to_sklearn(net)
    estimator.coefs_[0][:] = 0
    assert (net.params == before).all()
    assert estimator.n_iter_ == 0
    assert estimator.get_params()["random_state"] is None


def test_a_subclass_and_what_a_copy_may_change():
    class Mine(MLPRegressor):
        pass

    estimator = fitted(Mine, TARGETS)
    net = from_sklearn(estimator)
    before = estimator.coefs_[0].copy()
    net.params[:] = 0
    assert (estimator.coefs_[0] == before).all()


def test_wrong_estimators():
    pipeline = pytest.importorskip("sklearn.pipeline")
    scaler = pytest.importorskip("sklearn.preprocessing").StandardScaler()
    search = pytest.importorskip("sklearn.model_selection").GridSearchCV
    estimator = fitted(MLPRegressor, TARGETS)
    piped = pipeline.make_pipeline(scaler, estimator)
    with refuses(TypeError, r"^estimator: expected a fitted MLP.*, got Pipeline; pass its last st"):
        from_sklearn(piped)
    found = search(MLPRegressor(), {"alpha": [0.1]})
    found.best_estimator_ = estimator
    with refuses(TypeError, "got GridSearchCV; pass its best_estimator_$"):
        from_sklearn(found)
    with refuses(TypeError, "got StandardScaler$"):
        from_sklearn(scaler)
    with refuses(ValueError, "^estimator: expected a fitted estimator, got a MLPRegressor before"):
        from_sklearn(MLPRegressor())


def test_a_class():
    with refuses(TypeError, "^estimator: expected a fitted .*, got the class MLPRegressor itself"):
        from_sklearn(MLPRegressor)


def test_an_output_activation_that_networks_do_not_have():
    estimator = fitted(MLPRegressor, TARGETS)
    estimator.out_activation_ = "exp"
    with refuses(ValueError, r"^estimator: layer 'coefs_\[2\]': expected one of .*, got 'exp'$"):
        from_sklearn(estimator)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (network("elu"), r"net: expected one activation of .*, got 'elu' in hidden\[0\]$"),
        (network(["tanh", "relu"]), r"got 'relu' in hidden\[1\] after 'tanh'$"),
        (network("tanh", "tanh"), "softmax with log_likelihood.*, got tanh with quadratic$"),
        (
            bpfast.Network([2, 2], output="identity", cost="huber"),
            "got identity with huber$",
        ),
        (
            network("relu", "softmax", biases=[False, True, True]),
            "expected biases in each layer, as in scikit-learn, got none in one$",
        ),
        (bpfast.Network([2, 2], output="softmax"), "got softmax with quadratic$"),
    ],
)
def test_networks_that_no_estimator_can_be(net, message):
    with refuses(ValueError, message, net):
        to_sklearn(net)


def test_wrong_classes():
    net = network("relu", "softmax")
    with refuses(ValueError, r"^classes: expected shape \(3,\), got \(2,\)$"):
        to_sklearn(net, classes=[0, 1])
    with refuses(ValueError, r"^classes: expected ascending labels, as .*, got \["):
        to_sklearn(net, classes=[0, 2, 1])
    for classes in (
        [0.5, 1.5, 2.5],
        [1, 2, np.nan],
        [1, 2, np.inf],
        ["ant", "bee", None],
        ["ant", "bee", 3],
        [b"ant", b"bee", b"fly"],
    ):
        message = "^classes: expected text or whole numbers as labels, got "
        with refuses(ValueError, message) as caught:
            to_sklearn(net, classes=classes)
        assert str(classes[2]) in str(caught.value)
    with refuses(ValueError, r"^classes: expected None, as several sigmoid outputs .*, got \["):
        to_sklearn(network("relu", "sigmoid"), classes=[0, 1, 2])
    with refuses(ValueError, r"^classes: expected None, as a regressor has no classes, got \["):
        to_sklearn(network("relu"), classes=[0, 1, 2])
    with refuses(TypeError, "^net: expected a Network, got MLPRegressor$"):
        to_sklearn(MLPRegressor())
