"""A y for which the cost has no minimum is refused before the first step, by its number."""

import re

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
N = 40
X = RNG.standard_normal((N, 3))
GOOD = RNG.random((N, 2))
CONFIGS = {
    "cross_entropy": ("sigmoid", "from 0 to 1"),
    "log_likelihood": ("softmax", "of 0 or above"),
    "poisson": ("softplus", "of 0 or above"),
}
CASES = [
    ("cross_entropy", 1.5, "1.5"),
    ("cross_entropy", -0.25, "-0.25"),
    ("cross_entropy", np.inf, "inf"),
    ("log_likelihood", -1, "-1.0"),
    ("poisson", -1, "-1.0"),
]


def net_of(cost, dtype="float64"):
    return bpfast.Network([3, 4, 2], output=CONFIGS[cost][0], cost=cost, dtype=dtype, seed=0)


def spoilt(value, row=17):
    y = GOOD.copy()
    y[row, 1] = value
    y[row + 1 :, 0] = value
    return y


def words(cost, got, row=17):
    return re.escape(f"y[{row}]: expected numbers {CONFIGS[cost][1]} with cost '{cost}', got {got}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("cost", "value", "got"), CASES)
def test_arrays(cost, value, got, dtype):
    net, y = net_of(cost, dtype), spoilt(value)
    message = f"^{words(cost, got)}$"
    for given in (y, np.asfortranarray(y), y.tolist(), y.astype("float32")):
        for options in ({}, {"validation": 0.25, "seed": 0}, {"check_finite": False}):
            with refuses(ValueError, message, net):
                net.fit(X, given, **options)
        with refuses(ValueError, message, net):
            net.partial_fit(X, given)
    with refuses(ValueError, f"^validation: {words(cost, got)}$", net):
        net.fit(X, GOOD, validation=(X, y))
    if dtype == "float64":
        pytest.importorskip("scipy.optimize")
        with refuses(ValueError, message, net):
            bpfast.scipy_minimize(net, X, y)
    net.backprop(X, y)  # one gradient there is of any y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cost", CONFIGS)
def test_a_wrong_shape_is_reported_before_a_wrong_value(cost, dtype):
    """Rows of another width have other numbers."""
    net = net_of(cost, dtype)
    x, y = X[:6], np.full((6, 3), 0.5, dtype)
    y[3] = -1
    message = r"y: expected shape \(6, 2\), got \(6, 3\)$"
    for given in (y, y.tolist()):
        with refuses(ValueError, f"^{message}", net):
            net.fit(x, given)
        with refuses(ValueError, f"^validation: {message}", net):
            net.fit(x, GOOD[:6], validation=(x, given))


def test_batches():
    net, y = net_of("cross_entropy"), spoilt(1.5)
    message = f"^batch 1 of epoch 1: {words('cross_entropy', 1.5, 7)}$"
    for x in ([(X[:10], y[:10]), (X[10:], y[10:])], lambda: iter([(X, GOOD), (X[10:], y[10:])])):
        with refuses(ValueError, message):
            net.fit(x)


@pytest.mark.parametrize("options", [{}, {"validation": 0.25, "seed": 0}])
def test_files(tmp_path, monkeypatch, options):
    """Pieces are counted on."""
    monkeypatch.setattr("bpfast._training.data.examples.ELEMENTS_AT_ONCE", 16)
    for name, bad, message in (
        ("poisson", spoilt(-1), words("poisson", -1.0)),
        ("log_likelihood", np.arange(N) // 20 + np.arange(N) // 37, r"y\[37\]: expected a label"),
    ):
        np.save(tmp_path / "x.npy", X.astype("float32"))
        np.save(tmp_path / "y.npy", bad)
        x, y = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy")
        net = net_of(name)
        with refuses(ValueError, f"^{message}", net):
            net.fit(x, y, **options)


@pytest.mark.parametrize("shape", [(N, 3), (N, 2, 1), (N,)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_wrong_shape_in_a_file(tmp_path, monkeypatch, dtype, shape):
    """It is that of the whole, not of the piece that is looked at."""
    monkeypatch.setattr("bpfast._training.data.examples.ELEMENTS_AT_ONCE", 16)
    np.save(tmp_path / "y.npy", np.full(shape, -1.0, dtype))
    y = np.load(tmp_path / "y.npy", mmap_mode="r")
    net = net_of("poisson")
    message = rf"y: expected shape \({N}, 2\).*, got {re.escape(str(shape))}"
    for options in ({}, {"validation": 0.25, "seed": 0}):
        with refuses(ValueError, f"^{message}", net):
            net.fit(X, y, **options)
    with refuses(ValueError, f"^validation: {message}", net):
        net.fit(X, GOOD, validation=(X, y))


def test_errors_of_labels_name_rows_before_the_split():
    labels = RNG.integers(0, 2, N)
    labels[23] = 2
    net = net_of("log_likelihood")
    for seed in range(5):
        with refuses(ValueError, r"^y\[23\]: expected a label from 0 to 1, got 2$", net):
            net.fit(X, labels, validation=0.5, seed=seed)


def test_targets_slightly_outside_the_range_by_rounding():
    """A mixture of two ones in float32 may be more than 1."""
    y = GOOD.copy()
    y[3] = [1 + 1e-7, -1e-8]
    net_of("cross_entropy").fit(X, y, epochs=1)


@pytest.mark.parametrize("cost", CONFIGS)
def test_nan_in_y_is_left_to_check_finite(cost):
    y = spoilt(np.nan)
    for method in ("fit", "partial_fit"):
        net = net_of(cost)
        with refuses(ValueError, r"^y\[\d+\]: expected finite numbers, got nan$", net):
            getattr(net, method)(X, y, **({"batch_size": N} if method == "fit" else {}))
        getattr(net, method)(X, y, check_finite=False)
        assert np.isnan(net.params).any()


def test_other_costs_take_any_number():
    for cost in ("quadratic", "huber", "absolute", lambda a, y: (a.sum(axis=1), np.ones_like(a))):
        net = bpfast.Network([3, 2], output="identity", cost=cost, seed=0)
        net.fit(X, spoilt(-5.0), epochs=1)


def test_errors_of_a_wrong_length_of_y_name_the_right_shape():
    for y in (GOOD.T, GOOD[None]):
        message = rf"y: expected shape \({N}, 2\), got {re.escape(str(y.shape))}$"
        for options in ({}, {"metrics": "accuracy"}):
            net = net_of("cross_entropy")
            with refuses(ValueError, f"^{message}", net):
                net.fit(X, y, **options)
    net = net_of("cross_entropy")
    labels = GOOD.argmax(axis=1)[:, None]
    with refuses(ValueError, rf"^y: expected shape \({N}, 2\), got \({N}, 1\)", net):
        net.fit(X, labels, metrics="accuracy")
