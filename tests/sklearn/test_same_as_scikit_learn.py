"""The same parameters, starts and steps as scikit-learn's own MLPs."""

import inspect
import warnings

import numpy as np
import pytest
import sklearn.neural_network as theirs
from scipy import sparse
from sklearn.datasets import load_digits, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning

from bpfast.sklearn import MLPClassifier, MLPRegressor
from tests.helpers.tolerance import rounded

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
PAIRS = [(MLPClassifier, theirs.MLPClassifier), (MLPRegressor, theirs.MLPRegressor)]
# Both sum in other orders. The loss contains a penalty that we compute once per epoch, and as
# linear between.
SUMS = 2e-5
# The same steps, whose sums round in another order.
SAME_STEPS = 1e-9
# Adam's epsilon is added to the root of the corrected square here, as in the paper; in scikit-learn
# to that of the uncorrected one, which matters for small derivatives in the first steps.
ADAM = 3e-3


def digits(n=450, classes=10, dtype=np.float64):
    x, y = load_digits(n_class=classes, return_X_y=True)
    return (x[:n] / 16).astype(dtype), y[:n]


def both(ours, other, x, y, **parameters):
    """Both estimators, fitted with the same parameters."""
    parameters = {"random_state": 1, "shuffle": False, "max_iter": 12} | parameters
    return tuple(class_(**parameters).fit(x, y) for class_ in (ours, other))


@pytest.mark.parametrize(("ours", "other"), PAIRS)
def test_parameters_and_defaults(ours, other):
    own, wanted = (inspect.signature(class_).parameters for class_ in (ours, other))
    names = [name for name in wanted if name in own]
    assert names == list(wanted)
    assert list(own)[: len(wanted)] == list(wanted)
    for name, parameter in wanted.items():
        assert own[name].default == parameter.default, name
        assert own[name].kind == parameter.kind, name


@pytest.mark.parametrize(("ours", "other"), PAIRS)
def test_methods_and_attributes(ours, other):
    public = {name for name in dir(other) if not name.startswith("_")}
    assert public <= set(dir(ours))
    for name in ("fit", "partial_fit", "predict"):
        wanted, own = (list(inspect.signature(getattr(c, name)).parameters) for c in (other, ours))
        assert own[: len(wanted)] == wanted
    x, y = digits(100)
    for parameters in ({}, {"early_stopping": True}, {"solver": "lbfgs"}):
        own, wanted = both(ours, other, x, y, **parameters)
        found = {name for name in vars(wanted) if name[-1] == "_"}
        assert found <= set(vars(own)), parameters
        for name in ("n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "t_"):
            assert getattr(own, name) == getattr(wanted, name), name


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_initial_parameters(activation):
    x, y = digits(60)
    made = [
        class_(activation=activation, random_state=3, learning_rate_init=1e-300, max_iter=1)
        for class_ in (MLPClassifier, theirs.MLPClassifier)
    ]
    own, wanted = (model.fit(x, y) for model in made)
    for name in ("coefs_", "intercepts_"):
        for found, expected in zip(getattr(own, name), getattr(wanted, name), strict=True):
            assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    "parameters",
    [
        {"momentum": 0},
        {"nesterovs_momentum": False},
        {},
        {"learning_rate": "invscaling", "learning_rate_init": 0.2, "power_t": 0.3},
        {"learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 1, "max_iter": 40},
        {"alpha": 5.0, "batch_size": 199},  # the last step has 52 examples
        {"batch_size": 60, "activation": "tanh"},
    ],
)
@pytest.mark.parametrize(("ours", "other"), PAIRS)
def test_steps_of_sgd(ours, other, parameters):
    x, y = digits()
    parameters = {"solver": "sgd", "learning_rate_init": 0.05} | parameters
    own, wanted = both(ours, other, x, y / 9.0 if ours is MLPRegressor else y, **parameters)
    tolerance = 1e-2 if parameters.get("alpha") else SUMS  # most of the loss is the penalty
    np.testing.assert_allclose(own.loss_curve_, wanted.loss_curve_, rtol=tolerance)
    for found, expected in zip(own.coefs_, wanted.coefs_, strict=True):
        np.testing.assert_allclose(found, expected, atol=SAME_STEPS)
    assert own.n_iter_ == wanted.n_iter_
    assert own._optimizer.learning_rate == rounded(wanted._optimizer.learning_rate)


@pytest.mark.parametrize(("ours", "other"), PAIRS)
def test_steps_of_adam(ours, other):
    x, y = digits()
    own, wanted = both(ours, other, x, y / 9.0 if ours is MLPRegressor else y)
    np.testing.assert_allclose(own.loss_curve_, wanted.loss_curve_, rtol=ADAM)
    assert own.score(x, y) == pytest.approx(wanted.score(x, y), abs=0.02)  # nine of the 450


@pytest.mark.parametrize("kind", ["two classes", "several labels", "several numbers", "poisson"])
def test_losses_of_other_targets(kind):
    """One step per epoch, so that the loss has the penalty before it, exactly."""
    classifies = kind in ("two classes", "several labels")
    ours, other = PAIRS[not classifies]
    parameters = {"solver": "sgd", "learning_rate_init": 0.01, "batch_size": 100, "alpha": 1.0}
    x, y = digits(100, 2)
    if kind == "several labels":
        x, y = make_multilabel_classification(random_state=0)
    elif kind == "several numbers":
        x, y = make_regression(100, 10, n_targets=3, random_state=0)
        y /= 100
    elif kind == "poisson":
        parameters["loss"] = "poisson"
    own, wanted = both(ours, other, x, y, **parameters)
    np.testing.assert_allclose(own.loss_curve_, wanted.loss_curve_, rtol=SAME_STEPS)
    np.testing.assert_allclose(own.predict(x), wanted.predict(x), rtol=SAME_STEPS)
    if classifies:
        np.testing.assert_allclose(own.predict_proba(x), wanted.predict_proba(x), rtol=SAME_STEPS)


@pytest.mark.parametrize(("ours", "other"), PAIRS)
def test_lbfgs(ours, other):
    x, y = digits()
    parameters = {"solver": "lbfgs", "max_iter": 10, "alpha": 1.0}
    weight = np.random.default_rng(0).random(len(x))
    made = [class_(random_state=0, **parameters) for class_ in (ours, other)]
    own, wanted = (model.fit(x, y, sample_weight=weight) for model in made)
    assert own.n_iter_ == wanted.n_iter_
    assert own.loss_ == pytest.approx(wanted.loss_, rel=SAME_STEPS)


def test_predictions_of_one_row_and_of_the_checked_way():
    """Few rows skip scikit-learn's checks; all see the same numbers."""
    x, y = digits()
    for model in (MLPClassifier(max_iter=2), MLPRegressor(max_iter=2)):
        model.fit(x, y)
        rows = model.predict(x)
        assert len(x) * x.shape[1] > 1 << 13  # another check of the same numbers
        assert np.array_equal(
            np.concatenate([model.predict(x[k : k + 1]) for k in range(9)]), rows[:9]
        )
        assert np.array_equal(model.predict(x.tolist()[:9]), rows[:9])
        assert np.array_equal(model.predict(np.asfortranarray(x)[:9]), rows[:9])
        for kind in (sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.coo_array):
            np.testing.assert_allclose(model.predict(kind(x[:9])), rows[:9], rtol=1e-12)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_rows_that_are_refused(wrong):
    x, y = digits(60)
    model = MLPClassifier(max_iter=1).fit(x, y)
    row = x[:1].copy()
    row[0, 3] = wrong
    with pytest.raises(ValueError, match="Input X contains"):
        model.predict(row)
    for count in (1 << 8, 1 << 13):  # checked in three ways
        with pytest.raises(ValueError, match="Input X contains"):
            model.predict(np.repeat(row, count, axis=0))
    with pytest.raises(ValueError, match="Input X contains"):
        model.predict(sparse.csr_array(row))
    with pytest.raises(ValueError, match="X has 63 features, but MLPClassifier is expecting 64"):
        model.predict(x[:1, 1:])
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        model.predict(x[0])
    assert model.predict(np.full((1, 64), 1e200)).shape == (1,)  # whose squares overflow
    with pytest.raises(ValueError, match="X: expected no missing values, got 1 masked"):
        model.predict(np.ma.array(x[:1], mask=np.arange(64) == 5))


def test_convergence_warnings():
    x, y = digits(60)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations \\(2\\) reached"):
        MLPClassifier(max_iter=2).fit(x, y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 2 iteration"):
        MLPClassifier(solver="lbfgs", max_iter=2).fit(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MLPClassifier(max_iter=500, tol=0.1).fit(x, y)
