"""Mean, standard deviation and quantiles over networks, finite wherever the answer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.metrics.scale import scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean_and_std(outputs: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Σ a / k and the root of Σ (a − mean)² / k over the first axis, in the dtype of `outputs`.

    Computed in float64, about a first mean, so that equal numbers have exactly their own mean and a
    deviation of 0. Numbers whose squares float64 cannot hold are scaled by a power of 2.

    Examples
    --------
    >>> mean_and_std(np.array([[1e308], [1e308], [-1e308]]))
    (array([3.33333333e+307]), array([9.42809042e+307]))
    >>> mean_and_std(np.full((5000, 1), 1 / 30, np.float32))
    (array([0.03333334], dtype=float32), array([0.], dtype=float32))
    """
    k = len(outputs)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        a, shift = scaled(outputs.astype(np.float64, copy=False))
        first = _sum(a) / k
        mean = np.where(np.isfinite(first), first + _sum(a - first) / k, first)
        std = np.sqrt(_sum(np.square(a - mean)) / k)
        mean, std = np.ldexp(mean, shift), np.ldexp(std, shift)
        return mean.astype(outputs.dtype), std.astype(outputs.dtype)


def quantiles(outputs: NDArray[Any], levels: float | list[float]) -> NDArray[Any]:
    """The quantiles over the first axis, interpolated linearly, in the dtype of `outputs`.

    Examples
    --------
    >>> quantiles(np.array([[-1.5e308], [1.5e308]]), [0, 0.5, 1]).ravel()
    array([-1.5e+308,  0.0e+000,  1.5e+308])
    """
    ordered = np.sort(outputs, axis=0).astype(np.float64, copy=False)
    has_nan = np.isnan(ordered[-1])  # NaN is sorted last
    found = [
        np.where(has_nan, np.nan, _quantile(ordered, level))
        for level in (levels if isinstance(levels, list) else [levels])
    ]
    shape = (len(found), *outputs.shape[1:]) if isinstance(levels, list) else outputs.shape[1:]
    return np.array(found, np.float64).reshape(shape).astype(outputs.dtype, copy=False)


def _quantile(ordered: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    place = level * (len(ordered) - 1)
    index = int(place)
    share = place - index
    low, high = ordered[index], ordered[min(index + 1, len(ordered) - 1)]
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        half = high / 2 - low / 2  # of the difference, which may overflow
        found = low + half * (2 * share) if share < 0.5 else high - half * (2 * (1 - share))
    result: NDArray[np.float64] = np.where((share == 0) | (low == high), low, found)
    return result


def _sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum over the first axis, one after the other; NumPy's order depends on the shape."""
    total: NDArray[np.float64] = values[0].copy()
    for value in values[1:]:
        total += value
    return total
