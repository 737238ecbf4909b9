"""Dropout of a step whose examples are in shards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Dropout:
    """Which neurons are dropped: a function of seed, step, layer, place in the step, and neuron.

    The place of an example in the step is its number in the mini-batch, or among all examples, as
    in `Network.fit`. So it does not depend on the shard of the example or on a worker.
    """

    rates: list[float]  # of each hidden layer
    seed: int
    step: int  # that the optimizer does next, counted from 0
    first: list[int]  # the number of the first example of each shard among all

    def of_rows(self, shard: int, n: int, places: NDArray[np.uint32] | None) -> tuple[Any, ...]:
        """Rates, seed and step, and the places of `n` examples of a shard, as `_core` takes them.

        Examples
        --------
        >>> Dropout([0.5], 3, 0, first=[0, 100]).of_rows(1, 2, None)
        ([0.5], 3, 0, array([100, 101], dtype=uint32))
        """
        if places is None:
            places = np.arange(self.first[shard], self.first[shard] + n).astype(np.uint32)
        return self.rates, self.seed, self.step, places
