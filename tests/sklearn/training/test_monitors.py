"""A `Monitor` of steps as a callback of the estimators."""

import numpy as np
import pytest

import bpfast
from bpfast.inside import Monitor

pytest.importorskip("sklearn")
from bpfast.sklearn import MLPClassifier, MLPRegressor

RNG = np.random.default_rng(0)
X = RNG.standard_normal((110, 3))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)
TARGETS = X[:, 0] ** 2
ESTIMATORS = {"classes": (MLPClassifier, LABELS), "numbers": (MLPRegressor, TARGETS)}
# The last mini-batch of an epoch has 14 examples.
OPTIONS = {"hidden_layer_sizes": (4,), "batch_size": 32, "max_iter": 3, "random_state": 0}


def fitted(kind, solver, **options):
    estimator, y = ESTIMATORS[kind]
    made = estimator(solver=solver, **OPTIONS | options)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        return made.fit(X, y)


def monitor(kind, **options):
    y = ESTIMATORS[kind][1]
    return Monitor(X, y, warn=False, **{"every_steps": 5} | options)


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("given", [{}, {"cosine": True, "curvature": True}])
def test_steps_are_recorded(kind, solver, given):
    steps = monitor(kind, **given)
    with_monitor = fitted(kind, solver, callbacks=[steps])
    without = fitted(kind, solver)
    assert steps.step.tolist() == [5, 10]  # of 4 in each epoch
    assert steps.epoch.tolist() == [2, 3]
    assert with_monitor.network_.params.tobytes() == without.network_.params.tobytes()
    assert np.isfinite(steps.gradient_norm).all()
    if given:
        assert np.isfinite(steps.cosine[1:]).all()
        assert (steps.curvature > 0).all()


def test_records_of_the_last_mini_batch():
    """It has another penalty, and its records continue those of the others."""
    steps = monitor("numbers", every_steps=1, cosine=True)
    fitted("numbers", "sgd", callbacks=[steps], shuffle=False, momentum=0.0, alpha=1.0)
    assert steps.step.tolist() == list(range(1, 13))
    assert np.isnan(steps.cosine).tolist() == [True] + [False] * 11
    epochs = monitor("numbers", every_steps=None)
    made = MLPRegressor(solver="sgd", callbacks=epochs, **OPTIONS)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        made.fit(X, TARGETS)
    assert epochs.epoch.tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_partial_fit(kind):
    estimator, y = ESTIMATORS[kind]
    steps = monitor(kind, every_steps=1)
    made = estimator(callbacks=steps, **OPTIONS)
    for _ in range(2):
        made.partial_fit(X, y, **({"classes": [0, 1]} if kind == "classes" else {}))
    assert steps.step.tolist() == list(range(1, 9))


def test_lbfgs_has_no_steps():
    message = "^The 'callbacks' parameter of MLPClassifier needs solver='sgd' or solver='adam'"
    with pytest.raises(ValueError, match=message):
        MLPClassifier(solver="lbfgs", callbacks=monitor("classes"), **OPTIONS).fit(X, LABELS)


def test_of_other_inputs():
    wrong = Monitor(X[:, :2], LABELS, every_steps=1)
    with pytest.raises(
        ValueError, match=r"^Monitor: x: expected shape \(\d+, 3\), got \(\d+, 2\)$"
    ):
        MLPClassifier(callbacks=wrong, **OPTIONS).fit(X, LABELS)
    assert len(wrong) == 0


def test_least_squares_and_scipy_take_no_callbacks():
    net = bpfast.Network([3, 2, 1], output="identity", seed=0)
    for call in (bpfast.least_squares, bpfast.scipy_minimize):
        with pytest.raises(TypeError, match="callbacks"):
            call(net, X, TARGETS, callbacks=monitor("numbers"))
