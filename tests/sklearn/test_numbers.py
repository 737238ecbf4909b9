"""What X and y must be: numbers that the dtype of the network can hold, and no text."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from bpfast.sklearn import MLPClassifier, MLPRegressor
from bpfast.sklearn._methods.quick_check import MAX_SUMMED_NUMBERS, needs_no_check

pytestmark = pytest.mark.filterwarnings(
    "error", "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:y. expected targets"
)
RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
LARGE = 1e39  # float64, and infinite in float32
MOST = float(np.finfo(np.float32).max)
ROWS = np.array([[LARGE, 0, 0], [1, 0, 0]])
ESTIMATORS = [MLPClassifier, MLPRegressor]


def too_large(argument):
    text = f"Input {argument} contains infinity or a value too large for dtype('float32')."
    return re.escape(text)


def new(estimator, **parameters):
    return estimator(hidden_layer_sizes=(4,), max_iter=3, random_state=0, **parameters)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("convert", [np.array, sparse.csr_array, pd.DataFrame, np.ndarray.tolist])
def test_large_rows_in_a_prediction(estimator, convert):
    """They were infinite in float32, so probabilities were NaN and the class was the first one."""
    model = new(estimator).fit(X, Y)
    calls = [model.predict, lambda rows: model.score(rows, [0] * len(ROWS))]
    if estimator is MLPClassifier:
        calls += [model.predict_proba, model.predict_log_proba]
    many = np.tile(ROWS, (MAX_SUMMED_NUMBERS, 1))
    for rows in (ROWS, -ROWS):
        for call in calls:
            with pytest.raises(ValueError, match=too_large("X")):
                call(convert(rows))
    for rows in (ROWS[:1], many):
        with pytest.raises(ValueError, match=too_large("X")):
            model.predict(convert(rows))


@pytest.mark.parametrize("count", [1, MAX_SUMMED_NUMBERS])
def test_the_largest_numbers_that_are_taken(count):
    model = new(MLPClassifier).fit(X, Y)
    for most in (MOST, MOST * (1 + 2.0**-26)):  # which rounds to it
        rows = np.full((count, 3), most)
        expected = model.predict_proba(np.full((count, 3), np.float32(MOST)))
        assert np.array_equal(model.predict_proba(rows), expected, equal_nan=True)
    wide = new(MLPClassifier).fit(X.astype(float), Y)
    assert np.isfinite(wide.predict_proba(np.full((count, 3), LARGE))).all()


def test_the_quick_check_takes_float64_for_a_network_of_float32():
    model = new(MLPClassifier).fit(X, Y)
    assert needs_no_check(model, X.astype(float))
    assert not needs_no_check(model, ROWS)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_large_rows_in_a_training_that_continues(estimator):
    """The first training was in float32, so are those that continue it."""
    rows = np.r_[X.astype(float), ROWS[:1]]
    y = np.r_[Y, 1]
    model = new(estimator, warm_start=True).fit(X, Y)
    before = model.network_.params.copy()
    for x in (rows, sparse.csr_array(rows)):
        for call in (model.partial_fit, model.fit):
            with pytest.raises(ValueError, match=too_large("X")):
                call(x, y)
    assert np.array_equal(model.network_.params, before)
    with pytest.raises(ValueError, match="validation_data: " + too_large("X")):
        new(estimator).fit(X, Y, validation_data=(rows, y))
    new(estimator).fit(rows / LARGE, y)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_large_targets(solver):
    y = np.where(Y, LARGE, 0.0)
    model = new(MLPRegressor, solver=solver)
    for targets in (y, np.stack([Y, y], axis=1)):
        with pytest.raises(ValueError, match=too_large("y")):
            model.fit(X, targets)
    assert not hasattr(model, "network_")
    if solver == "adam":
        with pytest.raises(ValueError, match=too_large("y")):
            model.partial_fit(X, y)
        with pytest.raises(ValueError, match="validation_data: " + too_large("y")):
            model.fit(X, Y, validation_data=(X, y))


TEXT = X.astype(str)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("text", [TEXT, TEXT.astype("S"), TEXT.tolist(), tuple(TEXT)])
def test_text_as_x(estimator, text):
    """scikit-learn's `fit` converts it, and its `predict` refuses it."""
    model = new(estimator).fit(X, Y)
    for call in (
        lambda: new(estimator).fit(text, Y),
        lambda: model.partial_fit(text, Y),
        lambda: model.predict(text),
        lambda: model.score(text, Y),
        lambda: new(estimator).fit(X, Y, validation_data=(text, Y)),
    ):
        with pytest.raises(ValueError, match="X: expected numbers, got text of dtype"):
            call()


def test_text_as_numbers_to_predict():
    for y in (Y.astype(str), Y.astype("S"), Y.astype(str).tolist()):
        with pytest.raises(ValueError, match="y: expected numbers, got text of dtype"):
            new(MLPRegressor).fit(X, y)


def test_objects_that_are_numbers_are_taken():
    model = new(MLPClassifier).fit(X.astype(float), Y)
    objects = X.astype(float).astype(object)
    assert np.array_equal(model.predict_proba(objects), model.predict_proba(X.astype(float)))
