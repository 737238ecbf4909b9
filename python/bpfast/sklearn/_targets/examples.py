"""The examples of a fit, checked and not yet encoded for a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bpfast.sklearn._targets.validation import Rows
from bpfast.sklearn._targets.weights import checked_weights

if TYPE_CHECKING:
    import numpy as np


class EstimatorExamples(NamedTuple):
    """X, y and weights: arrays in `rows`, or dask data, whose numbers stay where they are."""

    x: Any
    y: Any
    weight: Any
    n_features: int
    n_outputs: int
    dtype: np.dtype[Any]
    rows: Rows | None  # None for dask data


def examples_of_arrays(
    estimator: Any, X: Any, y: Any, sample_weight: Any, *, is_new: bool, incremental: bool = False
) -> EstimatorExamples:
    """Examples in arrays or what NumPy reads.

    Raises
    ------
    ValueError
        They do not fit the estimator.
    """
    X, given, y = estimator._check_examples(
        X, y, reset=is_new, is_first=is_new and not incremental, same_classes=estimator.warm_start
    )
    rows = Rows(X, given, y, checked_weights(sample_weight, X))
    return EstimatorExamples(
        X, y, rows.weight, X.shape[1], estimator._count_outputs(y), X.dtype, rows
    )
