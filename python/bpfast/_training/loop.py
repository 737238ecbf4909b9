"""The loop over epochs: a `StepRunner` does the steps, and this module the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from bpfast import _core, schedules
from bpfast._training.growth import Growth
from bpfast._training.progress import Progress
from bpfast._training.steps.monitor import begin
from bpfast._training.stopping.reason import reason_of
from bpfast.history._state import REQUIRED_COLUMNS

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast._training.arguments.settings import Settings
    from bpfast._training.data.examples import Examples, Measured
    from bpfast._training.steps.runner import StepRunner
    from bpfast._training.stopping.early_stopping import EarlyStopping
    from bpfast._typing import Metric
    from bpfast.history._history import History
    from bpfast.optimizers import Optimizer

Callback: TypeAlias = Callable[["Network", "History"], object]


class EndOfEpoch(NamedTuple):
    """What is measured at the end of an epoch, and who decides on the next one."""

    metrics: Mapping[str, Metric] = MappingProxyType({})
    training: Examples | None = None  # None if these are not measured
    validation: Measured | None = None
    early_stopping: EarlyStopping | None = None
    callbacks: Sequence[Callback] = ()


class Training:
    """A network, the data and settings of its training, and the progress so far."""

    def __init__(
        self,
        net: Network,
        runner: StepRunner,
        settings: Settings,
        optimizer: Optimizer,
        history: History,
        end: EndOfEpoch,
    ) -> None:
        self.net, self.runner, self.settings = net, runner, settings
        self.optimizer, self.history = optimizer, history
        self.metrics, self.training, self.validation, self.early_stopping, self.callbacks = end
        self.best: Any = None  # the parameters of the best epoch
        self.growth = Growth()
        begin(self.callbacks, net)
        if self.early_stopping is not None:
            self.early_stopping.column(self.columns)

    def run(self, epochs: int, progress: bool, save: Callable[[Training], None] | None) -> None:
        """Train until the history has `epochs` epochs, or until something stops the training."""
        try:
            # Inside `try`, so that a published history always gets its reason.
            _core.set_training(self.net, self.history, self.optimizer)
            if self._has_stopped_before():
                epochs = len(self.history)
            remaining = max(epochs - len(self.history), 0)
            examples = self.runner.examples
            with Progress(progress and remaining > 0, remaining, examples) as progress_bar:
                for epoch in range(len(self.history) + 1, epochs + 1):
                    is_over = self.epoch(epoch, progress_bar, progress)
                    if save is not None:
                        save(self)
                    if is_over:
                        break
        except BaseException as error:
            self.history.stopped = reason_of(error)
            raise
        finally:
            self.runner.close()
        self.restore_best()

    def restore_best(self) -> None:
        """Give the network the parameters of its best epoch, if early stopping asks for them."""
        if self.best is None:
            return
        _core.assign_params(self.net, self.best)
        epoch = 0 if self.early_stopping is None else self.early_stopping.best_epoch
        self.history._restored = epoch if 1 <= epoch <= len(self.history) else None

    def _has_stopped_before(self) -> bool:
        """Whether the reason that ended the resumed training still applies."""
        history, stopping = self.history, self.early_stopping
        reason, history.stopped = history.stopped, None
        if reason == "early stopping" and stopping is not None and stopping.is_over(len(history)):
            history.stopped = reason
        if reason == "callback" and self._callbacks_stop():
            history.stopped = reason
        return history.stopped is not None

    def _callbacks_stop(self) -> bool:
        """Call each callback. Returns whether one of them returned True."""
        answers = [callback(self.net, self.history) for callback in self.callbacks]
        # Comparisons of history columns return NumPy's True.
        return any(isinstance(answer, bool | np.bool_) and bool(answer) for answer in answers)

    def train_once(self) -> float:
        """Process the examples once, without counting an epoch. Returns their mean cost."""
        try:
            return self.runner.run(0, self.growth, None)[1]
        finally:
            self.runner.close()

    def epoch(self, epoch: int, progress_bar: Progress, progress: bool) -> bool:
        """Run one epoch. Returns whether it is the last."""
        start = time.perf_counter()
        rate, cost = self.runner.run(epoch, self.growth, progress_bar if progress else None)
        row = {"cost": cost, "seconds": 0.0, "learning_rate": rate}
        if self.training is not None:
            row |= self.training.metrics(self.metrics, "")
        if self.validation is not None:
            row["validation_cost"] = self.validation.cost()
            row |= self.validation.metrics(self.metrics, "validation_")
        row["seconds"] = time.perf_counter() - start
        return self._after(epoch, row, progress_bar)

    def _after(self, epoch: int, row: dict[str, float], progress_bar: Progress) -> bool:
        """Record an epoch and show its row. Returns whether it is the last."""
        progress_bar.epoch(row)
        return self.record(epoch, row)

    def record_all(self, rows: list[tuple[float, ...]], more: tuple[str, ...] = ()) -> None:
        """Record epochs about which nothing is left to decide: cost, seconds, rate, then `more`."""
        self.history._extend(rows, more)
        self.growth.warn(max(row[0] for row in rows))

    @property
    def rate_follows_cost(self) -> bool:
        """Whether the schedule may look at the costs of epochs, as Plateau does."""
        rate: Any = self.optimizer.learning_rate
        is_schedule = isinstance(rate, schedules.Schedule)
        return is_schedule and type(rate).report is not schedules.Schedule.report

    def record(self, epoch: int, row: dict[str, float]) -> bool:
        """Record an epoch, call callbacks, check early stopping. Returns whether it is the last."""
        stopping = self.early_stopping
        is_better = stopping is not None and stopping.is_better(epoch, row)
        self.history.append(row)
        self.growth.warn(row["cost"])
        rate = self.optimizer.learning_rate
        if isinstance(rate, schedules.Schedule):  # others may have another `report`
            rate.report(row.get("validation_cost", row["cost"]))
        if stopping is not None:
            if is_better and stopping.restore_best:
                self.best = _core.copy_params(self.net)
            if stopping.is_over(epoch):
                self.history.stopped = "early stopping"
        if self._callbacks_stop():
            self.history.stopped = "callback"
        return self.history.stopped is not None

    @property
    def columns(self) -> list[str]:
        """The columns of a row of the history."""
        names = [*REQUIRED_COLUMNS]
        if self.training is not None:
            names += self.metrics
        if self.validation is not None:
            names += [f"validation_{name}" for name in ("cost", *self.metrics)]
        return names
