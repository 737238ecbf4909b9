"""How the examples draw: style, colours, and curves of several runs."""

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

# Okabe and Ito's, which colour-blind readers can tell apart.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"]
# Lines that stay apart in black and white too.
DASHES = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1))]

STYLE: dict[Any, Any] = {  # matplotlib has a type for each key
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "font.size": 9,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
mpl.rcParams.update(STYLE)


def panels(columns: int, rows: int = 1, **shared: Any) -> tuple[Figure, list[Axes]]:
    """A figure and its panels, row by row."""
    figure = Figure(figsize=(0.6 + 3.4 * columns, 0.4 + 2.7 * rows), layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False, **shared).flat)


def line(axes: Axes, y: ArrayLike, label: str, place: int, start: int = 1) -> None:
    """Draw a value per epoch. `place` is the line's among those of the panel."""
    values = np.asarray(y)
    epochs = np.arange(start, start + len(values))
    axes.plot(epochs, values, label=label, color=COLORS[place], linestyle=DASHES[place])


def band(axes: Axes, runs: Sequence[ArrayLike], label: str, place: int) -> None:
    """Draw the median of the runs by epoch, and from the lowest to the highest as a band."""
    values = np.array(runs)
    line(axes, np.median(values, axis=0), label, place)
    epochs = np.arange(1, values.shape[1] + 1)
    low, high = values.min(axis=0), values.max(axis=0)
    axes.fill_between(epochs, low, high, color=COLORS[place], alpha=0.2, linewidth=0)


def zoom(axes: Axes, curves: Iterable[ArrayLike]) -> None:
    """Show the range of the curves after a fifth of their epochs: the climb before hides it."""
    rests = [values[len(values) // 5 :] for values in map(np.asarray, curves)]
    low, high = min(rest.min() for rest in rests), max(rest.max() for rest in rests)
    room = 0.05 * (high - low) or 0.01
    axes.set_ylim(low - room, high + room)


def finish(axes: Axes, title: str, y: str, *, percent: bool = False, x: str = "epoch") -> None:
    """Name a panel and its axes."""
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    if percent:
        axes.yaxis.set_major_formatter(lambda value, _place: f"{100 * value:.4g}%")
