"""Masked values of `numpy.ma`, which are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_masked(array: NDArray[Any]) -> bool:
    """Whether an entry of `array` is masked, by `numpy.ma` or another subclass with a `mask`."""
    return _count_masked(array) > 0


def refuse_masked(argument: str, array: NDArray[Any]) -> None:
    """Raise ValueError if an entry of `array` is masked.

    Examples
    --------
    >>> refuse_masked("x", np.ma.array([1.0, -999.0], mask=[False, True]))
    Traceback (most recent call last):
    ValueError: x: expected no missing values, got 1 masked; fill them in with .filled(value)
    """
    if count := _count_masked(array):
        got = f"{count} masked; fill them in with .filled(value)"
        raise ValueError(f"{argument}: expected no missing values, got {got}")


def _count_masked(array: NDArray[Any]) -> int:
    if type(array) is np.ndarray:
        return 0
    mask: Any = getattr(array, "mask", None)
    is_mask = isinstance(mask, np.ndarray | np.bool_) and mask.dtype == bool
    return int(np.count_nonzero(mask)) if is_mask and mask.shape in ((), array.shape) else 0


def refuse_masked_in(argument: str, value: Any, depth: int) -> None:
    """Refuse masked entries in the arrays within `value`, an array of `depth` axes."""
    if isinstance(value, np.ndarray):
        refuse_masked(argument, value)
    elif depth == 0:
        return
    elif hasattr(value, "__array__"):
        refuse_masked(argument, np.asanyarray(value))
    elif hasattr(value, "__getitem__") and hasattr(value, "__len__") and not _is_buffer(value):
        kinds = set(map(type, value))  # few types, so this is faster than a check of each entry
        plain = float | int | str | bytes | np.generic
        kinds = {kind for kind in kinds if not issubclass(kind, plain)}
        for entry in value if kinds else ():
            if type(entry) in kinds:
                refuse_masked_in(argument, entry, depth - 1)


def _is_buffer(value: Any) -> bool:
    try:
        memoryview(value)
    except TypeError:
        return False
    return True
