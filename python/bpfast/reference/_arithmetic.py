"""Sums and products of :mod:`bpfast.reference`."""

import math
from collections.abc import Iterable
from operator import mul


def exact_sum(values: Iterable[float]) -> float:
    """Σ values, rounded once; where that overflows or is not finite, added from left to right."""
    values = list(values)
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # out of range on the way; or ∞ - ∞
        return sum(values)


def dot(u: Iterable[float], v: Iterable[float], start: float = 0.0) -> float:
    """Σ_k u_k v_k, added to start."""
    return exact_sum([start, *map(mul, u, v)])


def times(factor: float, value: float) -> float:
    """The product, and 0 for 0 · ∞: the limit in 0 ln 0, and in z σ(z) as z → -∞."""
    return 0.0 if factor == 0.0 and math.isinf(value) else factor * value
