"""Sums and products of :mod:`bpfast.reference`."""

import math
from collections.abc import Iterable, Sequence
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


def weighted_mean(s: Sequence[float], c: Sequence[float], divisor: float) -> float:
    """Σ_x s_x c_x / divisor; each term is divided if their sum is out of range and no c_x is.

    Examples
    --------
    >>> weighted_mean([1.0, 3.0], [2.0, 4.0], 4.0), weighted_mean([1.0, 1.0], [9e307, 1e308], 2.0)
    (3.5, 9.5e+307)
    """
    mean = dot(s, c) / divisor
    if math.isfinite(mean) or not all(map(math.isfinite, c)):
        return mean
    return dot([s_x / divisor for s_x in s], c)


def times(factor: float, value: float) -> float:
    """The product, and 0 for 0 · ∞: the limit in 0 ln 0, and in z σ(z) as z → -∞."""
    return 0.0 if factor == 0.0 and math.isinf(value) else factor * value
