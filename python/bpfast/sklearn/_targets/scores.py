"""The default scores of validation examples, from the outputs of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast.sklearn._targets.labels import index_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def accuracy(outputs: NDArray[Any], index: NDArray[Any], weight: NDArray[Any] | None) -> float:
    """The weighted fraction of examples with the right class, or with all labels right."""
    if not np.isfinite(outputs).all():
        return np.nan
    if index.ndim == 2:
        right = ((outputs > 0.5) == index).all(axis=1)
    else:
        right = index_of(outputs) == index
    return float(np.average(right, weights=weight))


def r2(outputs: NDArray[Any], y: NDArray[Any], weight: NDArray[Any] | None) -> float:
    """The coefficient of determination R², the mean over the outputs.

    As in `sklearn.metrics.r2_score`, a constant output counts 1 if it is predicted exactly, else 0.
    """
    if not np.isfinite(outputs).all():
        return np.nan
    y = y.astype(np.float64)
    with np.errstate(all="ignore"):
        errors = np.average((y - outputs) ** 2, weights=weight, axis=0)
        mean = np.average(y, weights=weight, axis=0)
        variances = np.average((y - mean) ** 2, weights=weight, axis=0)
        scores = 1 - errors / variances
    return float(np.where(variances > 0, scores, np.where(errors > 0, 0.0, 1.0)).mean())
