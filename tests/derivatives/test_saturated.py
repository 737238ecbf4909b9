"""Second derivatives at the output where z, or gaps between them, are large: in 60 digits."""

import math

import numpy as np
import pytest
from mpmath import exp, log1p, mpf, workdps

import bpfast
from bpfast import reference
from tests.helpers.tolerance import RELATIVE, close

FUSED = [
    ("sigmoid", "cross_entropy"), ("softmax", "cross_entropy"), ("softmax", "log_likelihood"),
    ("sigmoid", "poisson"), ("softplus", "poisson"), ("softmax", "poisson"),
]  # fmt: skip
LARGE = [0.1, 5.0, 20.0, 37.0, 90.0, 300.0, 1e3, 1e5, 1e16, 1e30]


def rows(width):
    """Rows of z: some gaps between them large, some not."""
    for m in LARGE:
        yield from {
            1: ([m], [-m]),
            2: ([m, 0.0], [-m, m]),
            3: ([m, 0.3, -0.5], [m, -m, -m], [m, 0.999 * m, 0.5 * m], [m, m, 0.0]),
        }[width]


def targets(width):
    yield from np.eye(width)[:2]
    yield np.zeros(width)
    yield np.ones(width)
    yield np.linspace(0.9, 0.15, width)


# In 60 digits; numbers below e^-1000000 matter to no sum here.


def power(v):
    return exp(v) if v > -(10**6) else mpf(0)


def softmax(z):
    powers = [power(v - max(z)) for v in z]
    return [p / sum(powers) for p in powers]


def sigmoid(z):
    return 1 / (1 + power(-z)) if z > 0 else power(z) / (1 + power(z))


def without(values, k):
    return values[:k] + values[k + 1 :]


def jacobian_product(a, v):
    """The derivative of softmax along v; no difference of equal numbers is left to rounding."""
    return [a_j * sum(a_k * (v_j - v_k) for a_k, v_k in zip(a, v, strict=True))
            for a_j, v_j in zip(a, v, strict=True)]  # fmt: skip


def ratio_derivative(a):
    """The derivative of (1 - e^-a) / a."""
    return (exp(-a) * (1 + a) - 1) / a**2 if a > mpf(10) ** -20 else a / 3 - mpf(1) / 2


def exact(name, output, cost, z, y, v):
    """The product with the Hessian or the Gauss-Newton matrix of C_x by z."""
    z, y, v = ([mpf(float(number)) for number in numbers] for numbers in (z, y, v))
    if output == "softmax" and cost == "cross_entropy":
        return exact_softmax_cross_entropy(name, z, y, v)
    if output == "softmax":
        return [sum(y) * change for change in jacobian_product(softmax(z), v)]
    slopes = [sigmoid(z_j) * sigmoid(-z_j) for z_j in z]
    if cost == "cross_entropy":
        factors = slopes
    elif output == "sigmoid" and name == "ggn_vp":
        factors = [y_j * sigmoid(-z_j) ** 2 for z_j, y_j in zip(z, y, strict=True)]
    elif output == "sigmoid":
        # 1 - 2a + y, also where 60 digits do not tell a from 1.
        factors = [s * ((y_j - 1) + 2 * sigmoid(-z_j))
                   for s, z_j, y_j in zip(slopes, z, y, strict=True)]  # fmt: skip
    else:
        a = [max(z_j, mpf(0)) + log1p(power(-abs(z_j))) for z_j in z]
        # σ'/a; its limit where a is below all numbers.
        ratios = [sigmoid(z_j) / a_j if a_j > 0 else mpf(1) for z_j, a_j in zip(z, a, strict=True)]
        if name == "ggn_vp":
            factors = [y_j * r**2 for y_j, r in zip(y, ratios, strict=True)]
        else:
            factors = [s - y_j * ratio_derivative(a_j) * sigmoid(z_j)
                       for s, y_j, a_j, z_j in zip(slopes, y, a, z, strict=True)]  # fmt: skip
    return [f * v_j for f, v_j in zip(factors, v, strict=True)]


def exact_softmax_cross_entropy(name, z, y, v):
    """With q_k = ∂ ln(1 - a_k)/∂z: C_x = -Σ_k [y_k ln a_k + (1 - y_k) ln(1 - a_k)]."""
    n, a = len(z), softmax(z)
    found = [mpf(0)] * n
    for k in range(n):
        others = without(list(range(n)), k)
        r = softmax(without(z, k))  # ∂ ln Σ_{j≠k} e^z_j / ∂z_j
        shares = dict(zip(others, r, strict=True))
        shares[k] = mpf(0)
        p_v = sum(a_j * (v[k] - v_j) for a_j, v_j in zip(a, v, strict=True))
        q_v = sum(r_j * v[j] for j, r_j in zip(others, r, strict=True))
        q_v = a[k] * (q_v - v[k])
        rest = sum(without(a, k))
        changes = dict(zip(others, jacobian_product(r, without(v, k)), strict=True))
        of_softmax = jacobian_product(a, v)
        for j in range(n):
            if name == "ggn_vp":
                of_p = rest if j == k else -a[j]
                of_q = -a[k] if j == k else shares[j] * a[k]
                found[j] += y[k] * p_v * of_p + (1 - y[k]) * q_v * of_q
            else:  # the derivatives of -∂ ln a_k / ∂z_j and of -∂ ln(1 - a_k) / ∂z_j
                found[j] += y[k] * of_softmax[j]
                found[j] += (1 - y[k]) * (of_softmax[j] - changes.get(j, 0))
    return found


def network(z, output, cost, dtype):
    """A network that is its output layer, with z^L = b at x = 0."""
    net = bpfast.Network([1, len(z)], output=output, cost=cost, init="zeros", dtype=dtype)
    net.biases[0] = np.asarray(z, dtype)
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["hvp", "ggn_vp"])
@pytest.mark.parametrize(("output", "cost"), FUSED)
def test_against_60_digits(output, cost, name, dtype):
    checked = 0
    for width in (2, 3) if output == "softmax" else (1, 2, 3):
        v = np.array([0.7, -1.3, 0.4][:width])
        for z in rows(width):
            for y in targets(width):
                net = network(z, output, cost, dtype)
                z_rounded, y_rounded = net.biases[0].astype(float), y.astype(dtype).astype(float)
                v_rounded = v.astype(dtype).astype(float)
                with workdps(60):
                    expected = exact(name, output, cost, z_rounded, y_rounded, v_rounded)
                expected = np.array([float(number) for number in expected])
                direction = np.r_[np.zeros(width), v]
                got = getattr(net, name)([[0.0]], [y], direction).biases[0]
                scale = 0.0
                if output == "softmax" and not np.array_equal(y, np.eye(width)[np.argmax(z)]):
                    # Hessians are differences of terms that are of the order of 1 - y.
                    scale = float(np.abs(1 - y).max() + y.max()) * 1e-3
                scale = max(scale, float(np.finfo(dtype).tiny) / RELATIVE[dtype])
                assert close(got, expected, dtype, scale=scale), (z, y, got, expected)
                checked += 1
                if dtype == "float64":
                    vectors = [np.zeros((width, 1))], [v]
                    arguments = net.weights, net.biases, [[0.0]], [y.tolist()], *vectors
                    _, theirs = getattr(reference, name)(*arguments, output=output, cost=cost)
                    assert close(theirs[0], expected, dtype, scale=scale), (z, y, theirs, expected)
    assert checked > 100


@pytest.mark.parametrize("name", ["hvp", "ggn_vp"])
@pytest.mark.parametrize("gap", [0.0, 40.0, 1e16, 1e300])
def test_many_outputs(gap, name):
    rng = np.random.default_rng(3)
    z, v = rng.standard_normal(100), rng.standard_normal(100)
    z[7] += gap
    for cost in ("cross_entropy", "log_likelihood"):
        net = network(z, "softmax", cost, "float64")
        for y in (np.eye(100)[7], np.eye(100)[8], np.full(100, 1 / 100)):
            got = getattr(net, name)([[0.0]], [y], np.r_[np.zeros(100), v]).biases[0]
            vectors = [np.zeros((100, 1))], [v]
            arguments = net.weights, net.biases, [[0.0]], [y.tolist()], *vectors
            _, expected = getattr(reference, name)(*arguments, output="softmax", cost=cost)
            assert close(got, expected[0], "float64", scale=1e-300), (cost, y[7])


@pytest.mark.parametrize(
    ("z", "y", "expected"),
    [
        ([0.0, -math.inf], [0, 1], [0.0, 0.0]),
        ([0.0, -math.inf], [1, 0], [0.0, 0.0]),
        ([0.0, -math.inf, -math.inf], [1, 0, 0], [0.0, 0.0, 0.0]),
        ([math.inf, 0.0], [1, 0], [math.nan, math.nan]),  # as softmax itself
    ],
)
def test_infinite_z(z, y, expected):
    net = network(z, "softmax", "cross_entropy", "float64")
    v = np.r_[np.zeros(len(z)), np.arange(1.0, len(z) + 1)]
    np.testing.assert_allclose(net.hvp([[0.0]], [y], v).biases[0], expected, atol=1e-300)
