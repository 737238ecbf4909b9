"""The plan of a training: the rows of each shard, and which of them a step uses."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast.distributed._shards.tasks import Check, Count, Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bpfast.distributed._engines.engine import Engine
    from bpfast.distributed._shards.shard import Facts


class Plan:
    r"""Numbers that depend on the data and their shards, and not on where these are.

    Attributes
    ----------
    n : int
        The number of examples.
    first : list of int
        The global number of the first row of each shard.
    mean_weight : float or None
        s̄, the mean of \|s_x\| over all examples; None without weights.
    """

    def __init__(self, engine: Engine, model: Model, *, check_finite: bool) -> None:
        facts: tuple[Facts, ...] = engine.run(Count(model))
        self.rows = [fact.rows for fact in facts]
        self.first = [0, *itertools.accumulate(self.rows)]
        self.n = self.first.pop()
        for number, fact in enumerate(facts):
            _agree(number, fact, facts[0])
        self.mean_weight = None
        weights = [fact.weights for fact in facts if fact.weights is not None]
        if weights:
            if not any(fact.has_positive for fact in facts):
                raise ValueError("sample_weight: expected a weight above 0 for an example")
            self.mean_weight = math.fsum(weights) / self.n
            if not math.isfinite(self.mean_weight):
                raise ValueError(f"sample_weight: expected a finite sum, got {sum(weights)}")
        engine.run(Check(model, self.first, finite=check_finite))

    def steps(self, batch_size: int) -> int:
        """The number of mini-batch steps of an epoch."""
        return -(-self.n // batch_size)

    def batches(
        self, seed: int | None, epoch: int, batch_size: int
    ) -> Iterator[dict[int, NDArray[Any]]]:
        """The rows of each step of an epoch, by shard; numbered within the shard.

        The order of an epoch is a function of seed and epoch, as in `Network.fit`.
        """
        order = None if seed is None else _core.permutation(seed, epoch, self.n)
        bounds = np.array([*self.first, self.n])
        for start in range(0, self.n, batch_size):
            end = min(start + batch_size, self.n)
            rows = np.arange(start, end) if order is None else order[start:end].astype(np.int64)
            shard = np.searchsorted(bounds, rows, side="right") - 1
            at = np.argsort(shard, kind="stable")
            numbers, begins = np.unique(shard[at], return_index=True)
            parts = np.split(rows[at], begins[1:])
            yield {int(k): part - self.first[k] for k, part in zip(numbers, parts, strict=True)}

    def local_rounds(
        self, seed: int | None, epoch: int, batch_size: int, every: int
    ) -> Iterator[dict[int, NDArray[Any]]]:
        """The rows of `every` steps of each shard at a time. Each shard has its own order."""
        orders = []
        for number, n in enumerate(self.rows):
            # An own number for the order of each shard in each epoch.
            own = epoch * len(self.rows) + number
            orders.append(np.arange(n) if seed is None else _core.permutation(seed, own, n))
        size = batch_size * every
        for start in range(0, max(self.rows), size):
            yield {
                number: order[start : start + size].astype(np.int64)
                for number, order in enumerate(orders)
                if start < len(order)
            }


def _agree(number: int, fact: Facts, first: Facts) -> None:
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
