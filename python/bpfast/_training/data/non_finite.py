"""The first number of some examples that is not finite, for errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._validation.arrays.sparse import by_rows, is_sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray


def fault(dtype: np.dtype[Any], x: Any, y: Any, names: NDArray[Any] | None = None) -> str | None:
    """Describe the first number that is not finite in `dtype`; None if all are."""
    for name, array in (("x", x), ("y", y)):
        found = _first_bad(dtype, array)
        if found is not None:
            row, got = found
            where = row if names is None else int(names[row])
            expected = (
                "finite numbers" if not np.isfinite(got) else f"numbers that {dtype} can hold"
            )
            return f"{name}[{where}]: expected {expected}, got {got}"
    return None


def _first_bad(dtype: np.dtype[Any], array: Any) -> tuple[int, Any] | None:
    """The first row with a number that is not finite in `dtype`, and that number."""
    indptr: NDArray[Any] | None = None
    if is_sparse(array):  # a dense copy may be larger than memory
        array = by_rows(array)
        indptr = array.indptr
        array = array.data[: indptr[-1]]
    array = np.asarray(array)
    if array.dtype.kind != "f" or not array.size:
        return None
    with np.errstate(over="ignore", under="ignore"):
        bad = ~np.isfinite(array.astype(dtype, copy=False)).reshape(-1)
    if not bad.any():
        return None
    at = int(bad.argmax())
    if indptr is None:
        row = at // (array.size // len(array))
    else:
        row = int(np.searchsorted(indptr, at, side="right")) - 1
    return row, array.reshape(-1)[at]
