"""Estimators that train on Dask workers give what they give in one process, up to rounding."""

import numpy as np
import pytest
from sklearn.base import clone

from bpfast.sklearn import MLPClassifier, MLPRegressor
from tests.helpers.child import run

pytest.importorskip("distributed")
# Sums over shards differ from those over a mini-batch by rounding: a few eps in each of 16 steps.
CLOSE = 1e-13
# L-BFGS divides by differences of gradients.
CLOSE_BY_LBFGS = 1e-10


@pytest.fixture(scope="module")
def threads(tmp_path_factory):
    return run("dask_estimators", "threads", tmp_path_factory.mktemp("dask"))


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    return run("dask_estimators", "processes", tmp_path_factory.mktemp("dask"))


def test_classifiers(threads, processes):
    """Arrays with a client, dask arrays with it, and dask arrays with the current client."""
    for found in (threads["classifiers"], processes["classifiers"]):
        for name, difference in found.items():
            assert difference <= (CLOSE_BY_LBFGS if "lbfgs" in name else CLOSE), name
    assert len(threads["classifiers"]) == 8


def test_regressors(threads):
    assert len(threads["regressors"]) == 3
    assert max(threads["regressors"].values()) <= CLOSE


def test_frames_of_any_dtypes_keep_the_names_of_their_columns(threads):
    difference, of_nullable, message = threads["frames"]
    assert max(difference, of_nullable) <= CLOSE
    assert message.startswith("y: expected no missing values, got 1 missing; fill them in with")


def test_validation(threads):
    found = threads["validation"]
    assert all(found[name] for name in ("best", "score", "loss", "r2", "scores"))
    assert max(found["arrays"], found["given"]) <= CLOSE


def test_a_resumed_training_has_the_same_bits(threads):
    assert threads["resumed"] == 0


def test_partial_fit_by_blocks_as_incremental_of_dask_ml_calls_it(threads, processes):
    assert not any(threads["incremental"] + processes["incremental"])


def test_clones_keep_the_client_and_pickles_have_none(threads, processes):
    assert all(threads["copies"] + processes["copies"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("client", "TypeError: client: expected a dask.distributed.Client, got int"),
        ("text", "TypeError: X: expected real numbers, got column 'b' of dtype"),
        ("scoring", "ValueError: The 'scoring' parameter of MLPClassifier must be None or 'loss'"),
        ("nan", "ValueError: shard 0: x[300]: expected finite numbers, got nan"),
        ("axes", "ValueError: Expected 2D array, got a dask array of shape (1000,) instead."),
        ("multilabel", "ValueError: Expected one label per example in dask data, got shape"),
        ("rows", "ValueError: y: expected 1000 rows, as many as x, got 900"),
        ("continuous", "ValueError: Unknown label type: continuous."),
        ("poisson", "ValueError: Some value(s) of y are out of the valid range of the loss"),
        ("class_weight", "ValueError: class_weight: expected labels of the classes ["),
        ("negative", "ValueError: sample_weight: expected weights of 0 or above with solver="),
    ],
)
def test_refused(threads, name, message):
    assert threads["messages"][name].startswith(message)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_dask_data_without_a_client_are_computed(kind):
    import dask.array as da

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 3)), rng.integers(0, 3, 60)
    options = {"hidden_layer_sizes": (4,), "solver": "lbfgs", "max_iter": 5, "random_state": 0}
    with pytest.warns(UserWarning, match="lbfgs failed to converge"):
        here = kind(**options).fit(x, y)
    with pytest.warns(UserWarning, match="lbfgs failed to converge"):
        lazy = clone(here).fit(da.from_array(x, chunks=20), da.from_array(y, chunks=20))
    assert (here.network_.params == lazy.network_.params).all()
    assert (lazy.predict(da.from_array(x, chunks=20)) == here.predict(x)).all()
