"""Accuracy: what it means for a y is decided by all of y, and by nothing in a batch."""

import re
import warnings

import numpy as np
import pytest

import bpfast
from bpfast._training.metrics.accuracy import accuracy
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
N = 60
X = RNG.standard_normal((N, 4))
SEVERAL = (RNG.random((N, 3)) < 0.4).astype(float)
ONE = np.eye(3)[RNG.integers(0, 3, N)]


def net_of(sizes=(4, 5, 3), **options):
    return bpfast.Network(sizes, **{"hidden": "tanh", "seed": 0} | options)


def fit(net, x, y, **options):
    return net.fit(x, y, **{"epochs": 3, "batch_size": 16, "seed": 2} | options)


TWO = np.array([[0.0, 1.0], [1.0, 0.0]] * (N // 2))
SIGNS = r"in row 0; the classes of a single output are 0 and 1: y = \(y \+ 1\) / 2$"
CLASSES = [
    # output, y, the meaning of y if it has no classes
    ("identity", TWO, None),
    ("identity", TWO[:, :1], None),
    ("identity", TWO[:, 0].astype(int), None),
    ("sigmoid", TWO, None),
    ("sigmoid", 0.9 * TWO + 0.05, None),
    ("softmax", 0.9 * TWO + 0.05, None),
    ("tanh", 2 * TWO - 1, None),
    ("tanh", 2 * TWO[:, :1] - 1, f"labels, or outputs that are 0 or 1, got -1 {SIGNS}"),
    ("identity", 2 * TWO[:, :1] - 1, f"labels, or outputs that are 0 or 1, got -1 {SIGNS}"),
    ("sigmoid", 2 * TWO[:, :1] - 1, f"labels, or outputs from 0 to 1, got -1 {SIGNS}"),
    ("identity", 0.9 * TWO, "labels, or outputs that are 0 or 1, got 0.9 in row 0"),
    ("identity", X[:, :1], f"labels, or outputs that are 0 or 1, got {X[0, 0]} in row 0"),
    ("sigmoid", TWO * 1.5, "labels, or outputs from 0 to 1, got 1.5 in row 0"),
]


@pytest.mark.parametrize(("output", "y", "wrong"), CLASSES)
def test_accuracy_compares_classes(output, y, wrong):
    outputs = 1 if y.ndim == 2 and y.shape[1] == 1 else 2
    cost = "cross_entropy" if y.ndim == 1 else "quadratic"
    output = "sigmoid" if y.ndim == 1 else output
    net = net_of((4, outputs), output=output, cost=cost)
    if wrong is None:
        history = fit(net, X, y, metrics="accuracy", validation=(X, y))
        classes = y if y.ndim == 1 else y.argmax(axis=1) if outputs == 2 else y[:, 0]
        a = net(X)
        got = a.argmax(axis=1) if outputs == 2 else a[:, 0] > 0.5
        assert history.accuracy[-1] == history.validation_accuracy[-1] == (got == classes).mean()
        return
    for metrics in ("accuracy", ["r2", "accuracy"], {"right": "accuracy"}):
        hint = "" if wrong.endswith("$") else "; mean_squared_error and r2 measure"
        message = f"^metrics: accuracy: y: expected {wrong}{hint}"
        with refuses(ValueError, message, net):
            fit(net, X, y, metrics=metrics)
    good = np.round(np.abs(y)).clip(0, 1)
    for given in ((X, good), ([(X, good)],)):
        with refuses(ValueError, f"^validation: metrics: accuracy: y: expected {wrong}", net):
            net.fit(*given, metrics="accuracy", validation=(X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sigmoid outputs never come to -1
        fit(net, X, y, metrics="r2")


def test_two_classes_with_the_largest_probability():
    """Either is right with softmax; elsewhere the row is no class, and nothing is guessed."""
    y = np.eye(3)[RNG.integers(0, 3, N)]
    y[7], y[8] = [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]
    net = net_of(output="softmax", cost="log_likelihood")
    history = fit(net, X, y, metrics="accuracy", epochs=2)
    right = y[np.arange(N), net(X).argmax(axis=1)] == y.max(axis=1)
    assert right[8]
    assert history.accuracy[-1] == right.mean()
    for rows in (slice(0, 8), slice(8, None)):
        net = net_of(output="sigmoid", cost="cross_entropy")
        row = 7 if rows.start == 0 else 0
        expected = "outputs that are 0 or 1, or one class in each row"
        with refuses(
            ValueError, f"^metrics: accuracy: y: expected {expected}, got .* row {row}", net
        ):
            fit(net, X[rows], y[rows], metrics="accuracy")
    tied = np.array([[0.5, 0.5, 0.0]] * 3)
    assert accuracy(np.eye(3), tied) == 2 / 3


def test_accuracy_of_labels_with_a_custom_cost():
    def cost(a, y):
        return ((a[:, 0] - y) ** 2), 2 * (a - y[:, None])

    y = RNG.integers(0, 2, N).astype(float)
    net = net_of((4, 1), output="identity", cost=cost)
    history = fit(net, X, y, metrics="accuracy")
    assert history.accuracy[-1] == ((net(X)[:, 0] > 0.5) == y).mean()
    with refuses(ValueError, "^metrics: accuracy: y: expected labels, got 0.5 in row 3;", net):
        y[3] = 0.5
        fit(net, X, y, metrics="accuracy")


def by_class(a, y):
    return (y[np.arange(len(y)), a.argmax(axis=1)] == y.max(axis=1)).mean()  # any likeliest one


def by_row(a, y):
    return ((a > 0.5) == (y > 0.5)).all(axis=1).mean()


def signs_by_row(a, y):
    return ((a > 0) == (y > 0)).all(axis=1).mean()


SIGMOID = {"output": "sigmoid", "cost": "cross_entropy"}
SOFTMAX = {"output": "softmax", "cost": "log_likelihood"}
LINEAR = {"output": "identity", "cost": "quadratic"}
TANH = {"output": "tanh", "cost": "quadratic"}
MEANINGS = {
    "one class": (SIGMOID, ONE, by_class),
    "one class, Nielsen's cost": ({"output": "sigmoid", "cost": "quadratic"}, ONE, by_class),
    "one class, softmax": (SOFTMAX, ONE, by_class),
    "one class, softmax, quadratic": (
        SOFTMAX | {"cost": "quadratic"},
        ONE,
        by_class,
    ),
    "one class, any outputs": (LINEAR, ONE, by_class),
    "probabilities": (SOFTMAX, np.round(RNG.dirichlet([1, 1, 1], N), 2), by_class),
    "probabilities of sigmoid": (SIGMOID, RNG.dirichlet([1, 1, 1], N), by_class),
    "smoothed": (SIGMOID, 0.8 * ONE + 0.1, by_class),
    "several": (SIGMOID, SEVERAL, by_row),
    "several, Nielsen's cost": ({"output": "sigmoid", "cost": "quadratic"}, SEVERAL, by_row),
    "several, integers": (SIGMOID, SEVERAL.astype(int), by_row),
    "several, bool": (SIGMOID, SEVERAL.astype(bool), by_row),
    "several, any outputs": (LINEAR, SEVERAL, by_row),
    "all": (SIGMOID, np.ones((N, 3)), by_row),
    "none": (SIGMOID, np.zeros((N, 3)), by_row),
    "only the last row": (SIGMOID, np.vstack([ONE[:-1], [[1, 1, 0]]]), by_row),
    "one class, signs": (TANH, 2 * ONE - 1, by_class),
    "only the last row, signs": (TANH, np.vstack([2 * ONE[:-1] - 1, [[1, 1, -1]]]), signs_by_row),
    "several, signs": (TANH, 2 * SEVERAL - 1, signs_by_row),
}


@pytest.mark.parametrize("batch_size", [1, 60])
@pytest.mark.parametrize("case", MEANINGS)
def test_what_accuracy_means(case, batch_size):
    config, y, meaning = MEANINGS[case]
    net = net_of(**config)
    # A part of y may look as if it had one class in each row.
    part = np.flatnonzero((y > 0).sum(axis=1) == 1)[:5] if case != "probabilities" else slice(5)
    part = slice(5) if np.size(part) == 0 else part
    metrics = {"right": "accuracy"}
    how = {"metrics": metrics, "batch_size": batch_size}
    history = fit(net, X, y, validation=(X[part], y[part]), **how)
    a = net(X)
    assert history.right[-1] == meaning(a, y)
    assert history.validation_right[-1] == meaning(a[part], y[part])
    twin = net_of(**config)
    history = fit(twin, X, y, validation=0.3, **how)
    held = np.sort(bpfast._core.permutation(2, 0, N)[:18])
    assert history.validation_right[-1] == meaning(twin(X[held]), y[held])


def test_subset_and_binary_accuracy_by_name():
    names = ["subset_accuracy", "binary_accuracy"]
    labels = ONE.argmax(axis=1)
    for config, y, classes, middle in (
        (SIGMOID, SEVERAL, SEVERAL, 0.5),
        (SIGMOID, ONE, ONE, 0.5),
        (SIGMOID, labels, ONE, 0.5),
        (TANH, 2 * ONE - 1, ONE, 0.0),
        (TANH, 2 * SEVERAL - 1, SEVERAL, 0.0),
    ):
        net = net_of(**config)
        history = fit(net, X, y, metrics=names, validation=(X, y))
        right = (net(X) > middle) == (classes == 1)
        assert history.subset_accuracy[-1] == right.all(axis=1).mean()
        assert history.binary_accuracy[-1] == history.validation_binary_accuracy[-1] == right.mean()
    single = net_of((4, 1), **SIGMOID)
    history = fit(single, X, SEVERAL[:, :1], metrics=[*names, "accuracy"])
    assert history.accuracy.tolist() == history.binary_accuracy.tolist()
    with refuses(
        ValueError, "^metrics: binary_accuracy: y: expected labels, or outputs that are 0"
    ):
        fit(net_of(**SIGMOID), X, 0.8 * ONE + 0.1, metrics="binary_accuracy")


SOFT = np.vstack([ONE[:-1], [[0.9, 0.8, 0.1]]])
REFUSED = [
    # network, y, message
    (SOFTMAX, np.vstack([ONE[:-1], [[1, 0, 1]]]),
     "one class in each row, for softmax outputs, got [1, 0, 1] in row 59"),
    (
        SIGMOID,
        SOFT,
        "outputs that are 0 or 1, or one class in each row, got [0.9, 0.8, 0.1]",
    ),
    (LINEAR, SOFT, "labels, or outputs that are 0 or 1, got 0.9 in row 59; mean_squared_"),
    (TANH, np.vstack([2 * ONE[:-1] - 1, [[1, 0, -1]]]), "labels, or outputs that are 0 or 1"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "y", "said"), REFUSED)
def test_targets_without_an_accuracy(config, y, said):
    net = net_of(**config)
    with refuses(ValueError, f"^metrics: accuracy: y: expected {re.escape(said)}", net):
        fit(net, X, y, metrics="accuracy")
    batches = [(X, ONE)]
    with refuses(ValueError, f"^validation: metrics: accuracy: y: expected {re.escape(said)}", net):
        net.fit(batches, metrics="accuracy", validation=(X, y))


@pytest.mark.parametrize(("outputs", "more"), [(10, ""), (11, ", …")])
def test_a_long_row_is_truncated_in_an_error(outputs, more):
    shown = ", ".join(["1", "1", *["0"] * 8])
    y = np.eye(outputs)[:1].repeat(N, axis=0)
    y[3, 1] = 1
    with refuses(ValueError, re.escape(f"got [{shown}{more}] in row 3")):
        fit(net_of((4, outputs), **SOFTMAX), X, y, metrics="accuracy")


def test_a_y_of_ones_counts_as_0_and_1():
    net = net_of((4, 3), init="zeros", **LINEAR)
    net.params[-3:] = 0.25
    still = bpfast.SGD(lambda step: 0.0)
    for low in (0, 1):
        history = fit(net, X, np.ones((N, 3)) - low, metrics="accuracy", optimizer=still)
        assert history.accuracy[-1] == low


def test_a_y_with_nan_is_another_error():
    for config, whole in ((SIGMOID, SEVERAL), (SIGMOID, ONE), (SOFTMAX, ONE), (LINEAR, SEVERAL)):
        y = whole.copy()
        y[7] = np.nan
        for metrics in ("accuracy", "binary_accuracy"):
            with refuses(ValueError, r"^y\[7\]: expected finite numbers, got nan$"):
                fit(net_of(**config), X, y, metrics=metrics)
            with refuses(ValueError, r"^y\[7\]: expected finite numbers, got nan$"):
                net_of(**config).evaluate(X, y, metrics=metrics)


def test_by_name_rows_may_have_one_class_or_several():
    names = ["subset_accuracy", "binary_accuracy"]
    for config in (SIGMOID, SOFTMAX | {"cost": "quadratic"}):
        net = net_of(**config)
        history = fit(net, X, ONE, metrics=names, validation=(X, SEVERAL))
        right = (net(X) > 0.5) == (SEVERAL == 1)
        assert history.validation_subset_accuracy[-1] == right.all(axis=1).mean()
        assert history.validation_binary_accuracy[-1] == right.mean()
    with refuses(ValueError, "^metrics: binary_accuracy: .* are 0 or 1, got -1 in row .*; c"):
        fit(net_of(output="sigmoid"), X, 2 * ONE - 1, metrics=names[::-1])


def test_batches_are_measured_by_the_y_of_the_validation_examples():
    batches = [(X[:30], SEVERAL[:30]), (X[30:], SEVERAL[30:])]
    net = net_of(**SIGMOID)
    history = net.fit(batches, epochs=2, metrics="accuracy", validation=(X, SEVERAL))
    assert history.validation_accuracy[-1] == by_row(net(X), SEVERAL)


def test_validation_of_another_kind():
    net, signs = net_of(**SIGMOID), net_of(**TANH)
    reason = "as the y that is trained with"
    one = f"one class in each row, {reason}, or metrics='subset_accuracy', got ["
    for network, y, other, said in (
        (net, ONE, SEVERAL, one),
        (net, ONE.argmax(axis=1), SEVERAL, one),
        (net, SEVERAL, ONE.argmax(axis=1), f"outputs, {reason}, got labels"),
        (net, SEVERAL, 0.8 * ONE + 0.1, "labels, or outputs that are 0 or 1, got 0."),
        (signs, 2 * SEVERAL - 1, SEVERAL, "labels, or outputs that are -1 or 1, got 0 in row"),
        (signs, SEVERAL, 2 * SEVERAL - 1, "labels, or outputs that are 0 or 1, got -1 in row"),
    ):
        message = f"^validation: metrics: accuracy: y: expected {re.escape(said)}"
        with refuses(ValueError, message, network):
            fit(network, X, y, metrics="accuracy", validation=(X, other))
        fit(network.copy(), X, y, metrics="mean_squared_error", validation=(X, other), epochs=1)


def test_of_a_cost_of_ones_own():
    """Its y may be anything: what has no accuracy is refused before the first step."""

    def cost(a, y):
        return a.sum(axis=1), np.ones_like(a)

    names = np.array(["a", "b"] * (N // 2))
    for sizes, y, kind, said in (
        (
            (4, 3),
            SEVERAL[:, :2],
            ValueError,
            r"y: expected shape \(60, 3\), or labels, got \(6",
        ),
        ((4, 3), names, TypeError, "y: expected real numbers, got dtype <U1"),
        ((4, 1), 2 * ONE[:, 0] - 1, ValueError, "y: expected labels from 0 to 1, got -1 in row"),
        ((4, 3), np.full(N, 3), ValueError, "y: expected labels from 0 to 2, got 3 in row 0"),
    ):
        net = net_of(sizes, output="identity", cost=cost)
        with refuses(kind, f"^metrics: accuracy: {said}", net):
            fit(net, X, y, metrics="accuracy")
        assert net.optimizer is None


def test_of_a_y_in_a_file(tmp_path):
    np.save(tmp_path / "y.npy", SEVERAL)
    y = np.load(tmp_path / "y.npy", mmap_mode="r")
    net = net_of(**SIGMOID)
    history = fit(net, X, y, metrics="accuracy", validation=0.2)
    held = np.sort(bpfast._core.permutation(2, 0, N)[:12])
    assert history.validation_accuracy[-1] == by_row(net(X[held]), SEVERAL[held])


def test_rows_are_checked_in_blocks(monkeypatch):
    monkeypatch.setattr("bpfast._training.metrics.accuracy.ROWS_AT_ONCE", 7)
    for case in MEANINGS:
        test_what_accuracy_means(case, 60)
    test_targets_without_an_accuracy(*REFUSED[1])
