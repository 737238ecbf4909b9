"""What the estimators have beyond scikit-learn's own."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.metrics import accuracy_score, r2_score

import bpfast
from bpfast.sklearn import MLPClassifier, MLPRegressor
from tests.helpers.tolerance import rounded

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
# Adam divides by √v, which magnifies the rounding of the first steps.
ADAM = 1e-9
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


def classifier(**parameters):
    return MLPClassifier(
        **{"hidden_layer_sizes": (8,), "max_iter": 5, "random_state": 0} | parameters
    )


def params(model, *arrays, **more):
    """The parameters of the network after `fit`."""
    return model.fit(*arrays, **more).network_.params


def test_activations_of_each_layer():
    model = classifier(hidden_layer_sizes=(8, 4), hidden=["gelu", "tanh"]).fit(X, Y)
    assert model.network_.config["hidden"] == ["gelu", "tanh"]
    same = [classifier(**{name: "logistic"}).fit(X, Y) for name in ("hidden", "activation")]
    assert np.array_equal(*[model.network_.params for model in same])
    assert classifier(activation="elu").fit(X, Y).network_.config["hidden"] == ["elu"]
    assert classifier(hidden_layer_sizes=()).fit(X, Y).network_.sizes == (4, 3)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": "rleu"}, "The 'activation' parameter of MLPClassifier .*mean 'relu'"),
        ({"hidden": ["tanh", "tanh"]}, "The 'hidden' parameter of MLPClassifier .*expected 1"),
        ({"dropout": 1.0}, "The 'dropout' parameter of MLPClassifier must be"),
        ({"l1": -1}, "The 'l1' parameter of MLPClassifier must be"),
        ({"class_weight": "even"}, "The 'class_weight' parameter of MLPClassifier must be"),
        ({"learning_rate": 0.1}, "The 'learning_rate' parameter of MLPClassifier must be"),
        ({"cost": "log_loss"}, "cost: unknown name 'log_loss'; did you mean 'cross_entropy'"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be > 0"),
        ({"hidden_layer_sizes": (2.5,)}, "hidden_layer_sizes must be integers"),
        ({"n_jobs": 0}, "n_jobs == 0 has no meaning"),
        ({"scoring": "acuracy", "early_stopping": True}, "'scoring' parameter of MLPClassifier"),
        ({"solver": "lbfgs", "dropout": 0.5}, "'dropout' parameter .* needs solver='sgd'"),
        ({"solver": "lbfgs", "callbacks": print}, "'callbacks' parameter .* needs solver='sgd'"),
    ],
)
def test_errors_are_raised_by_fit(parameters, message):
    model = classifier(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y)


def test_each_setting_of_a_step_changes_it():
    plain = params(classifier(), X, Y)
    for setting in ({"dropout": 0.3}, {"l1": 1.0}, {"max_norm": 0.2}, {"clip_norm": 0.1}):
        assert not np.array_equal(params(classifier(**setting), X, Y), plain)
        assert np.array_equal(
            params(classifier(**setting), X, Y), params(classifier(**setting), X, Y)
        )
    norms = np.linalg.norm(classifier(max_norm=0.2).fit(X, Y).coefs_[0], axis=0)
    assert norms.max() == rounded(0.2)


def test_penalties_are_divided_by_the_examples_of_each_step():
    """One step of gradient descent by hand, where the last step has fewer examples."""
    x, y = X[:50], Y[:50] * 1.0 + X[:50, 0]
    model = MLPRegressor(
        hidden_layer_sizes=(3,), activation="tanh", solver="sgd", momentum=0, shuffle=False,
        alpha=2.0, l1=0.5, batch_size=30, learning_rate_init=0.1, max_iter=1, random_state=0,
    )  # fmt: skip
    start = MLPRegressor(**model.get_params() | {"learning_rate_init": 1e-300}).fit(x, y)
    net = start.network_.copy()
    for rows in (slice(0, 30), slice(30, 50)):
        n = rows.stop - rows.start
        gradient = net.backprop(x[rows], y[rows, np.newaxis])
        for k, w in enumerate(net.weights):
            w[...] -= 0.1 * (gradient.weights[k] + 2.0 / n * w + 0.5 / n * np.sign(w))
            net.biases[k][...] -= 0.1 * gradient.biases[k]
    np.testing.assert_allclose(params(model, x, y), net.params, atol=1e-13)


def test_weights_of_classes_by_their_names():
    by_class = {"setosa": 3.0, "virginica": 0.5, "versicolor": 1.0}
    weights = np.array([by_class[name] for name in NAMES])
    given = params(classifier(class_weight=by_class), X, NAMES)
    assert np.array_equal(given, params(classifier(), X, NAMES, sample_weight=weights))
    rare = np.r_[0:50, 50:60]
    balanced = params(classifier(class_weight="balanced"), X[rare], NAMES[rare])
    weights = np.where(NAMES[rare] == "setosa", 60 / 2 / 50, 60 / 2 / 10)
    expected = params(classifier(), X[rare], NAMES[rare], sample_weight=weights)
    np.testing.assert_allclose(balanced, expected, rtol=1e-12)
    labels = np.c_[Y > 0, Y > 1].astype(int)
    several = params(classifier(class_weight=[{0: 1, 1: 3}, {0: 2, 1: 1}]), X, labels)
    weights = np.where(Y > 0, 3.0, 1.0) * np.where(Y > 1, 1.0, 2.0)
    assert np.array_equal(several, params(classifier(), X, labels, sample_weight=weights))
    with pytest.raises(ValueError, match="'balanced' is not supported for partial_fit"):
        classifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


def fourth_power(a, y):
    return ((a - y) ** 4).sum(axis=1), 4 * (a - y) ** 3


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_costs(solver):
    model = classifier(cost=fourth_power, solver=solver, max_iter=60, learning_rate_init=0.02)
    assert model.fit(X, NAMES).score(X, NAMES) > 0.9
    targets = (NAMES[:, np.newaxis] == model.classes_) * 1.0
    assert model.network_.cost(X, targets) == rounded(
        fourth_power(model.predict_proba(X), targets)[0].mean()
    )
    assert classifier(cost="quadratic").fit(X, NAMES).network_.config["cost"] == "quadratic"
    regressor = MLPRegressor(cost="huber", solver=solver, max_iter=5).fit(X, Y)
    assert regressor.network_.config["cost"] == "huber"


def test_outputs_of_a_regressor():
    model = MLPRegressor(cost="poisson", output="softplus", max_iter=5).fit(X, Y)
    assert model.network_.config["output"] == model.out_activation_ == "softplus"
    assert (model.predict(X) > 0).all()
    model = MLPRegressor(cost="poisson", max_iter=5).fit(X, Y)
    assert model.out_activation_ == "exp"
    assert np.array_equal(np.exp(model.network_(X))[:, 0], model.predict(X))
    with pytest.raises(ValueError, match="out of the valid range of the loss 'poisson'"):
        MLPRegressor(loss="poisson").fit(X, Y - 1.0)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_schedules(solver):
    schedule = bpfast.schedules.Plateau(0.1, patience=1, factor=0.5)
    model = classifier(solver=solver, learning_rate=schedule, max_iter=40).fit(X, Y)
    assert min(model.network_.history.learning_rate) < 0.1
    assert model.learning_rate is schedule
    assert schedule.state == bpfast.schedules.Plateau(0.1).state  # a copy was used
    rates = []
    model = classifier(solver=solver, learning_rate=lambda step: rates.append(step) or 0.1)
    assert model.fit(X, Y).n_iter_ == 5
    assert rates == list(range(5))


def test_validation_data():
    held_out = (X[::3], NAMES[::3])
    model = classifier(max_iter=60, learning_rate_init=0.02)
    plain = params(classifier(max_iter=60, learning_rate_init=0.02), X, NAMES)
    assert np.array_equal(params(model, X, NAMES, validation_data=held_out), plain)
    assert len(model.validation_loss_curve_) == len(model.validation_scores_) == model.n_iter_
    assert model.validation_scores_[-1] == accuracy_score(held_out[1], model.predict(held_out[0]))
    assert model.best_validation_score_ == max(model.validation_scores_)
    y = np.searchsorted(model.classes_, held_out[1])
    assert model.validation_loss_curve_[-1] == model.network_.cost(held_out[0], y)
    with pytest.raises(ValueError, match=r"must be \(X, y\) or \(X, y, sample_weight\)"):
        model.fit(X, NAMES, validation_data=X)
    with pytest.raises(ValueError, match="classes not in `self"):
        model.fit(X, NAMES, validation_data=(X[:2], ["setosa", "rosa"]))


@pytest.mark.parametrize("scoring", [None, "loss", "balanced_accuracy"])
def test_best_parameters_are_restored(scoring):
    kept = {}

    def keep(net, history):
        kept[len(history)] = net.params.copy()

    model = classifier(
        early_stopping=True, scoring=scoring, callbacks=keep, max_iter=60, learning_rate_init=0.3
    )
    model.fit(X, NAMES, validation_data=(X[1::2], NAMES[1::2], np.ones(75)))
    best = int(np.argmax(model.validation_scores_)) + 1
    assert 0 < best < model.n_iter_
    assert np.array_equal(model.network_.params, kept[best])
    if scoring == "loss":
        assert np.array_equal(model.validation_scores_, -np.array(model.validation_loss_curve_))


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_the_best_parameters_may_be_the_first_ones(Estimator):
    settings = {"early_stopping": True, "solver": "sgd", "random_state": 0, "max_iter": 5}
    model = Estimator(learning_rate_init=1e300, **settings)
    with pytest.warns(match="the loss is no longer finite"):
        model.fit(X, Y)
    start = Estimator(learning_rate_init=1e-300, **settings).fit(X, Y)
    assert np.array_equal(model.network_.params, start.network_.params)
    assert np.isnan(model.validation_scores_[-1])
    assert np.isfinite(model.loss_curve_[0])  # of one step, before which all was finite
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        model.set_params(early_stopping=False).fit(X, Y)


def test_a_loss_that_is_not_finite_is_an_error():
    """Also where the parameters are finite still, or could not be changed."""
    for solver in ("sgd", "lbfgs"):
        with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
            MLPRegressor(solver=solver, max_iter=1, momentum=0).fit(X, 1e200 * Y)


def test_default_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    weight = rng.random(75)
    several = np.c_[Y, X[:, 0], np.ones(150)]
    for y in (Y, several):
        model = MLPRegressor(max_iter=3).fit(X, y, validation_data=(X[::2], y[::2], weight))
        expected = r2_score(y[::2], model.predict(X[::2]), sample_weight=weight)
        assert model.validation_scores_[-1] == rounded(expected)
    labels = make_multilabel_classification(150, 4, random_state=0)[1]
    for y in (NAMES, NAMES == "setosa", labels):
        model = classifier().fit(X, y, validation_data=(X[::2], y[::2], weight))
        expected = accuracy_score(y[::2], model.predict(X[::2]), sample_weight=weight)
        assert model.validation_scores_[-1] == rounded(expected)


def test_held_out_examples_are_stratified():
    seen = []

    def scorer(model, x, y):
        seen.append(np.unique(y, return_counts=True)[1].tolist())
        return 0.0

    rows = np.r_[0:50, 50:80, 100:120]
    for seed in range(3):
        model = classifier(early_stopping=True, validation_fraction=0.2, scoring=scorer)
        model.set_params(random_state=seed, max_iter=1).fit(X[rows], NAMES[rows])
    assert seen == [[10, 6, 4]] * 3
    y = NAMES.copy()
    y[0] = "a single one"  # no error, as in scikit-learn
    classifier(early_stopping=True).fit(X, y)


def test_a_callback_without_records_is_called():
    monitor = bpfast.inside.Monitor((X - X.mean(0)) / X.std(0), Y)
    assert not len(monitor)
    classifier(callbacks=monitor).fit((X - X.mean(0)) / X.std(0), Y)
    assert len(monitor)


def test_callbacks_end_a_training_and_ctrl_c_too():
    model = classifier(callbacks=[lambda net, history: len(history) == 3], max_iter=50).fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == 3
    assert model.network_.history.stopped == "callback"

    def interrupt(net, history):
        if len(history) == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        model = classifier(callbacks=interrupt, max_iter=50).fit(X, Y)
    assert model.n_iter_ == 2
    assert model.predict(X).shape == (150,)


def test_float32_and_sparse_x(monkeypatch):
    model = classifier().fit(X.astype(np.float32), Y)
    assert model.network_.dtype == model.predict_proba(X).dtype == np.float32
    dense = classifier(solver="lbfgs").fit(X, Y).predict_proba(X)
    for kind in (sparse.csr_array, sparse.csr_matrix):
        for method in ("toarray", "todense", "__array__"):
            monkeypatch.setattr(kind, method, None, raising=False)
        model = classifier(solver="lbfgs").fit(kind(X), Y)
        # Other sums round in another way, and each iteration of L-BFGS magnifies that.
        np.testing.assert_allclose(model.predict_proba(kind(X)), dense, rtol=1e-6)
        classifier(early_stopping=True).fit(kind(X), Y)
        uneven = {"batch_size": 40, "alpha": 1.0}  # the last step has 30 examples
        np.testing.assert_allclose(
            params(classifier(**uneven), kind(X), Y), params(classifier(**uneven), X, Y), rtol=ADAM
        )


def test_several_labels():
    x, y = make_multilabel_classification(random_state=0)
    model, same = (classifier(hidden_layer_sizes=(30,), solver="lbfgs", max_iter=60) for _ in "12")
    model.fit(x, y)
    assert model.classes_.tolist() == [0, 1, 2, 3, 4]
    assert model.predict(x).shape == model.predict_proba(x).shape == y.shape
    assert model.score(x, y) > 0.8
    same.fit(x, sparse.csr_matrix(y))
    assert sparse.issparse(same.predict(x))
    assert np.array_equal(same.predict(x).toarray(), model.predict(x))


def test_threads_change_no_bit():
    one, two = (params(classifier(n_jobs=k), X, Y) for k in (1, 2))
    assert np.array_equal(one, two)
    seen = []
    model = classifier(n_jobs=1, callbacks=lambda *_: seen.append(bpfast.get_num_threads()))
    model.fit(X, Y)
    assert set(seen) == {1}


def test_random_states():
    for make in (lambda: 3, lambda: np.random.RandomState(3), lambda: np.random.default_rng(3)):
        one, two = (params(classifier(random_state=make()), X, Y) for _ in "12")
        assert np.array_equal(one, two)
    rng = np.random.default_rng(3)
    one, two = (params(classifier(random_state=rng), X, Y) for _ in "12")
    assert not np.array_equal(one, two)


def test_warnings_of_targets():
    """Targets that the output never comes to; but any scale, as in scikit-learn."""
    with pytest.warns(UserWarning, match="as the sigmoid outputs are") as caught:
        MLPRegressor(output="sigmoid", max_iter=2).fit(X, 10.0 * Y)
    assert {warning.filename for warning in caught} == {__file__}
    for solver in ("adam", "lbfgs"):
        MLPRegressor(solver=solver, max_iter=2).fit(X, 1000.0 * Y)


def test_each_fit_of_a_warm_start_drops_other_neurons():
    model = classifier(dropout=0.5, warm_start=True, max_iter=1, learning_rate_init=1e-12)
    losses = [model.fit(X, Y).loss_ for _ in range(3)]
    assert len(set(losses)) == 3
    again = classifier(dropout=0.5, warm_start=True, max_iter=1, learning_rate_init=1e-12)
    assert [again.fit(X, Y).loss_ for _ in range(3)] == losses


def test_the_log_likelihood_of_two_classes():
    given = params(classifier(cost="log_likelihood"), X, Y > 0)
    assert np.array_equal(given, params(classifier(), X, Y > 0))


def test_a_scorer_without_weights():
    def scorer(model, x, y):
        return 1.0

    model = classifier(early_stopping=True, scoring=scorer)
    with pytest.raises(TypeError, match=r"^scoring: expected a scorer that takes "):
        model.fit(X, Y, sample_weight=np.ones(len(Y)))
