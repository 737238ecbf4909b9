"""Rows and validation of `fit_many`: the bits of a training with those rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import bpfast
from tests.helpers.many import RNG, S, X, Y, assert_same, networks, own_cost

ROWS = [RNG.integers(0, 120, 80), None, np.arange(0, 120, 2), RNG.random(120) < 0.5]
HELD = [np.arange(30 * k, 30 * k + 30) for k in range(4)]


@pytest.mark.parametrize("case", ["rows", "held", "both"])
def test_rows_of_each(case):
    nets, twins = networks(), networks()
    rows = ROWS if case != "held" else None
    held = HELD if case != "rows" else None
    ensemble = bpfast.fit_many(
        nets, X, Y, rows=rows, validation_rows=held, epochs=5, seed=3, sample_weight=S
    )
    for k, twin in enumerate(twins):
        chosen = np.arange(120) if rows is None or rows[k] is None else rows[k]
        if case == "held" or (case == "both" and rows[k] is None):
            chosen = np.setdiff1d(np.arange(120), held[k])
        options = {} if held is None else {"validation": (X[held[k]], Y[held[k]], S[held[k]])}
        history = twin.fit(
            X[chosen], Y[chosen], sample_weight=S[chosen], epochs=5, seed=3 + k, **options
        )
        assert_same(nets[k], twin, ensemble.histories[k], history)


@pytest.mark.parametrize("form", [list, np.asarray, lambda rows: np.isin(np.arange(120), rows)])
def test_rows_of_all(form):
    """Rows for all networks, as numbers or True and False."""
    rows, held = np.arange(0, 60), np.arange(60, 90)
    nets, twins = networks(), networks()
    ensemble = bpfast.fit_many(
        nets, X, Y, rows=form(rows), validation_rows=form(held), epochs=3, seed=3
    )
    for k, twin in enumerate(twins):
        history = twin.fit(X[:60], Y[:60], validation=(X[held], Y[held]), epochs=3, seed=3 + k)
        assert_same(nets[k], twin, ensemble.histories[k], history)


def test_rows_in_tables():
    """The entries of a table would be its columns."""
    rows = np.arange(80).reshape(4, 20)
    nets, twins = networks(), networks()
    bpfast.fit_many(nets, X, Y, rows=pd.DataFrame(rows), epochs=2, seed=0)
    bpfast.fit_many(twins, X, Y, rows=rows, epochs=2, seed=0)
    assert [net.params.tobytes() for net in nets] == [twin.params.tobytes() for twin in twins]
    found = bpfast.cross_validate(nets[0], X, Y, pd.DataFrame(rows), epochs=1, seed=0)
    assert [each.tolist() for each in found.rows] == rows.tolist()


@pytest.mark.parametrize(
    "form", [np.asarray, sparse.csr_array, sparse.csc_matrix, np.ndarray.tolist]
)
@pytest.mark.parametrize("case", ["rows", "held", "both", "fraction"])
def test_rows_with_a_cost_of_ones_own(form, case):
    x = np.where(np.abs(X) < 1, 0, X)
    rows = np.arange(90) if case in ("rows", "both") else None
    held = np.arange(90, 120) if case in ("held", "both") else None
    net = bpfast.Network([4, 3, 1], output="identity", cost=own_cost, seed=0)
    twin = net.copy()
    given = {"validation": 0.3} if case == "fraction" else {"validation_rows": held}
    ensemble = bpfast.fit_many(
        [net], form(x), Y, rows=rows, epochs=3, seed=0, sample_weight=S, **given
    )
    n, options = (120, given) if case == "fraction" else (90, {})
    if held is not None:
        options = {"validation": (x[held], Y[held], S[held])}
    sparse_or_not = x if form is np.ndarray.tolist else form(x)
    part = sparse_or_not[:n]
    history = twin.fit(part, Y[:n], sample_weight=S[:n], epochs=3, seed=0, **options)
    assert net.params.tobytes() == twin.params.tobytes()
    assert ensemble.histories[0].cost.tolist() == history.cost.tolist()
    if case != "rows":
        other = history.validation_cost
        assert ensemble.histories[0].validation_cost == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_validation_in_memory_maps(tmp_path, dtype):
    """In another dtype they are read in pieces after each epoch."""
    mapped = np.memmap(tmp_path / "x", dtype, "w+", shape=(50, 4))
    mapped[:] = X[:50]
    options = {"validation": (mapped, Y[:50]), "epochs": 12, "early_stopping": 2}
    nets, twins = networks(), networks()
    ensemble = bpfast.fit_many(nets, X, Y, learning_rate=0.1, seed=3, **options)
    for k, twin in enumerate(twins):
        history = twin.fit(X, Y, learning_rate=0.1, seed=3 + k, **options)
        assert_same(nets[k], twin, ensemble.histories[k], history)


def test_errors_of_class_weights_have_the_rows_of_the_user():
    y = np.eye(2)[(X[:, 0] > 0).astype(int)]
    y[17] = 1
    nets = [bpfast.Network([4, 3, 2], seed=0, cost="cross_entropy")]
    for rows in ({"rows": [np.arange(10, 30)]}, {"validation": 0.01}):
        with pytest.raises(ValueError, match=r"got \[1, 1\] in row 17; sample_weight"):
            bpfast.fit_many(nets, X, y, class_weight="balanced", seed=0, **rows)
