"""Errors of values that are not numeric, with a suggestion for their conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._optional import is_dask
from bpfast._validation.numbers import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The most columns of a table that a message names.
MAX_COLUMNS = 5


def no_numbers(argument: str, value: Any, array: NDArray[Any]) -> TypeError:
    """The error of `value`, which NumPy converts to `array`, whose dtype is not numeric.

    Examples
    --------
    >>> no_numbers("x", None, np.asarray(None))
    TypeError('x: expected real numbers, got NoneType')
    """
    got, hint = f"dtype {array.dtype}", ""
    columns = _columns(value, array)
    if array.ndim == 0 and array.dtype.kind == "O" and not isinstance(value, np.ndarray):
        got = type(value).__name__  # NumPy does not know the type
        if is_dask(value):
            hint = f"; {argument}.compute() has them"
        elif hasattr(value, "toarray"):
            hint = f"; {argument}.toarray() has them"
    elif columns:
        got = f"column{'s' * (len(columns) > 1)} {', '.join(columns[:MAX_COLUMNS])}"
        if len(columns) > MAX_COLUMNS:
            got += f" and {len(columns) - MAX_COLUMNS} more"
        if _converts(array):
            hint = f"; {argument}.to_numpy(dtype=float) converts it if all are numbers"
    elif argument == "y" and array.ndim == 1 and _is_text(array) and not _converts(array):
        names = f"names, {argument} = np.unique({argument}, return_inverse=True)"
        hint = f"; for cross_entropy and log_likelihood convert names to labels: {names}"
    elif array.dtype.kind == "O" and hasattr(value, "to_numpy"):
        hint = f"; {argument}.to_numpy(dtype=float) converts it if all are numbers"
    elif array.dtype.kind in "OUS" and isinstance(value, np.ndarray):
        hint = f"; {argument}.astype(float) converts it if all are numbers"
    return TypeError(f"{argument}: expected real numbers, got {got}{hint}")


def _converts(array: NDArray[Any]) -> bool:
    try:
        array.astype(float)
    except (TypeError, ValueError):
        return False
    return array.dtype.kind in "OUST"


def _is_text(array: NDArray[Any]) -> bool:
    return array.dtype.kind in "UST" or (array.size > 0 and isinstance(array[0], str))


def _columns(value: Any, array: NDArray[Any]) -> list[str]:
    """The columns of a table that are not numeric, each with its dtype."""
    names: Any = getattr(value, "columns", None)
    dtypes: Any = getattr(value, "dtypes", None)
    if not (hasattr(names, "__len__") and hasattr(dtypes, "__len__") and array.ndim == 2):
        return []
    if not len(names) == len(dtypes) == array.shape[1]:
        return []
    return [
        f"{name!r} of dtype {dtype}"
        for name, dtype, column in zip(names, dtypes, array.T, strict=True)
        if getattr(dtype, "kind", "O") not in "biuf" and not all(map(is_number, column))
    ]
