"""The training of an estimator: the epochs of `Network.fit`, with scikit-learn's figures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from bpfast._training.loop import Training
from bpfast.sklearn import _network
from bpfast.sklearn._solvers.convergence import MIN_RATE, Convergence

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfast._training.progress import Progress
    from bpfast.optimizers import Optimizer


class Penalty(NamedTuple):
    """The penalty in the loss: its factors, and the mean weight of an example."""

    alpha: float
    l1: float
    mean_weight: float


class EstimatorTraining(Training):
    """A training that keeps the figures of an estimator after each epoch.

    The history has the columns ``loss``, with the penalty, and ``validation_score`` if there is
    validation.
    """

    def __init__(
        self,
        *arguments: Any,
        estimator: Any,
        penalty: Penalty,
        loss_scale: float,
        score: Callable[[float], float] | None,
    ) -> None:
        # First, because `columns` is read by the base class.
        self._estimator, self._score = estimator, score
        self._loss_scale, self._penalty = loss_scale, penalty
        super().__init__(*arguments)
        self._penalty_before = self._penalty_now()
        convergence = self.convergence
        if estimator.solver == "sgd" and _is_name(estimator, "adaptive"):
            convergence.lower = self._lower

    @property
    def convergence(self) -> Convergence:
        """The rule that ends the training."""
        assert isinstance(self.early_stopping, Convergence)  # noqa: S101, for the type
        return self.early_stopping

    @property
    def columns(self) -> list[str]:
        """The columns of a row of the history."""
        return super().columns + ["loss"] + ["validation_score"] * (self._score is not None)

    def _penalty_now(self) -> float:
        return _network.penalty(self.net, self._penalty.alpha, self._penalty.l1)

    def _after(self, epoch: int, row: dict[str, float], progress_bar: Progress) -> bool:
        row["loss"] = self._loss(row["cost"])
        if self._score is not None:
            row["validation_score"] = self._score(row["validation_cost"])
        estimator = self._estimator
        self._publish(row, estimator.verbose)
        is_over = super()._after(epoch, row, progress_bar)
        self._publish_convergence()
        if estimator.solver == "sgd" and _is_name(estimator, "invscaling"):
            rate = float(estimator.learning_rate_init) / (estimator.t_ + 1) ** estimator.power_t
            set_rate(self.optimizer, rate)
        is_converged = self.history.stopped == "early stopping"
        if is_converged and estimator.verbose and self.convergence.lower is None:
            print(self._message() + " Stopping.")
        if not math.isfinite(row["loss"]):
            self.history.stopped = self.history.stopped or "diverged"
            return True
        return is_over

    def _loss(self, cost: float) -> float:
        """The mean of the losses of the steps, each with the penalty before its step.

        The penalty is computed once per epoch, and taken as linear between.
        """
        before = self._penalty_before
        self._penalty_before = after = self._penalty_now()
        n = self.runner.examples or 1
        steps = -(-n // self.settings.batch_size)
        mean = before
        if steps > 1:  # otherwise `after`, which may be infinite, has no part in it
            mean += (after - before) * (steps - 1) / (2 * steps)
        return cost * self._loss_scale + steps * mean / (n * self._penalty.mean_weight)

    def _publish(self, row: dict[str, float], verbose: object = False) -> None:
        """Set the attributes of the estimator, and print them if `verbose`."""
        estimator = self._estimator
        estimator.n_iter_ += 1
        estimator.t_ += self.runner.examples
        estimator.loss_ = row["loss"]
        estimator.loss_curve_.append(row["loss"])
        if self.validation is not None:
            estimator.validation_loss_curve_.append(row["validation_cost"] * self._loss_scale)
            estimator.validation_scores_.append(row["validation_score"])
            if row["validation_score"] > estimator.best_validation_score_:
                estimator.best_validation_score_ = row["validation_score"]
        if verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {row['loss']:.8f}")
            if self.validation is not None:
                print(f"Validation score: {row['validation_score']:f}")

    def _publish_convergence(self) -> None:
        estimator, convergence = self._estimator, self.convergence
        estimator._no_improvement_count = convergence.count
        if convergence.monitor == "loss":
            estimator.best_loss_ = convergence.best

    def resume(self) -> None:
        """Set the attributes of the estimator to those of a checkpoint that was read."""
        history = self.history
        rows = [
            dict(zip(history.names, values, strict=True))
            for values in zip(*(history[name].tolist() for name in history.names), strict=True)
        ]
        for row in rows:
            self._publish(row)
        self.convergence.replay(rows, has_stopped=history.stopped is not None)
        self._publish_convergence()
        self._penalty_before = self._penalty_now()

    def _message(self) -> str:
        convergence = self.convergence
        what = "Training loss" if convergence.monitor == "loss" else "Validation score"
        return (
            f"{what} did not improve more than tol={convergence.min_delta:f} for "
            f"{convergence.most} consecutive epochs."
        )

    def _lower(self) -> bool:
        """Divide the learning rate by 5. Returns False if it is too small already."""
        verbose, optimizer = self._estimator.verbose, self.optimizer
        if optimizer.learning_rate <= MIN_RATE:
            if verbose:
                print(self._message() + " Learning rate too small. Stopping.")
            return False
        set_rate(optimizer, optimizer.learning_rate / 5)
        if verbose:
            print(self._message() + f" Setting learning rate to {optimizer.learning_rate:f}")
        return True


def _is_name(estimator: Any, name: str) -> bool:
    return isinstance(estimator.learning_rate, str) and estimator.learning_rate == name


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the learning rate of an `SGD`, and keep its velocity in scikit-learn's terms.

    scikit-learn's velocity is -η v, with the rates η of past steps.
    """
    before = float(optimizer.learning_rate)
    if rate == before:
        return
    state = optimizer.state
    optimizer.learning_rate = rate
    if "velocity" in state:
        state["velocity"] = state["velocity"] * (before / rate)
        optimizer.state = state
