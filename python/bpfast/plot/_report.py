"""A report: the factors of each neuron's gradient, against the medians of the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bpfast.inside._factors import FACTORS
from bpfast.inside._report import Report
from bpfast.plot._arguments import instance_of
from bpfast.plot._figure import BLUE, RED, figure_of, grid, panels_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

# The title and the label of the y axis of each factor.
FACTOR_LABELS = {
    "arrives": ("what arrives", "RMS of Σ$_k$ $w_{kj} δ_k$"),
    "gate": ("gate", "RMS of $δ$ / RMS of what arrives"),
    "inputs": ("inputs", "RMS of $a$, weighted by $δ^2$"),
    "cancellation": ("cancellation", "|mean| / RMS of the examples"),
    "step": ("step", r"length of the next step / $\Vert w \Vert$"),
}
# Where 0 is drawn in a panel with a logarithmic axis, as a part of its height.
ZERO_HEIGHT = 0.04
# The neurons of a layer are spread over this part of its space.
SPREAD = 0.6


def report(report: Report, *, ax: Axes | Sequence[Axes] | None = None) -> Figure:
    """Draw the factors of each neuron's gradient by layer, with the median of each layer.

    A neuron that is slow because of a factor, far below the median of its layer, has a cross.

    Parameters
    ----------
    report : bpfast.inside.Report
        The result of `bpfast.inside.explain`.
    ax : matplotlib.axes.Axes, or a sequence of them, optional
        Where to draw: an Axes for each of the factors arrives, gate, inputs, cancellation, and step
        if the report has an optimizer. Default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        A panel per factor with a logarithmic y axis. The neurons of a layer are in order, from left
        to right. A factor of 0 is a triangle at the lower edge.

    Raises
    ------
    ValueError
        The number of Axes is not the number of factors.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.random.default_rng(0).standard_normal((100, 3))
    >>> net = bpfast.Network([3, 4, 1], hidden="relu", output="identity", init="he", seed=0)
    >>> net.biases[0][:2] = -20
    >>> report = bpfast.inside.explain(net, x, x[:, :1])
    >>> figure = bpfast.plot.report(report)
    >>> [panel.get_title() for panel in figure.axes]
    ['what arrives', 'gate', 'inputs', 'cancellation']
    """
    instance_of("report", report, Report)
    columns = report.to_dict()
    names = [name for name in FACTORS if np.isfinite(columns[name]).any()]
    panels = panels_for(ax, names, 3.5, 3.0)
    positions = _positions(columns["layer"])
    for name, panel in zip(names, panels, strict=True):
        _draw(panel, name, columns, positions)
        for layer, medians in report.layer_medians.items():
            _draw_median(panel, layer, medians[name])
    figure = figure_of(panels)
    marks = _legend()
    if ax is None:
        figure.suptitle(repr(report).strip("<>"), fontsize=11)
        figure.legend(handles=marks, loc="outside lower center", ncols=4, fontsize=9)
    else:
        panels[0].legend(handles=marks, fontsize=7)
    return figure


def _positions(layers: NDArray[Any]) -> NDArray[Any]:
    """Where each neuron is on the x axis: around its layer, in order."""
    positions = layers.astype(np.float64)
    for layer in np.unique(layers):
        of_layer = layers == layer
        count = np.count_nonzero(of_layer)
        if count > 1:
            positions[of_layer] += np.linspace(-SPREAD / 2, SPREAD / 2, count)
    return positions


def _draw(panel: Axes, name: str, columns: dict[str, Any], positions: NDArray[Any]) -> None:
    """Draw the neurons of a factor."""
    values = columns[name]
    is_zero, is_slow = values == 0, columns["smallest"] == name
    for chosen, style in (
        (~is_zero & ~is_slow, _MARKS["a neuron"]),
        (~is_zero & is_slow, _MARKS["slow because of this factor"]),
    ):
        panel.plot(positions[chosen], values[chosen], **style)
    if is_zero.any():  # the layout of a figure fails if this line is empty
        panel.plot(
            positions[is_zero], np.full(np.count_nonzero(is_zero), ZERO_HEIGHT),
            transform=panel.get_xaxis_transform(), **_MARKS["exactly 0"],
        )  # fmt: skip
    title, label = FACTOR_LABELS[name]
    panel.set_title(title, fontsize=10)
    panel.set_ylabel(label, fontsize=9)
    panel.set_xlabel("layer")
    panel.set_xlim(columns["layer"].min() - 0.6, columns["layer"].max() + 0.6)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if (values > 0).any():
        panel.set_yscale("log")
        if is_zero.any():  # room below the smallest one
            bottom, top = panel.get_ylim()
            panel.set_ylim(bottom * (bottom / top) ** (3 * ZERO_HEIGHT), top)
    else:
        panel.set_ylim(0, 1)
    grid(panel)


def _draw_median(panel: Axes, layer: int, median: float) -> None:
    """Draw the median of a layer."""
    style: dict[str, Any] = {"color": "black", "linewidth": 1.8, "zorder": 3}
    ends = [layer - 0.42, layer + 0.42]
    if median > 0:
        panel.plot(ends, [median, median], **style)
    elif median == 0:
        panel.plot(ends, [ZERO_HEIGHT, ZERO_HEIGHT], transform=panel.get_xaxis_transform(), **style)


_MARKS: dict[str, dict[str, Any]] = {
    "a neuron": {"marker": "o", "color": BLUE, "alpha": 0.6, "markersize": 4, "linestyle": ""},
    "slow because of this factor": {
        "marker": "x", "color": RED, "markersize": 6, "markeredgewidth": 1.6, "linestyle": "",
    },
    "exactly 0": {"marker": "v", "color": RED, "markersize": 5, "linestyle": ""},
}  # fmt: skip


def _legend() -> list[Any]:
    """What the marks mean."""
    handles = [Line2D([], [], label=label, **style) for label, style in _MARKS.items()]
    return [*handles, Line2D([], [], color="black", linewidth=1.8, label="median of the layer")]


report.__module__ = "bpfast.plot"  # the public module
