"""Small networks of every activation and cost, for numbers that others have computed."""

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bpfast

SIZES, N = [3, 4, 2], 5
WITH_PARAMETER = ["leaky_relu(0.2)", "elu(0.5)"]
HIDDEN = [*(name for name in bpfast.ACTIVATIONS if name != "softmax"), *WITH_PARAMETER]
FREE = ("quadratic", "huber", "absolute")  # costs of any output
# Hidden activation, output, cost: each activation hidden and as an output, each cost.
KINDS = (
    [(hidden, "sigmoid", "quadratic") for hidden in HIDDEN]
    + [("tanh", output, cost) for output in bpfast.ACTIVATIONS for cost in FREE]
    + [("tanh", output, "cross_entropy") for output in ("sigmoid", "softmax")]
    + [("tanh", "softmax", "log_likelihood")]
    + [("tanh", output, "poisson") for output in ("sigmoid", "softplus", "softmax")]
)


def waves(shape: tuple[int, ...], phase: float) -> NDArray[Any]:
    """Numbers between -1 and 1 that no generator has to give again."""
    made: NDArray[Any] = np.cos(phase + 1.7 * np.arange(math.prod(shape))).reshape(shape)
    return made


def parameters() -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Weights and biases."""
    pairs = list(itertools.pairwise(SIZES))
    weights = [waves((n_out, n_in), n_in) for n_in, n_out in pairs]
    return weights, [waves((n_out,), 7 * n_out) for _, n_out in pairs]


def batch(cost: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """x, y and sample_weight."""
    x = 2 * waves((N, SIZES[0]), 0.3)
    y = np.arange(N) % 2 if cost == "log_likelihood" else (waves((N, SIZES[-1]), 0.9) + 1) / 2
    return x, y, waves((N,), 0.5) + 1.5
