"""The same bits for the same seed: at any number of threads, any width of SIMD, for any layout."""

import numpy as np
import pytest

import bpfast
from tests.helpers.cases.layouts import LAYOUTS
from tests.helpers.child import digest, run
from tests.helpers.processes.simd_levels import turns


def test_at_any_level_and_number_of_threads():
    first, *others = (
        run("bits_of_trainings", BPFAST_SIMD=level, BPFAST_NUM_THREADS=str(threads))
        for level, threads in turns(1, 2, 3)
    )
    for turn, other in zip(turns(1, 2, 3)[1:], others, strict=True):
        for case, outcome in first.items():
            assert other[case] == outcome, f"{case}: {turn}"


RNG = np.random.default_rng(0)
X, Y, S = RNG.standard_normal((60, 5)), RNG.random((60, 3)), RNG.random(60)


def fitted(x, y, dtype="float64", seed=3, **options):
    net = bpfast.Network([5, 4, 3], hidden="tanh", dtype=dtype, seed=0)
    net.fit(x, y, **{"epochs": 3, "batch_size": 7, "seed": seed, "dropout": 0.2} | options)
    return digest(net.params, net.history.cost)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_for_any_layout(layout):
    lay = LAYOUTS[layout]
    how = {"validation": (X, Y), "metrics": "r2"}
    assert fitted(lay(X), lay(Y), sample_weight=lay(S), **how) == fitted(X, Y, sample_weight=S)


@pytest.mark.parametrize("kind", ["bool", "int8", "uint16", "int64", "float16", "float32"])
def test_for_any_dtype(kind):
    x = np.round(2 * X).astype(kind)
    for dtype in ("float32", "float64"):
        assert fitted(x, Y, dtype) == fitted(x.astype(dtype), Y, dtype)


def test_the_same_bits_on_every_run_and_only_for_the_seed():
    assert fitted(X, Y) == fitted(X, Y)
    assert fitted(X, Y, seed=3) != fitted(X, Y, seed=4)
    assert fitted(X, Y, seed=3, dropout=0) != fitted(X, Y, seed=4, dropout=0)
    one, other = (bpfast.Network([5, 3], seed=0) for _ in range(2))
    drawn = one.fit(X, Y, epochs=2).seed
    assert other.fit(X, Y, epochs=2).seed != drawn
    again = bpfast.Network([5, 3], seed=0)
    assert again.fit(X, Y, epochs=2, seed=drawn).seed == drawn
    assert again.params.tobytes() == one.params.tobytes()


def test_progress_metrics_and_callbacks_change_no_bit(capsys):
    """Progress, metrics and callbacks divide an epoch into other series of steps."""
    plain = fitted(X, Y)
    assert fitted(X, Y, progress=True) == plain
    assert fitted(X, Y, metrics=["mean_absolute_error", "r2"], validation=(X, Y)) == plain
    assert fitted(X, Y, callbacks=lambda net, history: None) == plain
    assert fitted(X, Y, check_finite=False) == plain
    capsys.readouterr()


def test_the_order_of_an_epoch_is_a_permutation():
    from bpfast._core import permutation

    for n in (1, 2, 3, 1000, 100_000):
        order = permutation(7, 2, n)
        assert order.dtype == np.uint32
        np.testing.assert_array_equal(np.sort(order), np.arange(n))
    assert permutation(7, 2, 50).tolist() != permutation(7, 3, 50).tolist()
    assert permutation(7, 2, 50).tolist() != permutation(8, 2, 50).tolist()
