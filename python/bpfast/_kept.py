"""What an optimizer keeps for its parameters, and what it accepts as parameters and gradients."""

from collections.abc import Sequence
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]
Order: TypeAlias = Literal["C", "F"]


class Kept:
    """Some numbers for each parameter, as one vector an array, in the order of its memory."""

    __slots__ = ("dtypes", "numbers", "orders", "shapes")

    def __init__(self, arrays: Sequence[Array], count: int) -> None:
        self.shapes = [array.shape for array in arrays]
        self.dtypes = [array.dtype for array in arrays]
        self.orders = [order(array) for array in arrays]
        self.numbers = [[np.zeros(a.size, a.dtype) for a in arrays] for _ in range(count)]

    @classmethod
    def of(cls, rows: list[list[Any]]) -> Self | None:
        """What these arrays say, a row for each of the numbers; None for no rows."""
        if not rows:
            return None
        for row in rows:
            for array in row:
                check_array("state", array, writeable=False)
        kept = cls(rows[0], len(rows))
        for row, numbers in zip(rows, kept.numbers, strict=True):
            if [array.shape for array in row] != kept.shapes:
                raise ValueError("state: expected arrays of the same shapes under every name")
            for k, array in enumerate(row):
                numbers[k][:] = array.ravel(kept.orders[k])
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

    def check(self, arrays: Sequence[Array]) -> None:
        """Raise ValueError where `arrays` are not those of the earlier steps."""
        for what, expected in (("shape", self.shapes), ("dtype", self.dtypes)):
            got = [getattr(array, what) for array in arrays]
            if got != expected:
                text = f"those of the earlier steps, of {what} {_join(expected)}"
                raise ValueError(f"params: expected {text}, got {_join(got)}")

    def reorder(self, orders: list[Order]) -> None:
        """Lay the numbers out in the orders in which the arrays lie now."""
        for k, (old, new) in enumerate(zip(self.orders, orders, strict=True)):
            if old != new:
                for row in self.numbers:
                    row[k] = row[k].reshape(self.shapes[k], order=old).ravel(new)
        self.orders = orders


def order(array: Array) -> Order:
    """Whether the array lies row by row, or else column by column."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def check_array(argument: str, array: object, *, writeable: bool = True) -> None:
    """Raise unless `array` is of float32 or float64, and writeable."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{argument}: expected a NumPy array, got {type(array).__name__}")
    if array.dtype not in (np.float32, np.float64) or not array.dtype.isnative:
        raise TypeError(f"{argument}: expected dtype float32 or float64, got {array.dtype}")
    if writeable and not array.flags.writeable:
        raise ValueError(f"{argument}: expected a writeable array, got a read-only one")


def derivative(argument: str, value: object, array: Array) -> Array:
    """Take the derivatives by `array` as an array of its shape and dtype."""
    got = np.asarray(value)
    if got.dtype.kind not in "buif":
        raise TypeError(f"{argument}: expected real numbers, got dtype {got.dtype}")
    if got.shape != array.shape:
        raise ValueError(f"{argument}: expected shape {array.shape}, got {got.shape}")
    return got.astype(array.dtype, copy=False)


def _join(parts: Sequence[object]) -> str:
    return ", ".join(map(str, parts))
