"""What names of activations say: which function it is, its range and its steepest slope."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpfast import _core

# The infimum and the supremum of σ; the others take every value.
_RANGES = {
    "sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf), "softplus": (0.0, math.inf),
    "gelu": (-0.17, math.inf), "gelu_tanh": (-0.171, math.inf), "silu": (-0.28, math.inf),
    "mish": (-0.31, math.inf), "selu": (-1.76, math.inf), "hard_swish": (-0.375, math.inf),
    "hard_sigmoid": (0.0, 1.0), "sin": (-1.0, 1.0),
}  # fmt: skip
# The supremum of |σ'|, where it is not 1. For gelu, gelu_tanh, silu and mish it is σ' at the zero
# of σ'' above 0: √2, 1.41850, 2.39936 and 1.49057.
_TOP_SLOPES = {
    "sigmoid": 1 / 4, "softmax": 1 / 4, "hard_sigmoid": 1 / 6, "hard_swish": 3 / 2,
    "selu": 1.7580993408473768, "gelu": 1.1289041451851548, "gelu_tanh": 1.1289930686587718,
    "silu": 1.0998393201288669, "mish": 1.0884981612517279,
}  # fmt: skip

# σ' vanishes on both sides.
SATURATING = ("sigmoid", "tanh", "hard_sigmoid")
# Off below 0: such a neuron can be off for every example.
ONE_SIDED = (
    "relu", "elu", "selu", "gelu", "gelu_tanh", "silu", "mish", "softplus", "hard_swish",
)  # fmt: skip


def activation_names(net: _core.Network) -> list[str]:
    """σ of the layers 2, …, L."""
    return [*net.config["hidden"], net.config["output"]]


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


def top_slope(activation: str) -> float:
    """The supremum of |σ'|; of softmax, that of the diagonal a (1 - a) of its derivative."""
    base = base_name(activation)
    if base == "elu":  # α e^z up to 0, and 1 above
        return max(parameter(activation, 1.0), 1.0)
    if base == "leaky_relu":
        return max(parameter(activation, 0.01), 1.0)
    return _TOP_SLOPES.get(activation, 1.0)
