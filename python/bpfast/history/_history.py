"""What came of a training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bpfast._validation.numbers import number, shown
from bpfast.history._columns import Columns
from bpfast.history._mode import mode_of
from bpfast.history._state import ALWAYS, column_name, read, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from pandas import DataFrame


class History(Columns):
    """What came of a training: a row for each epoch, a column for each figure.

    `fit` returns one. Columns are attributes and items: ``history.cost`` is ``history["cost"]``, a
    fresh, read-only array with an entry per epoch. A column that is named as a method is an item
    alone. As of a `pandas.DataFrame`, ``len(history)`` is the number of rows, the epochs, and
    iteration, ``in``, `keys`, `values`, `items` and `get` are about the columns by name.

    Parameters
    ----------
    seed : int, optional
        What the training was seeded with.

    Attributes
    ----------
    epoch : ndarray of int64
        1, 2, 3, …
    cost : ndarray of float64
        The cost of the training examples, in that epoch.
    seconds : ndarray of float64
        How long the epoch took, in seconds.
    learning_rate : ndarray of float64
        The rate of the epoch's last step.

    Raises
    ------
    TypeError
        The seed is no integer.

    Notes
    -----
    Figures of the validation examples are columns whose names begin with ``validation_``:
    ``validation_cost``, ``validation_accuracy``, … Two histories are equal if all their numbers
    are, `seconds` too; NaN equals NaN here.

    Examples
    --------
    >>> import bpfast
    >>> history = bpfast.History(seed=0)
    >>> for cost, validation_cost in ((0.9, 0.8), (0.4, 0.5), (0.2, 0.6)):
    ...     row = {"cost": cost, "seconds": 0.5, "learning_rate": 0.1}
    ...     history.append(row | {"validation_cost": validation_cost})
    >>> history.cost
    array([0.9, 0.4, 0.2])
    >>> history.best()
    2
    >>> history
    History(3 epochs in 1.5 s: cost 0.2, learning_rate 0.1, validation_cost 0.6)
    """

    __slots__ = ("_names", "_rows", "_seed", "_stopped")

    def __init__(self, seed: int | None = None) -> None:
        if seed is not None:
            # A NumPy seed may have 128 bits and more.
            if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
                raise TypeError(f"seed: expected an integer or None, got {type(seed).__name__}")
            seed = int(seed)
        self._seed = seed
        self._stopped: str | None = None
        # Rows, because one is there or not, whenever Ctrl-C comes.
        self._names: tuple[str, ...] = ALWAYS
        self._rows: list[tuple[float, ...]] = []

    @property
    def seed(self) -> int | None:
        """What the training was seeded with, or None."""
        return self._seed

    @property
    def stopped(self) -> str | None:
        """Why the training ended before its last epoch, or None if it did not. It can be set.

        ``"early stopping"``, ``"callback"``, ``"interrupted"``, ``"diverged"``, or the name of
        another exception that ended it.

        Raises
        ------
        TypeError
            What is set is neither text nor None.
        """
        return self._stopped

    @stopped.setter
    def stopped(self, reason: str | None) -> None:
        if reason is not None and not isinstance(reason, str):
            raise TypeError(f"stopped: expected a reason or None, got {type(reason).__name__}")
        self._stopped = reason

    @property
    def names(self) -> tuple[str, ...]:
        """The columns: epoch, cost, seconds, learning_rate, then those of the first row."""
        return ("epoch", *self._names)

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch.

        Parameters
        ----------
        row : mapping of str to float
            cost, seconds and learning_rate, and whatever else the first row had. ``epoch`` may be
            left out: it is counted. Numbers may be NaN or infinite.

        Raises
        ------
        ValueError
            Other names than in the rows before, or not the next epoch. Nothing is added then.
        TypeError
            No mapping, a name that is no text, or a value that is no number.

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> history.append({"cost": 0.5, "seconds": 2.0, "learning_rate": 0.1, "accuracy": 0.9})
        >>> history.names
        ('epoch', 'cost', 'seconds', 'learning_rate', 'accuracy')
        """
        if not isinstance(row, Mapping):
            raise TypeError(f"row: expected a mapping, got {type(row).__name__}")
        values = {column_name("row", name): number(f"row[{name!r}]", row[name]) for name in row}
        epoch = values.pop("epoch", len(self) + 1)
        if epoch != len(self) + 1:
            raise ValueError(f"row['epoch']: expected {len(self) + 1}, got {shown(epoch)}")
        known = self._names if len(self) else ALWAYS
        if not set(known) <= set(values) or (len(self) and set(known) != set(values)):
            wanted = ", ".join(known) + ("" if len(self) else " and others")
            raise ValueError(f"row: expected {wanted}, got {', '.join(values) or 'none'}")
        if not len(self):
            self._names = (*ALWAYS, *(name for name in values if name not in ALWAYS))
        self._rows.append(tuple(values[name] for name in self._names))

    def best(self, name: str = "validation_cost", mode: Literal["min", "max"] | None = None) -> int:
        """The epoch in which a column was best; the first one if there are several.

        NaN is never best, nor is an infinite value such as a cost of -inf, which is an overflow.

        Parameters
        ----------
        name : str, default "validation_cost"
            The column.
        mode : {"min", "max"}, optional
            Whether low or high is good. Without it: the lowest of the cost and the errors, the
            highest of the accuracies and r2 that `fit` has by name; also of functions of
            ``sklearn.metrics`` such as ``f1_score``. Other names need it.

        Returns
        -------
        int
            The epoch, counted from 1.

        Raises
        ------
        ValueError
            No such column, no epoch yet, no finite number, or no mode for a name that needs one.

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> for accuracy in (0.7, 0.9, 0.8):
        ...     history.append({"cost": 1, "seconds": 1, "learning_rate": 1, "accuracy": accuracy})
        >>> history.best("accuracy")
        2
        """
        if name not in self:
            raise ValueError(f"name: expected one of {', '.join(self.names)}, got {name!r}")
        values = self[name] if mode_of(name, mode) == "max" else -self[name]
        numbers = np.flatnonzero(values < np.inf)  # no NaN either
        if not numbers.size:
            raise ValueError(f"{name}: expected a finite number in one epoch or more, got none")
        return int(numbers[values[numbers].argmax()]) + 1

    def to_dict(self) -> dict[str, list[float]]:
        """Each column as a list, by name.

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> history.append({"cost": 0.5, "seconds": 2.0, "learning_rate": 0.1})
        >>> history.to_dict()
        {'epoch': [1], 'cost': [0.5], 'seconds': [2.0], 'learning_rate': [0.1]}
        """
        return {name: self[name].tolist() for name in self.names}

    def to_pandas(self) -> DataFrame:
        """The history as a `pandas.DataFrame`: a row for each epoch, which is its index.

        Raises
        ------
        ImportError
            pandas is not installed.

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> history.append({"cost": 0.5, "seconds": 2.0, "learning_rate": 0.1})
        >>> print(history.to_pandas())
               cost  seconds  learning_rate
        epoch
        1       0.5      2.0            0.1
        """
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise ImportError("to_pandas needs pandas: pip install pandas") from error
        return DataFrame(self.to_dict()).set_index("epoch")

    def plot(self, axes: Any = None) -> Figure:
        """Draw a panel for the cost and one for each metric, with training and validation curves.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, or a sequence of them, optional
            Where to draw: an axes for each panel. Default: a new figure.

        Returns
        -------
        matplotlib.figure.Figure
            The figure: ``history.plot().savefig("history.png")``. pyplot does not know it, so
            nothing has to be closed. A notebook shows it after ``%matplotlib inline``.

        Raises
        ------
        ImportError
            matplotlib is not installed.
        ValueError
            There is no epoch yet, or there are not as many axes as panels.

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> for cost in (0.9, 0.4, 0.2):
        ...     history.append({"cost": cost, "seconds": 1, "learning_rate": 1, "accuracy": 1})
        >>> [panel.get_ylabel() for panel in history.plot().axes]
        ['cost', 'accuracy']
        """
        from bpfast.history._plot import plot

        return plot(self, axes)

    @property
    def state(self) -> dict[str, Any]:
        """All of it in types that JSON has; NaN and infinities as text."""
        columns = {name: self[name].tolist() for name in self._names}
        return {"seed": self.seed, "stopped": self.stopped, "columns": written(columns)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> History:
        """Make a history from its `state`, which may come from a file.

        Raises
        ------
        ValueError
            It is no state of a history.

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History(seed=3)
        >>> history.append({"cost": float("nan"), "seconds": 2.0, "learning_rate": 0.1})
        >>> bpfast.History.from_state(history.state) == history
        True
        """
        try:
            seed, stopped, columns = read(state)
            history = cls(seed)
            history.stopped = stopped
        except (TypeError, ValueError) as error:
            # It comes from a file: a wrong type in it is one more wrong value.
            raise ValueError(f"state: {error}") from None
        history._names = tuple(columns)
        history._rows = list(zip(*columns.values(), strict=True))
        return history

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.names

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self:
            raise KeyError(f"name: expected one of {', '.join(self.names)}, got {name!r}")
        if name == "epoch":
            values: NDArray[Any] = np.arange(1, len(self) + 1, dtype=np.int64)
        else:
            at = self._names.index(name)
            values = np.array([row[at] for row in self._rows], dtype=np.float64)
        values.flags.writeable = False
        return values

    def __getattr__(self, name: str) -> NDArray[Any]:
        if not name.startswith("_") and name in self.names:
            return self[name]
        raise AttributeError(f"name: expected one of {', '.join(self.names)}, got {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def __eq__(self, other: object) -> bool:
        # In a state NaN is text, which equals itself.
        return self.state == other.state if isinstance(other, History) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_state, (self.state,)

    def _repr_html_(self) -> str:
        from bpfast._tables import history_html

        return history_html(self)

    def __repr__(self) -> str:
        count = f"{len(self)} epoch{'s' * (len(self) != 1)}"
        why = f"; {self.stopped}" if self.stopped else ""
        if not len(self):
            return f"History({count}{why})"
        last = zip(self._names, self._rows[-1], strict=True)
        figures = ", ".join(f"{name} {value:.4g}" for name, value in last if name != "seconds")
        return f"History({count} in {self.seconds.sum():.4g} s: {figures}{why})"


History.__module__ = "bpfast"  # where it is public
