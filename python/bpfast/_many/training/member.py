"""The training of one network among many."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import schedules
from bpfast._many.training.job import Job
from bpfast._training.locks import bind
from bpfast._training.stopping.divergence import DivergenceError, failure
from bpfast._training.stopping.early_stopping import EarlyStopping
from bpfast._training.stopping.reason import reason_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from bpfast._core import Trainer
    from bpfast._training.loop import Training

# The most steps whose rates are computed in advance.
MAX_RATES = 1 << 16


@dataclass(kw_only=True)
class Member:
    """A network in training, and how its epochs run."""

    place: int  # in the list of the user
    training: Training
    epochs: int
    examples: int  # of an epoch
    # Without these the epochs run one by one on the calling thread, as for a callable cost.
    trainer: Trainer | None = None
    rows: NDArray[np.uint32] | None = None
    validation: Trainer | None = None
    validation_rows: NDArray[np.uint32] | None = None
    validation_weight: NDArray[np.float64] | None = None
    # Equal for networks whose validation costs are of the same examples.
    validation_key: Hashable = None
    error: Exception | None = None
    _best_params: NDArray[Any] | None = field(default=None, repr=False)

    @property
    def is_done(self) -> bool:
        """Whether no epoch follows."""
        history = self.training.history
        return history.stopped is not None or len(history) >= self.epochs

    def is_behind(self, epoch: int) -> bool:
        """Whether the training goes on, and has not yet done this epoch."""
        return not self.is_done and len(self.training.history) < epoch

    @property
    def needs_python(self) -> bool:
        """Whether Python code runs after each epoch."""
        training = self.training
        in_rust = self.validation is not None or self.validation_rows is not None
        return (
            bool(training.metrics or training.callbacks)
            or training.rate_follows_cost
            or not (training.validation is None or in_rust)
            or not self._stops_in_rust
        )

    @property
    def _stops_in_rust(self) -> bool:
        """Whether early stopping, if any, is the plain rule on a cost."""
        stop = self.training.early_stopping
        if stop is None:
            return True
        is_cost = stop.column(self.training.columns) in ("cost", "validation_cost")
        return is_cost and stop.mode == "min" and type(stop) is EarlyStopping

    @property
    def _steps_per_epoch(self) -> int:
        return -(-self.examples // self.training.settings.batch_size)

    def job(self, until: int) -> Job:
        """The epochs that follow, or some of them, at most up to the epoch `until`."""
        training = self.training
        optimizer, per_epoch = training.optimizer, self._steps_per_epoch
        done = len(training.history)
        epochs = min(until - done, self.epochs - done, max(MAX_RATES // per_epoch, 1))
        if self.needs_python:
            epochs = 1
        rates = schedules.rates(optimizer.learning_rate, optimizer.steps, epochs * per_epoch)
        state_arrays = optimizer._state_for([training.net.params])
        bind(optimizer, state_arrays, training.net)
        trainer: Any = self.trainer  # there is one where `job` is called
        stop = None if self.needs_python else training.early_stopping
        if stop is not None and stop.restore_best and self._best_params is None:
            self._best_params = np.array(training.net.params)
        return Job(
            trainer=trainer,
            optimizer=optimizer,
            state_arrays=state_arrays,
            rates=rates,
            first_epoch=done + 1,
            order_seed=training.settings.order_seed,
            rows=self.rows,
            validation=self.validation,
            validation_rows=self.validation_rows,
            validation_weight=self.validation_weight,
            early_stopping=stop,
            monitors_validation=stop is not None
            and stop.column(training.columns) == "validation_cost",
            best_params=self._best_params,
        )

    def record(self, job: Job, outcome: Any, *, is_interrupted: bool) -> None:
        """Take the epochs of a job into the history.

        After an interrupt no code of the user runs: an epoch that it would complete is not counted.
        """
        training = self.training
        epochs, first_cost, diverged, stopping = outcome
        if first_cost is not None:
            training.growth.begin(first_cost)
        per_epoch = self._steps_per_epoch
        rates = job.rates[per_epoch - 1 :: per_epoch].tolist()
        if not self.needs_python:
            self._record_all(epochs, rates)
        elif not is_interrupted:
            for k, (epoch, rate) in enumerate(zip(epochs, rates, strict=False)):
                training.record(job.first_epoch + k, self._row(epoch, rate))
        if stopping is not None:
            self._stop(*stopping)
        if diverged is not None:
            self.fail(failure(training.net, training.runner, *diverged))

    def _record_all(self, epochs: list[tuple[float, Any, float]], rates: list[float]) -> None:
        """Record epochs to which Python adds nothing."""
        has_validation = self.training.validation is not None
        rows = [
            (cost, seconds, rate, validation_cost)[: 3 + has_validation]
            for (cost, validation_cost, seconds), rate in zip(epochs, rates, strict=False)
        ]
        if rows:
            self.training.record_all(rows, ("validation_cost",) * has_validation)

    def _row(self, epoch: tuple[float, float | None, float], rate: float) -> dict[str, float]:
        """The columns of an epoch, with those that Python computes."""
        training = self.training
        cost, validation_cost, seconds = epoch
        row = {"cost": cost, "seconds": seconds, "learning_rate": rate}
        if training.training is not None:
            row |= training.training.metrics(training.metrics, "")
        if training.validation is not None:
            if validation_cost is None:
                validation_cost = training.validation.cost()
            row["validation_cost"] = validation_cost
            row |= training.validation.metrics(training.metrics, "validation_")
        return row

    def _stop(self, best: float, best_epoch: int, is_over: bool) -> None:
        """Take the state of early stopping after the epochs of a job."""
        training = self.training
        stop: Any = training.early_stopping  # there is one where `_stop` is called
        stop.best, stop.best_epoch = best, best_epoch
        if best_epoch:
            training.best = self._best_params
        if is_over:
            training.history.stopped = "early stopping"

    def fail(self, error: Exception) -> None:
        """End the training at an exception."""
        self.error = error
        self.training.history.stopped = reason_of(error)

    @property
    def has_failed(self) -> bool:
        """Whether an exception ended the training, other than that the numbers diverged."""
        return self.error is not None and not isinstance(self.error, DivergenceError)

    def finish(self) -> None:
        """Restore the best parameters, if early stopping asks for them."""
        if self.error is None:
            self.training.restore_best()
