"""What names of activations say: which function it is, and the range of its values."""

from __future__ import annotations

import math

# The infimum and the supremum of σ; the others take every value.
_RANGES = {
    "sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf), "softplus": (0.0, math.inf),
    "gelu": (-0.17, math.inf), "gelu_tanh": (-0.17, math.inf), "silu": (-0.28, math.inf),
    "mish": (-0.31, math.inf), "selu": (-1.76, math.inf), "hard_swish": (-0.375, math.inf),
    "hard_sigmoid": (0.0, 1.0), "sin": (-1.0, 1.0),
}  # fmt: skip


def base_name(activation: str) -> str:
    """The name without the parameter: ``"elu"`` of ``"elu(0.5)"``."""
    return activation.partition("(")[0].rstrip()


def parameter(activation: str, default: float) -> float:
    """The parameter of a name that a network has."""
    inside = activation.partition("(")[2]
    return float(inside.removesuffix(")")) if inside else default


def range_of(activation: str) -> tuple[float, float]:
    """The infimum and the supremum of σ."""
    if base_name(activation) == "elu":
        return -parameter(activation, 1.0), math.inf
    return _RANGES.get(activation, (-math.inf, math.inf))
