"""Sums over many examples, outputs and steps against `math.fsum`: the error does not grow with n.

Most terms here are equal: then each addition rounds the same way, and a sum in sequence is off by
1e4 units of the last place and more.
"""

import math

import numpy as np
import pytest

import bpfast
from bpfast import metrics
from tests.helpers.tolerance import close

N = 1 << 20
TERM = math.sqrt(2 / 30)  # its quadratic cost is 1/30, up to rounding
# Sixteen terms in sequence, or 128 in each of eight lanes, and what a C_x itself is off by.
UNITS = 64


def is_sum(got, true, units=UNITS):
    """Whether `got` equals `true` within this many units of 2^-53."""
    return abs(got - true) <= units * 2.0**-53 * abs(true)


def passes(**options):
    """A network whose output is its input."""
    net = bpfast.Network([1, 1], output="identity", init="zeros", dtype="float64", **options)
    net.weights[0][:] = 1.0
    return net


def own(a, y):
    return (a[:, 0] - y[:, 0]) ** 2 / 2, a - y


X = {"equal": np.full((N, 1), TERM), "random": np.random.default_rng(0).random((N, 1))}
S = {"none": None, "equal": np.full(N, 0.1), "random": np.random.default_rng(1).random(N)}


@pytest.mark.parametrize("cost", ["quadratic", own])
@pytest.mark.parametrize("weights", S)
@pytest.mark.parametrize("terms", X)
def test_the_cost_of_many_examples(terms, weights, cost):
    x, s = X[terms], S[weights]
    c = x[:, 0] ** 2 / 2 * (1 if s is None else s)
    true, weight = math.fsum(c.tolist()), N if s is None else math.fsum(s.tolist())
    net, y = passes(cost=cost), np.zeros((N, 1))
    assert is_sum(net.cost(x, y, sample_weight=s), true / weight)
    assert is_sum(net.cost(x, y, sample_weight=s, reduction="sum"), true)
    g = net.backprop(x, y, sample_weight=s)
    assert is_sum(g.cost, true / weight)
    # The divisor Σ s is in each δ; gradients are added in blocks of 512.
    expected = math.fsum((x[:, 0] * (1 if s is None else s)).tolist()) / weight
    assert close(g.biases[0], [expected], "float64")


def softplus(z):
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def log_sum_exp(z):
    return math.log(math.fsum(map(math.exp, z)))


def complements(z):
    """−Σ ln(1 − a) of softmax outputs."""
    total = log_sum_exp(z)
    return -math.fsum(math.log1p(-math.exp(v - total)) for v in z)


# C_x of z with y = 0, but for the last: there y_3 = 1.
WIDE = {
    ("identity", "quadratic"): lambda z: math.fsum(0.5 * v * v for v in z),
    ("identity", "absolute"): lambda z: math.fsum(map(abs, z)),
    ("identity", "huber"): lambda z: math.fsum(0.5 * v * v for v in z),
    ("sigmoid", "cross_entropy"): lambda z: math.fsum(map(softplus, z)),
    ("sigmoid", "poisson"): lambda z: math.fsum(1 / (1 + math.exp(-v)) for v in z),
    ("softplus", "poisson"): lambda z: math.fsum(map(softplus, z)),
    ("softmax", "cross_entropy"): complements,
    ("softmax", "log_likelihood"): lambda z: log_sum_exp(z) - z[3],
}


@pytest.mark.parametrize(("output", "cost"), WIDE)
def test_the_cost_of_many_outputs(output, cost):
    n = 1 << 18
    z = np.full(n, -0.3)
    z[0] = 0.0
    net = bpfast.Network([1, n], output=output, cost=cost, init="zeros", dtype="float64")
    net.biases[0] = z
    y = np.zeros((1, n))
    y[0, 3] = cost == "log_likelihood"
    assert is_sum(net.cost([[0.0]], y), WIDE[output, cost](z.tolist()))


def test_softmax_of_many_outputs():
    n = 1 << 20
    z = np.full(n, -0.3)
    z[0] = 0.0
    net = bpfast.Network([1, n], output="softmax", cost="quadratic", init="zeros", dtype="float64")
    net.biases[0] = z
    a = net.forward([[0.0]])[0]
    total = math.fsum([math.exp(v) for v in z.tolist()])
    assert is_sum(a[0], 1 / total)
    # δ = a (a − Σ a²) where y = 0: two equal terms but for the first neuron.
    squares = math.fsum((a * a).tolist())
    delta = net.errors([[0.0]], np.zeros((1, n)))[-1][0]
    assert is_sum(delta[0], a[0] * (a[0] - squares))
    alone = net.forward([[0.0], [0.0], [0.0], [0.0], [0.0]])
    assert all(row.tobytes() == a.tobytes() for row in alone)


@pytest.mark.parametrize("output", ["softmax"])
def test_many_targets(output):
    """δ = a Σ y − y, with a Σ y that float32 alone would give to three digits."""
    n = 1 << 20
    net = bpfast.Network(
        [1, n], output=output, cost="log_likelihood", init="zeros", dtype="float32"
    )
    y = np.full((1, n), np.float32(1 / 3))
    delta = net.errors([[0.0]], y)[-1]
    # a Σ y = y: all cancels but the rounding of both.
    assert np.abs(delta).max() <= 4 * 2.0**-24 / 3


@pytest.mark.parametrize(("cost", "n"), [("quadratic", 1 << 17), (own, 1 << 14)])
def test_the_cost_of_an_epoch_of_many_steps(cost, n):
    x, y = X["equal"][:n], np.zeros((n, 1))
    net = passes(cost=cost)
    history = net.fit(x, y, epochs=1, batch_size=1, optimizer=bpfast.SGD(1e-300))
    assert is_sum(history.cost[0], math.fsum((x[:, 0] ** 2 / 2).tolist()) / n, units=4)


def test_the_cost_of_an_epoch_does_not_depend_on_its_series_of_steps(capsys):
    """Progress divides an epoch by the clock; an iterable makes a series of each batch."""
    n = 1 << 12
    rng = np.random.default_rng(2)
    x, y = rng.random((n, 1)), rng.random((n, 1))
    found = []
    for options in ({}, {"progress": True}, {"callbacks": lambda net, history: None}):
        history = passes().fit(x, y, epochs=2, batch_size=1, shuffle=False, **options)
        found.append(history.cost.tolist())
    batches = [(x[k : k + 1], y[k : k + 1]) for k in range(n)]
    found.append(passes().fit(batches, epochs=2).cost.tolist())
    assert found[1:] == [found[0]] * 3
    capsys.readouterr()


def test_the_cost_of_validation_examples_in_files(tmp_path, monkeypatch):
    from bpfast._training.data import examples as _data

    monkeypatch.setattr(_data, "ELEMENTS_AT_ONCE", 4)
    n = 1 << 17
    np.save(tmp_path / "x.npy", X["equal"][:n].astype("float32"))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    net = passes()
    of_pieces = _data.Examples(net, x, np.zeros((n, 1))).cost()
    exact = math.fsum((x[:, 0].astype(float) ** 2 / 2).tolist()) / n
    assert is_sum(of_pieces, exact)


def test_metrics_of_many_examples():
    n = N
    a = X["equal"].copy()
    a[::2] = 0.0
    y = np.where(np.arange(n) % 3 == 0, 0.7, 0.1)[:, np.newaxis]
    residual = math.fsum(((a - y) ** 2)[:, 0].tolist())
    mean = math.fsum(y[:, 0].tolist()) / n
    total = math.fsum(((y - mean) ** 2)[:, 0].tolist())
    # Two columns: NumPy adds rows of them in sequence.
    a, y = np.repeat(a, 2, axis=1), np.repeat(y, 2, axis=1)
    got = 1 - metrics.r2(a, y)
    assert is_sum(got, residual / total)
    assert is_sum(metrics.mean_squared_error(a, y), residual / n)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("term", [1 / 30, 0.7])
def test_gradients_of_many_examples(term, dtype):
    """As good as 512 additions and the pairs above them: docs/numerics.md has the figures."""
    n = 1 << 18
    x = np.full((n, 1), term, dtype)
    net = bpfast.Network([1, 1], output="identity", dtype=dtype, init="zeros")
    net.weights[0][:] = 1.0
    term = float(x[0, 0])
    g = net.backprop(x, np.zeros((n, 1), dtype), reduction="sum")
    unit = 2.0**-24 if dtype == "float32" else 2.0**-53
    for got, expected in (
        (g.biases[0][0], n * term),
        (g.weights[0][0, 0], n * term * term),
        (bpfast.bp3(x)[0], n * term),
        (bpfast.bp4(x, x)[0, 0], n * term * term),
    ):
        assert abs(got - expected) <= 256 * unit * expected
