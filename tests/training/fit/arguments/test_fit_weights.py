"""Weights in training: a step estimates the gradient of the weighted mean of all examples."""

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
N = 24
X, LABELS = RNG.standard_normal((N, 4)), RNG.integers(0, 3, N)
S = RNG.random(N) * (RNG.random(N) < 0.7)
CONFIG = {"hidden": "tanh", "output": "softmax", "cost": "log_likelihood"}


def net_of(**options):
    return bpfast.Network([4, 5, 3], **CONFIG | {"seed": 0} | options)


def fitted(*data, net=None, **options):
    net = net or net_of()
    how = {"epochs": 2, "batch_size": 5, "optimizer": bpfast.SGD(0.5), "seed": 1} | options
    net.fit(*data, **how)
    return net


def linear(a, y):
    """C_x = y · a, whose gradient is the same at all parameters."""
    return (a * y).sum(axis=1), np.array(y)


def dense(tmp_path):
    return X


def mapped(tmp_path, dtype="f8"):
    np.save(tmp_path / "x.npy", X.astype(dtype))
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def mapped_in_blocks(tmp_path):
    return mapped(tmp_path, "f4")


def sparse(tmp_path):
    return pytest.importorskip("scipy.sparse").csr_array(X * (np.abs(X) > 0.5))


@pytest.mark.parametrize("batch_size", [1, 2, 4, 12, 24])
@pytest.mark.parametrize("given", [dense, mapped, mapped_in_blocks, sparse])
def test_the_steps_of_an_epoch_add_up_to_the_whole_gradient(given, batch_size, tmp_path):
    """However the examples are cut; batches that have weight 0 alone among them."""
    x, y = given(tmp_path), RNG.standard_normal((N, 2))
    for weights in (S, 1e-3 * S, 1e200 * S, None):
        net = bpfast.Network([4, 2], output="identity", cost=linear, seed=0)
        start = net.params.copy()
        whole = net.backprop(np.asarray(x) if given is not sparse else x, y, sample_weight=weights)
        steps = N // batch_size
        net.fit(
            x, y, epochs=1, batch_size=batch_size, optimizer=bpfast.SGD(1.0 / steps),
            sample_weight=weights, seed=3,
        )  # fmt: skip
        # float64 rounding of some dozen terms
        np.testing.assert_allclose(start - net.params, whole.flat, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("way", ["sample_weight", "class_weight", "balanced", "both"])
def test_the_mean_is_that_of_the_examples_trained_with(way):
    """After class weights, and without the held-out examples."""
    y = np.eye(3)[LABELS]
    of_class = np.array([0.0, 5.0, 1.0])
    held = np.sort(bpfast._core.permutation(3, 0, N)[:6])
    rest = np.setdiff1d(np.arange(N), held)
    how = {
        "sample_weight": ({"sample_weight": S}, S[rest]),
        "class_weight": ({"class_weight": {0: 0, 1: 5}}, of_class[LABELS[rest]]),
        "balanced": (
            {"class_weight": "balanced"},
            18 / (3 * np.bincount(LABELS[rest]))[LABELS[rest]],
        ),
        "both": (
            {"class_weight": {0: 0, 1: 5}, "sample_weight": S},
            S[rest] * of_class[LABELS[rest]],
        ),
    }
    options, weights = how[way]
    net = bpfast.Network([4, 3], output="identity", cost=linear, seed=0)
    start = net.params.copy()
    whole = net.backprop(X[rest], y[rest], sample_weight=weights)
    net.fit(
        X, y, epochs=1, batch_size=1, optimizer=bpfast.SGD(1 / 18), validation=0.25, seed=3,
        **options,
    )  # fmt: skip
    np.testing.assert_allclose(start - net.params, whole.flat, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_balanced_classes_have_equal_weight_at_any_batch_size(batch_size):
    y = (np.arange(400) % 10 == 0).astype(int)  # x does not depend on the class
    found = []
    for labels in (y, np.eye(2)[y]):
        net = bpfast.Network([1, 2], output="softmax", cost="log_likelihood", init="zeros")
        steps = 60 * -(-400 // batch_size)
        net.fit(
            np.zeros((400, 1)), labels, epochs=60, batch_size=batch_size, seed=0,
            class_weight="balanced", optimizer=bpfast.SGD(bpfast.schedules.Cosine(0.3, steps)),
        )  # fmt: skip
        found.append(net([[0.0]])[0, 1])
    # The last rates are small, so the remaining noise is below this.
    assert np.abs(np.array(found) - 0.5).max() < 0.02


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_only_ratios_count(dtype):
    def bits(weights):
        how = {"sample_weight": weights, "clip_norm": 0.3, "l2": 0.01, "validation": 0.25}
        net = fitted(X, LABELS, net=net_of(dtype=dtype), **how)
        return net.params.tobytes(), net.history.cost.tolist()

    some = bits(S)
    for exponent in (-900, -3, 1, 900):
        assert bits(np.ldexp(S, exponent)) == some
    assert bits(3 * S) != bits(S[::-1])
    none = bits(None)
    for alike in (1.0, 0.1, 3.0, 5e-324):
        assert bits(np.full(N, alike)) == none
    tiny = np.zeros(N)
    tiny[::2] = 5e-324
    assert bits(tiny) == bits(np.sign(tiny))


STILL = {"optimizer": bpfast.SGD(lambda step: 0.0)}


def test_the_cost_is_the_minimised_one():
    """With a rate of 0 all of an epoch is measured with the same parameters."""
    start = net_of()
    mean = start.cost(X, LABELS, sample_weight=S)
    for batch_size in (1, 7, 24):
        history = fitted(X, LABELS, sample_weight=S, batch_size=batch_size, **STILL).history
        np.testing.assert_allclose(history.cost, [mean, mean], rtol=1e-13)
    as_given = start.cost(X, LABELS, sample_weight=S, reduction="sum") / N
    batches = [(X[k : k + 7], LABELS[k : k + 7], S[k : k + 7]) for k in range(0, N, 7)]
    history = net_of().fit(batches, epochs=2, **STILL)
    np.testing.assert_allclose(history.cost, [as_given, as_given], rtol=1e-13)
    for batch_size in (None, 7):
        cost = net_of().partial_fit(X, LABELS, sample_weight=S, batch_size=batch_size, **STILL)
        assert cost == pytest.approx(as_given, rel=1e-13)


@pytest.mark.parametrize("custom", [False, True])
def test_weights_of_a_batch_are_not_normalised(custom):
    """A weight of 3 is three times the step, in batches and in partial_fit, for one example too."""
    config = {"output": "identity", "cost": linear} if custom else {}
    y = np.eye(3)[LABELS]
    for rows in (slice(1), slice(7)):
        change = []
        for weight in (1.0, 3.0):
            weights = np.full(N, weight)[rows]
            one, other = net_of(**config), net_of(**config)
            one.partial_fit(X[rows], y[rows], sample_weight=weights, optimizer=bpfast.SGD(0.1))
            batches = [(X[rows], y[rows], weights)]
            other.fit(batches, epochs=1, optimizer=bpfast.SGD(0.1))
            assert one.params.tobytes() == other.params.tobytes()
            change.append(one.params - net_of(**config).params)
        np.testing.assert_allclose(change[1], 3 * change[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("custom", [False, True])
def test_a_batch_with_all_zero_weights_is_a_step(custom):
    """Its gradient of C is 0; penalties and momentum act."""
    config = {"output": "identity", "cost": linear} if custom else {}
    y, zero = np.eye(3)[LABELS], np.zeros(N)
    for train in (
        lambda net, **how: net.partial_fit(X, y, sample_weight=zero, **how),
        lambda net, **how: net.fit([(X, y, zero)], epochs=1, **how).cost[0],
    ):
        for decay in (0.0, 0.1):
            net, optimizer = net_of(**config), bpfast.SGD(0.1, momentum=0.5)
            net.partial_fit(X, y, optimizer=optimizer)
            p, v = net.params.copy(), optimizer.state["velocity"].copy()
            assert train(net, optimizer=optimizer, l2=decay, clip_norm=1.0) == 0.0
            twin = net.copy()
            twin.params[:] = 0
            for w in twin.weights:
                w[:] = 1
            by_formula = p - 0.1 * (
                0.5 * v + decay * p * twin.params
            )  # 1 for weights, 0 for biases
            np.testing.assert_allclose(net.params, by_formula, rtol=1e-12)
            assert optimizer.steps == 2


def test_refused_arguments():
    net = net_of()
    for name, value in (
        ("sample_weight", [0] * N), ("class_weight", dict.fromkeys(range(3), 0.0)),
    ):  # fmt: skip
        message = f"^{name}: expected a weight above 0 for at least one example, got all zero$"
        with refuses(ValueError, message, net):
            net.fit(X, LABELS, **{name: value})
    message = r"^validation: sample_weight: expected a weight above 0 .*, got all zero$"
    with refuses(ValueError, message, net):
        net.fit(X, LABELS, validation=(X, LABELS, np.zeros(N)))
    message = "^class_weight: expected a finite product with sample_weight, got inf of 1e.200 times"
    for train in (net.fit, net.partial_fit):
        with refuses(ValueError, message, net):
            train(X, LABELS, sample_weight=np.full(N, 1e200), class_weight={0: 1e200})
    # The argument at fault is named, beside one that is not.
    large, ones = np.full(N, 1e308), dict.fromkeys(range(3), 1.0)
    for weights, classes, name in (
        (large, None, "sample_weight"),
        (large, ones, "sample_weight"),
        (None, dict.fromkeys(range(3), 1e308), "class_weight"),
        (np.ones(N), dict.fromkeys(range(3), 1e308), "class_weight"),
    ):
        with refuses(ValueError, f"^{name}: expected a finite sum, got inf$", net):
            net.fit(X, LABELS, sample_weight=weights, class_weight=classes)
    zero = np.where(LABELS == 0, 1.0, 0.0)
    with refuses(ValueError, "^class_weight: expected a weight above 0 for at least one", net):
        net.fit(X, LABELS, sample_weight=zero, class_weight={0: 0.0})
    message = "^class_weight: expected a dict in partial_fit, got 'balanced', which needs the class"
    with refuses(ValueError, message, net):
        net.partial_fit(X, LABELS, class_weight="balanced")
    net.partial_fit(X, LABELS, class_weight={0: 2.0})


def test_validation_weights_that_are_all_zero_in_a_file(tmp_path, monkeypatch):
    """Also where their cost is added up piece by piece."""
    monkeypatch.setattr("bpfast._training.data.examples.ELEMENTS_AT_ONCE", 16)
    net = net_of()
    x = mapped_in_blocks(tmp_path)
    with refuses(
        ValueError, "^validation: sample_weight: expected a weight above 0 for at le", net
    ):
        net.fit(X, LABELS, validation=(x, LABELS, np.zeros(N)))


def test_classes_of_several_labels_have_no_weights():
    """Of all examples, those that are held out too, and by their numbers."""
    expected = "^class_weight: expected one class in each row of y, got "
    for several, got in (([1, 1, 0], r"\[1, 1, 0\]"), ([0, 0, 0], r"\[0, 0, 0\]")):
        message = f"{expected}{got} in row 17; sample_weight takes a weight for each example$"
        y = np.eye(3)[LABELS]
        y[17] = several
        for kind in (float, int, bool):
            for weights in ("balanced", {0: 2.0}):
                net = net_of(output="sigmoid", cost="cross_entropy")
                for how in ({}, {"validation": 0.5}):
                    with refuses(ValueError, message, net):
                        net.fit(X, y.astype(kind), class_weight=weights, seed=0, **how)
        with refuses(ValueError, message, net):
            net.partial_fit(X, y, class_weight={0: 2.0})
