"""Steps on the driver, whose gradients are sums over the shards, wherever these are."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import numpy as np

from bpfast import _core, schedules
from bpfast._training.locks import bind
from bpfast._training.steps.series import OptimizerGuard
from bpfast._training.stopping.divergence import DivergenceError, failure
from bpfast.distributed._engines.in_range import run_in_range
from bpfast.distributed._ordered_sum.values import exact_sum
from bpfast.distributed._shards.sums import GivenRates, GradientTask, LocalSteps
from bpfast.distributed._shards.weights import shift_of
from bpfast.distributed._steps.dropout import Dropout
from bpfast.distributed._steps.update import Update

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._training.growth import Growth
    from bpfast._training.progress import Progress
    from bpfast.distributed._ordered_sum.values import Part
    from bpfast.distributed._plan import StepRows
    from bpfast.distributed._prepare import Shards
    from bpfast.distributed._settings import ShardSettings
    from bpfast.optimizers import Optimizer

# The settings of steps of a shard alone.
SHARD_SETTINGS = (
    "batch_size", "check_finite", "clip_norm", "dropout", "l1", "l2", "max_norm", "seed",
)  # fmt: skip


class ShardRunner:
    """Does the steps of a training whose examples are in shards.

    With `penalty_per_example`, the penalty of a mini-batch of fewer examples than `batch_size` is
    larger in proportion, as in the loss of scikit-learn.
    """

    def __init__(
        self,
        net: Network,
        settings: ShardSettings,
        optimizer: Optimizer,
        shards: Shards,
        *,
        penalty_per_example: bool = False,
    ) -> None:
        self._net, self._settings, self._optimizer = net, settings, optimizer
        self._shards, self._plan = shards, shards.plan
        mean_weight = self._plan.mean_weight
        # Weights are multiplied by a power of 2, so that float32 can hold them.
        self._shift = 0 if mean_weight is None else shift_of(mean_weight)
        self._update = Update(net, optimizer, settings)
        self._drops = any(settings.dropout)
        self._penalty_per_example = penalty_per_example

    @property
    def examples(self) -> int:
        """The number of examples of an epoch."""
        return self._plan.n

    def run(self, epoch: int, growth: Growth, progress_bar: Progress | None) -> tuple[float, float]:
        """Do the steps of an epoch. Returns the rate of the last step, and the mean cost."""
        self._shards.engine.begin_epoch()
        steps = self._local_steps if self._settings.method == "local" else self._whole_steps
        costs, last_rate = [], 0.0
        for rate, cost, examples in steps(epoch):
            last_rate = rate
            growth.begin(cost)
            costs.append(cost * (examples / self._plan.n))
            if progress_bar is not None:
                progress_bar.advance(examples)
            bind(self._optimizer, self._optimizer._state_arrays, self._net)
        return last_rate, exact_sum(costs)

    def fault(self) -> str | None:
        """Describe the first number that is not finite, if any."""
        try:
            self._shards.check(finite=True)
        except ValueError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Nothing to release between epochs."""

    def total(self, rows: dict[int, StepRows] | None = None) -> tuple[Part, float]:
        """Σ s_x C_x and its gradient, over all examples or some, and the divisor of both, n s̄.

        With the dropout of a step. Weights are multiplied by a power of 2, in the divisor as well.
        """
        settings, shards, dropout = self._settings, self._shards, None
        if self._drops:
            steps = self._optimizer.steps
            dropout = Dropout(settings.dropout, settings.seed, steps, self._plan.first)
        params = _core.copy_params(self._net)
        task = GradientTask(shards.model, params, shards.first, dropout, self._shift)
        total, shift = run_in_range(shards.engine, task, rows)
        mean_weight = self._plan.mean_weight
        mean_weight = math.ldexp(mean_weight, self._shift) if mean_weight else 1.0
        return total, math.ldexp(total.examples * mean_weight, shift)

    def _whole_steps(self, epoch: int) -> Iterator[tuple[float, float, int]]:
        """Do steps whose examples are in all shards: rate, mean cost, and examples of each."""
        settings = self._settings
        batches: Iterable[dict[int, StepRows] | None] = [None]
        if settings.method == "steps":
            batches = self._plan.batches(
                settings.order_seed, epoch, settings.batch_size, places=self._drops
            )
        for step, rows in enumerate(batches):
            rate = self._rate()
            total, divisor = self.total(rows)
            scale = settings.batch_size / total.examples if self._penalty_per_example else 1.0
            if not self._update.step(total, divisor, scale):
                raise failure(self._net, self, epoch, step)
            yield rate, total.cost / divisor, int(total.examples)

    def _rate(self) -> float:
        """The rate of the next step."""
        guard = OptimizerGuard(self._optimizer)
        rate = schedules.rates(self._optimizer.learning_rate, self._optimizer.steps, 1)
        guard.check("learning_rate")
        return float(rate[0])

    def _local_steps(self, epoch: int) -> Iterator[tuple[float, float, int]]:
        """Do rounds of steps of each shard alone: rate, mean cost, and examples of each."""
        settings, optimizer = self._settings, self._optimizer
        size = settings.batch_size
        options = {name: getattr(settings, name) for name in SHARD_SETTINGS}
        rounds = self._plan.local_rounds(settings.order_seed, epoch, size, settings.average_every)
        for k, rows in enumerate(rounds):
            steps = -(-max(map(len, rows.values())) // size)
            schedule, first = optimizer.learning_rate, optimizer.steps
            rates = schedules.rates(schedule, first, steps).tolist()
            rate = rates[-1]
            local, params = copy.deepcopy(optimizer), _core.copy_params(self._net)
            if callable(schedule) and not isinstance(schedule, schedules.Schedule):
                local.learning_rate = GivenRates(first, rates)
            shards, mean_weight = self._shards, self._plan.mean_weight
            task = LocalSteps(shards.model, params, shards.first, local, mean_weight, options)
            before = k * settings.average_every
            try:
                total, shift = run_in_range(shards.engine, task, rows)
            except DivergenceError as error:  # its step is counted from the last average
                raise failure(self._net, self, epoch, before + error.step) from error
            examples = math.ldexp(total.examples, shift)
            vector = total.mean_vector(examples)
            if settings.check_finite and not np.isfinite(vector).all():
                raise failure(self._net, self, epoch, before)
            self._assign(vector, steps)
            yield rate, total.cost / examples, int(total.examples)

    def _assign(self, vector: NDArray[np.float64], steps: int) -> None:
        """Take the mean of parameters and optimizer state."""
        net, optimizer = self._net, self._optimizer
        size, dtype = net.params.size, net.dtype
        state = optimizer.state | {"steps": optimizer.steps + steps}
        at = size
        for name in optimizer._state_names:
            state[name] = vector[at : at + size].astype(dtype)
            at += size
        optimizer.state = state
        _core.assign_params(net, vector[:size].astype(dtype))
