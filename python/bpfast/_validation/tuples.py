"""Examples as tuples: (x, y) or (x, y, sample_weight)."""

from __future__ import annotations

from typing import Any

# What the argument `validation` accepts, for errors.
OR_FRACTION = "(x, y), (x, y, sample_weight) or a fraction"


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
