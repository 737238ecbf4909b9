"""`Monitor(every_steps=…)`: each number of a record, computed again from the mini-batch."""

import numpy as np
import pytest
from scipy import sparse

import bpfast
from bpfast._activations import SATURATING, activation_names, base_name, top_slope
from bpfast.inside import Monitor
from bpfast.inside._causes.limits import CLOSED, OFF

RNG = np.random.default_rng(5)
X = RNG.standard_normal((90, 6))
X[RNG.random(X.shape) < 0.5] = 0  # so that CSR is of use
LABELS = RNG.integers(3, size=90)
TARGETS = RNG.random((90, 3))
WIDE = RNG.standard_normal((90, 300))

HIDDEN = (
    *(name for name in bpfast.ACTIVATIONS if name != "softmax"),
    "elu(0.3)", "elu(0.005)", "leaky_relu(0.001)",
)  # fmt: skip
UNSATURATED = ("leaky_relu", "identity", "sin", "softmax")


def network(hidden="sigmoid", dtype="float64", cost="log_likelihood", sizes=(6, 9, 7, 3)):
    net = bpfast.Network(
        list(sizes), hidden=hidden, output="softmax" if cost == "log_likelihood" else "sigmoid",
        cost=cost, dtype=dtype, seed=1,
    )  # fmt: skip
    for layer, biases in enumerate(net.biases[:-1]):
        biases[layer] = -30  # off for every example, or saturated
    return net


def saturation(net, z, s):
    """Of each layer, by σ' itself: BP2 with δ and weights of 1. The examples count with |s_x|."""
    found, share = [], np.abs(s) / np.abs(s).sum()
    names = activation_names(net)
    for k, (name, z_l) in enumerate(zip(names, z, strict=True)):
        is_last = k == len(names) - 1
        fused = is_last and net.config["cost"] != "quadratic"
        if base_name(name) in UNSATURATED or fused:
            found.append(0.0)
            continue
        ones = np.ones((len(z_l), 1)), np.ones((1, z_l.shape[1]))
        gates = bpfast.bp2(*ones, np.asarray(z_l, dtype=float), activation=name)
        if name in SATURATING:
            found.append(share @ np.mean(gates < CLOSED * top_slope(name), axis=1))
        else:
            found.append(np.mean(gates[s != 0].max(axis=0) <= (0 if name == "relu" else OFF)))
    return found


def expected_record(net, x, y, weight):
    """The numbers that describe a mini-batch, by the public functions; update and cosine aside."""
    n, s = len(y), np.ones(len(y)) if weight is None else weight
    dense = x.toarray() if sparse.issparse(x) else x
    sum_of = {"reduction": "sum", "sample_weight": weight}
    gradient = net.backprop(x, y, **sum_of)
    trace = net.trace(dense)
    deltas = net.errors(dense, y, reduction="sum")
    record = {"cost": gradient.cost / n}
    for k, (part, delta) in enumerate(zip(saturation(net, trace.z, s), deltas, strict=True)):
        record[f"saturation_{k + 2}"] = part
        squares = np.square(delta.astype(float)).sum(axis=1)
        record[f"speed_{k + 2}"] = np.sqrt(np.mean(s**2 * squares))
    norm = np.linalg.norm(gradient.flat.astype(float)) / n
    each = np.mean(s**2 * np.square(net.per_example_norms(dense, y)))
    record["gradient_norm"] = norm
    record["signal_to_noise"] = norm / np.sqrt(each - norm**2)
    return record, gradient.flat.astype(float) / n


def sgd():
    return bpfast.SGD(0.1)


def check(net, x, y, batch_size, *, make=sgd, weight=None, rel=1e-9, k=1, skip=(), **options):
    """Train an epoch with a monitor, and step by step on a copy; compare the records."""
    twin, optimizer, last = net.copy(), make(), None
    monitor, plain = (
        Monitor(x, y, every_steps=k, cosine=cosine, warn=False) for cosine in (True, False)
    )
    for this, watched in ((monitor, net), (plain, net.copy())):
        watched.fit(
            x, y, epochs=1, batch_size=batch_size, shuffle=False, optimizer=make(),
            sample_weight=weight, callbacks=this, seed=0, **options,
        )  # fmt: skip
    for name in plain:  # without the cosine no step needs its whole gradient
        np.testing.assert_array_equal(plain[name], monitor[name])
    mean = None if weight is None else np.abs(weight).sum() / len(weight)
    records = 0
    for step, first in enumerate(range(0, len(y), batch_size), 1):
        rows = slice(first, first + batch_size)
        part = None if weight is None else weight[rows] / mean
        record, gradient = expected_record(twin, x[rows], y[rows], part)
        before = twin.params.astype(float)
        twin.partial_fit(
            x[rows], y[rows], optimizer=optimizer, sample_weight=part, seed=0, **options
        )
        record["update_norm"] = np.linalg.norm(twin.params.astype(float) - before)
        if step % k:
            continue
        norm = np.linalg.norm(gradient)
        if last is not None:
            record["cosine"] = gradient @ last / norm / np.linalg.norm(last)
        else:
            assert np.isnan(monitor.cosine[records])
        last = gradient
        assert monitor.epoch[records] == 1
        assert monitor.step[records] == step
        for name, number in record.items():
            if name not in skip:
                found = monitor[name][records]
                assert found == pytest.approx(number, rel=rel, abs=rel), (name, step)
        records += 1
    assert len(monitor) == records
    return monitor


@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_activation(hidden):
    monitor = check(network(hidden), X, LABELS, 20)
    assert (monitor.saturation_2.max() > 0) == (base_name(hidden) not in UNSATURATED)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"make": lambda: bpfast.Adam(0.01)},
        {"make": lambda: bpfast.RMSprop(0.01)},
        {"make": lambda: bpfast.Adagrad(0.01)},
        {"make": lambda: bpfast.SGD(0.1, momentum=0.9)},
        {"make": lambda: bpfast.SGD(lambda step: 0.1 * (step % 2))},
        {"l2": 0.01},
        {"l1": 0.01},
        {"clip_norm": 0.05},
        {"max_norm": 0.5},
        {"max_norm": 0.5, "l2": 0.1, "clip_norm": 0.01, "make": lambda: bpfast.Adam(0.01)},
    ],
)
@pytest.mark.parametrize("given", ["dense", "CSR"])
def test_every_kind_of_step(options, given):
    x = sparse.csr_array(X) if given == "CSR" else X
    check(network("tanh"), x, LABELS, 20, k=2, **options)


@pytest.mark.parametrize("cost", ["quadratic", "cross_entropy"])
@pytest.mark.parametrize("signs", ["weights", "signed weights"])
def test_weights(cost, signs):
    weight = RNG.random(90) if signs == "weights" else RNG.standard_normal(90)
    weight[:3] = 0
    check(network("relu", cost=cost), X, TARGETS, 20, weight=weight)


# 5 examples are few for a layer of 9, and 600 are summed in groups: two memory orders of a^l.
@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "hard_sigmoid", "relu", "gelu"])
@pytest.mark.parametrize("batch_size", [5, 90, 600])
def test_weights_of_saturation(hidden, batch_size):
    x, y = np.tile(X, (7, 1)), np.tile(LABELS, 7)
    weight = RNG.standard_normal(630) * (RNG.random(630) < 0.3)  # neurons on for weight 0 alone
    weight[::5] = 0.1
    monitor = check(network(hidden), x, y, batch_size, weight=weight)
    assert monitor.saturation_2.min() > 0


def test_a_step_of_weight_0_has_no_saturation():
    for hidden in ("tanh", "relu"):
        monitor = Monitor(X, LABELS, every_steps=1, warn=False)
        network(hidden).fit(
            X, LABELS, epochs=1, batch_size=45, shuffle=False, optimizer=sgd(),
            sample_weight=np.repeat([0.0, 1.0], 45), callbacks=monitor,
        )  # fmt: skip
        assert np.isnan(monitor.saturation_2[0])
        assert 0 < monitor.saturation_2[1] < 1


# 300 · 40 weights are several slices; 90 examples are six groups, in chunks of any size.
@pytest.mark.parametrize(("batch_size", "make"), [(45, sgd), (90, bpfast.Adam), (7, sgd)])
def test_wide_layers(batch_size, make):
    check(network(sizes=(300, 40, 5, 3)), WIDE, LABELS, batch_size, make=make)


# 600 examples of a small network are summed in groups, whose gradient is never fused with the step.
def test_a_batch_in_groups():
    x, y = np.tile(X, (7, 1)), np.tile(LABELS, 7)
    check(network("gelu"), x, y, 600)


def of_outputs(a, y):
    return ((a - y) ** 2).sum(axis=1), 2 * (a - y)


def of_logits(z, y):
    return (np.logaddexp(0, z) - y * z).sum(axis=1), 1 / (1 + np.exp(-z)) - y


vars(of_logits)["takes_z"] = True


@pytest.mark.parametrize("cost", [of_outputs, of_logits])
def test_a_callable_cost(cost):
    net = bpfast.Network([6, 9, 3], hidden="tanh", output="identity", cost=cost, seed=1)
    check(net, X, TARGETS, 20)


# The masks are not public: the cost of `partial_fit` has the same ones.
@pytest.mark.parametrize("k", [1, 3])
def test_dropout(k):
    net = network("tanh")
    twin, optimizer = net.copy(), sgd()
    monitor = Monitor(X, LABELS, every_steps=k, warn=False)
    net.fit(
        X, LABELS, epochs=1, batch_size=10, shuffle=False, optimizer=sgd(), dropout=0.4,
        callbacks=monitor, seed=3,
    )  # fmt: skip
    costs = [
        twin.partial_fit(
            X[first : first + 10], LABELS[first : first + 10],
            optimizer=optimizer, dropout=0.4, seed=3,
        )
        for first in range(0, 90, 10)
    ]  # fmt: skip
    np.testing.assert_allclose(monitor.cost, costs[k - 1 :: k], rtol=1e-12)
    np.testing.assert_allclose(monitor.update_norm, 0.1 * monitor.gradient_norm, rtol=1e-9)


# A float32 parameter has 7 digits, and an update is a small difference of two; sums have 6 digits.
def test_float32():
    x = X.astype(np.float32)
    check(network("tanh", "float32"), x, LABELS, 20, rel=2e-5, skip=("update_norm",))
    monitor = check(network("tanh", "float32"), x, LABELS, 20, rel=2e-4)
    np.testing.assert_allclose(monitor.update_norm, 0.1 * monitor.gradient_norm, rtol=1e-6)
