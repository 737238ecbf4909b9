"""When a training ends: scikit-learn's rule for the loss or the validation score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from bpfast._training.stopping.early_stopping import EarlyStopping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# `adaptive` does not lower the learning rate further.
MIN_RATE = 1e-6


class Convergence(EarlyStopping):
    """Stop after more than `n_iter_no_change` epochs in a row that are not better by `tol`.

    An epoch is compared with the best one before it, which may be better by less than `tol`. So
    slow progress ends a training, too.

    Attributes
    ----------
    count : int
        The number of such epochs in a row.
    lower : callable or None
        Called in place of stopping, with learning_rate="adaptive". Returns whether training goes
        on.
    """

    __slots__ = ("count", "lower", "most")

    def __init__(
        self,
        monitor: Literal["loss", "validation_score"],
        tol: float,
        n_iter_no_change: float,
        lower: Callable[[], bool] | None = None,
    ) -> None:
        is_loss = monitor == "loss"
        super().__init__(
            1, monitor, "min" if is_loss else "max", min_delta=tol, restore_best=not is_loss
        )
        self.most, self.count, self.lower = n_iter_no_change, 0, lower

    def is_better(self, epoch: int, row: Mapping[str, float]) -> bool:
        """Record the row of an epoch. Returns whether it is the best so far."""
        value, best = row[self.monitor or ""], self.best
        if self.mode == "min":
            stays, improves = value > best - self.min_delta, value < best
        else:
            stays, improves = value < best + self.min_delta, value > best
        self.count = self.count + 1 if stays else 0
        if improves:
            self.best, self.best_epoch = value, epoch
        return improves

    def is_over(self, epoch: int) -> bool:  # noqa: ARG002, epochs are counted by `is_better`
        """Whether the training ends here."""
        if self.count <= self.most:
            return False
        if self.lower is not None and self.lower():
            self.count = 0
            return False
        return True

    def replay(self, rows: list[dict[str, Any]], *, has_stopped: bool) -> None:
        """Count the epochs of a checkpoint, which has `best` and `best_epoch` alone."""
        best, best_epoch = self.best, self.best_epoch
        self.reset()
        self.count = 0
        for epoch, row in enumerate(rows, 1):
            self.is_better(epoch, row)
            # It went on with a lower learning rate.
            if self.count > self.most and not (has_stopped and epoch == len(rows)):
                self.count = 0
        self.best, self.best_epoch = best, best_epoch
