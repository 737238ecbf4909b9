"""Epoch after epoch: the steps run in `_core`, what lies between two epochs is here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bpfast import schedules
from bpfast._metrics import Metric, measure
from bpfast._progress import Progress
from bpfast.divergence import DivergenceError

if TYPE_CHECKING:
    from bpfast._core import Network, Trainer
    from bpfast._settings import Settings
    from bpfast._sources import Source
    from bpfast.early_stopping import EarlyStopping
    from bpfast.history import History
    from bpfast.optimizers import Optimizer

Callback: TypeAlias = Callable[["Network", "History"], object]

# How long a run of steps is, in seconds, where progress is shown.
SHOWN_RUN = 0.1


class Measured:
    """Examples on which cost and metrics are measured after each epoch."""

    def __init__(self, x: Any, y: Any, sample_weight: Any = None) -> None:
        self.x, self.y, self.sample_weight = x, y, sample_weight

    def cost(self, net: Network) -> float:
        """C."""
        return net.cost(self.x, self.y, sample_weight=self.sample_weight)

    def metrics(self, net: Network, metrics: dict[str, Metric], prefix: str) -> dict[str, float]:
        """Each metric of the network's answers."""
        if not metrics:
            return {}
        return measure(metrics, net.forward(self.x), np.asarray(self.y), prefix)


class Training:
    """A network, what it is trained with, and how far that has come."""

    def __init__(
        self,
        net: Network,
        trainer: Trainer,
        settings: Settings,
        source: Source,
        optimizer: Optimizer,
        history: History,
        *,
        metrics: dict[str, Metric],
        training: Measured | None,
        validation: Measured | None,
        early_stopping: EarlyStopping | None,
        callbacks: Iterable[Callback],
    ) -> None:
        self.net, self.trainer, self.settings = net, trainer, settings
        self.source, self.optimizer, self.history = source, optimizer, history
        self.metrics, self.training, self.validation = metrics, training, validation
        self.early_stopping, self.callbacks = early_stopping, list(callbacks)
        self.best: Any = None  # the parameters of the best epoch
        self._seconds_per_step = 0.0

    def run(self, epochs: int, progress: bool, save: Callable[[Training], None] | None) -> None:
        """Train until there are so many epochs in the history, or until it is to stop."""
        try:
            if self._ends_again():
                epochs = len(self.history)
            left = max(epochs - len(self.history), 0)
            with Progress(progress, left, self.source.examples) as shown:
                for epoch in range(len(self.history) + 1, epochs + 1):
                    is_over = self._epoch(epoch, shown, progress)
                    if save is not None:
                        save(self)
                    if is_over:
                        break
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"
            raise
        except DivergenceError:
            self.history.stopped = "diverged"
            raise
        except BaseException as error:
            self.history.stopped = type(error).__name__
            raise
        finally:
            self.source.close()
        if self.best is not None:
            self.net.params[...] = self.best

    def _ends_again(self) -> bool:
        """Whether what ended the training before it was taken up again still does."""
        history, stopping = self.history, self.early_stopping
        reason, history.stopped = history.stopped, None
        if reason == "early stopping" and stopping is not None and stopping.is_over(len(history)):
            history.stopped = reason
        for callback in self.callbacks if reason == "callback" else ():
            if callback(self.net, history) is True:
                history.stopped = reason
        return history.stopped is not None

    def once(self) -> float:
        """Go through the examples once: their mean cost. No epoch is counted."""
        self.source.begin(0)
        steps = self.source.ready(None)
        rates = schedules.rates(self.optimizer.learning_rate, self.optimizer.steps, steps)
        _, cost, weight = self._steps(0, 0, rates)
        return cost / weight if weight else float("nan")

    def _epoch(self, epoch: int, shown: Progress, progress: bool) -> bool:
        """One epoch: whether it was the last."""
        start = time.perf_counter()
        cost = weight = rate = 0.0
        steps = 0
        self.source.begin(epoch)
        while count := self.source.ready(self._steps_at_once() if progress else None):
            rates = schedules.rates(self.optimizer.learning_rate, self.optimizer.steps, count)
            found = self._steps(epoch, steps, rates)
            cost, weight, steps = cost + found[1], weight + found[2], steps + count
            rate = float(rates[-1])
            shown.advance(found[0])
        row = {
            "cost": cost / weight if weight else float("nan"),
            "seconds": time.perf_counter() - start,
            "learning_rate": rate,
        }
        if self.training is not None:
            row |= self.training.metrics(self.net, self.metrics, "")
        if self.validation is not None:
            row["validation_cost"] = self.validation.cost(self.net)
            row |= self.validation.metrics(self.net, self.metrics, "validation_")
        return self._after(epoch, row, shown)

    def _after(self, epoch: int, row: dict[str, float], shown: Progress) -> bool:
        """What follows from an epoch's figures: whether it was the last."""
        stopping = self.early_stopping
        is_better = stopping is not None and stopping.is_better(epoch, row)
        self.history.append(row)
        shown.epoch(row)
        report = getattr(self.optimizer.learning_rate, "report", None)
        if report is not None:
            report(row.get("validation_cost", row["cost"]))
        is_over = False
        if stopping is not None:
            if is_better and stopping.restore_best:
                self.best = self.net.params.copy()
            if stopping.is_over(epoch):
                self.history.stopped, is_over = "early stopping", True
        for callback in self.callbacks:
            if callback(self.net, self.history) is True:
                self.history.stopped, is_over = "callback", True
        return is_over

    def _steps(self, epoch: int, before: int, rates: Any) -> tuple[int, float, float]:
        """Do some steps: their examples, Σ s_x C_x and Σ s_x."""
        optimizer, start = self.optimizer, time.perf_counter()
        kept = optimizer._fit([self.net.params])
        numbers = [row[0] for row in kept.numbers]
        try:
            diverged = self.trainer.run(rates, optimizer.steps, numbers)
        finally:
            steps, examples, cost, weight = self.trainer.report
            if steps:
                optimizer._take(kept, steps)
        if diverged:
            if fault := self.source.fault():
                raise ValueError(fault)
            raise DivergenceError(epoch, before + steps, "the cost or a parameter")
        self._seconds_per_step = (time.perf_counter() - start) / max(steps, 1)
        return examples, cost, weight

    def _steps_at_once(self) -> int:
        """So many steps that progress is shown often enough."""
        if self._seconds_per_step == 0.0:
            return 1
        return max(int(SHOWN_RUN / self._seconds_per_step), 1)
