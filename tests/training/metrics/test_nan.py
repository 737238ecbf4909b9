"""NaN is no class: accuracies of such outputs are NaN, and a y with NaN is an error."""

import numpy as np
import pytest

import bpfast
from bpfast import metrics
from tests.helpers.refuses import refuses

OUTPUTS = np.array([[3.0, -2.0], [-1.0, 0.2]])
Y = np.array([[1, 0], [1, 0]])
NAN_IN_OUTPUTS = np.where(np.eye(2, dtype=bool), np.nan, OUTPUTS)


@pytest.mark.parametrize("name", metrics.__all__)
def test_outputs_that_are_nan_give_nan(name):
    for y in (Y, 2 * Y - 1, Y[:, 0]):
        assert np.isnan(getattr(metrics, name)(NAN_IN_OUTPUTS, y))
        assert np.isnan(getattr(metrics, name)(OUTPUTS * np.nan, y))


@pytest.mark.parametrize(
    "metric", [metrics.accuracy, metrics.subset_accuracy, metrics.binary_accuracy]
)
def test_a_y_of_nan_has_no_class(metric):
    for y in (np.array([[1, 0], [0, np.nan]]), np.array([[1.0], [np.nan]]), [0.0, np.nan]):
        outputs = OUTPUTS[:, : np.shape(y)[1] if np.ndim(y) == 2 else 1]
        with refuses(ValueError, r"^y\[1\]: expected finite numbers, got nan$"):
            metric(outputs, y)


X, ZEROS = np.random.default_rng(0).standard_normal((60, 4)), np.zeros((60, 3))


@pytest.mark.parametrize("name", ["accuracy", "binary_accuracy"])
def test_parameters_that_become_nan_are_no_improvement(name):
    """All of y is 0, as which NaN would count."""
    net = bpfast.Network([4, 3], output="sigmoid", cost="cross_entropy", init="zeros")
    net.params[-1] = 1.0

    def spoil(net, _):
        net.params[:] = np.nan

    history = net.fit(
        X, ZEROS, batch_size=16, seed=2, metrics=name, callbacks=spoil, epochs=5,
        validation=(X, ZEROS), optimizer=bpfast.SGD(1e-9), check_finite=False,
        early_stopping=bpfast.EarlyStopping(3, monitor=f"validation_{name}"),
    )  # fmt: skip
    assert np.isnan(history[name][1:]).all()
    assert np.isfinite(history[name][0])
    assert history.restored_epoch == 1
    assert np.isfinite(net.params).all()
