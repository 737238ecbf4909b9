"""Early stopping: when a training ends because it no longer improves."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Literal

from bpfast._training.metrics.named import NAMED
from bpfast._validation.entries import entry_names
from bpfast._validation.names import by_name
from bpfast._validation.numbers import flag, format_number, integer, not_negative, number
from bpfast.history._mode import default_column, meant, mode_of
from bpfast.history._state import column_name


class EarlyStopping:
    """Stop a training if a column of its history has not improved for some epochs.

    Source: Prechelt, *Early Stopping - But When?*, 1998; Nielsen, ch. 3.

    Parameters
    ----------
    patience : int, default 10
        The number of epochs in a row without improvement after which the training stops.
    monitor : str, optional
        The column. Default: ``validation_cost`` if there is validation, else ``cost``.
    mode : {"min", "max"}, optional
        Whether low or high is better. Default: "min" for the cost and errors, "max" for accuracies
        and r2, by the names of `fit` and of functions of ``sklearn.metrics`` such as ``f1_score``.
        Other names need it.
    min_delta : float, default 0
        A value is better if it differs from the best so far by more than this. NaN and infinite
        values are never better.
    restore_best : bool, default True
        Whether the network gets the parameters of the best epoch when the training ends, unless it
        ends by an exception.

    Attributes
    ----------
    best : float
        The best value so far.
    best_epoch : int
        Its epoch, counted from 1; 0 before the first epoch.

    Raises
    ------
    ValueError
        A number is out of range, the mode is unknown, or it is missing for a name that needs it.
    TypeError
        An argument has the wrong type.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.EarlyStopping(5, "validation_accuracy")
    EarlyStopping(patience=5, monitor='validation_accuracy', mode='max')
    """

    __slots__ = (
        "_mode", "_monitor", "best", "best_epoch", "min_delta", "patience", "restore_best",
    )  # fmt: skip

    @by_name({"tol": "min_delta", "threshold": "min_delta", "restorebestweights": "restore_best"})
    def __init__(
        self,
        patience: int = 10,
        monitor: str | None = None,
        mode: Literal["min", "max"] | None = None,
        *,
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        self.patience = integer("patience", patience, 1)
        if monitor is not None and not isinstance(monitor, str):
            raise TypeError(f"monitor: expected a column, got {type(monitor).__name__}")
        mode = mode_of("cost" if monitor is None else monitor, mode)
        self._monitor, self._mode = monitor, mode
        self.min_delta = not_negative("min_delta", min_delta)
        self.restore_best = flag("restore_best", restore_best)
        self.reset()

    @property
    def monitor(self) -> str | None:
        """The column that is monitored; None for the default."""
        return self._monitor

    @property
    def mode(self) -> Literal["min", "max"]:
        """Whether it should become small or large."""
        return self._mode

    def reset(self) -> None:
        """Forget all epochs. `fit` calls it before a new training."""
        self.best, self.best_epoch = math.inf if self.mode == "min" else -math.inf, 0

    def column(self, names: Collection[str]) -> str:
        """The column that is monitored, one of `names`.

        Parameters
        ----------
        names : list, tuple, set or mapping of str
            The columns of the history.

        Returns
        -------
        str
            `monitor`, or by default ``validation_cost`` if it is in `names`, else ``cost``.

        Raises
        ------
        ValueError
            `monitor` is not in `names`.
        TypeError
            `names` has another type.

        Examples
        --------
        >>> import bpfast
        >>> bpfast.EarlyStopping().column(["cost", "validation_cost"])
        'validation_cost'
        """
        if not isinstance(names, list | tuple | AbstractSet | Mapping):
            got = type(names).__name__
            raise TypeError(f"names: expected a list, tuple, set or mapping of columns, got {got}")
        names = [column_name("names", name) for name in names]
        name = default_column(names) if self.monitor is None else self.monitor
        if name not in names:
            near, known = meant(name), ", ".join(names)
            hint = f"; did you mean {near!r}?" if near in names else ""
            of_validation, measured = near.startswith("validation_"), "validation_cost" in names
            of_training = near.removeprefix("validation_")
            if of_validation and not measured and of_training in names:
                hint = f"; {near} needs the argument validation"
            elif of_training in NAMED and near not in names:
                needed = " and validation" if of_validation and not measured else ""
                hint = f"; {near} needs metrics={of_training!r}{needed}"
            expected = f"one of the columns {known}"
            raise ValueError(f"early_stopping: expected {expected}, got {name!r}{hint}")
        return name

    def is_better(self, epoch: int, row: Mapping[str, float]) -> bool:
        """Record the row of an epoch. Returns whether it is the best so far.

        Parameters
        ----------
        epoch : int
            The number of the epoch, counted from 1.
        row : mapping of str to float
            The columns of the epoch.

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            The row does not have the column, or `epoch` is below 1.
        TypeError
            `row` is not a mapping, its value is not a number, or `epoch` is not an integer.

        Examples
        --------
        >>> import bpfast
        >>> stop = bpfast.EarlyStopping(1)
        >>> stop.is_better(1, {"cost": 0.5}), stop.is_better(2, {"cost": 0.6}), stop.is_over(2)
        (True, False, True)
        """
        epoch = integer("epoch", epoch, 1)  # the best epoch is 0 before the first
        if not isinstance(row, Mapping):
            raise TypeError(f"row: expected a mapping, got {type(row).__name__}")
        column = self.column(row)
        value = number(f"row[{column!r}]", row[column])
        gain = self.best - value if self.mode == "min" else value - self.best
        if math.isfinite(value) and (gain > self.min_delta or self.best_epoch == 0):
            self.best, self.best_epoch = value, epoch
            return True
        return False

    def is_over(self, epoch: int) -> bool:
        """Whether `epoch` is at least `patience` epochs after the best one.

        Parameters
        ----------
        epoch : int
            The number of the epoch, counted from 1.

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            `epoch` is negative.
        TypeError
            `epoch` is not an integer.

        Examples
        --------
        >>> import bpfast
        >>> stop = bpfast.EarlyStopping(patience=2)
        >>> stop.is_better(1, {"cost": 0.5}), stop.is_over(2), stop.is_over(3)
        (True, False, True)
        """
        return integer("epoch", epoch, 0) - self.best_epoch >= self.patience

    @property
    def state(self) -> dict[str, Any]:
        """The best value and its epoch, as a dict. Assign it to restore them."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        if not isinstance(state, Mapping):
            raise TypeError(f"state: expected a mapping, got {type(state).__name__}")
        if set(state) != {"best", "best_epoch"}:
            raise ValueError(f"state: expected best and best_epoch, got {entry_names(state)}")
        best, epoch = number("best", state["best"]), integer("best_epoch", state["best_epoch"], 0)
        if epoch and not math.isfinite(best):
            raise ValueError(
                f"best: expected the finite value of epoch {epoch}, got {format_number(best)}"
            )
        self.best, self.best_epoch = best, epoch

    def __repr__(self) -> str:
        arguments = f"patience={self.patience}, monitor={self.monitor!r}, mode={self.mode!r}"
        if self.min_delta:
            arguments += f", min_delta={self.min_delta!r}"
        if not self.restore_best:
            arguments += ", restore_best=False"
        return f"EarlyStopping({arguments})"


EarlyStopping.__module__ = "bpfast"  # the public module
