"""The reference against numbers worked out by hand, 40-digit arithmetic and its own differences."""

import copy
import math
import random

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from bpfast import reference

LN2, LN3 = math.log(2), math.log(3)
OUTPUTS = {
    "cross_entropy": ["sigmoid", "softmax"],
    "log_likelihood": ["softmax"],
    "poisson": ["sigmoid", "softplus", "softmax"],
}
PAIRS = [
    (output, cost)
    for cost in reference.COSTS
    for output in OUTPUTS.get(cost, list(reference.ACTIVATIONS))
]
ELEMENTWISE = [name for name in reference.ACTIVATIONS if name != "softmax"]
FUSED = [pair for pair in PAIRS if pair[1] in OUTPUTS]

# A few roundings of numbers of the order of 1.
approx = pytest.approx


def close(expected):
    return approx(expected, rel=1e-15, abs=1e-16)


def sigma(name, z):
    """σ(z) of one neuron."""
    [[a]] = reference.forward([[[1]]], [[0]], [[z]], output=name)
    return a


def prime(name, z):
    """σ'(z) of one neuron."""
    [[delta]] = reference.bp2([[1]], [[1]], [[z]], activation=name)
    return delta


def cost_of(z, y, **kinds):
    """C of an output layer that has the given z."""
    width = len(z[0])
    identity = [[float(j == k) for k in range(width)] for j in range(width)]
    return reference.cost([identity], [[0] * width], z, y, **kinds)


# Each equation, by hand


@pytest.mark.parametrize(
    ("name", "z", "a", "slope"),
    [
        ("identity", -2, -2, 1),
        ("sigmoid", 0, 1 / 2, 1 / 4),
        ("sigmoid", LN3, 3 / 4, 3 / 16),  # 1 / (1 + 1/3); 3/4 · 1/4
        ("sigmoid", -LN3, 1 / 4, 3 / 16),
        ("tanh", LN2, 3 / 5, 16 / 25),  # (2 - 1/2) / (2 + 1/2); 1 - 9/25
        ("tanh", 0, 0, 1),
        ("relu", 3, 3, 1),
        ("relu", -3, 0, 0),
        ("relu", 0, 0, 0),
        ("leaky_relu", 3, 3, 1),
        ("leaky_relu", -3, -0.03, 0.01),
        ("leaky_relu", 0, 0, 0.01),
        ("elu", 3, 3, 1),
        ("elu", -LN2, -1 / 2, 1 / 2),  # e^{-ln 2} - 1; its slope is a + 1
        ("elu", 0, 0, 1),
        ("gelu", 0, 0, 1 / 2),  # Φ(0)
        ("silu", 0, 0, 1 / 2),
        ("silu", LN3, 3 / 4 * LN3, 3 / 4 + 3 / 16 * LN3),  # s + z s (1 - s)
        ("softplus", 0, LN2, 1 / 2),
        ("softplus", LN3, 2 * LN2, 3 / 4),  # ln(1 + 3)
        ("softplus", math.log(math.e - 1), 1, 1 - 1 / math.e),
    ],
)
def test_activation(name, z, a, slope):
    assert sigma(name, z) == close(a)
    assert prime(name, z) == close(slope)


# a^L is 1/4 and 3/4 for softmax of (0, ln 3), and 3/4 for sigmoid of ln 3.
@pytest.mark.parametrize(
    ("output", "cost", "z", "y", "c", "delta"),
    [
        # ½ (¼ + 9); r
        ("identity", "quadratic", [1, 2], [0.5, 5], 37 / 8, [0.5, -3]),
        # ½ (3/4 - 1)²; -¼ · 3/16
        ("sigmoid", "quadratic", [LN3], [1], 1 / 32, [-3 / 64]),
        # g = (-3/4, 3/4), Σ a g = 3/8; ¼ (-3/4 - 3/8), ¾ (3/4 - 3/8)
        ("softmax", "quadratic", [0, LN3], [1, 0], 9 / 16, [-9 / 32, 9 / 32]),
        # ½ · ¼ + (3 - ½); |r| ≤ 1 gives r, else its sign
        ("identity", "huber", [1, 2], [0.5, 5], 21 / 8, [0.5, -1]),
        ("identity", "huber", [1, 3], [0, 4], 1, [1, -1]),
        ("identity", "absolute", [1, 2, 7], [0.5, 5, 7], 3.5, [1, -1, 0]),
        # -ln 3/4; a - y
        ("sigmoid", "cross_entropy", [LN3], [1], 2 * LN2 - LN3, [-1 / 4]),
        ("sigmoid", "cross_entropy", [LN3], [0], 2 * LN2, [3 / 4]),
        ("sigmoid", "cross_entropy", [0], [0.3], LN2, [0.2]),
        # -ln a_1 - ln(1 - a_2), both of 1/4; with two outputs, δ_1 = (a_1 - y_1) - (a_2 - y_2)
        ("softmax", "cross_entropy", [0, LN3], [1, 0], 4 * LN2, [-3 / 2, 3 / 2]),
        # -ln 1/4; a Σ y - y
        ("softmax", "log_likelihood", [0, LN3], [1, 0], 2 * LN2, [-3 / 4, 3 / 4]),
        ("softmax", "log_likelihood", [0, LN3], [2, 0], 4 * LN2, [-3 / 2, 3 / 2]),
        # 3/4 - 2 ln 3/4; (3/4 - 2) ¼
        ("sigmoid", "poisson", [LN3], [2], 3 / 4 + 4 * LN2 - 2 * LN3, [-5 / 16]),
        # a = 1: 1 - 3 ln 1; (1 - 3) σ'
        ("softplus", "poisson", [math.log(math.e - 1)], [3], 1, [2 / math.e - 2]),
        # 1 - 2 ln 1/4
        ("softmax", "poisson", [0, LN3], [2, 0], 1 + 4 * LN2, [-3 / 2, 3 / 2]),
    ],
)
def test_cost_and_bp1(output, cost, z, y, c, delta):
    assert cost_of([z], [y], output=output, cost=cost) == close(c)
    assert reference.bp1([z], [y], output=output, cost=cost) == [close(delta)]


def test_bp2():
    # δW = (1 · 1 + 2 · 3, 1 · 2 + 2 · 4) = (7, 10); σ'(0) = 1/4, σ'(ln 3) = 3/16
    assert reference.bp2([[1, 2]], [[1, 2], [3, 4]], [[0, LN3]]) == [close([7 / 4, 15 / 8])]


def test_bp3():
    assert reference.bp3([[1, 2], [3, 5], [-1, 0]]) == [3, 7]


def test_bp4():
    # δ_1 = (1, 3) with a_1 = (1, 2): 1 + 6; with a_2 = (0, 1): 3. δ_2 = (2, 5): 2 + 10; 5.
    assert reference.bp4([[1, 2], [3, 5]], [[1, 0], [2, 1]]) == [[7, 3], [12, 5]]


# x = (1, 2): z^2 = (1 - 2 + 0, 1 + 2 + 1) = (-1, 4), a^2 = (0, 4), z^3 = a^3 = 0 + 4 + 1.
# x = (2, 0): z^2 = (2, 2 + 1) = a^2, z^3 = a^3 = -2 + 3 + 1.
NET = {"weights": [[[1, -1], [1, 1]], [[-1, 1]]], "biases": [[0, 1], [1]]}
NET["x"] = [[1, 2], [2, 0]]
KINDS = {"hidden": "relu", "output": "identity"}


def test_trace():
    t = reference.trace(**NET, **KINDS)
    assert t == ([[[-1, 4], [2, 3]], [[5], [2]]], [[[1, 2], [2, 0]], [[0, 4], [2, 3]], [[5], [2]]])
    assert t.z[-1] == t.a[-1] == reference.forward(**NET, **KINDS)


def test_errors():
    # r = 2 and -3, halved by the mean; δ^3 W^3 = (-1, 1) and (3/2, -3/2); relu' = (0, 1) and (1, 1)
    d = reference.errors(**NET, y=[[3], [5]], **KINDS)
    assert d == [[[0, 1], [1.5, -1.5]], [[1], [-1.5]]]


def test_backprop():
    c, nabla_w, nabla_b = reference.backprop(**NET, y=[[3], [5]], **KINDS)
    assert c == (4 / 2 + 9 / 2) / 2
    # W^2: δ_1 = (0, 3/2) on x = (1, 2), (2, 0): 3, 0. δ_2 = (1, -3/2): 1 - 3, 2.
    # W^3: 1 · (0, 4) - 3/2 · (2, 3)
    assert nabla_w == [[[3, 0], [-2, 2]], [[-3, -0.5]]]
    assert nabla_b == [[1.5, -0.5], [-0.5]]


def test_sum_and_sample_weight():
    y = [[3], [5]]
    c, nabla_w, nabla_b = reference.backprop(**NET, y=y, **KINDS, reduction="sum")
    assert (c, nabla_w, nabla_b) == (6.5, [[[6, 0], [-4, 4]], [[-6, -1]]], [[3, -1], [-1]])
    # (1 · 2 + 3 · 9/2) / 4; δ^3 = 1 · 2 / 4 and 3 · (-3) / 4
    weighted = {"y": y, "sample_weight": [1, 3]} | KINDS
    assert reference.cost(**NET, **weighted) == 15.5 / 4
    assert reference.errors(**NET, **weighted)[-1] == [[0.5], [-2.25]]
    assert reference.cost(**NET, **weighted, reduction="sum") == 15.5
    assert reference.errors(**NET, **weighted, reduction="sum")[-1] == [[2], [-9]]
    # A weight of 0 is an example that is not there.
    left_out = reference.backprop(**NET, y=y, **KINDS, sample_weight=[0, 7])
    alone = reference.backprop(**(NET | {"x": [[2, 0]]}), y=[[5]], **KINDS)
    assert left_out == alone


@pytest.mark.parametrize(("output", "cost"), [p for p in FUSED if p[1] != "poisson"])
def test_labels_are_one_hot_rows(output, cost):
    z, rows = [[0, 1, 2], [2, 0, -1]], [[0, 0, 1], [1, 0, 0]]
    kinds = {"output": output, "cost": cost}
    for labels in ([2, 0], np.array([2, 0], dtype=np.uint8)):
        assert reference.bp1(z, labels, **kinds) == reference.bp1(z, rows, **kinds)
        assert cost_of(z, labels, **kinds) == cost_of(z, rows, **kinds)


def test_labels_of_one_output_are_its_targets():
    kinds = {"output": "sigmoid", "cost": "cross_entropy"}
    for labels in ([0, 1], [False, True]):
        assert reference.bp1([[0], [LN3]], labels, **kinds) == [close([0.25]), close([-0.125])]


def test_cost_callable():
    seen = []

    def cubic(a, y):
        seen.append(copy.deepcopy((a, y)))
        pairs = [list(zip(*rows, strict=True)) for rows in zip(a, y, strict=True)]
        costs = [sum((p - q) ** 3 / 3 for p, q in row) for row in pairs]
        nabla_a = [[(p - q) ** 2 for p, q in row] for row in pairs]
        a[0][0] = y[0][0] = math.nan  # it was given copies
        return np.array(costs), nabla_a

    z, y = [[1, 2], [3, 4]], [[0, 0], [1, 1]]
    delta = reference.bp1(z, y, output="identity", cost=cubic, sample_weight=[1, 3])
    assert delta == [[1 / 4, 4 / 4], [3 * 4 / 4, 3 * 9 / 4]]
    assert seen == [(z, y)]
    assert cost_of(z, y, output="identity", cost=cubic) == close((3 + 35 / 3) / 2)
    # Jacobian product: a = (1/4, 3/4), g = a²; Σ a g = 28/64; δ_1 = ¼ (1/16 - 28/64)
    [delta] = reference.bp1([[0, LN3]], [[0, 0]], output="softmax", cost=cubic)
    assert delta == close([-3 / 32, 3 / 32])


def test_what_a_cost_callable_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        reference.bp1([[1]], [[1]], cost=lambda a, y: 1 / 0)


# Against differences of its own cost


def differences(f, params):
    """∂f/∂p of each parameter; two central differences, so that the error is of order h⁴."""

    def central(i, h):
        return (f([*params[:i], params[i] + h, *params[i + 1 :]])
                - f([*params[:i], params[i] - h, *params[i + 1 :]])) / (2 * h)  # fmt: skip

    return [(4 * central(i, 5e-4) - central(i, 1e-3)) / 3 for i in range(len(params))]


def flat(weights, biases):
    return [v for w in weights for row in w for v in row] + [v for b in biases for v in b]


@pytest.mark.parametrize("hidden", ELEMENTWISE)
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_backprop_is_the_slope_of_the_cost(hidden, output, cost):
    rng = random.Random(2)

    def uniform(rows, columns, low=-1.5):
        return [[rng.uniform(low, 1.5) for _ in range(columns)] for _ in range(rows)]

    def build(params):
        values = iter(params)
        take = lambda rows, columns: [[next(values) for _ in range(columns)] for _ in range(rows)]  # noqa: E731
        return {"weights": [take(3, 2), take(2, 3)], "biases": [take(1, 3)[0], take(1, 2)[0]]}

    params = uniform(1, 17)[0]
    batch = {"x": uniform(3, 2), "y": uniform(3, 2, low=0.1), "sample_weight": [1, 2.5, 0.25]}
    batch |= {"hidden": hidden, "output": output, "cost": cost}
    slopes = differences(lambda p: reference.cost(**build(p), **batch), params)
    c, nabla_w, nabla_b = reference.backprop(**build(params), **batch)
    # h⁴ = 1e-12 times the fifth derivative, and 1e-16 / h of rounding.
    assert flat(nabla_w, nabla_b) == approx(slopes, rel=1e-9, abs=1e-9)
    assert c == reference.cost(**build(params), **batch)
    assert [reference.bp3(d) for d in reference.errors(**build(params), **batch)] == nabla_b


# The extremes, against many digits

EXTREMES = [0, 1e-300, 1e-8, 0.5, 3, 20, 36, 38, 40, 100, 709, 745, 1000, 1e5]
EXTREMES += [-z for z in EXTREMES]


def s(z):
    return 1 / (1 + mp.exp(-z))


EXACT = {
    "sigmoid": (s, lambda z: s(z) * s(-z)),
    "tanh": (mp.tanh, lambda z: mp.sech(z) ** 2),
    "elu": (lambda z: z if z > 0 else mp.expm1(z), lambda z: 1 if z > 0 else mp.exp(z)),
    "gelu": (lambda z: z * mp.ncdf(z), lambda z: mp.ncdf(z) + z * mp.npdf(z)),
    "silu": (lambda z: z * s(z), lambda z: s(z) * (1 + z * s(-z))),
    "softplus": (lambda z: mp.log1p(mp.exp(z)), s),
}


@pytest.mark.parametrize("name", EXACT)
def test_activation_at_the_extremes(name):
    # gelu: erfc and e^{-z²/2} multiply the rounding of their argument by z².
    rel = 1e-12 if name == "gelu" else 1e-15
    with mpmath.workdps(40):
        for z in EXTREMES:
            a, slope = (float(exact(mpf(z))) for exact in EXACT[name])
            assert sigma(name, z) == approx(a, rel=rel, abs=1e-320), z
            assert prime(name, z) == approx(slope, rel=rel, abs=1e-320), z


def exact_cost_and_delta(output, cost, z, y):
    """C_x, and ∂C_x/∂z by the chain rule, not fused."""
    z, y = [mpf(v) for v in z], [mpf(v) for v in y]
    if output == "softmax":
        a = [mp.exp(v) / sum(map(mp.exp, z)) for v in z]
    else:
        a = [EXACT[output][0](v) for v in z]
    term, nabla = {
        "cross_entropy": (
            lambda a, y: -y * mp.log(a) - (1 - y) * mp.log(1 - a),
            lambda a, y: (a - y) / (a * (1 - a)),
        ),
        "log_likelihood": (lambda a, y: -y * mp.log(a), lambda a, y: -y / a),
        "poisson": (lambda a, y: a - y * mp.log(a), lambda a, y: 1 - y / a),
    }[cost]
    c, g = sum(map(term, a, y)), list(map(nabla, a, y))
    if output == "softmax":
        return c, [a_j * (g_j - mp.fdot(a, g)) for a_j, g_j in zip(a, g, strict=True)]
    return c, [g_j * EXACT[output][1](z_j) for g_j, z_j in zip(g, z, strict=True)]


@pytest.mark.parametrize(("output", "cost"), FUSED)
def test_fused_pair_at_the_extremes(output, cost):
    rng = random.Random(3)
    rows = [[z, 0.0, -z] for z in EXTREMES] + [[1000, 1000, -1000], [-1000, -1000, 1000]]
    rows += [[rng.choice(EXTREMES[:13] + EXTREMES[14:27]) for _ in range(3)] for _ in range(9)]
    rows = [z for z in rows if max(map(abs, z)) <= 1000]
    # 1 - a needs 869 digits where z differ by 2000.
    with mpmath.workdps(900):
        for z in rows:
            for y in ([1, 0, 0], [0, 0, 1], [0.25, 0.5, 0.25], [1, 1, 0]):
                c, delta = exact_cost_and_delta(output, cost, z, y)
                kinds = {"output": output, "cost": cost}
                assert cost_of([z], [y], **kinds) == approx(float(c), rel=1e-14, abs=1e-300), (z, y)
                expected = [approx(list(map(float, delta)), rel=1e-14, abs=1e-15)]
                assert reference.bp1([z], [y], **kinds) == expected, (z, y)


# NaN and infinity


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308, -1e308])
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_what_is_not_finite_stays_in_its_row(output, cost, bad):
    net = {"weights": [[[1, 2], [3, -4]]], "biases": [[0, 0]], "output": output, "cost": cost}
    good, y = [0.5, 0.25], [[0, 1]] * 2
    d = reference.errors(**net, x=[[bad, 1], good], y=y, reduction="sum")[-1]
    assert d[1:] == reference.errors(**net, x=[good], y=y[:1], reduction="sum")[-1]
    c = reference.backprop(**net, x=[[bad, 1], good], y=y)[0]
    if math.isnan(bad):
        assert math.isnan(c)
        assert output in ("relu", "leaky_relu") or all(map(math.isnan, d[0]))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_activation_at_infinity(name):
    low = {"identity": -math.inf, "leaky_relu": -math.inf, "tanh": -1, "elu": -1}
    assert sigma(name, -math.inf) == low.get(name, 0)
    assert sigma(name, math.inf) == (1 if name in ("sigmoid", "tanh") else math.inf)
    slope = {"identity": 1, "leaky_relu": 0.01}
    assert prime(name, -math.inf) == slope.get(name, 0)
    assert prime(name, math.inf) == (0 if name in ("sigmoid", "tanh") else 1)
    assert math.isnan(sigma(name, math.nan))


def test_sums_are_rounded_once():
    assert reference.bp3([[1e16], [1.0], [-1e16]]) == [1.0]
    assert reference.bp3([[1e308], [1e308]]) == [math.inf]
