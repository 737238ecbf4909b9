"""Powers of two that keep the squares of numbers, and sums of these, in the range of float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Numbers up to 2^this, and down to 2^-this, have squares whose sums float64 can hold.
MAX_EXPONENT = 400


def scaled(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intc]]:
    """The values over 2^k, and the k of each column along the first axis: mostly 0.

    Examples
    --------
    >>> numbers, shift = scaled(np.array([[1.0, 2.0**1000], [3.0, 0.0]]))
    >>> numbers.tolist(), shift.tolist()
    ([[1.0, 0.5], [3.0, 0.0]], [0, 1001])
    """
    exponents: NDArray[Any] = np.frexp(np.abs(values).max(axis=0))[1]  # 0 for NaN and infinity
    shift = np.where(np.abs(exponents) > MAX_EXPONENT, exponents, 0).astype(np.intc)
    return (np.ldexp(values, -shift) if shift.any() else values), shift
