"""Iterables, without the objects that pass for one and cannot be iterated over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeGuard


def is_iterable(value: Any) -> TypeGuard[Iterable[Any]]:
    """Tell whether `value` can be iterated over.

    An array without axes and a memoryview with several have an `__iter__` that raises.
    """
    axes = getattr(value, "ndim", 1)
    if axes == 0 or (isinstance(value, memoryview) and axes > 1):
        return False
    return isinstance(value, Iterable)
