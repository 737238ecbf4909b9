"""Iterables that can be iterated over, and tuples of examples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeGuard

# What the argument `validation` accepts, for errors.
OR_FRACTION = "(x, y), (x, y, sample_weight) or a fraction"


def is_iterable(value: Any) -> TypeGuard[Iterable[Any]]:
    """Tell whether `value` can be iterated over.

    An array without axes and a memoryview with several have an `__iter__` that raises.
    """
    axes = getattr(value, "ndim", 1)
    if axes == 0 or (isinstance(value, memoryview) and axes > 1):
        return False
    return isinstance(value, Iterable)


def x_y_weight(
    value: Any, expected: str = "(x, y) or (x, y, sample_weight)"
) -> tuple[Any, Any, Any]:
    """x, y and the weights, None if there are none.

    Examples
    --------
    >>> x_y_weight(([[1.0]], [[2.0]]))
    ([[1.0]], [[2.0]], None)
    >>> x_y_weight([1, 2, 3, 4])
    Traceback (most recent call last):
    TypeError: expected (x, y) or (x, y, sample_weight), got list of 4
    """
    is_sequence = isinstance(value, tuple | list)
    if not is_sequence or len(value) not in (2, 3):
        got = type(value).__name__
        if is_sequence:
            got += f" of {len(value)}"
        raise TypeError(f"expected {expected}, got {got}")
    x, y, *weight = value
    return x, y, weight[0] if weight else None
