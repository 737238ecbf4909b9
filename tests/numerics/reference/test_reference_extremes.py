"""The reference at the ends of the range, and with infinity and NaN."""

import math
import random

import mpmath
import pytest
from mpmath import mp, mpf

from bpfast import reference
from tests.helpers.cases.one_neuron import ELEMENTWISE, FUSED, PAIRS, cost_of, prime, sigma

# A few roundings of numbers of the order of 1.
approx = pytest.approx


EXTREMES = [0, 1e-300, 1e-8, 0.5, 3, 20, 36, 38, 40, 100, 709, 745, 1000, 1e5]


EXTREMES += [-z for z in EXTREMES]


def s(z):
    return 1 / (1 + mp.exp(-z))


L, A = mpf(1.0507009873554805), mpf(1.6732632423543772)


def gelu_tanh_prime(z):
    w = cubic(z)
    return s(w) * (1 + z * s(-w) * 2 * mp.sqrt(2 / mp.pi) * (1 + 3 * z * z * 44715 / mpf(10**6)))


def cubic(z):
    return 2 * mp.sqrt(2 / mp.pi) * (z + z**3 * 44715 / mpf(10**6))


def mish_prime(z):
    e = mp.exp(z)
    q = e * e + 2 * e + 2
    return e * (e + 2) / q + 4 * z * e * (1 + e) / q**2


EXACT = {
    "sigmoid": (s, lambda z: s(z) * s(-z)),
    "tanh": (mp.tanh, lambda z: mp.sech(z) ** 2),
    "elu": (lambda z: z if z > 0 else mp.expm1(z), lambda z: 1 if z > 0 else mp.exp(z)),
    "gelu": (lambda z: z * mp.ncdf(z), lambda z: mp.ncdf(z) + z * mp.npdf(z)),
    "silu": (lambda z: z * s(z), lambda z: s(z) * (1 + z * s(-z))),
    "softplus": (lambda z: mp.log1p(mp.exp(z)), s),
    "selu": (lambda z: L * (z if z > 0 else A * mp.expm1(z)),
             lambda z: L * (1 if z > 0 else A * mp.exp(z))),
    "gelu_tanh": (lambda z: z * s(cubic(z)), gelu_tanh_prime),
    "mish": (lambda z: z * mp.tanh(mp.log1p(mp.exp(z))), mish_prime),
    "hard_sigmoid": (lambda z: min(max(z + 3, 0), 6) / mpf(6),
                     lambda z: mpf(1) / 6 if abs(z) < 3 else 0),
    "hard_swish": (lambda z: z * min(max(z + 3, 0), 6) / mpf(6),
                   lambda z: (2 * z + 3) / 6 if abs(z) < 3 else mpf(z > 0)),
    "sin": (mp.sin, mp.cos),
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_activation_at_the_extremes(name):
    # gelu: erfc and e^{-z²/2} multiply the rounding of their argument by z².
    rel = 1e-12 if name in ("gelu", "gelu_tanh") else 1e-15
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
def test_fused_pairs_at_the_extremes(output, cost):
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


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308, -1e308])
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_non_finite_numbers_stay_in_their_row(output, cost, bad):
    net = {"weights": [[[1, 2], [3, -4]]], "biases": [[0, 0]], "output": output, "cost": cost}
    good, y = [0.5, 0.25], [[0, 1]] * 2
    d = reference.errors(**net, x=[[bad, 1], good], y=y, reduction="sum")[-1]
    assert d[1:] == reference.errors(**net, x=[good], y=y[:1], reduction="sum")[-1]
    c = reference.backprop(**net, x=[[bad, 1], good], y=y)[0]
    if math.isnan(bad):
        assert math.isnan(c)
        has_constant_slopes = output in ("relu", "leaky_relu", "hard_sigmoid")
        assert has_constant_slopes or all(map(math.isnan, d[0]))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_activation_at_infinity(name):
    assert math.isnan(sigma(name, math.nan))
    if name == "sin":
        assert all(math.isnan(f(name, z)) for f in (sigma, prime) for z in (-math.inf, math.inf))
        return
    low = {"identity": -math.inf, "leaky_relu": -math.inf, "tanh": -1, "elu": -1,
           "selu": -1.7580993408473766}  # fmt: skip
    is_bounded = name in ("sigmoid", "tanh", "hard_sigmoid")
    assert sigma(name, -math.inf) == low.get(name, 0)
    assert sigma(name, math.inf) == (1 if is_bounded else math.inf)
    slope = {"identity": 1, "leaky_relu": 0.01}
    assert prime(name, -math.inf) == slope.get(name, 0)
    top = 1.0507009873554805 if name == "selu" else 1
    assert prime(name, math.inf) == (0 if is_bounded else top)


def test_sums_are_rounded_once():
    assert reference.bp3([[1e16], [1.0], [-1e16]]) == [1.0]
    assert reference.bp3([[1e308], [1e308]]) == [math.inf]


@pytest.mark.parametrize("n", [1, 2, 20])
@pytest.mark.parametrize("weight", [None, 0.5, 1e300, 1e-300])
def test_a_mean_cost_is_finite_where_it_is_in_range(n, weight):
    """Also of a callable cost, and of one of derivatives."""
    weights, biases = [[[0.0]]], [[0.0]]
    x, y = [[0.0]] * n, [[1.4e154]] * n
    options = {"output": "identity", "sample_weight": weight and [weight] * n}
    assert reference.cost(weights, biases, x, y, **options) == approx(9.8e307, rel=1e-12)
    assert reference.backprop(weights, biases, x, y, **options)[0] == approx(9.8e307, rel=1e-12)

    def cost(_):
        return [1e308] * n, (None, [[[1.0]] * n])

    options["order"] = 1
    found, *_ = reference.backprop_taylor(weights, biases, x, [[1.0]], cost, **options)
    assert found == approx(1e308, rel=1e-12)
    assert reference.cost(weights, biases, x, [[1e200]] * n, output="identity") == math.inf
