"""No overflow where the answer is finite; NaN and infinity flow, and never into another row."""

import numpy as np
import pytest
from mpmath import exp, log, workdps

import bpfast

DTYPES = ["float32", "float64"]


def output_layer(output, cost, dtype, width):
    """A network that is its output layer: z^L = x."""
    net = bpfast.Network([width, width], output=output, cost=cost, dtype=dtype, init="zeros")
    net.weights[0] = np.eye(width)
    return net


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("output", "cost", "z", "y", "c", "delta"),
    [
        # a = 0 or 1 where the cost takes its logarithm
        ("sigmoid", "cross_entropy", [-1000.0], [1.0], 1000.0, [-1.0]),
        ("sigmoid", "cross_entropy", [1000.0], [0.0], 1000.0, [1.0]),
        ("sigmoid", "cross_entropy", [1000.0], [1.0], 0.0, [0.0]),
        ("sigmoid", "cross_entropy", [-1000.0], [0.0], 0.0, [0.0]),
        ("softmax", "log_likelihood", [1000.0, 0.0], [1.0, 0.0], 0.0, [0.0, 0.0]),
        ("softmax", "log_likelihood", [1000.0, 0.0], [0.0, 1.0], 1000.0, [1.0, -1.0]),
        ("softmax", "cross_entropy", [1000.0, 0.0], [0.0, 1.0], 2000.0, [2.0, -2.0]),
        ("softmax", "cross_entropy", [1000.0, 0.0], [1.0, 0.0], 0.0, [0.0, 0.0]),
        ("softplus", "poisson", [-1000.0], [2.0], 2000.0, [-2.0]),
        ("softplus", "poisson", [-1000.0], [0.0], 0.0, [0.0]),
        ("sigmoid", "poisson", [-1000.0], [2.0], 2000.0, [-2.0]),
        ("softmax", "poisson", [1000.0, 0.0], [0.0, 1.0], 1001.0, [1.0, -1.0]),
        # infinite z with a finite answer
        ("sigmoid", "cross_entropy", [np.inf], [1.0], 0.0, [0.0]),
        ("sigmoid", "cross_entropy", [-np.inf], [0.0], 0.0, [0.0]),
        ("softmax", "log_likelihood", [0.0, -np.inf], [1.0, 0.0], 0.0, [0.0, 0.0]),
        # the derivative underflows
        ("sigmoid", "quadratic", [1000.0], [0.0], 0.5, [0.0]),
        ("tanh", "quadratic", [-1000.0], [0.0], 0.5, [0.0]),
        ("softmax", "quadratic", [1000.0, 0.0], [0.0, 1.0], 1.0, [0.0, 0.0]),
    ],
)
def test_finite(output, cost, z, y, c, delta, dtype):
    net = output_layer(output, cost, dtype, len(z))
    if not np.isfinite(z).all():  # an infinite x would meet the zeros of the identity matrix
        z, y = np.array([z], dtype), np.array([y], dtype)
        got = bpfast.bp1(z, y, output=output, cost=cost)
    else:
        got = net.errors([z], [y])[-1]
        assert net.cost([z], [y]) == pytest.approx(c, abs=1e-12)
    np.testing.assert_allclose(got, [delta], atol=1e-12)


# What C is exactly, for z far from 0 and costs far below 1.
EXACT = {
    ("softmax", "log_likelihood", (1000, 970), (1, 0)): lambda: log(1 + exp(-30)),
    ("softmax", "log_likelihood", (-3, 77), (1, 0)): lambda: 80 + log(1 + exp(-80)),
    ("softmax", "log_likelihood", (4, -76, -70), (1, 0, 0)): lambda: log(1 + exp(-80) + exp(-74)),
    ("sigmoid", "cross_entropy", (30,), (1,)): lambda: log(1 + exp(-30)),
    ("sigmoid", "cross_entropy", (80,), (1,)): lambda: log(1 + exp(-80)),
    ("sigmoid", "cross_entropy", (-80,), (0.25,)): lambda: 20 + log(1 + exp(-80)),
    ("softplus", "poisson", (-39.875,), (2,)): lambda: poisson(log(1 + exp(-39.875)), 2),
    ("softplus", "poisson", (-40.125,), (2,)): lambda: poisson(log(1 + exp(-40.125)), 2),
    ("softplus", "poisson", (-80,), (1,)): lambda: poisson(log(1 + exp(-80)), 1),
    ("softmax", "poisson", (0, -50), (1, 0)): lambda: 1 - log(1 / (1 + exp(-50))),
}


def poisson(a, y):
    return a - y * log(a)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", EXACT)
def test_small_costs_are_accurate(case, dtype):
    output, cost, z, y = case
    with workdps(60):
        expected = float(EXACT[case]())
    net = output_layer(output, cost, dtype, len(z))
    # The dtype's own rounding of some exponentials and one quotient.
    rel = {"float32": 1e-6, "float64": 1e-14}[dtype]
    assert net.cost([z], [y]) == pytest.approx(expected, rel=rel, abs=0)


def test_large_weights_and_small_derivatives_do_not_overflow():
    """δ = (∇_a C σ') s: in another order 1e20 · 1e20 would be an infinity of float32."""
    options = {"cost": "quadratic", "reduction": "sum"}
    relu = bpfast.bp1(np.float32([[-1]]), np.float32([[-1e30]]), output="relu",
                      sample_weight=[1e10], **options)  # fmt: skip
    assert relu[0, 0] == 0
    sigmoid = bpfast.bp1(np.float32([[-70]]), np.float32([[-1e20]]), output="sigmoid",
                         sample_weight=[1e20], **options)  # fmt: skip
    assert sigmoid[0, 0] == pytest.approx(1e40 * np.exp(-70.0), rel=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("output", bpfast.ACTIVATIONS)
def test_nan_stays_in_its_row(output, bad, dtype):
    rng = np.random.default_rng(10)
    net = bpfast.Network([5, 9, 4], hidden="relu", output=output, dtype=dtype, seed=rng)
    x, y = rng.standard_normal((40, 5)).astype(dtype), rng.uniform(size=(40, 4)).astype(dtype)
    a, deltas = net.forward(x), net.errors(x, y)
    broken = x.copy()
    broken[17, 2] = bad
    others = np.arange(40) != 17
    np.testing.assert_array_equal(net.forward(broken)[others], a[others])
    for got, expected in zip(net.errors(broken, y), deltas, strict=True):
        np.testing.assert_array_equal(got[others], expected[others])


def test_nan_flows_through():
    net = bpfast.Network([2, 3, 1], hidden="relu", seed=0)
    x, y = np.array([[np.nan, 1.0], [1.0, 2.0]]), np.zeros((2, 1))
    assert np.isnan(net.forward(x)[0]).all()
    g = net.backprop(x, y)
    assert np.isnan(g.cost)
    assert np.isnan(g.biases[-1]).all()


def large_costs(**options):
    """A network and examples, each of cost 9.8e307: their sum overflows, their mean does not."""
    net = bpfast.Network([1, 1], output="identity", init="zeros", **options)
    net.biases[0] = [1.4e154]
    return net, np.zeros((40, 1)), np.zeros((40, 1))


def own(a, y):
    return a[:, 0] * (a[:, 0] / 2), a


@pytest.mark.parametrize("cost", ["quadratic", own])
@pytest.mark.parametrize("weights", [None, np.ones(40), np.full(40, 1e10)])
def test_the_mean_of_costs_whose_sum_overflows(cost, weights):
    net, x, y = large_costs(cost=cost)
    for n in (40, 2):
        x, y, s = x[:n], y[:n], weights if weights is None else weights[:n]
        expected = pytest.approx(9.8e307, rel=1e-14)
        assert net.cost(x, y, sample_weight=s) == expected
        if cost != own:
            assert net.cost(net.trace(x), y, sample_weight=s) == expected
        assert net.backprop(x, y, sample_weight=s).cost == expected
        parameters = ([[[0.0]]], [[1.4e154]], x.tolist(), y.tolist())
        options = {"output": "identity", "sample_weight": s if s is None else s.tolist()}
        assert bpfast.reference.cost(*parameters, **options) == expected
        assert net.cost(x, y, sample_weight=s, reduction="sum") == np.inf


@pytest.mark.parametrize("cost", ["quadratic", own])
def test_the_cost_of_an_epoch_whose_sum_overflows(cost):
    expected = pytest.approx(9.8e307, rel=1e-14)
    for size in (1, 7, 40):
        net, x, y = large_costs(cost=cost)
        history = net.fit(x, y, epochs=1, batch_size=size, optimizer=bpfast.SGD(1e-320))
        assert history.cost[0] == expected
        assert net.evaluate(x, y)["cost"] == expected
        assert net.evaluate(x, y, batch_size=7)["cost"] == expected
    nets = [large_costs(cost=cost)[0] for _ in range(3)]
    found = bpfast.fit_many(nets, x, y, epochs=1, batch_size=7, optimizer=bpfast.SGD(1e-320))
    assert [history.cost[0] for history in found.histories] == [expected] * 3


def test_an_overflow_is_an_infinity():
    net = bpfast.Network([1, 1], output="identity", dtype="float32", init="zeros")
    net.weights[0][:] = 3e38
    with np.errstate(all="raise"):
        assert net.forward([[3e38]])[0, 0] == np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_flows_where_the_weight_of_the_example_is_zero(dtype):
    """0 times NaN is NaN: a weight of 0 does not hide a broken row."""
    net = bpfast.Network([3, 4, 2], dtype=dtype, seed=0)
    x, y = np.ones((5, 3), dtype), np.zeros((5, 2), dtype)
    x[2] = np.nan
    s = [1, 1, 0, 1, 1]
    assert np.isnan(net.cost(x, y, sample_weight=s))
    assert np.isnan(net.backprop(x, y, sample_weight=s).flat).all()
    for delta in net.errors(x, y, sample_weight=s):
        assert np.isnan(delta).all(axis=1).tolist() == [False, False, True, False, False]


def test_a_float64_number_beyond_float32_is_infinite_and_fit_refuses_it():
    net = bpfast.Network([2, 1], output="identity", dtype="float32", seed=0)
    x, y = np.array([[1.0, 2.0], [1e39, 1.0]]), np.zeros((2, 1))
    for call in (
        lambda: net.forward(x)[1, 0],
        lambda: net.cost(x, y),
        lambda: net.backprop(x, y).cost,
    ):
        with pytest.warns(RuntimeWarning, match="overflow encountered in cast"):
            assert np.isinf(call())
    with pytest.raises(
        ValueError, match=r"^x\[1\]: expected numbers that float32 can hold, got 1e\+39$"
    ):
        net.fit(x, y)
