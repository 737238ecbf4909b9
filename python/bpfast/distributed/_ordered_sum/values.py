"""What is computed of a shard, and how the values of two ranges of shards are combined."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


@dataclass
class Part:
    """The sums of some shards: a vector, costs and examples, all in float64."""

    vector: NDArray[np.float64]
    cost: float
    examples: float

    def mean_vector(self, divisor: float) -> NDArray[np.float64]:
        """The vector over `divisor`; its callers look for numbers that are not finite."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            return self.vector / divisor


@dataclass
class Failure:
    """The error of the first shard that raised one."""

    shard: int
    error: BaseException

    def throw(self) -> None:
        """Raise the error, naming the shard."""
        error = self.error
        if type(error) in (TypeError, ValueError):
            raise type(error)(f"shard {self.shard}: {error}") from error
        error.add_note(f"This happened in shard {self.shard}.")
        raise error

    def __reduce__(self) -> tuple[type[Failure], tuple[int, BaseException]]:
        return Failure, (self.shard, sendable(self.error))


def sendable(error: BaseException, where: str = "") -> BaseException:
    """The error in a form that other processes can read: itself, or its text after `where`.

    Examples
    --------
    >>> class TwoError(Exception):
    ...     def __init__(self, what, where):
    ...         super().__init__(f"{what}: {where}")
    >>> sendable(TwoError("file", "bad"))
    RuntimeError('TwoError: file: bad')
    """
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - an error of the user's may raise anything
        return RuntimeError(f"{where}{type(error).__name__}: {error}")
    return error


def combine(left: Any, right: Any) -> Any:
    """The value of two neighbouring ranges of shards. Neither value is changed.

    Parts are added, tuples joined. None is the value of shards without rows in this step.

    Examples
    --------
    >>> combine(Part(np.ones(2), 1.0, 3), Part(np.ones(2), 0.5, 4))
    Part(vector=array([2., 2.]), cost=1.5, examples=7)
    >>> combine((1,), (2,)), combine(None, (2,))
    ((1, 2), (2,))
    """
    if isinstance(left, Failure) or isinstance(right, Failure):
        return left if isinstance(left, Failure) else right
    if left is None or right is None:
        return right if left is None else left
    if isinstance(left, tuple):
        return left + right
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        # Not in place: Dask may need a value again if a worker is lost.
        vector = left.vector + right.vector
    return Part(vector, left.cost + right.cost, left.examples + right.examples)


class Buffers:
    """Adds the parts that one process has made, in place, and uses the memory of others again.

    New memory costs more time than an addition: the system has to clear it.

    Examples
    --------
    >>> buffers = Buffers()
    >>> parts = [Part(buffers.copy(np.ones(2)), 1.0, 3), Part(buffers.copy(np.ones(2)), 0.5, 4)]
    >>> buffers.combine(*parts)
    Part(vector=array([2., 2.]), cost=1.5, examples=7)
    """

    def __init__(self) -> None:
        self._free: list[NDArray[np.float64]] = []

    def copy(self, vector: NDArray[Any]) -> NDArray[np.float64]:
        """`vector` in float64."""
        fits = bool(self._free) and self._free[-1].size == vector.size
        buffer = self._free.pop() if fits else np.empty(vector.size)
        buffer[...] = vector
        return buffer

    def combine(self, left: Any, right: Any) -> Any:
        """`combine`, which may change both values. The sums have the same bits."""
        if not (isinstance(left, Part) and isinstance(right, Part)):
            return combine(left, right)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            left.vector += right.vector
        if self._free and self._free[-1].size != right.vector.size:
            self._free.clear()  # all in the list have one size
        self._free.append(right.vector)
        return Part(left.vector, left.cost + right.cost, left.examples + right.examples)


def ordered_sum(values: NDArray[np.float64]) -> Any:
    """The sum over the first axis, in an order that its length alone determines.

    That of `numpy.sum` may depend on the SIMD level.

    Examples
    --------
    >>> ordered_sum(np.arange(5.0))
    np.float64(10.0)
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        while (n := len(values)) > 1:
            half = n // 2
            pairs = values[:half] + values[half : 2 * half]
            values = pairs if n % 2 == 0 else np.concatenate([pairs, values[-1:]])
    return values[0] if len(values) else np.float64(0)


def exact_sum(values: Iterable[float]) -> float:
    """The sum, rounded once; infinite or NaN where that of floats is, instead of an error.

    Examples
    --------
    >>> exact_sum([1e308, 1e308, -1e308]), exact_sum([1e308, 1e308])
    (1e+308, inf)
    >>> exact_sum([math.inf, -math.inf])
    nan
    """
    values = list(values)
    try:
        return math.fsum(values)
    except OverflowError:  # out of range on the way, where the smallest bits do not count
        return exact_sum(value * 2.0**-64 for value in values) * 2.0**64
    except ValueError:
        return math.nan
