"""Tasks of a training: the gradient of a step, steps of a shard alone, the held-out examples."""

from __future__ import annotations

import copy
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._calls.methods import summed_backprop
from bpfast.distributed._ordered_sum.values import Part
from bpfast.distributed._shards.task import Model, Task
from bpfast.distributed._shards.weights import shifted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast.distributed._plan import StepRows
    from bpfast.distributed._shards.shard import Shard
    from bpfast.distributed._steps.dropout import Dropout
    from bpfast.optimizers import Optimizer


@contextmanager
def rows_of_the_user(net: Network, shard: Shard, first: int) -> Iterator[None]:
    """Number rows in errors as the user does: row 0 of the shard has the number `first`.

    The shards were checked before the first step, but a callable may return other numbers later.
    """
    try:
        yield
    except ValueError:
        shard.check_numbers(net, first, finite=False)
        raise


class SumTask(Task):
    """A task whose sums can be computed times a power of 2, 2^shift."""

    shift = 0


class GradientTask(SumTask):
    """Σ s_x C_x and its gradient, over all rows or some of each shard.

    The weights s_x are those of the shard times 2^shift.
    """

    name = "bpfast-gradient"

    def __init__(
        self,
        model: Model,
        params: NDArray[Any],
        first: list[int],
        dropout: Dropout | None = None,
        shift: int = 0,
    ) -> None:
        super().__init__(model, params)
        self.first, self.dropout, self.shift = first, dropout, shift

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:
        """The sums of a shard: those that `backprop` computes of its rows."""
        x, y, weight = shard.take(None if rows is None else rows.numbers)
        n = int(x.shape[0])
        if n == 0:
            return None
        net, gradient = self.model.net, self.model.gradient
        dropout = None
        if self.dropout is not None:
            dropout = self.dropout.of_rows(number, n, None if rows is None else rows.places)
        with rows_of_the_user(net, shard, self.first[number]):
            summed_backprop(net, x, y, shifted(weight, self.shift, n), gradient, dropout)
        return Part(self.model.buffers.copy(gradient.flat), gradient.cost, n)


class GivenRates:
    """The rates of some steps, in place of a callable of the user that may have no pickle."""

    def __init__(self, first: int, rates: list[float]) -> None:
        self.first, self.rates = first, rates

    def __call__(self, step: int) -> float:
        return self.rates[step - self.first]


class LocalSteps(SumTask):
    """Some steps on the rows of each shard alone, and the sum of the results times 2^shift."""

    name = "bpfast-local-steps"

    def __init__(
        self,
        model: Model,
        params: NDArray[Any],
        first: list[int],
        optimizer: Optimizer,
        mean_weight: float | None,
        settings: Mapping[str, Any],
    ) -> None:
        super().__init__(model, params)
        self.first, self.optimizer, self.mean_weight = first, optimizer, mean_weight
        self.settings = dict(settings)

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:
        """Parameters and optimizer state after the steps, times the number of examples."""
        assert rows is not None  # noqa: S101 - every step has rows
        assert self.params is not None  # noqa: S101 - of the constructor
        _core.assign_params(self.model.net, self.params)  # the last shard has changed them
        net, optimizer = self.model.net, copy.deepcopy(self.optimizer)
        settings = self.settings.copy()
        size, seed = settings.pop("batch_size"), settings.pop("seed")
        n, batches = len(rows), []
        for start in range(0, n, size):
            x, y, weight = shard.take(rows.numbers[start : start + size])
            batches.append((x, y) if weight is None else (x, y, weight / self.mean_weight))
        # A seed for each shard, so that not all drop the same neurons.
        own = np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> np.uint64(1)
        with rows_of_the_user(net, shard, self.first[number]):
            history = net.fit(batches, epochs=1, optimizer=optimizer, seed=int(own), **settings)
        state = [array for array in optimizer.state.values() if isinstance(array, np.ndarray)]
        vector = np.concatenate([net.params, *state]).astype(np.float64)
        if self.shift:
            vector = np.ldexp(vector, self.shift)
        with np.errstate(over="ignore", under="ignore"):
            return Part(n * vector, n * math.ldexp(float(history.cost[0]), self.shift), n)


class HeldOutCost(SumTask):
    """Σ s_x C_x over the held-out examples, with the weights of the shard times 2^shift as s_x."""

    name = "bpfast-validation-cost"

    def __init__(
        self, model: Model, params: NDArray[Any], first: list[int], shift: int = 0
    ) -> None:
        super().__init__(model, params)
        self.first, self.shift = first, shift

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:  # noqa: ARG002
        """The sum of a shard."""
        held_out = shard.part(held_out=True)
        if not len(held_out):
            return None
        x, y, weight = held_out.take(None)
        weight = shifted(weight, self.shift, len(held_out))
        with rows_of_the_user(self.model.net, held_out, self.first[number]):
            cost = self.model.net.cost(x, y, sample_weight=weight, reduction="sum")
        return Part(np.empty(0), cost, len(held_out))


class HeldOutOutputs(Task):
    """The outputs for the held-out examples."""

    name = "bpfast-validation-outputs"

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:  # noqa: ARG002
        """The outputs of a shard, to be joined."""
        held_out = shard.part(held_out=True)
        if not len(held_out):
            return None
        return (self.model.net.forward(held_out.x),)


class HeldOutTargets(Task):
    """y and the weights of the held-out examples."""

    name = "bpfast-validation-targets"

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:  # noqa: ARG002
        """Those of a shard, to be joined."""
        held_out = shard.part(held_out=True)
        return ((held_out.y, held_out.weight),) if len(held_out) else None
