"""Estimators that are cloned, copied, pickled or saved predict and train on with the same bits."""

import copy
import pickle

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.datasets import load_iris

import bpfast
from bpfast.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


def through_joblib(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


def through_skops(model, folder):
    """A file that runs no code; only the named types are trusted."""
    skops.io.dump(model, folder / "model.skops")
    types = skops.io.get_untrusted_types(file=folder / "model.skops")
    assert all(name.startswith("bpfast.sklearn.") for name in types), types
    return skops.io.load(folder / "model.skops", trusted=types)


WAYS = {
    "copy": lambda model, folder: copy.copy(model),
    "deepcopy": lambda model, folder: copy.deepcopy(model),
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "joblib": through_joblib,
    "skops": through_skops,
}
MODELS = {
    "classes": MLPClassifier((5,), max_iter=3, random_state=0),
    "two classes in float32": MLPClassifier((5, 4), solver="sgd", max_iter=3, random_state=0),
    "labels": MLPClassifier((5,), solver="lbfgs", max_iter=3, random_state=0, early_stopping=True),
    "numbers": MLPRegressor(max_iter=3, random_state=0, dropout=[0.5]),
    "poisson": MLPRegressor(
        loss="poisson", max_iter=3, random_state=0, learning_rate=bpfast.schedules.Plateau(0.01)
    ),
}


def data(kind):
    if kind == "two classes in float32":
        return X[:100].astype(np.float32), NAMES[:100]
    if kind == "labels":
        return X, np.c_[Y > 0, X[:, 0] > 6].astype(int)
    return X, NAMES if kind == "classes" else Y


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("way", WAYS)
def test_same_bits(kind, way, tmp_path):
    x, y = data(kind)
    model = clone(MODELS[kind]).fit(x, y)
    again = WAYS[way](model, tmp_path)
    assert type(again) is type(model)
    assert np.array_equal(again.network_.params, model.network_.params)
    assert again.network_.same_config(model.network_)
    assert np.array_equal(again.predict(x), model.predict(x))
    for one, two in zip(
        again.coefs_ + again.intercepts_, model.coefs_ + model.intercepts_, strict=True
    ):
        assert np.array_equal(one, two)
    others = {"network_", "coefs_", "intercepts_"}
    for name in {name for name in vars(model) if name[-1] == "_"} - others:
        assert np.array_equal(getattr(again, name), getattr(model, name)), name
    assert repr(again) == repr(model)
    if model.solver == "lbfgs":
        return
    for either in (again, model):
        either.partial_fit(x, y)
    assert np.array_equal(again.network_.params, model.network_.params)
    assert again.loss_curve_ == model.loss_curve_
    assert not np.shares_memory(again.coefs_[0], model.coefs_[0])


@pytest.mark.parametrize("kind", MODELS)
def test_clones_have_the_parameters_alone(kind):
    x, y = data(kind)
    model = clone(MODELS[kind]).fit(x, y)
    twin = clone(model)
    assert not hasattr(twin, "network_")
    assert repr(twin.get_params()) == repr(model.get_params())
    assert np.array_equal(twin.fit(x, y).network_.params, model.network_.params)


def test_a_callable_of_the_user_is_pickled_by_its_name():
    model = MLPClassifier((5,), max_iter=2, random_state=0, cost=shifted, learning_rate=rate)
    again = pickle.loads(pickle.dumps(model.fit(X, Y)))
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.learning_rate is rate
    assert again._optimizer.steps == 2


def shifted(a, y):
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


def rate(step):
    return 0.01 / (1 + step)


def test_views_of_the_parameters():
    """`coefs_` and `intercepts_` show the network, and what is assigned to them counts."""
    model = MLPClassifier((5,), max_iter=3, random_state=0).fit(X, Y)
    assert [coef.shape for coef in model.coefs_] == [(4, 5), (5, 3)]
    assert np.shares_memory(model.coefs_[0], model.network_.params)
    model.coefs_[1] *= 0
    model.intercepts_[1] = np.array([0.0, 5.0, 0.0])
    assert (model.predict(X) == 1).all()
    assert np.shares_memory(model.intercepts_[1], model.network_.params)
    assert (pickle.loads(pickle.dumps(model)).predict(X) == 1).all()
    model.coefs_ = [np.zeros((4, 5)), np.zeros((3, 5))]
    with pytest.raises(ValueError, match=r"coefs_\[1\] must have shape \(5, 3\), got \(3, 5\)"):
        model.predict(X)


def test_warm_start_with_other_parameters():
    model = MLPClassifier((5,), max_iter=3, random_state=0, warm_start=True).fit(X, Y)
    before = model.network_.params.copy()
    model.set_params(activation="tanh", solver="lbfgs", max_iter=1).fit(X, Y)
    assert model.network_.config["hidden"] == ["tanh"]
    assert not np.array_equal(before, model.network_.params)
    model.set_params(hidden_layer_sizes=(6,))
    with pytest.raises(ValueError, match=r"hidden_layer_sizes: expected \(5,\)"):
        model.fit(X, Y)
