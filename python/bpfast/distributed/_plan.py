"""The plan of a training: the rows of each shard, and which of them a step uses."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn
from zlib import crc32

import numpy as np

from bpfast import _core
from bpfast._validation.numbers import format_number
from bpfast.distributed._ordered_sum.values import exact_sum

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from bpfast.distributed._shards.facts import ShardFacts


@dataclass
class StepRows:
    """The rows of a shard that a step uses: numbered in the shard, and their places in the step."""

    numbers: NDArray[np.uint32]
    places: NDArray[np.uint32] | None = None  # only dropout needs them

    def __len__(self) -> int:
        return len(self.numbers)


class Plan:
    r"""Numbers that depend on the data and their shards, and not on where these are.

    Attributes
    ----------
    rows : list of int
        The number of examples of each shard.
    n : int
        The number of examples.
    first : list of int
        The number of the first example of each shard among all.
    mean_weight : float or None
        s̄, the mean of \|s_x\| over all examples; None without weights.
    has_negative : bool
        Whether a weight is below 0.

    Raises
    ------
    ValueError
        A shard has another form than the first, a weight is not finite, or no weight is above 0;
        the message names `weights`, the argument that caused it.
    """

    def __init__(self, facts: Sequence[ShardFacts], weights: str = "sample_weight") -> None:
        self.rows = [fact.rows for fact in facts]
        self.first = [0, *itertools.accumulate(self.rows)]
        self.n = self.first.pop()
        for number, fact in enumerate(facts):
            _agree(number, fact, facts[0])
            if fact.non_finite is not None:
                message = fact.non_finite.message("sample_weight", self.first[number])
                raise ValueError(f"shard {number}: {message}")
        self.has_negative = any(fact.first_negative is not None for fact in facts)
        self.mean_weight = None
        sums = [fact.weights for fact in facts if fact.weights is not None]
        if sums:
            if not any(fact.has_positive for fact in facts):
                self._refuse_no_positive(facts, weights)
            total = exact_sum(sums)
            if not math.isfinite(total):
                raise ValueError(f"{weights}: expected a finite sum, got {total}")
            self.mean_weight = total / self.n

    def _refuse_no_positive(self, facts: Sequence[ShardFacts], weights: str) -> NoReturn:
        """Raise ValueError: no weight is above 0. The first one below 0 is named, if any."""
        got = "all zero"
        for number, fact in enumerate(facts):
            if fact.first_negative is not None:
                row, weight = fact.first_negative
                place = f"example {self.first[number] + row} in shard {number}"
                got = f"none, and {format_number(weight)} for {place}"
                break
        expected = "a weight above 0 for at least one example"
        raise ValueError(f"{weights}: expected {expected}, got {got}")

    @property
    def shards(self) -> list[int]:
        """Numbers that differ if the data are cut in another way."""
        return [self.n, len(self.rows), crc32(np.array(self.rows, "<i8").tobytes())]

    def by_shard(self, rows: NDArray[Any]) -> dict[int, tuple[NDArray[Any], NDArray[Any]]]:
        """Numbers among all examples as numbers within each shard, and where `rows` has them."""
        bounds = np.array([*self.first, self.n])
        shard = np.searchsorted(bounds, rows, side="right") - 1
        at = np.argsort(shard, kind="stable")
        numbers, begins = np.unique(shard[at], return_index=True)
        parts = np.split(at, begins[1:])
        return {
            int(k): ((rows[part] - self.first[k]).astype(np.uint32), part.astype(np.uint32))
            for k, part in zip(numbers, parts, strict=True)
        }

    def batches(
        self, seed: int | None, epoch: int, batch_size: int, *, places: bool
    ) -> Iterator[dict[int, StepRows]]:
        """The rows of each step of an epoch, by shard, with their places in the step if needed.

        The order of an epoch is a function of seed and epoch, as in `Network.fit`.
        """
        order = None if seed is None else _core.permutation(seed, epoch, self.n)
        for start in range(0, self.n, batch_size):
            end = min(start + batch_size, self.n)
            rows = np.arange(start, end) if order is None else order[start:end].astype(np.int64)
            yield {
                k: StepRows(numbers, at if places else None)
                for k, (numbers, at) in self.by_shard(rows).items()
            }

    def local_rounds(
        self, seed: int | None, epoch: int, batch_size: int, every: int
    ) -> Iterator[dict[int, StepRows]]:
        """The rows of `every` steps of each shard at a time. Each shard has its own order."""
        orders = []
        for number, n in enumerate(self.rows):
            # An own number for the order of each shard in each epoch.
            own = epoch * len(self.rows) + number
            order = np.arange(n, dtype=np.uint32)
            orders.append(order if seed is None else _core.permutation(seed, own, n))
        size = batch_size * every
        for start in range(0, max(self.rows), size):
            yield {
                number: StepRows(order[start : start + size])
                for number, order in enumerate(orders)
                if start < len(order)
            }


def _agree(number: int, fact: ShardFacts, first: ShardFacts) -> None:
    """Raise ValueError if a shard has another form than the first."""
    if fact.y_shape != first.y_shape:
        expected = f"entries of shape {first.y_shape}, as in shard 0"
        raise ValueError(f"shard {number}: y: expected {expected}, got {fact.y_shape}")
    kinds = [
        ("x", "sparse", "dense", first.is_sparse, fact.is_sparse),
        ("sample_weight", "weights", "none", first.weights is not None, fact.weights is not None),
    ]
    for name, yes, no, expected_yes, got_yes in kinds:
        if expected_yes != got_yes:
            of_first, got = (yes if is_yes else no for is_yes in (expected_yes, got_yes))
            raise ValueError(
                f"shard {number}: {name}: expected {of_first} as in shard 0, got {got}"
            )
