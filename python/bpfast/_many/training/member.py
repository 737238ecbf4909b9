"""The training of one network among many."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core, schedules
from bpfast._many.shared import SharedData
from bpfast._training.arguments.training_data import (
    Request,
    check_cost,
    new_trainer,
    of_arrays,
)
from bpfast._training.arguments.unusual_targets import warn_of_targets
from bpfast._training.arguments.weights import (
    check_classes,
    of_examples,
    refuse_all_zero,
    refuse_negative,
)
from bpfast._training.data.examples import HELD_OUT, Examples
from bpfast._training.divergence import failure
from bpfast._training.early_stopping import EarlyStopping
from bpfast._training.locks import bind_state
from bpfast._training.loop import Training
from bpfast._training.metrics.accuracy import for_targets
from bpfast._training.step_runner import TrainerRunner
from bpfast._training.stopped import reason_of
from bpfast._validation.naming import naming
from bpfast._validation.numbers import is_number, number
from bpfast.history._history import History
from bpfast.schedules._rates import as_schedule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._core import Trainer
    from bpfast._network import Network
    from bpfast._training.arguments.settings import Settings
    from bpfast._training.growth import Growth
    from bpfast._training.progress import Progress
    from bpfast._typing import Metric
    from bpfast.optimizers import Optimizer

# The most steps whose rates are computed in advance.
MOST_RATES = 1 << 16


@dataclass
class Job:
    """Some epochs of one training, as `_core.run_epochs` reads it."""

    trainer: Trainer
    optimizer: Optimizer
    state_arrays: Any
    rates: NDArray[np.float64]
    first_epoch: int
    order_seed: int | None
    rows: NDArray[np.uint32] | None
    validation: Trainer | None
    validation_rows: NDArray[np.uint32] | None
    validation_weight: NDArray[np.float64] | None
    stopping: tuple[int, float, float, int, bool] | None
    best_params: NDArray[Any] | None


@dataclass
class Options:
    """The arguments of one network's training."""

    epochs: int
    settings: Settings
    optimizer: Optimizer
    early_stopping: EarlyStopping | None
    metrics: dict[str, Metric]
    validation: Any
    class_weight: Any
    sample_weight: Any
    rows: NDArray[np.uint32] | None
    validation_rows: NDArray[np.uint32] | None


class Elsewhere:
    """The runner of a training whose epochs run in `_core.run_epochs`."""

    def __init__(self, examples: Examples) -> None:
        self._data = examples
        self.examples: int | None = len(examples)

    def run(self, epoch: int, growth: Growth, progress_bar: Progress | None) -> tuple[float, float]:
        """No step is done here."""
        raise NotImplementedError

    def fault(self) -> str | None:
        """Describe the first number of the examples that is not finite, if any."""
        return self._data.fault()

    def close(self) -> None:
        """Nothing to release."""


@dataclass
class Member:
    """A network in training, and how its epochs run."""

    training: Training
    epochs: int
    # Without these the epochs run one by one on the calling thread, as for a callable cost.
    trainer: Trainer | None = None
    rows: NDArray[np.uint32] | None = None
    validation: Trainer | None = None
    validation_rows: NDArray[np.uint32] | None = None
    validation_weight: NDArray[np.float64] | None = None
    examples: int = 0
    error: Exception | None = None
    _best_params: NDArray[Any] | None = field(default=None, repr=False)

    @property
    def is_done(self) -> bool:
        """Whether no epoch follows."""
        history = self.training.history
        return history.stopped is not None or len(history) >= self.epochs

    @property
    def needs_python(self) -> bool:
        """Whether Python code runs after each epoch."""
        training = self.training
        in_rust = self.validation is not None or self.validation_rows is not None
        return (
            bool(training.metrics)
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

    def job(self, most: int) -> Job:
        """At most `most` of the epochs that follow."""
        training = self.training
        optimizer, settings = training.optimizer, training.settings
        done = len(training.history)
        per_epoch = -(-self.examples // settings.batch_size)
        epochs = min(most, self.epochs - done, max(MOST_RATES // per_epoch, 1))
        if self.needs_python:
            epochs = 1
        rates = schedules.rates(optimizer.learning_rate, optimizer.steps, epochs * per_epoch)
        state_arrays = optimizer._state_for([training.net.params])
        bind_state(state_arrays, training.net)
        stop = training.early_stopping
        stopping = None
        if stop is not None and not self.needs_python:
            # Rust applies the rule; `record` takes its result.
            of_validation = stop.column(training.columns) == "validation_cost"
            stopping = (stop.patience, stop.min_delta, stop.best, stop.best_epoch, of_validation)
            if stop.restore_best and self._best_params is None:
                self._best_params = np.array(training.net.params)
        trainer: Any = self.trainer  # there is one where `job` is called
        return Job(
            trainer,
            optimizer,
            state_arrays,
            rates,
            done + 1,
            settings.order_seed,
            self.rows,
            self.validation,
            self.validation_rows,
            self.validation_weight,
            stopping,
            self._best_params,
        )

    def record(self, job: Job, outcome: Any) -> None:
        """Take the epochs of a job into the history."""
        training = self.training
        epochs, first_cost, diverged, stopping = outcome
        if first_cost is not None:
            training.growth.begin(first_cost)
        per_epoch = -(-self.examples // training.settings.batch_size)
        rates = job.rates[per_epoch - 1 :: per_epoch].tolist()
        if self.needs_python:
            for k, (epoch, rate) in enumerate(zip(epochs, rates, strict=False)):
                training.record(job.first_epoch + k, self._row(epoch, rate))
        elif epochs:
            has_validation = training.validation is not None
            rows = [
                (cost, seconds, rate, validation_cost)[: 3 + has_validation]
                for (cost, validation_cost, seconds), rate in zip(epochs, rates, strict=False)
            ]
            training.record_all(rows, ("validation_cost",) * has_validation)
        if stopping is not None:
            self._stop(*stopping)
        if diverged is not None:
            self.error = failure(training.net, training.runner, *diverged)
            training.history.stopped = reason_of(self.error)

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

    def finish(self) -> None:
        """Restore the best parameters, if early stopping asks for them."""
        if self.training.best is not None and self.error is None:
            _core.assign_params(self.training.net, self.training.best)


def new_member(
    data: SharedData, validations: dict[int, SharedData], net: Network, options: Options
) -> Member:
    """The training of a network on shared data."""
    settings, optimizer = options.settings, options.optimizer
    group = data.group(net, settings, optimizer)
    if group.trainer is None or not isinstance(net.config["cost"], str):
        return _own_member(data, net, options)
    n = len(group.examples)
    weight = of_examples(options.sample_weight, n, signed=True)
    refuse_all_zero("sample_weight", weight)
    rows, held_rows = _rows(options, n)
    examples = group.examples.of_network(net, rows, weight)
    all_y = group.examples.of_network(net, options.rows, None).y
    measures, kind = for_targets(options.metrics, all_y, net)
    if options.class_weight is not None:
        check_classes(options.class_weight, examples.y, net.sizes[-1])
    held_out: Examples | None = None
    validation: Trainer | None = None
    if held_rows is not None:
        held_out = group.examples.of_network(net, held_rows, weight)
        refuse_negative(held_out.sample_weight)
        refuse_all_zero("sample_weight", held_out.sample_weight)
        for_targets(options.metrics, held_out.y, net, kind)
    elif options.validation is not None:
        with naming("validation"):
            shared = validations.setdefault(
                id(options.validation), SharedData(*_parts(options.validation), dense=True)
            )
            of_validation = shared.group(net, settings, optimizer)
            theirs = of_validation.examples
            held_out = theirs.of_network(net, None, theirs.sample_weight)
            validation = of_validation.trainer
            for_targets(options.metrics, held_out.y, net, kind)
    examples.weigh(options.class_weight)
    trainer = new_trainer(net, settings, optimizer, settings.batch_size)
    trainer.share(group.trainer, _of_all_rows(examples.sample_weight, rows, n))
    if data.is_new(group, net):
        warn_of_targets(net, examples.y, examples.sample_weight)
    training = Training(
        net,
        Elsewhere(examples),
        settings,
        optimizer,
        History(seed=settings.seed),
        metrics=measures,
        training=examples,
        validation=held_out,
        early_stopping=options.early_stopping,
        callbacks=(),
    )
    if held_out is not None:
        check_cost(held_out, settings)
    return Member(
        training,
        options.epochs,
        trainer,
        rows,
        validation,
        held_rows if validation is None else None,
        weight if held_rows is not None else None,
        len(examples),
    )


def _own_member(data: SharedData, net: Network, options: Options) -> Member:
    """A training of its own, with copies of its rows, as for a callable cost."""
    x, y = data.x, data.y
    weight, validation = options.sample_weight, options.validation
    n = len(y)
    rows, held = _rows(options, n)
    if held is not None and options.validation_rows is not None:
        parts = [np.asarray(part)[held] for part in (x, y)]
        validation = tuple(parts) if weight is None else (*parts, np.asarray(weight)[held])
        x, y = np.asarray(x)[rows], np.asarray(y)[rows]
        weight = None if weight is None else np.asarray(weight)[rows]
    elif options.rows is not None:
        x, y = np.asarray(x)[options.rows], np.asarray(y)[options.rows]
        weight = None if weight is None else np.asarray(weight)[options.rows]
    request = Request(net, options.settings, options.optimizer, validation, options.metrics)
    parts_ = of_arrays(request, x, y, class_weight=options.class_weight, sample_weight=weight)
    training = Training(
        net, TrainerRunner(net, parts_.trainer, parts_.source, options.optimizer),
        options.settings, options.optimizer,
        History(seed=options.settings.seed), metrics=parts_.metrics, training=parts_.training,
        validation=parts_.validation, early_stopping=options.early_stopping, callbacks=(),
    )  # fmt: skip
    return Member(training, options.epochs, examples=parts_.source.examples or 0)


def _rows(options: Options, n: int) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    """The rows to train with, None for all, and those to evaluate, None for none."""
    rows, held = options.rows, options.validation_rows
    if held is not None:
        if rows is None:
            is_free = np.ones(n, bool)
            is_free[held] = False
            rows = np.flatnonzero(is_free).astype(np.uint32)
        return rows, held
    if not is_number(options.validation):
        return rows, None
    share = number("validation", options.validation)
    given = np.arange(n, dtype=np.uint32) if rows is None else rows
    count = round(share * len(given)) if 0 < share < 1 else 0
    if not 0 < count < len(given):
        expected = "a fraction above 0 and below 1 that leaves examples on both sides"
        raise ValueError(f"validation: expected {expected}, got {share:g} of {len(given)}")
    order = _core.permutation(options.settings.seed, HELD_OUT, len(given))
    return given[np.sort(order[count:])], given[np.sort(order[:count])]


def _parts(validation: Any) -> tuple[Any, ...]:
    if not isinstance(validation, tuple) or len(validation) not in (2, 3):
        got = type(validation).__name__
        if isinstance(validation, tuple):
            got += f" of {len(validation)}"
        expected = "(x, y), (x, y, sample_weight) or a fraction"
        raise TypeError(f"expected {expected}, got {got}")
    return validation


def _of_all_rows(
    weight: NDArray[np.float64] | None, rows: NDArray[Any] | None, n: int
) -> NDArray[np.float64] | None:
    """The weights of all `n` examples, of which `weight` has those of some rows."""
    if weight is None or rows is None:
        return weight
    of_all = np.zeros(n)
    of_all[rows] = weight
    return of_all


def own_rate(learning_rate: Any) -> Any:
    """A learning rate for one of several optimizers: a schedule is copied, as it may have state."""
    if learning_rate is None or is_number(learning_rate):
        return learning_rate
    as_schedule("learning_rate", learning_rate)
    return copy.deepcopy(learning_rate)
