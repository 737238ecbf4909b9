"""What the estimators refuse: the message names it, and the estimator stays as it was."""

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import check_param_validation

from bpfast.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 5))
Y = RNG.integers(0, 3, 80)
NUMBERS = RNG.standard_normal(80)
LABELS = RNG.integers(0, 2, (80, 3))
WEIGHT = RNG.random(80)
NO_MATRIX = "The object was not fitted with multilabel input. `y` must have one label per row"


def classifier(**parameters):
    settings = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
    return MLPClassifier(**settings | parameters)


def regressor(**parameters):
    settings = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
    return MLPRegressor(**settings | parameters)


@pytest.mark.parametrize("y", [Y, Y > 0, np.array(["a", "b", "c"])[Y]])
def test_a_matrix_after_one_label_per_row(y):
    """It was trained on as the numbers of classes."""
    model = classifier(warm_start=True).fit(X, y)
    classes = np.unique(y)
    for call in (
        lambda: model.partial_fit(X, LABELS),
        lambda: model.partial_fit(X, sparse.csr_matrix(LABELS)),
        lambda: model.fit(X, LABELS),
        lambda: classifier().fit(X, y, validation_data=(X, LABELS)),
        lambda: classifier().partial_fit(X, y, classes=classes).partial_fit(X, LABELS),
    ):
        with pytest.raises(ValueError, match=NO_MATRIX):
            call()
    column = y[:, np.newaxis]
    with pytest.warns(UserWarning, match="A column-vector y was passed"):
        model.partial_fit(X, column)


def test_another_number_of_columns():
    message = r"`y` must have 3 columns as in the first call, got shape \(80, 2\)"
    for warm_start in (False, True):
        model = classifier(warm_start=warm_start).fit(X, LABELS)
        with pytest.raises(ValueError, match=message):
            model.partial_fit(X, LABELS[:, :2])
    for first, second, count in ((NUMBERS, LABELS, "1 column"), (LABELS, NUMBERS, "3 columns")):
        model = regressor(warm_start=True).fit(X, first)
        message = f"`y` must have {count} as in the first call"
        for call in (model.partial_fit, model.fit):
            with pytest.raises(ValueError, match=message):
                call(X, second)
        with pytest.raises(ValueError, match=f"validation_data: {message}"):
            regressor().fit(X, first, validation_data=(X, second))


@pytest.mark.parametrize("matrix", [LABELS * 2 - 1, LABELS + 1, LABELS - 1])
def test_labels_of_which_none_is_0(matrix):
    """scikit-learn takes -1, and 2 beside 1, for a label that is true."""
    with pytest.raises(ValueError, match=r"1 where a label is true and 0 where it is not, got \["):
        classifier().fit(X, matrix)
    model = classifier().fit(X, LABELS)
    with pytest.raises(ValueError, match="1 where a label is true"):
        model.partial_fit(X, matrix)


def test_0_and_another_number_are_labels():
    wanted = classifier().fit(X, LABELS)
    for matrix in (LABELS * 2, LABELS * 0.5 * 2, LABELS > 0, sparse.csr_matrix(LABELS * 3)):
        model = classifier().fit(X, matrix)
        assert np.array_equal(model.network_.params, wanted.network_.params)


def test_a_sparse_y_of_a_regressor():
    wanted = regressor().fit(X, LABELS)
    for y in (sparse.csr_matrix(LABELS), sparse.csr_array(LABELS), sparse.coo_array(LABELS)):
        model = regressor().fit(X, y)
        assert np.array_equal(model.network_.params, wanted.network_.params)
    column = regressor().fit(X, LABELS[:, 0])
    with pytest.warns(UserWarning, match="A column-vector y was passed"):
        model = regressor().fit(X, sparse.csr_array(LABELS[:, :1]))
    assert np.array_equal(model.network_.params, column.network_.params)


def masked(array):
    return np.ma.array(array, mask=np.arange(array.size).reshape(array.shape) == 7)


@pytest.mark.parametrize("estimator", [classifier, regressor])
def test_masked_values(estimator):
    rows, weight = list(masked(X)), masked(WEIGHT)
    weights = [np.ma.masked, *WEIGHT[1:]]
    model = estimator().fit(X, Y)
    for name, call in (
        ("X", lambda: estimator().fit(rows, Y)),
        ("X", lambda: model.partial_fit(rows, Y)),
        ("X", lambda: model.predict(rows)),
        ("y", lambda: estimator().fit(X, [np.ma.masked, *Y[1:]])),
        ("sample_weight", lambda: estimator().fit(X, Y, sample_weight=weight)),
        ("sample_weight", lambda: estimator().fit(X, Y, sample_weight=weights)),
        ("sample_weight", lambda: model.partial_fit(X, Y, sample_weight=weight)),
        ("validation_data: sample_weight", lambda: fit_by(estimator, (X, Y, weight))),
        ("validation_data: X", lambda: fit_by(estimator, (rows, Y))),
    ):
        with pytest.raises(ValueError, match=f"^{name}: expected no missing values, got 1 masked"):
            call()
    plain = estimator().fit(X, Y, sample_weight=WEIGHT).network_.params
    unmasked = np.ma.array(WEIGHT)
    assert np.array_equal(estimator().fit(X, Y, sample_weight=unmasked).network_.params, plain)


def fit_by(estimator, validation_data):
    return estimator().fit(X, Y, validation_data=validation_data)


def state(model):
    """The attributes of a fit, as objects."""
    return {name: id(value) for name, value in vars(model).items() if "_" in (name[0], name[-1])}


REFITS = [
    ({"activation": "nope"}, {}),
    ({"cost": "nope"}, {}),
    ({"hidden_layer_sizes": (0,)}, {}),
    ({"dropout": [0.1, 0.1]}, {}),
    ({"scoring": "nope", "early_stopping": True}, {}),
    ({"n_jobs": 5000}, {}),
    ({"checkpoint": "no folder/of this/name"}, {}),
    ({"solver": "lbfgs"}, {"sample_weight": np.where(Y == 0, 1.0, -1.0)}),
    ({"class_weight": {"nope": 1.0}}, {}),
    ({}, {"sample_weight": -WEIGHT}),
    ({}, {"validation_data": (X, Y)}),
]


@pytest.mark.parametrize(("parameters", "more"), REFITS)
def test_a_refused_refit_changes_nothing(parameters, more):
    """Else `classes_` and the number of features are not those of the network."""
    model = classifier().fit(X, Y)
    before, predicted = state(model), model.predict(X)
    with pytest.raises((ValueError, OSError)):
        model.set_params(**parameters).fit(X[:, :3], Y > 0, **more)
    assert state(model) == before
    assert np.array_equal(model.set_params(**classifier().get_params()).predict(X), predicted)


def test_a_refused_first_call():
    model = classifier()
    with pytest.raises(ValueError, match="has classes not in"):
        model.partial_fit(X, Y, classes=[0, 1])
    assert not state(model)
    model.partial_fit(X, Y, classes=[0, 1, 2])


def test_an_error_of_a_callback_keeps_the_epochs():
    def stop(net, history):
        if len(history) == 2:
            raise ArithmeticError

    model = classifier(callbacks=stop)
    with pytest.raises(ArithmeticError):
        model.fit(X, Y)
    assert (model.n_iter_, model.classes_.tolist()) == (2, [0, 1, 2])
    assert model.predict(X).shape == (80,)


@pytest.mark.parametrize(("n_jobs", "got"), [(5000, "5000"), (10**30, "10{30}")])
def test_too_many_threads(n_jobs, got):
    model = classifier().fit(X, Y).set_params(n_jobs=n_jobs)
    for call in (lambda: model.fit(X, Y), lambda: model.predict(X)):
        with pytest.raises(ValueError, match=f"^n_jobs: expected 1 to 1024 threads, got {got}$"):
            call()


@pytest.mark.parametrize("score", [None, "high", 1j])
def test_a_scorer_of_no_number(score):
    model = classifier(scoring=lambda *_: score, early_stopping=True)
    got = f"a scorer that returns a number, got {type(score).__name__}"
    with pytest.raises(TypeError, match=f"^scoring: expected {got}$"):
        model.fit(X, Y)


def test_the_rows_in_messages_are_those_of_the_user():
    """Not those of the examples that are not held out."""
    y = RNG.random((80, 2))
    y[70, 1] = 7.0
    model = regressor(cost="cross_entropy", output="sigmoid", early_stopping=True)
    with pytest.raises(ValueError, match=r"^y\[70\]: expected numbers from 0 to 1"):
        model.fit(X, y)


@pytest.mark.parametrize("sizes", [(100,), [8, 4], 30, np.array([5])])
def test_hidden_layers_as_the_first_argument_of_a_regressor(sizes):
    """They are it in scikit-learn 1.5 and 1.6, which have no loss."""
    for call in (MLPRegressor(sizes).fit, MLPRegressor(sizes, "tanh").partial_fit):
        with pytest.raises(ValueError, match="For hidden layers pass hidden_layer_sizes=") as error:
            call(X, NUMBERS)
        assert f"hidden_layer_sizes={sizes!r}" in str(error.value)
    with pytest.raises(ValueError, match="The 'loss' parameter of MLPRegressor must be a str"):
        regressor(loss="absolute").fit(X, NUMBERS)


def test_other_hidden_layers_to_continue():
    """The message named `coefs_`, which the caller had not touched."""
    message = r"hidden_layer_sizes: expected \(4,\), the sizes of the last fit, .* got \(3, 2\)"
    model = classifier(warm_start=True).fit(X, Y).set_params(hidden_layer_sizes=(3, 2))
    for call in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=message):
            call(X, Y)
    assert [array.shape for array in model.coefs_] == [(5, 4), (4, 3)]


def test_parameters_before_classes():
    """scikit-learn's own check of each parameter calls `partial_fit` without `classes`."""
    with pytest.raises(InvalidParameterError, match="The 'alpha' parameter of MLPClassifier must"):
        classifier(alpha=-1.0).partial_fit(X, Y)
    for make in (classifier, regressor):
        check_param_validation(type(make()).__name__, make())
        for name, value in (("activation", "sinus"), ("hidden", ["relu", "relu"])):
            with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of MLP"):
                make(**{name: value}).fit(X, Y)


def test_without_a_check_of_parameters():
    model = classifier(validation_fraction=2.0)  # not used
    with sklearn.config_context(skip_parameter_validation=True):
        model.fit(X, Y).partial_fit(X, Y)
    with pytest.raises(InvalidParameterError, match="The 'validation_fraction' parameter"):
        model.fit(X, Y)


def test_classes_in_the_place_of_the_weights():
    """It is theirs in scikit-learn before 1.7."""
    message = r"classes must be passed .*\. The third argument is sample_weight: pass classes="
    with pytest.raises(ValueError, match=message):
        classifier().partial_fit(X, Y, [0, 1, 2])
