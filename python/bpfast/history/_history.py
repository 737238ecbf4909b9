"""The class `History`: the results of a training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._optional import optional
from bpfast._validation.naming import naming_value
from bpfast._validation.numbers import format_number, number
from bpfast.history._best import best
from bpfast.history._columns import Columns, unknown_column
from bpfast.history._state import REQUIRED_COLUMNS, RESTORED, as_json, column_name, parse_state

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from bpfast._typing import StopReason


class History(Columns):
    """The results of a training: a row per epoch, a column per figure.

    `fit` returns one. Columns are attributes and items: ``history.cost`` is ``history["cost"]``, a
    new read-only array with one entry per epoch. A column with the name of a method is only an
    item. As in a `pandas.DataFrame`, ``len(history)`` is the number of rows, here epochs;
    iteration, ``in``, `keys`, `values`, `items` and `get` use the names of the columns.

    Parameters
    ----------
    seed : int, optional
        The seed of the training.

    Attributes
    ----------
    epoch : ndarray of int64
        1, 2, 3, …
    cost : ndarray of float64
        The mean cost of the training examples in each epoch.
    seconds : ndarray of float64
        The duration of each epoch, in seconds.
    learning_rate : ndarray of float64
        The learning rate of the last step of each epoch.

    Raises
    ------
    TypeError
        The seed is not an integer.

    Notes
    -----
    Columns of the validation examples have the prefix ``validation_``: ``validation_cost``,
    ``validation_accuracy``, … Two histories are equal if all their numbers are, including
    `seconds`; here NaN equals NaN.

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

    __slots__ = ("_names", "_restored", "_rows", "_seed", "_stopped")

    best = best

    def __init__(self, seed: int | None = None) -> None:
        if seed is not None:
            # A NumPy seed may have 128 bits or more.
            if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
                raise TypeError(f"seed: expected an integer or None, got {type(seed).__name__}")
            seed = int(seed)
        self._seed = seed
        self._stopped: str | None = None
        self._restored: int | None = None
        # Rows, so that Ctrl-C leaves no incomplete epoch.
        self._names: tuple[str, ...] = REQUIRED_COLUMNS
        self._rows: list[tuple[float, ...]] = []

    @property
    def seed(self) -> int | None:
        """The seed of the training, or None."""
        return self._seed

    @property
    def stopped(self) -> StopReason | str | None:
        """Why the training ended before its last epoch, or None if it did not. It can be assigned.

        ``"early stopping"``, ``"callback"``, ``"interrupted"``, ``"diverged"``, ``"halving"`` in
        `fit_many`, or the name of another exception.

        Raises
        ------
        TypeError
            The assigned value is neither a string nor None.
        """
        return self._stopped

    @stopped.setter
    def stopped(self, reason: StopReason | str | None) -> None:
        if reason is not None and not isinstance(reason, str):
            raise TypeError(f"stopped: expected a reason or None, got {type(reason).__name__}")
        self._stopped = reason

    @property
    def restored_epoch(self) -> int | None:
        """The epoch whose parameters the network got back at the end, by early stopping, or None.

        None: the network has the parameters of the last epoch.
        """
        return self._restored

    @property
    def names(self) -> tuple[str, ...]:
        """The columns: epoch, cost, seconds, learning_rate, then those of the first row."""
        return ("epoch", *self._names)

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch.

        Parameters
        ----------
        row : mapping of str to float
            cost, seconds and learning_rate, and the further columns of the first row. ``epoch`` may
            be omitted. Numbers may be NaN or infinite.

        Raises
        ------
        ValueError
            The names differ from those of the first row, or the epoch is not the next one. Nothing
            is added.
        TypeError
            `row` is not a mapping, a name is not a string, or a value is not a number.

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
        values = {
            column_name("row", name): number(f"row[{name!r}]", value)
            for name, value in list(row.items())  # a value may change the dict
        }
        epoch = values.pop("epoch", len(self) + 1)
        if epoch != len(self) + 1:
            raise ValueError(f"row['epoch']: expected {len(self) + 1}, got {format_number(epoch)}")
        known = self._names if len(self) else REQUIRED_COLUMNS
        if not set(known) <= set(values) or (len(self) and set(known) != set(values)):
            expected = ", ".join(known) + ("" if len(self) else " and others")
            raise ValueError(f"row: expected {expected}, got {', '.join(values) or 'none'}")
        if not len(self):
            self._names = (
                *REQUIRED_COLUMNS,
                *(name for name in values if name not in REQUIRED_COLUMNS),
            )
        self._rows.append(tuple(values[name] for name in self._names))

    def _extend(self, rows: list[tuple[float, ...]], more: tuple[str, ...] = ()) -> None:
        """Add epochs whose values are numbers: those of REQUIRED_COLUMNS, then those of `more`."""
        if not self._rows:
            self._names = (*REQUIRED_COLUMNS, *more)
        self._rows.extend(rows)

    def plot(self, axes: Any = None) -> Figure:
        """Plot the cost and each metric in its own panel, with training and validation curves.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, or a sequence of them, optional
            The axes to draw in, one per panel. Default: a new figure.

        Returns
        -------
        matplotlib.figure.Figure
            The figure: ``history.plot().savefig("history.png")``. It does not belong to pyplot, so
            it need not be closed. A notebook shows it, also if the cell ends with a semicolon.

        Raises
        ------
        ImportError
            matplotlib is not installed.
        ValueError
            There is no epoch, or the number of axes is not the number of panels.
        TypeError
            `axes` are not axes of matplotlib.

        See Also
        --------
        bpfast.plot.history : The same with a choice of columns.

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> for cost in (0.9, 0.4, 0.2):
        ...     history.append({"cost": cost, "seconds": 1, "learning_rate": 1, "accuracy": 1})
        >>> [panel.get_ylabel() for panel in history.plot().axes]
        ['cost', 'accuracy']
        """
        optional("matplotlib", "plot", package="matplotlib")
        from bpfast.plot._history import draw

        return draw(self, None, axes, "axes")

    @property
    def state(self) -> dict[str, Any]:
        """The history in JSON types, with NaN and infinity as text, as `from_state` reads it."""
        columns = {name: self[name].tolist() for name in self._names}
        state = {"seed": self.seed, "stopped": self.stopped, "columns": as_json(columns)}
        return state if self._restored is None else state | {RESTORED: self._restored}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> History:
        """Make a history from its `state`, which may come from a file.

        Parameters
        ----------
        state : mapping
            The `state` of a history. It is validated.

        Returns
        -------
        History

        Raises
        ------
        ValueError
            `state` is not the state of a history.

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History(seed=3)
        >>> history.append({"cost": float("nan"), "seconds": 2.0, "learning_rate": 0.1})
        >>> bpfast.History.from_state(history.state) == history
        True
        """
        with naming_value("state"):
            seed, stopped, columns, restored = parse_state(state)
            history = cls(seed)
            history.stopped = stopped
        history._names = tuple(columns)
        history._rows = list(zip(*columns.values(), strict=True))
        history._restored = restored
        return history

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self:
            raise KeyError(unknown_column("name", name, self.names))
        if name == "epoch":
            values: NDArray[Any] = np.arange(1, len(self) + 1, dtype=np.int64)
        else:
            at = self._names.index(name)
            values = np.array([row[at] for row in self._rows], dtype=np.float64)
        values.flags.writeable = False
        return values

    def __eq__(self, other: object) -> bool:
        # A state has NaN as text, which equals itself.
        return self.state == other.state if isinstance(other, History) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_state, (self.state,)

    def __repr__(self) -> str:
        count = f"{len(self)} epoch{'s' * (len(self) != 1)}"
        why = f"; {self.stopped}" if self.stopped else ""
        if not len(self):
            return f"History({count}{why})"
        last = zip(self._names, self._rows[-1], strict=True)
        figures = ", ".join(f"{name} {value:.4g}" for name, value in last if name != "seconds")
        return f"History({count} in {self.seconds.sum():.4g} s: {figures}{why})"


History.__module__ = "bpfast"  # the public module
