"""The examples of a fit, checked and not yet encoded for a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bpfast.sklearn._targets.validation import Rows
from bpfast.sklearn._targets.weights import checked

if TYPE_CHECKING:
    import numpy as np


class Examples(NamedTuple):
    """X, y and weights: arrays in `rows`, or dask data, whose numbers stay where they are."""

    x: Any
    y: Any
    weight: Any
    n_features: int
    n_outputs: int
    dtype: np.dtype[Any]
    rows: Rows | None  # None for dask data


def of_arrays(
    estimator: Any, X: Any, y: Any, sample_weight: Any, *, is_new: bool, incremental: bool = False
) -> Examples:
    """Examples in arrays or what NumPy reads.

    Raises
    ------
    ValueError
        They do not fit the estimator.
    """
    X, given, y = estimator._check_examples(
        X, y, reset=is_new, is_first=is_new and not incremental, same_classes=estimator.warm_start
    )
    rows = Rows(X, given, y, checked(sample_weight, X))
    return Examples(X, y, rows.weight, X.shape[1], estimator._count_outputs(y), X.dtype, rows)
