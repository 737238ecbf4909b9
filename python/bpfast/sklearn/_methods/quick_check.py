"""A check of X for predictions of few examples, faster than that of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, csr_matrix

if TYPE_CHECKING:
    from bpfast.sklearn._methods.base import BaseMLP

# The most numbers of an array that is checked without `validate_data`, whose checks take 0.1 ms.
MAX_CHECKED_NUMBERS = 1 << 18
# Up to here the sum of squares is the fastest check. OpenBLAS sums 10,000 of them by several
# threads, which then spin.
MAX_SUMMED_NUMBERS = 1 << 13
# The largest finite sum of squares, and the one up to which no number is too large for float32.
MAX_SQUARES = {"d": float(np.finfo("d").max), "f": float(np.finfo("f").max) ** 2}


def needs_no_check(estimator: BaseMLP, X: Any) -> bool:
    """Whether X needs no check by scikit-learn: few floats that are finite in the network's dtype.

    X must have one row per example.
    """
    if "feature_names_in_" in estimator.__dict__:  # missing names are a warning
        return False
    kind = type(X)
    if kind is np.ndarray:
        numbers = X
    elif kind is csr_array or kind is csr_matrix:
        numbers = X.data
    else:
        return False
    return (
        X.ndim == 2
        and isinstance(numbers, np.ndarray)  # a damaged matrix may have something else
        and X.shape[1] == estimator.n_features_in_
        and X.shape[0] > 0
        and numbers.size <= MAX_CHECKED_NUMBERS
        and numbers.dtype.char in "df"
        # Where the sum of squares is too large, scikit-learn checks each number.
        and bool(
            float(np.vdot(numbers, numbers)) <= MAX_SQUARES[estimator.network_.dtype.char]
            if numbers.size <= MAX_SUMMED_NUMBERS
            else numbers.dtype.itemsize <= estimator.network_.dtype.itemsize
            and np.isfinite(numbers).all()
        )
    )
