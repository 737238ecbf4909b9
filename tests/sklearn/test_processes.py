"""Grid searches in several processes, and files larger than memory."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import bpfast
from bpfast.sklearn import MLPClassifier, MLPRegressor
from tests.helpers.child import run


def test_a_grid_search_does_not_use_more_threads_than_cpus():
    """joblib tells its processes how many threads each may use."""
    cpus = bpfast.get_num_threads()
    alone = run("grid_search", 1)
    assert list(alone["threads"]) == [str(alone["own"])]
    found = run("grid_search", -1)
    assert str(found["own"]) not in found["threads"] or cpus == 1
    assert all(
        count <= max(cpus // len(found["threads"]), 1) for count in found["threads"].values()
    )
    assert found["scores"] == alone["scores"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_lbfgs_has_one_thread_of_blas():
    """Two threads of BLAS for the short vectors of L-BFGS made it five times slower."""
    seen = set()

    def cost(a, y):
        seen.update(blas_threads())
        return ((a - y) ** 2).sum(axis=1) / 2, a - y

    before = blas_threads()
    x = np.random.default_rng(0).standard_normal((20, 3))
    MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", cost=cost, max_iter=3).fit(x, x[:, 0])
    assert seen == ({1} if before else set())
    assert blas_threads() == before


def blas_threads():
    """The number of threads of each BLAS in this process."""
    return [found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_memory_maps_train_with_the_same_bits(tmp_path):
    x = np.random.default_rng(0).standard_normal((300, 5))
    y = np.where(x[:, 0] > 0, "a", "b")
    x.astype(np.float32).tofile(tmp_path / "x.f4")
    mapped = np.memmap(tmp_path / "x.f4", np.float32, "r", shape=x.shape)
    for parameters in ({}, {"early_stopping": True}, {"batch_size": 64, "alpha": 1.0}):
        one, two = (
            MLPClassifier((5,), max_iter=3, random_state=0, **parameters).fit(rows, y)
            for rows in (mapped, x.astype(np.float32))
        )
        assert np.array_equal(one.network_.params, two.network_.params)
