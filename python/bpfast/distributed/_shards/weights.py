"""Weights scaled to a mean near 1: float32 has a small range, and only ratios matter."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The smallest number above 0.
SMALLEST = sys.float_info.min * sys.float_info.epsilon


def shift_of(mean_weight: float) -> int:
    r"""The k for which 2^k times the mean of \|s_x\| is at least 1 and below 2.

    A power of 2 changes no bit of a quotient. `fit` divides by the mean itself.

    Examples
    --------
    >>> shift_of(1.0), shift_of(0.3), shift_of(1e300)
    (0, 2, -996)
    """
    return 1 - math.frexp(mean_weight or SMALLEST)[1]  # the mean of tiny weights may vanish


def shifted(weight: NDArray[np.float64] | None, shift: int, n: int) -> NDArray[np.float64] | None:
    """The weights of n examples times 2^shift, which float64 may not be able to hold.

    Examples
    --------
    >>> shifted(np.array([5e-324, 1e-323]), 1074, 2), shifted(None, -1, 2), shifted(None, 0, 2)
    (array([1., 2.]), array([0.5, 0.5]), None)
    """
    if not shift:
        return weight
    return np.ldexp(np.ones(n) if weight is None else weight, shift)
