"""What does the steps of an epoch: the protocol, and the one whose steps run in `_core`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from bpfast import _core, schedules
from bpfast._training.locks import bind
from bpfast._training.steps.monitor import step_monitors
from bpfast._training.steps.series import OptimizerGuard, run_steps
from bpfast._training.stopping.divergence import failure
from bpfast._validation.network import refuse_other_params
from bpfast.schedules import Schedule, WarmUp

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from bpfast._core import Trainer
    from bpfast._network import Network
    from bpfast._training.data.sources import Source
    from bpfast._training.growth import Growth
    from bpfast._training.progress import Progress
    from bpfast.optimizers import Optimizer

# The duration of a series of steps between two updates of the progress, in seconds.
SECONDS_BETWEEN_UPDATES = 0.1
# The most steps of a series; their rates are computed before it.
MAX_STEPS_AT_ONCE = 1 << 16


class StepRunner(Protocol):
    """Does the steps of an epoch, wherever its examples are."""

    @property
    def examples(self) -> int | None:
        """The number of examples of an epoch, if known."""

    def run(self, epoch: int, growth: Growth, progress_bar: Progress | None) -> tuple[float, float]:
        """Do the steps of an epoch, counted from 1.

        `growth` gets the cost of the first step of the training, and `progress_bar` the number of
        examples of each step or series of steps. Returns the rate of the last step, and
        Σ s_x C_x / n over the examples.

        Raises
        ------
        DivergenceError
            The numbers of a step are not finite; it is not done.
        ValueError
            The parameters before a step, or its examples, are not finite.
        """

    def fault(self) -> str | None:
        """Describe the first number that is not finite in the examples of the next step, if any."""

    def close(self) -> None:
        """Release everything that an unfinished epoch holds."""


class TrainerRunner:
    """Steps of a `Trainer`, many in one call, on the examples that a source loads.

    Callbacks that record steps get the records of each call.
    """

    def __init__(
        self,
        net: Network,
        trainer: Trainer,
        source: Source,
        optimizer: Optimizer,
        callbacks: Iterable[Any] = (),
    ) -> None:
        self._net, self._trainer, self._source = net, trainer, source
        self._optimizer = optimizer
        self._monitors = step_monitors(callbacks)
        for monitor in self._monitors:
            trainer.monitor(monitor._every_steps, monitor._cosine)
        self._seconds_per_step = 0.0

    @property
    def examples(self) -> int | None:
        """The number of examples of an epoch, if known."""
        return self._source.examples

    def run(self, epoch: int, growth: Growth, progress_bar: Progress | None) -> tuple[float, float]:
        """Do the steps of an epoch."""
        cost = rate = 0.0
        steps = 0
        self._source.begin(epoch)
        self._trainer.reset_cost()
        while count := self._source.ready(self._most_steps(growth, progress_bar)):
            rates = self._rates(count)
            examples_done, cost = self._steps(epoch, steps, rates)
            steps += count
            growth.begin(cost)
            rate = float(rates[-1])
            if progress_bar is not None:
                progress_bar.advance(examples_done)
        return rate, cost

    def _rates(self, count: int) -> NDArray[np.float64]:
        """The rates of the next steps. A schedule of the user must not change what is trained."""
        optimizer, rate = self._optimizer, self._optimizer.learning_rate
        guard = OptimizerGuard(optimizer)
        is_own = callable(rate) and (not isinstance(rate, Schedule) or isinstance(rate, WarmUp))
        params = _core.copy_params(self._net) if is_own else None
        rates = schedules.rates(rate, optimizer.steps, count)
        guard.check("learning_rate")
        if params is not None:
            refuse_other_params(self._net, params, "learning_rate")
        return rates

    def _steps(self, epoch: int, before: int, rates: Any) -> tuple[int, float]:
        """Do some steps. Returns the number of examples, and the mean cost of the epoch so far."""
        net, start = self._net, time.perf_counter()
        state_arrays = self._optimizer._state_for([net.params])
        bind(self._optimizer, state_arrays, net)
        try:
            report = run_steps(net, self._trainer, rates, self._optimizer, state_arrays)
        finally:
            for index, monitor in enumerate(self._monitors):
                monitor._add_steps(net, epoch, self._trainer.records(index))
        if report.diverged:
            raise failure(net, self, epoch, before + report.steps)
        self._seconds_per_step = (time.perf_counter() - start) / max(report.steps, 1)
        return report.examples, report.cost

    def _most_steps(self, growth: Growth, progress_bar: Progress | None) -> int:
        """The number of steps until the next update of the progress bar, or the next curvature."""
        if not growth.has_begun:
            return 1  # the cost of the first step is what later ones are compared with
        most = MAX_STEPS_AT_ONCE if progress_bar is None else self._steps_at_once()
        done = self._optimizer.steps
        periods = (monitor._every_steps for monitor in self._monitors if monitor._curvature)
        return min([most, *(k - done % k for k in periods)])

    def _steps_at_once(self) -> int:
        """The number of steps between two updates of the progress bar."""
        if self._seconds_per_step == 0.0:
            return 1
        return min(max(int(SECONDS_BETWEEN_UPDATES / self._seconds_per_step), 1), MAX_STEPS_AT_ONCE)

    def fault(self) -> str | None:
        """Describe the first number that is not finite in the examples of the next step, if any."""
        return self._source.fault()

    def close(self) -> None:
        """Release everything that an unfinished epoch holds."""
        self._source.close()
