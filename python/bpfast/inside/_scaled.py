"""Sums of squares that neither overflow nor underflow where their root is a number.

Values are divided by a power of 2 near the largest one, which changes no bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._underflow import underflows

if TYPE_CHECKING:
    from bpfast._typing import FloatArray

# 2^±1000: quotients by a scale, and products with it, are numbers where they should be.
MAX_EXPONENT = 1000


def scale_of(values: FloatArray | float, axis: int | None = None) -> Any:
    """A power of 2 near the largest absolute value; 1 for none, zeros, infinity and NaN.

    Examples
    --------
    >>> scale_of(np.array([[3.0, 0.0], [1e200, 0.0]]), axis=0).tolist() == [2.0**664, 1.0]
    True
    >>> float(scale_of(np.array([1.0, np.inf])))
    1.0
    """
    largest = np.abs(values).max(axis=axis, initial=0.0)
    known = (largest > 0) & np.isfinite(largest)
    exponent = np.clip(np.frexp(np.where(known, largest, 1.0))[1] - 1, -MAX_EXPONENT, MAX_EXPONENT)
    return np.ldexp(1.0, exponent)


@underflows
def rms(values: FloatArray, axis: int | None = None) -> Any:
    """√mean(x²).

    Examples
    --------
    >>> rms(np.array([3e200, -4e200])) == np.sqrt(12.5) * 1e200
    np.True_
    """
    scale = scale_of(values, axis)
    return np.sqrt(np.mean(np.square(_divided(values, scale, axis)), axis=axis)) * scale


@underflows
def norm(values: FloatArray, axis: int | None = None) -> Any:
    """√Σ x².

    Examples
    --------
    >>> norm(np.array([[3e-200, 4e-200], [0.0, 0.0]]), axis=1).tolist()
    [5e-200, 0.0]
    """
    scale = scale_of(values, axis)
    return np.sqrt(np.square(_divided(values, scale, axis)).sum(axis=axis)) * scale


def _divided(values: FloatArray, scale: Any, axis: int | None) -> FloatArray:
    quotients: FloatArray = values / (scale if axis is None else np.expand_dims(scale, axis))
    return quotients
