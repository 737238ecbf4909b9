"""Dense or CSR: `fit_many` computes with the rows of a network as `net.fit` alone would.

Both have the same bits, but for infinite weights: 0 · inf is NaN only where x is dense. So an
infinite weight from an input that is 0 tells which it was.
"""

import numpy as np
import pytest
from scipy import sparse

import bpfast
from bpfast._many.training.shared import nonzeros_of_rows
from tests.helpers.many import assert_same

RNG = np.random.default_rng(0)
N = 120
EMPTY = 7  # an input that is always 0
DENSE, SPARSE = np.arange(60), np.arange(60, 120)
X = RNG.standard_normal((N, 20))
X[SPARSE] *= RNG.random((60, 20)) < 0.1
X[:, EMPTY] = 0
Y = np.tanh(X[:, :1])
OPTIONS = {"epochs": 2, "check_finite": False, "shuffle": False}


def network(width):
    net = bpfast.Network([20, width, 1], hidden="tanh", output="identity", seed=0)
    net.weights[0][0, EMPTY] = np.inf
    return net


def finite(net):
    """Whether the infinite weight has not spread."""
    return np.count_nonzero(~np.isfinite(net.params)) == 1


@pytest.mark.parametrize("width", [4, 32])
@pytest.mark.parametrize("given", [None, True, False])
def test_rows_of_other_density(width, given):
    rows = [None, DENSE, SPARSE, np.repeat(SPARSE, 2), np.r_[DENSE[:20], SPARSE]]
    nets, twins = [network(width) for _ in rows], [network(width) for _ in rows]
    ensemble = bpfast.fit_many(nets, X, Y, rows=rows, seed=0, sparse=given, **OPTIONS)
    for k, (net, twin) in enumerate(zip(nets, twins, strict=True)):
        chosen = np.arange(N) if rows[k] is None else rows[k]
        history = twin.fit(X[chosen], Y[chosen], seed=k, sparse=given, **OPTIONS)
        assert_same(net, twin, ensemble.histories[k], history)
    assert finite(nets[2]) == (given is not False)  # else this would show nothing
    assert finite(nets[1]) == bool(given)


@pytest.mark.parametrize("form", ["rows", "fraction"])
def test_validation_stays_dense(form):
    """That of `net.fit` is evaluated as it is given."""
    net, twin = network(32), network(32)
    net.weights[0][0, EMPTY] = twin.weights[0][0, EMPTY] = 1
    held = {"validation_rows": SPARSE[::3]} if form == "rows" else {"validation": 0.3}
    rows, others = SPARSE, held
    if form == "rows":
        rows = np.setdiff1d(SPARSE, SPARSE[::3])
        others = {"validation": (X[SPARSE[::3]], Y[SPARSE[::3]])}
    for one in (net, twin):
        one.weights[0][0, EMPTY] = np.inf
    ensemble = bpfast.fit_many([net], X, Y, rows=rows, seed=0, **held, **OPTIONS)
    history = twin.fit(X[rows], Y[rows], seed=0, **others, **OPTIONS)
    assert_same(net, twin, ensemble.histories[0], history)
    assert np.isnan(history.validation_cost).all()


def test_memory_maps(tmp_path):
    """They stay dense, as a CSR copy may be larger than memory."""
    mapped = np.memmap(tmp_path / "x", np.float64, "w+", shape=(60, 20))
    mapped[:] = X[SPARSE]
    net, twin = network(32), network(32)
    ensemble = bpfast.fit_many([net], mapped, Y[SPARSE], seed=0, **OPTIONS)
    history = twin.fit(mapped, Y[SPARSE], seed=0, **OPTIONS)
    assert_same(net, twin, ensemble.histories[0], history)
    assert not finite(net)


def test_sparse_x():
    nets, twins = [network(32) for _ in range(2)], [network(32) for _ in range(2)]
    rows = [DENSE, SPARSE]
    ensemble = bpfast.fit_many(nets, sparse.csr_array(X), Y, rows=rows, seed=0, **OPTIONS)
    for k, twin in enumerate(twins):
        history = twin.fit(sparse.csr_array(X[rows[k]]), Y[rows[k]], seed=k, **OPTIONS)
        assert_same(nets[k], twin, ensemble.histories[k], history)


def test_counts_in_pieces(monkeypatch):
    expected = (X != 0).sum(axis=1)
    assert (nonzeros_of_rows(X) == expected).all()
    monkeypatch.setattr("bpfast._many.training.shared.ELEMENTS_AT_ONCE", 50)
    assert (nonzeros_of_rows(X) == expected).all()
