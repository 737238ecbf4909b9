"""The training loop: epochs and steps on the driver, sums over the shards wherever they are."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core, schedules
from bpfast._training.arguments.settings import Settings
from bpfast._training.divergence import DivergenceError
from bpfast._training.locks import bind_state
from bpfast._training.loop import Training
from bpfast._training.steps import OptimizerGuard
from bpfast.distributed._shards.tasks import Check, GradientTask, LocalSteps, Model
from bpfast.distributed._update import Update

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._training.progress import Progress
    from bpfast.distributed._engines.engine import Engine
    from bpfast.distributed._plan import Plan
    from bpfast.distributed._values import Part


class ShardSettings(Settings):
    """Settings, and the plan, which determines the bits too. A checkpoint stores all."""

    __slots__ = ("average_every", "method", "plan")

    plan: Plan

    def __init__(self, net: Network, method: str, average_every: int, **settings: Any) -> None:
        super().__init__(net, dropout=0.0, sparse=False, **settings)
        self.method, self.average_every = method, average_every

    def to_dict(self) -> dict[str, Any]:
        """All settings in JSON types."""
        settings = {name: getattr(self, name) for name in Settings.__slots__}
        shards = [self.plan.n, len(self.plan.rows), _checksum(self.plan.rows)]
        more = {"method": self.method, "average_every": self.average_every, "shards": shards}
        return settings | more


def _checksum(rows: list[int]) -> int:
    """A number that differs if the rows are cut in another way."""
    from zlib import crc32

    return crc32(np.array(rows, "<i8").tobytes())


class Elsewhere:
    """The source of a training whose examples are in shards."""

    examples: int | None = None

    def __init__(self, training: ShardTraining) -> None:
        self._training = training

    def begin(self, epoch: int) -> None:  # noqa: ARG002
        """Find out where the shards are."""
        self._training.engine.begin_epoch()

    def ready(self, most: int) -> int:  # noqa: ARG002
        """No step is done here."""
        return 0

    def fault(self) -> str | None:
        """Describe the first number that is not finite, if any."""
        try:
            self._training.check()
        except ValueError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Nothing to release."""


class ShardTraining(Training):
    """A training whose gradients are sums over shards."""

    settings: ShardSettings

    def __init__(self, engine: Engine, model: Model, plan: Plan, **parts: Any) -> None:
        super().__init__(trainer=None, source=Elsewhere(self), training=None, **parts)  # type: ignore[arg-type]
        self.engine, self.model, self.plan = engine, model, plan
        self.update = Update(self.net, self.optimizer, self.settings)

    def check(self) -> None:
        """Raise ValueError for numbers of the shards that are not finite."""
        self.engine.run(Check(self.model, self.plan.first, finite=True))

    def total(self, rows: dict[int, NDArray[Any]] | None = None) -> Part:
        """Σ s_x C_x and its gradient, over all examples or some."""
        task = GradientTask(self.model, _core.copy_params(self.net))
        total: Part = self.engine.run(task, rows)
        return total

    @property
    def all_weight(self) -> float:
        """Σ |s_x| over all examples."""
        return self.plan.n * (self.plan.mean_weight or 1.0)

    def _all_steps(self, epoch: int, progress_bar: Progress | None) -> tuple[float, float]:
        """Do the steps of an epoch. Returns the rate of the last step, and the mean cost."""
        if self.settings.method == "local":
            return self._local_steps(epoch, progress_bar)
        if self.settings.method == "full":
            return self._step(epoch, 0, None, progress_bar)
        settings, mean = self.settings, self.plan.mean_weight or 1.0
        costs, rate = [], 0.0
        batches = self.plan.batches(settings.order_seed, epoch, settings.batch_size)
        for step, rows in enumerate(batches):
            n = sum(map(len, rows.values()))
            rate, cost = self._step(epoch, step, rows, progress_bar)
            costs.append(cost * n * mean)
        return rate, math.fsum(costs) / self.all_weight

    def _step(
        self,
        epoch: int,
        step: int,
        rows: dict[int, NDArray[Any]] | None,
        progress_bar: Progress | None,
    ) -> tuple[float, float]:
        """Do a step. Returns its rate, and the mean cost of its examples."""
        rate = self._rate()
        total = self.total(rows)
        divisor = total.examples * (self.plan.mean_weight or 1.0)
        if not self.update.step(total, divisor):
            raise self.divergence(epoch, step)
        self._after_step(int(total.examples), progress_bar)
        cost = total.cost / divisor
        self.growth.begin(cost)
        return rate, cost

    def _rate(self) -> float:
        """The rate of the next step."""
        guard = OptimizerGuard(self.optimizer)
        rate = schedules.rates(self.optimizer.learning_rate, self.optimizer.steps, 1)
        guard.check("learning_rate")
        return float(rate[0])

    def _after_step(self, examples: int, progress_bar: Progress | None) -> None:
        """Show the progress, and note that the optimizer's state is of this network."""
        if progress_bar is not None:
            progress_bar.advance(examples)
        if self.optimizer._state_arrays is not None:
            bind_state(self.optimizer._state_arrays, self.net)

    def _local_steps(self, epoch: int, progress_bar: Progress | None) -> tuple[float, float]:
        """Rounds of steps of each shard alone, and averages. Returns rate and mean cost."""
        settings, optimizer, rate = self.settings, self.optimizer, 0.0
        size, costs = settings.batch_size, []
        rounds = self.plan.local_rounds(settings.order_seed, epoch, size, settings.average_every)
        for k, rows in enumerate(rounds):
            steps = -(-max(map(len, rows.values())) // size)
            rate = float(schedules.rates(optimizer.learning_rate, optimizer.steps, steps)[-1])
            local = copy.deepcopy(optimizer)
            options = {
                name: getattr(settings, name)
                for name in ("l1", "l2", "max_norm", "clip_norm", "check_finite")
            }
            params = _core.copy_params(self.net)
            task = LocalSteps(self.model, params, local, self.plan.mean_weight, size, options)
            try:
                total: Part = self.engine.run(task, rows)
            except DivergenceError as error:  # its step is counted from the last average
                raise self.divergence(epoch, k * settings.average_every + error.step) from error
            costs.append(total.cost)
            vector = total.vector / total.examples
            if settings.check_finite and not np.isfinite(vector).all():
                raise self.divergence(epoch, k * settings.average_every)
            self._assign(vector, steps)
            self._after_step(int(total.examples), progress_bar)
            self.growth.begin(total.cost / total.examples)
        return rate, math.fsum(costs) / self.plan.n  # the steps divide the weights by their mean

    def _assign(self, vector: NDArray[np.float64], steps: int) -> None:
        """Take the mean of parameters and optimizer state."""
        net, optimizer = self.net, self.optimizer
        size, dtype = net.params.size, net.dtype
        state = optimizer.state | {"steps": optimizer.steps + steps}
        at = size
        for name in optimizer._state_names:
            state[name] = vector[at : at + size].astype(dtype)
            at += size
        optimizer.state = state
        _core.assign_params(net, vector[:size].astype(dtype))
