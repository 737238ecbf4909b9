"""What every peer has to find: the equations in float64, one line each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.cases.cases import Problem

Array = NDArray[np.floating[Any]]

# How far a peer may be off, relative to the norm. float32 sums of a thousand terms err by 1e-6 or
# so; where such a sum feeds a relu and should be 0, it may fall on either side, and one example's
# share in the gradient of one neuron comes or goes, some 1e-3 of the norm in the widest case.
TOLERANCES = {"float32": 1e-5, "float64": 1e-12}
RELU_FLOAT32 = 5e-3


def tolerance(problem: Problem) -> float:
    """The largest error that is let through."""
    if problem.case.activation == "relu" and problem.case.dtype == "float32":
        return RELU_FLOAT32
    return TOLERANCES[problem.case.dtype]


def sigma(name: str, z: Array) -> tuple[Array, Array]:
    """σ(z) and σ'(z)."""
    if name == "sigmoid":
        a = 1 / (1 + np.exp(-z))
        return a, a * (1 - a)
    if name == "tanh":
        return np.tanh(z), 1 - np.tanh(z) ** 2
    return np.maximum(z, 0), (z > 0).astype(z.dtype)


def solve(problem: Problem) -> tuple[Array, Array]:
    """a^L, and the gradient as one vector: W^1, b^1, W^2, b^2, ..."""
    weights = [w.astype(np.float64) for w in problem.weights]
    biases = [b.astype(np.float64) for b in problem.biases]
    a: list[Array] = [problem.x.astype(np.float64)]
    slopes: list[Array] = []
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        above, slope = sigma(problem.case.activation, a[-1] @ w.T + b)
        a.append(above)
        slopes.append(slope)
    output = a[-1] @ weights[-1].T + biases[-1]

    delta = (output - problem.y) / len(output)
    parts = []
    for k in reversed(range(len(weights))):
        parts.append((delta.T @ a[k], delta.sum(axis=0)))
        if k > 0:
            delta = (delta @ weights[k]) * slopes[k - 1]
    return output, flat(*zip(*reversed(parts), strict=True))


def flat(weights: Any, biases: Any) -> Array:
    """Gradients as one float64 vector."""
    parts = [part for pair in zip(weights, biases, strict=True) for part in pair]
    return np.concatenate([np.asarray(part, np.float64).ravel() for part in parts])


def distance(got: Array, expected: Array) -> float:
    """‖got - expected‖ / ‖expected‖; infinity where got is not finite or of another shape."""
    if got.shape != expected.shape or not np.isfinite(got).all():
        return float("inf")
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))
