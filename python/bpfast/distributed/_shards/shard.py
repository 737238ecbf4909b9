"""One shard: its examples in the form that the gradient uses, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._training.arguments.weights import as_weights, times_class_weight
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.inputs import checked_x, converted, count, rows_of
from bpfast._validation.arrays.labels_or_columns import as_targets
from bpfast._validation.arrays.sparse import is_sparse
from bpfast._validation.iterables import x_y_weight
from bpfast._validation.target_shape import rows_error
from bpfast.distributed._ordered_sum.values import ordered_sum
from bpfast.distributed._shards.facts import NonFinite, ShardFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bpfast._network import Network


class Shard:
    """The examples of one shard, converted once.

    Attributes
    ----------
    numbers : ndarray or None
        The numbers of the examples in the shard that the user gave; None for 0, 1, …
    """

    __slots__ = ("_held_out", "numbers", "weight", "x", "y")

    def __init__(
        self,
        x: Any,
        y: NDArray[Any],
        weight: NDArray[np.float64] | None,
        numbers: NDArray[Any] | None = None,
        held_out: Shard | None = None,
    ) -> None:
        self.x, self.y, self.weight = x, y, weight
        self.numbers, self._held_out = numbers, held_out

    @classmethod
    def of(cls, net: Network, data: Any) -> Shard:
        """The shard of ``(x, y)`` or ``(x, y, sample_weight)`` for a network."""
        x, y, weight = x_y_weight(data)
        x = checked_x(x)
        n = count(x, net.sizes[0])
        y = as_targets(net, as_array("y", y))
        if y.shape[:1] != (n,):
            raise rows_error(n, y.shape)
        x = x if is_sparse(x) else converted(x, net.dtype)
        is_own = not isinstance(net.config["cost"], str)
        y = y if is_own or y.ndim == 1 or y.dtype.kind != "f" else converted(y, net.dtype)
        return cls(x, y, as_weights(weight, n))

    def __len__(self) -> int:
        return int(self.x.shape[0])

    @property
    def nbytes(self) -> int:
        """The memory, which Dask asks for."""
        x = (self.x.data, self.x.indices, self.x.indptr) if is_sparse(self.x) else (self.x,)
        more = [array for array in (self.weight, self.numbers) if array is not None]
        own = sum(int(array.nbytes) for array in (*x, self.y, *more))
        return own + (0 if self._held_out is None else self._held_out.nbytes)

    def __sizeof__(self) -> int:
        return self.nbytes

    def part(self, *, held_out: bool) -> Shard:
        """The held-out examples, or the others."""
        if not held_out:
            return self
        assert self._held_out is not None  # noqa: S101 - asked for only after `hold_out`
        return self._held_out

    def hold_out(self, rows: NDArray[Any]) -> Shard:
        """The shard without some rows, which it keeps apart."""
        rest = np.setdiff1d(np.arange(len(self)), rows, assume_unique=True)
        held_out, others = (
            Shard(*self.take(numbers), numbers=numbers) for numbers in (np.sort(rows), rest)
        )
        others._held_out = held_out
        return others

    def weigh(self, class_weight: Mapping[int, float], outputs: int) -> Shard:
        """The shard with the weights of its classes; those of held-out examples stay the same."""
        if not len(self):
            return Shard(self.x, self.y, np.empty(0), self.numbers, self._held_out)
        weight = times_class_weight(self.weight, class_weight, self.y, outputs)
        return Shard(self.x, self.y, weight, self.numbers, self._held_out)

    def facts(self) -> ShardFacts:
        """What the plan needs to know."""
        weight, first_negative, non_finite = self.weight, None, None
        if weight is None:
            total, has_positive = None, True
        else:
            total = float(ordered_sum(np.abs(weight)))
            has_positive = bool((weight > 0).any())
            if (weight < 0).any():
                row = int((weight < 0).argmax())
                first_negative = self._number(row), float(weight[row])
            if len(rows := bad_rows(weight)):
                numbers = [self._number(int(k)) for k in rows]
                non_finite = NonFinite(numbers, float(weight[rows[0]]))
        is_csr, shape = is_sparse(self.x), self.y.shape[1:]
        return ShardFacts(len(self), total, has_positive, first_negative, non_finite, is_csr, shape)

    def _number(self, row: int) -> int:
        """The number of a row in the shard that the user gave."""
        return row if self.numbers is None else int(self.numbers[row])

    def check_numbers(self, net: Network, first: int, *, finite: bool) -> None:
        """Raise ValueError for numbers that cannot be used. The user's row 0 has number `first`.

        Without `finite`, x and y may have numbers that are not finite.
        """
        arrays: dict[str, Any] = {"x": self.x, "y": self.y, "sample_weight": self.weight}
        for name, array in arrays.items():
            if array is None or not (finite or name == "sample_weight"):
                continue
            if len(rows := bad_rows(array)):
                numbers = [self._number(int(k)) for k in rows]
                got = _first_bad(array[int(rows[0])])
                found = NonFinite(numbers, got, array.dtype.name)
                raise ValueError(found.message(name, first))
        if self.numbers is None:
            _core.check_targets(net, self.y, first)
            return
        for row, number in enumerate(self.numbers):
            _core.check_targets(net, self.y[row : row + 1], first + int(number))

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


def _first_bad(row: Any) -> float:
    """The first number of a row that is not finite."""
    values = row.data if is_sparse(row) else np.asarray(row).reshape(-1)
    return float(values[~np.isfinite(values)][0])
