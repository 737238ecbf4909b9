"""The columns of a `History` over the epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator

from bpfast._validation.iterables import is_iterable
from bpfast._validation.names import unknown_name
from bpfast.history._history import History
from bpfast.plot._arguments import instance_of
from bpfast.plot._figure import BLUE, RED, drawn, figure_of, grid, panels_for, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

VALIDATION_PREFIX = "validation_"
# Columns that are plotted only on request.
ON_REQUEST = ("seconds", "learning_rate")
UNITS = {"seconds": "time of the epoch (s)"}
# Up to this number of epochs each has a marker.
MAX_EPOCHS_WITH_MARKERS = 12


def history(
    history: History,
    columns: str | Sequence[str] | None = None,
    *,
    ax: Axes | Sequence[Axes] | None = None,
) -> Figure:
    """Draw the cost and each metric over the epochs, with training and validation in one panel.

    Parameters
    ----------
    history : History
        The history of a training.
    columns : str or sequence of str, optional
        What to draw, a panel for each: ``cost``, ``seconds``, ``learning_rate`` or metrics.
        Default: the cost and all metrics.
    ax : matplotlib.axes.Axes, or a sequence of them, optional
        Where to draw, one Axes per panel. Default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        There is no epoch, no such column, or the number of Axes is not the number of panels.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import bpfast
    >>> history = bpfast.History()
    >>> for cost in (0.9, 0.4, 0.2):
    ...     history.append({"cost": cost, "seconds": 1, "learning_rate": 1, "accuracy": 1})
    >>> figure = bpfast.plot.history(history, ["cost", "learning_rate"])
    >>> [panel.get_ylabel() for panel in figure.axes]
    ['cost', 'learning rate']
    """
    instance_of("history", history, History)
    return draw(history, _panels(history, columns), ax, "ax")


def draw(history: History, names: list[str] | None, axes: Any, argument: str) -> Figure:
    """Draw the columns, by default the cost and all metrics; errors name the Axes `argument`."""
    if not len(history):
        raise ValueError("history: expected one epoch or more, got none")
    names = default_panels(history.names) if names is None else names
    panels = panels_for(axes, names, argument=argument)
    # A line with a single point is invisible.
    marker = "o" if len(history) <= MAX_EPOCHS_WITH_MARKERS else ""
    for name, panel in zip(names, panels, strict=True):
        for column, label, color, dashes in (
            (name, "training", BLUE, "-"),
            (VALIDATION_PREFIX + name, "validation", RED, "--"),
        ):
            if column in history:
                panel.plot(
                    history.epoch, drawn(history[column]), dashes, color=color, label=label,
                    marker=marker, markersize=4,
                )  # fmt: skip
        panel.set_xlabel("epoch")
        panel.set_ylabel(UNITS.get(name, plain(name.replace("_", " "))))
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        grid(panel)
        if name not in ON_REQUEST:
            panel.legend()
    return figure_of(panels)


def default_panels(columns: tuple[str, ...]) -> list[str]:
    """The panels: the cost, then each metric. Training and validation share a panel.

    Examples
    --------
    >>> default_panels(("epoch", "cost", "seconds", "learning_rate", "validation_accuracy"))
    ['cost', 'accuracy']
    """
    names = [name.removeprefix(VALIDATION_PREFIX) for name in columns]
    return list(dict.fromkeys(name for name in names if name not in ("epoch", *ON_REQUEST)))


def _panels(history: History, columns: Any) -> list[str] | None:
    """The panels of the chosen columns, or None."""
    if columns is None:
        return None
    given = [columns] if isinstance(columns, str) else columns
    if not is_iterable(given):
        raise TypeError(f"columns: expected names, got {type(columns).__name__}")
    names = []
    for name in given:
        if not isinstance(name, str):
            raise TypeError(f"columns: expected names, got {type(name).__name__}")
        if name == "epoch" or name not in history:
            raise unknown_name("columns", name, [n for n in history.names if n != "epoch"])
        names.append(name.removeprefix(VALIDATION_PREFIX))
    if not names:
        raise ValueError("columns: expected one name or more, got none")
    return list(dict.fromkeys(names))


history.__module__ = "bpfast.plot"  # the public module
