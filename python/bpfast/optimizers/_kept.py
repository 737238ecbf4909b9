"""What an optimizer keeps for its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = NDArray[np.floating[Any]]
Order: TypeAlias = Literal["C", "F"]

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


class Kept:
    """Some numbers for each parameter: ``numbers[i][k]`` is a vector for the array k.

    A vector lies in the order of its array's memory, so that a step goes through both side by side.
    """

    __slots__ = ("__weakref__", "dtypes", "numbers", "orders", "shapes")

    def __init__(self, arrays: Sequence[Array], count: int) -> None:
        self.shapes = [array.shape for array in arrays]
        self.dtypes = [array.dtype for array in arrays]
        self.orders = [order(array) for array in arrays]
        self.numbers = [[np.zeros(a.size, a.dtype) for a in arrays] for _ in range(count)]

    @classmethod
    def of(cls, rows: list[list[Any]]) -> Self:
        """What these arrays say, a row for each of the numbers."""
        for row in rows:
            for array in row:
                if not isinstance(array, np.ndarray):
                    raise ValueError(f"expected NumPy arrays, got {type(array).__name__}")
                if array.dtype.newbyteorder("=") not in FLOATS:
                    raise ValueError(f"expected dtype float32 or float64, got {array.dtype}")
        native = [[a.astype(a.dtype.newbyteorder("="), order="C") for a in row] for row in rows]
        kept = cls(native[0], len(native))
        for k, row in enumerate(native):
            for what, expected in (("shape", kept.shapes), ("dtype", kept.dtypes)):
                if [getattr(array, what) for array in row] != expected:
                    raise ValueError(f"expected arrays of the same {what} under every name")
            kept.numbers[k] = [array.ravel() for array in row]
        return kept

    def arrays(self) -> list[list[Array]]:
        """Copies in the shapes of the parameters."""
        return [
            [
                numbers.reshape(shape, order=order).copy()
                for numbers, shape, order in zip(row, self.shapes, self.orders, strict=True)
            ]
            for row in self.numbers
        ]

    def is_for(self, arrays: Sequence[Any]) -> bool:
        """Whether `arrays` have the shapes, dtypes and orders of those before."""
        if len(arrays) != len(self.shapes):
            return False
        for k, array in enumerate(arrays):
            if not (
                isinstance(array, np.ndarray)
                and array.shape == self.shapes[k]
                and array.dtype == self.dtypes[k]
                and order(array) == self.orders[k]
            ):
                return False
        return True

    def turn_to(self, arrays: Sequence[Array]) -> None:
        """Lay the numbers out as `arrays` lie now.

        Raises
        ------
        ValueError
            They have other shapes or dtypes than those before.
        """
        for what, expected in (("shape", self.shapes), ("dtype", self.dtypes)):
            got = [getattr(array, what) for array in arrays]
            if got != expected:
                wanted = f"{what} {_join(expected)} as in the steps before"
                raise ValueError(f"params: expected {wanted}, got {_join(got)}")
        orders = [order(array) for array in arrays]
        for k, (old, new) in enumerate(zip(self.orders, orders, strict=True)):
            if old != new:
                for row in self.numbers:
                    row[k] = row[k].reshape(self.shapes[k], order=old).ravel(new)
        self.orders = orders


def order(array: Array) -> Order:
    """Row by row, or column by column; `Order` in the core says the same."""
    flags = array.flags
    return "C" if flags.c_contiguous or not flags.f_contiguous else "F"


def _join(parts: Sequence[object]) -> str:
    return ", ".join(map(str, parts))
