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
