"""A training that continues from a checkpoint ends as one that was never stopped."""

import re

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris

import bpfast
from bpfast.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
SETTINGS = {
    "adam": {},
    "no random_state": {"random_state": None},
    "early stopping": {"early_stopping": True, "random_state": None, "learning_rate_init": 0.1},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 2},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "dropout, short last step": {"dropout": 0.2, "batch_size": 40, "alpha": 1.0},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_resumed(name, tmp_path):
    settings = {"hidden_layer_sizes": (6,), "random_state": 1} | SETTINGS[name]
    file = tmp_path / "training.ckpt"
    MLPClassifier(max_iter=6, checkpoint=file, **settings).fit(X, NAMES)
    resumed = MLPClassifier(max_iter=14, checkpoint=file, resume=True, **settings).fit(X, NAMES)
    settings["random_state"] = resumed.network_.history.seed
    whole = MLPClassifier(max_iter=14, **settings).fit(X, NAMES)
    assert np.array_equal(resumed.network_.params, whole.network_.params)
    others = {"network_", "coefs_", "intercepts_", "classes_"}
    for attribute in {name for name in vars(whole) if name[-1] == "_"} - others:
        assert getattr(resumed, attribute) == getattr(whole, attribute), attribute
    assert resumed._no_improvement_count == whole._no_improvement_count
    assert resumed._optimizer.learning_rate == whole._optimizer.learning_rate
    if SETTINGS[name].get("random_state", 1) is None:  # from the file alone
        del settings["random_state"]
        again = MLPClassifier(max_iter=14, resume=file, **settings).fit(X, NAMES)
        assert np.array_equal(again.network_.params, whole.network_.params)
    loaded = bpfast.load(file)
    assert np.array_equal(loaded.params, whole.network_.params)


WEIGHTS = np.linspace(0.5, 1.5, len(X))
# Another parameter, and what the message names.
PARAMETERS = [
    ({"dropout": 0.5}, "dropout: expected 0.0"),
    ({"alpha": 1.0}, "alpha: expected 0.0001"),
    ({"l1": 0.5}, "l1: expected 0.0"),
    ({"activation": "tanh"}, "activation: expected 'relu'"),
    ({"hidden_layer_sizes": (7,)}, "hidden_layer_sizes: expected [6]"),
    ({"batch_size": 30}, "batch_size: expected 'auto'"),
    ({"learning_rate_init": 0.1}, "learning_rate_init: expected 0.001"),
    ({"learning_rate": bpfast.schedules.Step(0.1, 3)}, "learning_rate: expected 'constant'"),
    ({"solver": "sgd"}, "solver: expected 'adam'"),
    ({"beta_1": 0.5}, "beta_1: expected 0.9"),
    ({"random_state": 1}, "random_state: expected 0"),
    ({"shuffle": False}, "shuffle: expected True"),
    ({"tol": 0.1}, "tol: expected 0.0001"),
    ({"early_stopping": True}, "early_stopping: expected False"),
    ({"class_weight": "balanced"}, "class_weight: expected None"),
    ({"max_iter": 1}, "max_iter: expected 2 or more, which the checkpoint has, got 1"),
]
# Other data.
DATA = [
    ((X[:90], NAMES[:90]), {}, "X.examples: expected 150"),
    ((X[:, :3], NAMES), {}, "X.features: expected 4"),
    ((sparse.csr_array(X), NAMES), {}, "X.kind: expected 'dense'"),
    ((X.astype("f4"), NAMES), {}, "X.dtype: expected 'float64'"),
    ((X, np.roll(NAMES, 1) + "!"), {}, "y.counts.setosa: expected 50"),
    ((X, np.where(Y == 0, NAMES[-1], NAMES)), {}, "y.counts.setosa: expected 50"),
    ((X, NAMES), {"sample_weight": WEIGHTS}, "sample_weight: expected None"),
    ((X, NAMES), {"validation_data": (X, NAMES)}, "validation_data: expected None"),
]


@pytest.mark.parametrize(
    ("parameters", "data", "more", "message"),
    [(parameters, (X, NAMES), {}, message) for parameters, message in PARAMETERS]
    + [({}, data, more, message) for data, more, message in DATA],
)
def test_another_training_is_refused(parameters, data, more, message, tmp_path):
    file = tmp_path / "training.ckpt"
    settings = {"hidden_layer_sizes": (6,), "random_state": 0}
    MLPClassifier(max_iter=2, checkpoint=file, **settings).fit(X, NAMES)
    other = MLPClassifier(**settings | {"max_iter": 4, "resume": file} | parameters)
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        other.fit(*data, **more)


def test_what_may_be_other(tmp_path):
    file = tmp_path / "training.ckpt"
    settings = {"hidden_layer_sizes": 6, "random_state": 0}
    MLPClassifier(max_iter=2, checkpoint=file, **settings).fit(X, NAMES)
    settings |= {"hidden_layer_sizes": [6], "n_iter_no_change": 9, "callbacks": [], "n_jobs": 1}
    model = MLPClassifier(max_iter=4, resume=file, momentum=0.5, **settings).fit(X, NAMES)
    assert model.n_iter_ == 4


def test_the_weights(tmp_path):
    file = tmp_path / "training.ckpt"
    settings = {"hidden_layer_sizes": (6,), "random_state": 0}
    model = MLPClassifier(max_iter=2, checkpoint=file, **settings)
    model.fit(X, NAMES, sample_weight=WEIGHTS)
    model = MLPClassifier(max_iter=4, resume=file, **settings)
    with pytest.raises(ValueError, match=r"^sample_weight.mean: expected 1.0 as in the checkpoint"):
        model.fit(X, NAMES, sample_weight=2 * WEIGHTS)
    assert model.fit(X, NAMES, sample_weight=WEIGHTS).n_iter_ == 4


def test_files_of_others(tmp_path):
    file = tmp_path / "training.ckpt"
    MLPRegressor("squared_error", (6,), max_iter=2, checkpoint=file, random_state=0).fit(X, Y)
    expected = "expected a checkpoint of MLPClassifier, got one of"
    model = MLPClassifier((6,), resume=file, random_state=0)
    with pytest.raises(ValueError, match=rf"training\.ckpt: {expected} MLPRegressor$"):
        model.fit(X, NAMES)
    net = bpfast.Network([4, 6, 3], output="softmax", cost="log_likelihood", seed=0)
    net.fit(X, Y, epochs=1, checkpoint=file, seed=0)
    with pytest.raises(ValueError, match=rf"training\.ckpt: {expected} Network.fit$"):
        model.fit(X, NAMES)
    with pytest.raises(FileNotFoundError):
        MLPClassifier(resume=tmp_path / "none.ckpt").fit(X, NAMES)
