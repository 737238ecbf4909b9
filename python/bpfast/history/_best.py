"""`History.best`: the epoch in which a column was best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from bpfast.history._columns import unknown_column
from bpfast.history._mode import mode_of

if TYPE_CHECKING:
    from bpfast.history._history import History


def best(
    self: History, column: str = "validation_cost", mode: Literal["min", "max"] | None = None
) -> int:
    """The epoch in which a column was best, the first one if there are several.

    NaN is never best. Neither is an infinite value, such as a cost of -inf, which is an
    overflow.

    Parameters
    ----------
    column : str, default "validation_cost"
        The column.
    mode : {"min", "max"}, optional
        Whether low or high is better. Default: "min" for the cost and errors, "max" for
        accuracies and r2, by the names of `fit` and of functions of ``sklearn.metrics`` such as
        ``f1_score``. Other names need it.

    Returns
    -------
    int
        The epoch, counted from 1.

    Raises
    ------
    ValueError
        There is no such column, no epoch or no finite number, or the mode is missing for a name
        that needs it.

    Examples
    --------
    >>> import bpfast
    >>> history = bpfast.History()
    >>> for accuracy in (0.7, 0.9, 0.8):
    ...     history.append({"cost": 1, "seconds": 1, "learning_rate": 1, "accuracy": accuracy})
    >>> history.best("accuracy")
    2
    """
    if column not in self:
        raise ValueError(unknown_column("column", column, self.names))
    values = self[column] if mode_of(column, mode) == "max" else -self[column]
    numbers = np.flatnonzero(np.isfinite(values))
    if not numbers.size:
        raise ValueError(f"{column}: expected a finite number in one epoch or more, got none")
    return int(numbers[values[numbers].argmax()]) + 1
