"""The state arrays of an optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np

from bpfast._core import memory_order
from bpfast._validation.arrays.masked import refuse_masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bpfast._typing import FloatArray

Order: TypeAlias = Literal["C", "F"]

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
# State of which a step takes the root.
NEVER_NEGATIVE = ("square",)


class StateArrays:
    """State arrays: ``numbers[i][k]`` is a vector, the i-th kind of state for parameter array k.

    A vector has the memory order of its parameter array, so that a step passes through both in
    sequence.
    """

    __slots__ = ("__weakref__", "dtypes", "numbers", "orders", "shapes")

    def __init__(self, arrays: Sequence[FloatArray], count: int) -> None:
        self.shapes = [array.shape for array in arrays]
        self.dtypes = [array.dtype for array in arrays]
        self.orders = [memory_order(array) for array in arrays]
        self.numbers = [[np.zeros(a.size, a.dtype) for a in arrays] for _ in range(count)]

    @classmethod
    def of(cls, rows: Mapping[str, Sequence[Any]]) -> Self:
        """The state with copies of these arrays, by the name of each kind."""
        native = [[_copy_of(name, array) for array in row] for name, row in rows.items()]
        state_arrays, (first, *_) = cls(native[0], len(rows)), rows
        if not native[0]:
            raise ValueError(f"{first}: expected one array or more, got none")
        for k, (name, row) in enumerate(zip(rows, native, strict=True)):
            if len(row) != len(native[0]):
                raise ValueError(f"{name}: expected {len(native[0])} as {first}, got {len(row)}")
            for array, shape, dtype in zip(
                row, state_arrays.shapes, state_arrays.dtypes, strict=True
            ):
                for what, expected in (("shape", shape), ("dtype", dtype)):
                    if (got := getattr(array, what)) != expected:
                        raise ValueError(
                            f"{name}: expected {what} {expected} as {first}, got {got}"
                        )
            state_arrays.numbers[k] = [array.ravel() for array in row]
        return state_arrays

    def arrays(self) -> list[list[FloatArray]]:
        """Copies in the shapes of the parameters."""
        return [
            [
                numbers.reshape(shape, order=order).copy()
                for numbers, shape, order in zip(row, self.shapes, self.orders, strict=True)
            ]
            for row in self.numbers
        ]

    def matches(self, arrays: Sequence[Any]) -> bool:
        """Whether `arrays` have the shapes, dtypes and memory orders of the previous steps."""
        if len(arrays) != len(self.shapes):
            return False
        for k, array in enumerate(arrays):
            if not (
                isinstance(array, np.ndarray)
                and array.shape == self.shapes[k]
                and array.dtype == self.dtypes[k]
                and memory_order(array) == self.orders[k]
            ):
                return False
        return True

    def match_order(self, arrays: Sequence[FloatArray]) -> None:
        """Rearrange the state to the memory order of `arrays`.

        Raises
        ------
        ValueError
            `arrays` have other shapes or dtypes than in the previous steps.
        """
        for what, expected in (("shape", self.shapes), ("dtype", self.dtypes)):
            got = [getattr(array, what) for array in arrays]
            if got != expected:
                before = f"{what} {_join(expected)} as in the steps before"
                raise ValueError(f"params: expected {before}, got {_join(got)}")
        orders = [memory_order(array) for array in arrays]
        for k, (old, new) in enumerate(zip(self.orders, orders, strict=True)):
            if old != new:
                for row in self.numbers:
                    row[k] = row[k].reshape(self.shapes[k], order=old).ravel(new)
        self.orders = orders


def _copy_of(argument: str, value: object) -> FloatArray:
    """A C-contiguous copy in native byte order."""
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{argument}: expected NumPy arrays, got {type(value).__name__}")
    native = value.dtype.newbyteorder("=")
    if native not in FLOATS:
        raise ValueError(f"{argument}: expected dtype float32 or float64, got {value.dtype}")
    refuse_masked(argument, value)
    copied = np.array(value, native, order="C")
    # NaN and infinity are the state after a step that diverged.
    if argument in NEVER_NEGATIVE and (copied < 0).any():
        got = copied[copied < 0][0]
        raise ValueError(f"{argument}: expected numbers of 0 or above, got {got}")
    return copied


def _join(values: Sequence[object]) -> str:
    return ", ".join(map(str, values))
