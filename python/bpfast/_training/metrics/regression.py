"""Means over residuals and R², finite wherever the answer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.metrics.scale import scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean_square(residual: NDArray[np.float64]) -> float:
    """The mean of r².

    Examples
    --------
    >>> mean_square(np.array([1e154, -1e154]))
    1e+308
    """
    with np.errstate(over="ignore", under="ignore"):
        numbers, shift = scaled(residual.reshape(-1, 1))
        return float(np.ldexp(np.mean(np.square(numbers)), 2 * shift)[0])


def mean_size(residual: NDArray[np.float64]) -> float:
    r"""The mean of \|r\|.

    Examples
    --------
    >>> mean_size(np.array([1e308, -1e308]))
    1e+308
    """
    with np.errstate(over="ignore", under="ignore"):
        numbers, shift = scaled(residual.reshape(-1, 1))
        return float(np.ldexp(np.mean(np.abs(numbers)), shift)[0])


def r2(residual: NDArray[np.float64], y: NDArray[Any]) -> float:
    """1 - Σ r² / Σ (y - ȳ)², averaged over the columns.

    Examples
    --------
    >>> r2(np.array([[0.0], [0.0], [-1e300]]), np.array([[1e300], [2e300], [3e300]]))
    0.5
    """
    with np.errstate(all="ignore"):
        targets, shift = scaled(y.astype(np.float64))
        change, shift_of_change = scaled(targets - _sums(targets) / len(targets))
        error, shift_of_error = scaled(residual)
        more = 2 * (shift_of_error - shift - shift_of_change)
        ratio = np.ldexp(_sums(np.square(error)) / _sums(np.square(change)), more)
        return float(np.mean(1 - ratio))


def _sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Σ over the examples; transposed first, because NumPy sums pairwise only along rows."""
    sums: NDArray[np.float64] = np.ascontiguousarray(values.T).sum(axis=1)
    return sums
