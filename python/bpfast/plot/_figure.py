"""New figures, the Axes that a user gives, and the styles of all plots.

Nothing here changes matplotlib's rcParams or uses pyplot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from bpfast.plot._notebook import NotebookAxes, NotebookFigure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

# Colormaps whose lightness increases throughout: they work in grey and for the colour-blind. The
# middle of cividis is a neutral grey, which is 0 in signed data.
SEQUENTIAL, SIGNED = "viridis", "cividis"
# Blue and vermilion of Okabe and Ito. They differ in lightness too.
BLUE, RED = "#0072B2", "#D55E00"
DASHES: list[Any] = ["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
# Beyond this number the arithmetic of matplotlib overflows.
MAX_DRAWN = 1e300
# The lightest yellow of viridis is too light for a line on white.
MAX_LIGHTNESS = 0.85
# The size of a panel, in inches, and the most panels in a row.
PANEL_WIDTH, PANEL_HEIGHT, MAX_COLUMNS = 4.8, 3.6, 3


def axes_for(ax: Any, width: float = PANEL_WIDTH, height: float = PANEL_HEIGHT) -> Axes:
    """The user's Axes, or those of a new figure of this size in inches."""
    if ax is None:
        # "compressed" makes a colour scale as tall as an image.
        return _new_axes(NotebookFigure(figsize=(width, height), layout="compressed"), 1, 1, 1)
    if not isinstance(ax, Axes):
        raise TypeError(f"ax: expected Axes of matplotlib, got {type(ax).__name__}")
    return ax


def panels_for(
    ax: Any,
    names: Sequence[str],
    width: float = PANEL_WIDTH,
    height: float = PANEL_HEIGHT,
    argument: str = "ax",
) -> list[Axes]:
    """The user's Axes, one for each name, or those of a new figure, row by row."""
    count = len(names)
    if ax is None:
        columns = min(MAX_COLUMNS, count)
        rows = -(-count // columns)
        figure = NotebookFigure(figsize=(width * columns, height * rows), layout="constrained")
        return [_new_axes(figure, rows, columns, k + 1) for k in range(count)]
    given = [ax] if isinstance(ax, Axes) else _listed(argument, ax)
    for panel in given:
        if not isinstance(panel, Axes):
            got = type(panel).__name__
            raise TypeError(f"{argument}: expected Axes of matplotlib, got {got}")
    if len(given) != count:
        expected = f"{count}, for {', '.join(names)}"
        raise ValueError(f"{argument}: expected {expected}, got {len(given)}")
    return given


def _new_axes(figure: Figure, rows: int, columns: int, index: int) -> Axes:
    axes: Axes = figure.add_subplot(rows, columns, index, axes_class=NotebookAxes)
    return axes


def _listed(argument: str, axes: Any) -> list[Any]:
    """The Axes of a sequence or array, such as `subplots` returns."""
    try:
        return list(getattr(axes, "flat", axes))
    except (NotImplementedError, TypeError):
        got = type(axes).__name__
        raise TypeError(f"{argument}: expected Axes of matplotlib, got {got}") from None


def figure_of(panels: list[Axes]) -> Figure:
    """The figure of the first panel."""
    figure: Any = panels[0].figure
    found: Figure = figure
    return found


def legend_beside(axes: Axes, ax: Any) -> None:
    """The legend: right of new Axes, and within those that the user gave."""
    outside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.02)}
    axes.legend(fontsize=9, handlelength=3.5, **(outside if ax is None else {}))


def line_style(index: int, count: int, points: int) -> dict[str, Any]:
    """The style of line `index` of `count`: colour by order, dashes and sparse markers."""
    # Markers at different points of each line.
    every = max(points // 8, 1)
    return {
        "color": colormaps[SEQUENTIAL](MAX_LIGHTNESS * index / max(count - 1, 1)),
        "linestyle": DASHES[index % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 4.5,
        "markevery": (index * every // max(count, 1), every),
    }


def drawn(values: NDArray[Any]) -> NDArray[Any]:
    """The numbers of a line: a gap for those that matplotlib cannot draw, as for infinity.

    Examples
    --------
    >>> drawn(np.array([1.0, -1e308]))
    array([ 1., nan])
    """
    return np.where(np.abs(values) <= MAX_DRAWN, values, np.nan)


def scale_for(values: NDArray[Any], *, signed: bool | None = None) -> tuple[str, Normalize]:
    """The colormap of the values, and its limits: from 0 on, or around 0 if any is negative."""
    finite = values[np.isfinite(values)]
    most = min(float(np.abs(finite).max(initial=0.0)), MAX_DRAWN) or 1.0
    if signed or (signed is None and bool((finite < 0).any())):
        return SIGNED, Normalize(-most, most)
    return SEQUENTIAL, Normalize(0, most)


def color_scale(axes: Axes, mappable: Any, label: str) -> None:
    """Draw the colour scale beside the Axes."""
    figure_of([axes]).colorbar(mappable, ax=axes, label=label)


def text_color(background: Any) -> str:
    """Black or white, whichever contrasts more with an RGBA colour."""
    red, green, blue = background[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def grid(axes: Axes) -> None:
    """A faint grid behind the data."""
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)


def plain(text: str) -> str:
    r"""Text of a user, in which a dollar is a dollar: matplotlib reads what is between two as TeX.

    Examples
    --------
    >>> plain("$0 to $10")
    '\\$0 to \\$10'
    """
    return text.replace("$", r"\$")
