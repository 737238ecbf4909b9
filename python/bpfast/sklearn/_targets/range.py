"""Numbers that the dtype of a network cannot hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse


def refuse_too_large(argument: str, array: Any, dtype: np.dtype[Any]) -> None:
    """Raise ValueError if a finite number of `array` would be infinite in `dtype`.

    The message is that of scikit-learn, which checks X and y before they are converted.

    Examples
    --------
    >>> refuse_too_large("X", np.array([1e39]), np.dtype("float32"))
    Traceback (most recent call last):
    ValueError: Input X contains infinity or a value too large for dtype('float32').
    """
    numbers = array.data if sparse.issparse(array) else np.asarray(array)
    if numbers.dtype.kind != "f" or numbers.dtype.itemsize <= dtype.itemsize or not numbers.size:
        return
    with np.errstate(over="ignore", under="ignore"):
        limits = np.array([numbers.min(), numbers.max()]).astype(dtype)
    if np.isinf(limits).any():
        raise ValueError(f"Input {argument} contains infinity or a value too large for {dtype!r}.")
