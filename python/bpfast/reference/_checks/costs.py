"""Costs as Python callables."""

import contextlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

from bpfast.reference._arrays import Matrix, Vector, array, matrix, refuse_masked, refuse_ragged

Cost: TypeAlias = str | Callable[[Any, Any], tuple[Any, Any]]


def custom(cost: Callable[[Any, Any], Any], a: Matrix, y: Any) -> tuple[Vector, Matrix]:
    """C_x of shape (n,) and ∇_a C_x of shape (n, n_L) from a callable cost, called with copies.

    y must have n entries of any kind and one shape.
    """
    refuse_masked("y", y)
    refuse_ragged("y", y)
    given, y = y, y.tolist() if hasattr(y, "tolist") else y
    if not isinstance(y, Sequence) or len(y) != len(a):
        got = f"{len(y)}" if isinstance(y, Sequence) else type(y).__name__
        raise ValueError(f"y: expected {len(a)} entries, got {got}")
    if y is given:
        with contextlib.suppress(Exception):  # an object that cannot be copied is passed itself
            y = deepcopy(y)
    result = cost([row[:] for row in a], y)
    if not isinstance(result, tuple | list):
        got = type(result).__name__
        raise TypeError(f"cost(a, y): expected a pair (C_x, nabla_a C_x), got {got}")
    if len(result) != 2:
        raise ValueError(
            f"cost(a, y): expected a pair (C_x, nabla_a C_x), got {len(result)} values"
        )
    costs: Vector = array("cost(a, y)[0]", result[0], (len(a),))
    return costs, matrix("cost(a, y)[1]", result[1], len(a), len(a[0]))


def named(argument: str, cost: object) -> None:
    """Refuse a callable cost, whose second derivatives are unknown."""
    if callable(cost):
        expected = "a cost by name, whose second derivatives are known"
        raise ValueError(f"{argument}: expected {expected}, got a callable")
