"""σ'' as `hvp` computes it, and as 40 digits have it."""

import mpmath
import numpy as np
from mpmath import mpf

import bpfast

EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}
TINY = {"float32": 2.0**-126, "float64": 2.0**-1022}


def grid(dtype):
    """Numbers of every size and sign, and near the zeros of σ'' of gelu and silu."""
    sizes = np.geomspace(1e-30, 800.0, 150)
    rng = np.random.default_rng(0)
    near = np.r_[np.sqrt(2) + np.linspace(-1e-6, 1e-6, 11), np.linspace(2.39, 2.41, 11)]
    z = np.r_[0.0, sizes, near, rng.uniform(0, 12, 60)]
    return np.r_[z, -z].astype(dtype)


def sigmoid(z):
    return 1 / (1 + mpmath.exp(-z))


def density(z):
    return mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)


def slope(z):
    return sigmoid(z) * sigmoid(-z)


def gelu_tanh_terms(z):
    """Those of (z s(w))'' = 2 s' w' + z s' w'' + z s'' w'²."""
    a = 2 * mpmath.sqrt(2 / mpmath.pi)
    b = a * 44715 / 10**6
    w, w1, w2 = z * (a + b * z * z), a + 3 * b * z * z, 6 * b * z
    s1 = slope(w)
    return [2 * s1 * w1, z * s1 * w2, z * s1 * (sigmoid(-w) - sigmoid(w)) * w1 * w1]


def mish_terms(z):
    """Those of (z t)'' = 2 t' + z t'', t = tanh(p), p = ln(1 + e^z), p' = s."""
    s, p = sigmoid(z), mpmath.log1p(mpmath.exp(z))
    t1 = 4 * slope(2 * p)
    return [2 * t1 * s, -2 * z * mpmath.tanh(p) * t1 * s * s, z * t1 * slope(z)]


SELU = mpf(1.7580993408473766)

EXACT = {
    "identity": lambda z: mpf(0),
    "relu": lambda z: mpf(0),
    "leaky_relu": lambda z: mpf(0),
    "sigmoid": lambda z: slope(z) * (sigmoid(-z) - sigmoid(z)),
    "tanh": lambda z: -2 * mpmath.tanh(z) * 4 * slope(2 * z),
    "elu": lambda z: mpmath.exp(z) if z <= 0 else mpf(0),
    "gelu": lambda z: density(z) * (2 - z * z),
    "silu": lambda z: slope(z) * (2 + z * (sigmoid(-z) - sigmoid(z))),
    "softplus": slope,
    "elu(0.3)": lambda z: mpf(0.3) * mpmath.exp(z) if z <= 0 else mpf(0),
    "selu": lambda z: SELU * mpmath.exp(z) if z <= 0 else mpf(0),
    "gelu_tanh": lambda z: mpmath.fsum(gelu_tanh_terms(z)),
    "mish": lambda z: mpmath.fsum(mish_terms(z)),
    "hard_sigmoid": lambda z: mpf(0),
    "hard_swish": lambda z: mpf(1) / 3 if abs(z) < 3 else mpf(0),
    "sin": lambda z: -mpmath.sin(z),
}
TANH_NEAR_0 = 0.5  # where 1 - a² is of order 1
# The error that is not relative, in ulp of 1 times this: 1 - a and a + 1 of a stored a keep the
# rounding of a; the factors of gelu and silu cancel near their zeros.
ABSOLUTE = {
    "sigmoid": lambda z: float(sigmoid(mpf(z))),
    "tanh": lambda z: 1.0 if abs(z) > TANH_NEAR_0 else 0.0,
    "elu": lambda z: 1.0 if z <= 0 else 0.0,
    "gelu": lambda z: float(4 * density(mpf(z))),
    "silu": lambda z: float(4 * slope(mpf(z))),
    "elu(0.3)": lambda z: 0.3 if z <= 0 else 0.0,
    "selu": lambda z: 1.76 if z <= 0 else 0.0,
    "gelu_tanh": lambda z: float(sum(map(abs, gelu_tanh_terms(mpf(z))))),
    "mish": lambda z: float(sum(map(abs, mish_terms(mpf(z))))),
    # e^-a of a rounded a.
    "softplus": lambda z: float(abs(z) * slope(mpf(z))) if z > 0 else 0.0,
}


def second_derivatives(activation, z):
    """σ''(z) as `hvp` computes it."""
    net = bpfast.Network([1, len(z), 1], hidden=activation, output="identity", cost="absolute",
                         init="zeros", dtype=z.dtype.name)  # fmt: skip
    net.biases[0] = z
    net.weights[1] = np.ones((1, len(z)))
    v = bpfast.Gradient(net)
    v.flat[:] = 0
    v.biases[0][:] = 1
    a = np.sum(net.trace([[0.0]]).a[1].astype(float))
    return net.hvp([[0.0]], [[min(a, 1e30) - 1e3]], v).biases[0]  # a - y > 0
