"""When to stop a training that no longer gets better."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Literal

from bpfast._training.metrics import NAMED
from bpfast._validation.names import by_name
from bpfast._validation.numbers import not_negative, number, shown, whole
from bpfast.history._mode import meant, mode_of
from bpfast.history._state import column_name


class EarlyStopping:
    """Stop when a column of the history has not been better for some epochs.

    Source: Prechelt, Early stopping - but when?, 1998; Nielsen, ch. 3.

    Parameters
    ----------
    patience : int, default 10
        How many epochs in a row without a better value end the training.
    monitor : str, optional
        The column. Without it: ``validation_cost`` where there is validation, else ``cost``.
    mode : {"min", "max"}, optional
        Whether low or high is good. Without it: low for the cost and the errors, high for the
        accuracies and r2 that `fit` has by name; also for functions of ``sklearn.metrics`` such as
        ``f1_score``. Other names need it.
    least : float, default 0
        A value counts as better if the difference to the best so far is more than this. NaN and
        infinities never do.
    restore_best : bool, default True
        Whether the network gets back the parameters of the best epoch when the training ends,
        however it ends but by an exception.

    Raises
    ------
    ValueError
        A number out of range, another mode, or none for a name that does not tell it.
    TypeError
        An argument of another type.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.EarlyStopping(5, "validation_accuracy")
    EarlyStopping(patience=5, monitor='validation_accuracy', mode='max')
    """

    __slots__ = ("best", "best_epoch", "least", "mode", "monitor", "patience", "restore_best")

    @by_name({"mindelta": "least", "tol": "least", "restorebestweights": "restore_best"})
    def __init__(
        self,
        patience: int = 10,
        monitor: str | None = None,
        mode: Literal["min", "max"] | None = None,
        *,
        least: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        self.patience = whole("patience", patience, 1)
        if monitor is not None and not isinstance(monitor, str):
            raise TypeError(f"monitor: expected a column, got {type(monitor).__name__}")
        mode = mode_of("cost" if monitor is None else monitor, mode)
        if not isinstance(restore_best, bool):
            got = type(restore_best).__name__
            raise TypeError(f"restore_best: expected True or False, got {got}")
        self.monitor, self.mode = monitor, mode
        self.least, self.restore_best = not_negative("least", least), restore_best
        self.reset()

    def reset(self) -> None:
        """Forget all epochs."""
        self.best, self.best_epoch = math.inf if self.mode == "min" else -math.inf, 0

    def column(self, names: Collection[str]) -> str:
        """Which of the columns `names` decides.

        Raises
        ------
        ValueError
            `monitor` is none of them.
        TypeError
            They are no names.
        """
        if not isinstance(names, list | tuple | AbstractSet | Mapping):
            got = type(names).__name__
            raise TypeError(f"names: expected a list, tuple, set or mapping of columns, got {got}")
        names = [column_name("names", name) for name in names]
        name = self.monitor
        if name is None:
            name = "validation_cost" if "validation_cost" in names else "cost"
        if name not in names:
            near, known = meant(name), ", ".join(names)
            hint = f"; did you mean {near!r}?" if near in names else ""
            of_validation, measured = near.startswith("validation_"), "validation_cost" in names
            of_training = near.removeprefix("validation_")
            if of_validation and not measured and of_training in names:
                hint = f"; {near} comes with the argument validation"
            elif of_training in NAMED and near not in names:
                needed = " and validation" if of_validation and not measured else ""
                hint = f"; {near} comes with metrics={of_training!r}{needed}"
            expected = f"one of the columns {known}"
            raise ValueError(f"early_stopping: expected {expected}, got {name!r}{hint}")
        return name

    def is_better(self, epoch: int, row: Mapping[str, float]) -> bool:
        """Take an epoch's row: whether it is the best so far.

        Raises
        ------
        ValueError
            There is no such column.
        TypeError
            No mapping, or a value that is no number.
        """
        epoch = whole("epoch", epoch, 0)
        if not isinstance(row, Mapping):
            raise TypeError(f"row: expected a mapping, got {type(row).__name__}")
        column = self.column(row)
        value = number(f"row[{column!r}]", row[column])
        gain = self.best - value if self.mode == "min" else value - self.best
        if math.isfinite(value) and (gain > self.least or self.best_epoch == 0):
            self.best, self.best_epoch = value, epoch
            return True
        return False

    def is_over(self, epoch: int) -> bool:
        """Whether the epochs since the best one have used up the patience."""
        return whole("epoch", epoch, 0) - self.best_epoch >= self.patience

    @property
    def state(self) -> dict[str, Any]:
        """The best value and its epoch; assigning it goes back there."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        if not isinstance(state, Mapping):
            raise TypeError(f"state: expected a mapping, got {type(state).__name__}")
        if set(state) != {"best", "best_epoch"}:
            raise ValueError(f"state: expected best and best_epoch, got {sorted(state)}")
        best, epoch = number("best", state["best"]), whole("best_epoch", state["best_epoch"], 0)
        if epoch and not math.isfinite(best):
            raise ValueError(f"best: expected the finite value of epoch {epoch}, got {shown(best)}")
        self.best, self.best_epoch = best, epoch

    def __repr__(self) -> str:
        shown = f"patience={self.patience}, monitor={self.monitor!r}, mode={self.mode!r}"
        if self.least:
            shown += f", least={self.least!r}"
        if not self.restore_best:
            shown += ", restore_best=False"
        return f"EarlyStopping({shown})"


EarlyStopping.__module__ = "bpfast"  # where it is public
