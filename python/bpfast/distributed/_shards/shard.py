"""One shard: its examples in the form that the gradient uses, and what is known of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast import _core
from bpfast._training.arguments.weights import of_examples
from bpfast._validation.arrays import as_array
from bpfast._validation.inputs import checked_x, converted, count, rows_of
from bpfast._validation.labels_or_columns import as_targets
from bpfast._validation.sparse import is_sparse
from bpfast.distributed._values import ordered_sum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network


class Facts(NamedTuple):
    """What the plan needs to know of a shard."""

    rows: int
    weights: float | None  # Σ |s_x|, None without weights
    has_positive: bool  # whether a weight is above 0
    is_sparse: bool
    y_shape: tuple[int, ...]  # of one example


class Shard:
    """The examples of one shard, converted once."""

    __slots__ = ("weight", "x", "y")

    x: Any
    y: Any

    def __init__(self, net: Network, data: Any) -> None:
        x, y, weight = _three(data)
        x = checked_x(x)
        n = count(x, net.sizes[0])
        y = as_targets(net, as_array("y", y))
        if y.shape[:1] != (n,):
            raise ValueError(f"y: expected {n} rows, as many as x, got shape {y.shape}")
        self.x = x if is_sparse(x) else converted(x, net.dtype)
        is_own = not isinstance(net.config["cost"], str)
        self.y = y if is_own or y.ndim == 1 or y.dtype.kind != "f" else converted(y, net.dtype)
        self.weight = of_examples(weight, n, signed=True)

    def __len__(self) -> int:
        return int(self.x.shape[0])

    @property
    def nbytes(self) -> int:
        """The memory, which Dask asks for."""
        x = (self.x.data, self.x.indices, self.x.indptr) if is_sparse(self.x) else (self.x,)
        weight = () if self.weight is None else (self.weight,)
        return sum(int(array.nbytes) for array in (*x, self.y, *weight))

    def __sizeof__(self) -> int:
        return self.nbytes

    def facts(self) -> Facts:
        """What the plan needs to know."""
        weight = self.weight
        total = None if weight is None else float(ordered_sum(np.abs(weight)))
        positive = weight is None or bool((weight > 0).any())
        return Facts(len(self), total, positive, is_sparse(self.x), self.y.shape[1:])

    def check_numbers(self, net: Network, first: int, *, finite: bool) -> None:
        """Raise ValueError for numbers that cannot be used. Row 0 has the global number `first`."""
        for name, array in (("x", self.x), ("y", self.y)):
            rows = bad_rows(array) if finite else np.empty(0, np.intp)
            if len(rows):
                raise ValueError(_non_finite(name, array, rows, first))
        _core.check_targets(net, self.y, first)

    def take(self, rows: NDArray[Any] | None) -> tuple[Any, Any, Any]:
        """x, y and weights of some rows, or of all."""
        if rows is None:
            return self.x, self.y, self.weight
        weight = self.weight
        return (
            rows_of(self.x, rows),
            rows_of(self.y, rows),
            None if weight is None else rows_of(weight, rows),
        )


def bad_rows(array: Any) -> NDArray[Any]:
    """The rows with a number that is not finite."""
    if is_sparse(array):
        at = np.flatnonzero(~np.isfinite(array.data[: array.indptr[-1]]))
        return np.unique(np.searchsorted(array.indptr, at, side="right") - 1)
    if array.dtype.kind != "f":
        return np.empty(0, np.intp)
    good = np.isfinite(array)
    return np.flatnonzero(~(good if array.ndim == 1 else good.reshape(len(array), -1).all(1)))


def _non_finite(name: str, array: Any, rows: NDArray[Any], first: int) -> str:
    """An error that names the rows by their global numbers."""
    row = array[int(rows[0])]
    numbers = row.data if is_sparse(row) else np.asarray(row).reshape(-1)
    got = numbers[~np.isfinite(numbers)][0]
    text = f"{name}[{first + int(rows[0])}]: expected finite numbers, got {got}"
    if len(rows) > 1:
        shown = ", ".join(str(first + int(row)) for row in rows[:5])
        text += f", and in {len(rows)} rows in all: {shown}" + ", …" * (len(rows) > 5)
    return text


def load(source: Any) -> Any:
    """The data of a shard: what a callable returns, what a file has, or `source` itself."""
    if isinstance(source, str | os.PathLike):
        with np.load(source, allow_pickle=False) as file:
            if not {"x", "y"} <= set(file):
                got = ", ".join(file)
                raise ValueError(f"{os.fspath(source)}: expected arrays x and y, got {got}")
            names = [name for name in ("x", "y", "sample_weight") if name in file]
            return tuple(file[name] for name in names)
    return source() if isinstance(source, Callable) else source  # type: ignore[arg-type]


def _three(data: Any) -> tuple[Any, Any, Any]:
    """x, y and weights of a loaded shard."""
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        got = type(data).__name__
        got += f" of {len(data)}" if isinstance(data, tuple | list) else ""
        raise TypeError(f"expected (x, y) or (x, y, sample_weight), got {got}")
    x, y, *weight = data
    return x, y, weight[0] if weight else None
