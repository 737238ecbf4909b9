"""σ against 40-digit arithmetic over the whole range of both dtypes, limits and kinks included."""

import mpmath as mp
import numpy as np
import pytest

import bpfast
from tests.helpers.tolerance import ULPS

DTYPES = ["float32", "float64"]


def selu(z):
    """Klambauer et al. 2017."""
    scale, alpha = (
        mp.mpf("1.0507009873554804934193349853"),
        mp.mpf("1.6732632423543772848170429917"),
    )
    return scale * (z if z > 0 else alpha * mp.expm1(z))


def gelu_tanh(z):
    """Hendrycks and Gimpel 2016; ½ (1 + tanh) as a sigmoid, which keeps the digits of the tail."""
    return z / (1 + mp.exp(-2 * mp.sqrt(2 / mp.pi) * (z + z**3 * 44715 / 10**6)))


EXACT = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": mp.tanh,
    "relu": lambda z: max(z, mp.mpf(0)),
    "leaky_relu": lambda z: z if z > 0 else z * mp.mpf("0.01"),
    "leaky_relu(0.3)": lambda z: z if z > 0 else z * mp.mpf(0.3),
    "leaky_relu(1.5)": lambda z: z if z > 0 else z * mp.mpf(1.5),
    "elu": lambda z: z if z > 0 else mp.expm1(z),
    "elu(0.3)": lambda z: z if z > 0 else mp.expm1(z) * mp.mpf(0.3),
    "elu(2.5)": lambda z: z if z > 0 else mp.expm1(z) * mp.mpf(2.5),
    "gelu": lambda z: z * mp.erfc(-z / mp.sqrt(2)) / 2,
    "silu": lambda z: z / (1 + mp.exp(-z)),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
    "selu": selu,
    "gelu_tanh": gelu_tanh,
    "mish": lambda z: z * mp.tanh(mp.log1p(mp.exp(z))),
    "hard_sigmoid": lambda z: min(max(z + 3, mp.mpf(0)), mp.mpf(6)) / 6,
    "hard_swish": lambda z: z * min(max(z + 3, mp.mpf(0)), mp.mpf(6)) / 6,
    "sin": mp.sin,
}


KINKED = ["relu", "hard_sigmoid", "hard_swish", *(a for a in EXACT if a.startswith("leaky"))]


def is_leaky(activation):
    return activation.startswith("leaky_relu")


def neuron(activation, dtype):
    """σ itself: a network of one neuron with w = 1 and b = 0."""
    net = bpfast.Network([1, 1], output=activation, dtype=dtype, init="zeros")
    net.weights[0][:] = 1
    return lambda z: net.forward(np.asarray(z, dtype)[:, None])[:, 0]


def derivative(activation, z, dtype):
    """σ'(z), as BP2 has it with δ^(l+1) W = 1."""
    z = np.asarray(z, dtype)[:, None]
    one = np.ones((1, 1), dtype)
    return bpfast.bp2(np.ones_like(z), one, z, activation=activation)[:, 0]


def points(dtype):
    """Sample every magnitude, densely where the functions bend, underflow and overflow."""
    rng = np.random.default_rng(8)
    info = np.finfo(dtype)
    edge = float(np.log(float(info.max))) * 1.08
    powers = rng.uniform(np.log10(float(info.smallest_subnormal)), np.log10(float(info.max)), 300)
    return np.concatenate(
        [
            rng.uniform(-edge, edge, 500),
            rng.uniform(-40, 40, 600),
            rng.standard_normal(500),
            rng.choice([-1, 1], 300) * 10.0**powers,
            [0.0, -0.0, 1.0, -1.0, float(info.max), float(info.min), float(info.tiny)],
        ]
    ).astype(dtype)


def ulps(got, exact, dtype):
    """|got − exact| in units of the last place of exact."""
    if abs(exact) > float(np.finfo(dtype).max):
        return 0.0 if np.isinf(got) and got * exact > 0 else np.inf
    # The largest number has no neighbour to measure with; half of it has the unit of its half.
    size = min(abs(float(exact)), float(np.finfo(dtype).max) / 2)
    unit = mp.mpf(float(np.spacing(np.array(size, dtype))))
    return float(abs(mp.mpf(float(got)) - exact) / unit)


def exact(activation, z):
    """σ(z), without the exponentials of numbers where σ has long been at its limit."""
    z = mp.mpf(float(z))
    if activation in ("identity", "sin", "selu", "hard_sigmoid"):
        return EXACT[activation](z)
    if z > 10**5:
        return mp.mpf(1) if activation in ("sigmoid", "tanh") else z
    if z < -(10**5) and activation != "tanh" and not is_leaky(activation):
        z = mp.mpf(-(10**5))
    return EXACT[activation](z)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", list(EXACT))
def test_four_ulps_over_the_whole_range(activation, dtype):
    z = points(dtype)
    got = neuron(activation, dtype)(z)
    with mp.workdps(40):
        pairs = [(a, exact(activation, p)) for a, p in zip(got, z, strict=True)]
        errors = [ulps(a, expected, dtype) for a, expected in pairs]
    worst = int(np.argmax(errors))
    assert errors[worst] <= ULPS, (z[worst], errors[worst])


LIMITS = {  # σ at −∞ and at ∞
    "identity": (-np.inf, np.inf),
    "sigmoid": (0, 1),
    "tanh": (-1, 1),
    "relu": (0, np.inf),
    "leaky_relu": (-np.inf, np.inf),
    "leaky_relu(0.3)": (-np.inf, np.inf),
    "leaky_relu(1.5)": (-np.inf, np.inf),
    "elu": (-1, np.inf),
    "elu(0.3)": (-0.3, np.inf),
    "elu(2.5)": (-2.5, np.inf),
    "gelu": (0, np.inf),
    "silu": (0, np.inf),
    "softplus": (0, np.inf),
    "selu": (-1.7580993408473768, np.inf),
    "gelu_tanh": (0, np.inf),
    "mish": (0, np.inf),
    "hard_sigmoid": (0, 1),
    "hard_swish": (0, np.inf),
    "sin": (np.nan, np.nan),
}
SLOPES = {  # σ' at −∞ and at ∞
    "identity": (1, 1),
    "sigmoid": (0, 0),
    "tanh": (0, 0),
    "relu": (0, 1),
    "leaky_relu": (0.01, 1),
    "leaky_relu(0.3)": (0.3, 1),
    "leaky_relu(1.5)": (1.5, 1),
    "elu": (0, 1),
    "elu(0.3)": (0, 1),
    "elu(2.5)": (0, 1),
    "gelu": (0, 1),
    "silu": (0, 1),
    "softplus": (0, 1),
    "selu": (0, 1.0507009873554805),
    "gelu_tanh": (0, 1),
    "mish": (0, 1),
    "hard_sigmoid": (0, 0),
    "hard_swish": (0, 1),
    "sin": (np.nan, np.nan),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", list(EXACT))
def test_limits_and_nan(activation, dtype):
    infinities = [-np.inf, np.inf, np.nan]
    values = np.array([*LIMITS[activation], np.nan], dtype)
    np.testing.assert_array_equal(neuron(activation, dtype)(infinities), values)
    slopes = np.array(SLOPES[activation], dtype)
    np.testing.assert_array_equal(derivative(activation, infinities[:2], dtype), slopes)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("activation", "slope"),
    [("relu", 0.0), ("leaky_relu", 0.01), ("leaky_relu(0.3)", 0.3), ("leaky_relu(1.5)", 1.5),
     ("elu", 1.0), ("elu(0.3)", 0.3), ("elu(2.5)", 2.5), ("identity", 1.0),
     ("selu", 1.7580993408473768), ("sin", 1.0), ("mish", 0.6), ("gelu_tanh", 0.5)],
)  # fmt: skip
def test_the_value_at_a_kink(activation, slope, dtype):
    slopes = derivative(activation, [0.0, -0.0], dtype)
    np.testing.assert_array_equal(slopes, np.full(2, slope, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_kinks_at_three(dtype):
    """Exactly 3 is outside; the numbers beside it are on their side."""
    edges = np.array([-3, 3], dtype)
    step = np.spacing(edges)
    z = np.r_[edges - abs(step), edges, edges + abs(step)]
    sixth = np.array(1 / 6, dtype)
    slopes = derivative("hard_sigmoid", z, dtype)
    np.testing.assert_array_equal(slopes, [0, sixth, 0, 0, sixth, 0])
    slopes = derivative("hard_swish", z, dtype)
    np.testing.assert_array_equal(slopes[[0, 2, 3, 5]], [0, 0, 1, 1])
    np.testing.assert_allclose(slopes[[4, 1]], [-0.5, 1.5], rtol=2 * step[1])
    a = neuron("hard_sigmoid", dtype)(z)
    assert (a[[0, 2]] == 0).all()
    assert (a[[3, 5]] == 1).all()
    assert (a[[4, 1]] > 0).all()
    assert (a[[4, 1]] < 1).all()


@pytest.mark.parametrize("cost", ["absolute", "huber"])
def test_the_derivative_of_a_cost_at_a_kink(cost):
    z = np.array([[0.0], [1.0], [-1.0]])
    delta = bpfast.bp1(z, np.zeros((3, 1)), output="identity", cost=cost, reduction="sum")
    np.testing.assert_array_equal(delta, [[0], [1], [-1]])


@pytest.mark.parametrize("activation", [a for a in EXACT if a not in KINKED])
def test_derivatives(activation):
    z = np.linspace(-6, 6, 97)  # not at elu's 0, where σ'' jumps
    z = z[z != 0]
    with mp.workdps(40):
        exact = np.array([float(mp.diff(EXACT[activation], mp.mpf(float(p)))) for p in z])
    # σ' from a keeps the rounding of a: some eps absolute.
    np.testing.assert_allclose(derivative(activation, z, "float64"), exact, rtol=0, atol=2e-15)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax(dtype):
    rng = np.random.default_rng(9)
    z = (rng.standard_normal((200, 7)) * 10.0 ** rng.uniform(-3, 3, (200, 1))).astype(dtype)
    net = bpfast.Network([7, 7], output="softmax", dtype=dtype, init="zeros")
    net.weights[0] = np.eye(7)
    got = net.forward(z)
    with mp.workdps(40):
        for row, a in zip(z, got, strict=True):
            powers = [mp.exp(mp.mpf(float(p))) for p in row]
            for power, output in zip(powers, a, strict=True):
                # e^(z − max) is as exact as z − max: half an ulp of z, which e^ turns relative.
                slack = 8 + float(np.abs(row).max())
                exact = power / sum(powers)
                assert abs(mp.mpf(float(output)) - exact) <= slack * np.finfo(dtype).eps * exact + (
                    2 * float(np.finfo(dtype).smallest_subnormal)
                )
    np.testing.assert_array_equal(net.forward([[1000, 0, 0, 0, 0, 0, -1000]])[0, :2], [1, 0])
