"""A network as a graph: its neurons, coloured for one example, and its weights."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from bpfast._activations import activation_names
from bpfast._validation.names import one_of
from bpfast._validation.network import check_network
from bpfast._validation.numbers import flag, integer
from bpfast.plot._arguments import one_example, one_target
from bpfast.plot._figure import BLUE, RED, axes_for, color_scale, scale_for, text_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bpfast._core import _Inputs as Inputs
    from bpfast._network import Network
    from bpfast._typing import FloatArray

# Neurons are a unit apart. The radius of a neuron, and the distance between two layers.
NEURON_RADIUS, LAYER_DISTANCE = 0.38, 3.2
# The size of a unit in a new figure, in inches, and of text, in points per inch of a unit.
UNIT_INCHES, TEXT_SIZE = 0.56, 14.5
# The largest height of a new figure, in inches.
MAX_HEIGHT = 30.0
# Smaller text cannot be read, and is left out.
MIN_TEXT_SIZE = 4.0
# The widths of the weakest and the strongest weight of a layer, in points.
MIN_LINE_WIDTH, MAX_LINE_WIDTH = 0.25, 2.4


class Column(NamedTuple):
    """The neurons of a layer that are shown, from top to bottom."""

    layer: int
    neurons: list[int]
    heights: list[float]
    dots: float | None  # where neurons are left out

    @property
    def left(self) -> float:
        """The position of the layer."""
        return (self.layer - 1) * LAYER_DISTANCE


def network(
    net: Network,
    x: Inputs | None = None,
    y: ArrayLike | None = None,
    what: Literal["activation", "error"] = "activation",
    *,
    most: int = 10,
    ax: Axes | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw a network as a graph, with the activations or errors of one example.

    Positive weights are solid lines, negative ones dashed; the width grows with abs(w) relative to
    the largest of the layer. Each neuron shows its number as a colour and as text.

    Parameters
    ----------
    net : Network
        The network.
    x : array_like or SciPy sparse, (n_1,) or (1, n_1), optional
        The example. Default: neurons without numbers.
    y : array_like, (), (n_L,) or (1, n_L), optional
        Its target, which errors need. With cross_entropy and log_likelihood also an integer class
        label.
    what : {"activation", "error"}, default "activation"
        What the neurons show: a^l, or δ^l = ∂C_x/∂z^l, which inputs do not have.
    most : int, default 10
        The most neurons that are shown of a layer, 2 or more: the first and the last ones, with
        dots in place of the others.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: new Axes in a new figure.
    colorbar : bool, default True
        Whether to draw the colour scale.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        x is not one example, y does not fit, an error lacks x or y, or a number is out of range.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([784, 30, 10], cost="cross_entropy", seed=0)
    >>> ax = bpfast.plot.network(net, [0.5] * 784)
    >>> ax.figure.savefig("network.png")  # doctest: +SKIP
    >>> ax = bpfast.plot.network(net, [0.5] * 784, 3, "error", most=6)
    """
    check_network(net, "net")
    one_of("what", what, ("activation", "error"))
    shown, with_scale = integer("most", most, 2), flag("colorbar", colorbar)
    numbers = _numbers(net, x, y, what)
    columns = [_column(layer, size, shown) for layer, size in enumerate(net.sizes, 1)]
    tall = max(column.heights[0] - column.heights[-1] for column in columns) + 1
    wide = LAYER_DISTANCE * (len(columns) - 1) + 2
    axes = axes_for(
        ax, max(UNIT_INCHES * wide + 1.2, 3.8), min(UNIT_INCHES * (tall + 1.6) + 0.6, MAX_HEIGHT)
    )
    axes.set_aspect("equal")
    axes.set_xlim(-1.1, wide - 0.9)
    axes.set_ylim(-tall / 2 - 1.6, tall / 2)
    axes.set_axis_off()
    signs = _draw_weights(axes, net, columns)
    _draw_neurons(axes, columns, numbers, what, with_scale, _text_size(axes))
    names = ["inputs", *activation_names(net)]
    for column, size, name in zip(columns, net.sizes, names, strict=True):
        words = f"layer {column.layer}\n{size} {name}"
        axes.text(column.left, -tall / 2 - 0.15, words, ha="center", va="top", fontsize=8)
    if signs:
        where: dict[str, Any] = {
            "loc": "upper center",
            "bbox_to_anchor": (0.5, 0.02),
            "borderaxespad": 0.0,
        }
        axes.legend(handles=signs, ncols=2, fontsize=8, frameon=False, handlelength=3, **where)
    return axes


def _numbers(net: Network, x: Any, y: Any, what: str) -> list[FloatArray | None]:
    """The numbers that the neurons of each layer show, or None."""
    none: list[FloatArray | None] = [None] * len(net.sizes)
    if x is None:
        if y is not None or what == "error":
            raise ValueError("x: expected an example, got None")
        return none
    row = one_example(net, x)
    if what == "activation":
        return [np.asarray(a)[0] for a in net.trace(row).a]
    if y is None:
        raise ValueError("y: expected the target of x, which errors need, got None")
    errors = net.errors(row, one_target(net, y), reduction="sum")
    return [None, *(np.asarray(delta)[0] for delta in errors)]


def _column(layer: int, size: int, most: int) -> Column:
    """Choose the neurons of a layer and their heights around 0."""
    if size <= most:
        heights = [(size - 1) / 2 - k for k in range(size)]
        return Column(layer, list(range(size)), heights, None)
    above = (most + 1) // 2
    neurons = [*range(above), *range(size - (most - above), size)]
    slots = [*range(above), *range(above + 1, most + 1)]
    return Column(layer, neurons, [most / 2 - slot for slot in slots], most / 2 - above)


def _draw_weights(axes: Axes, net: Network, columns: list[Column]) -> list[Line2D]:
    """Draw the weights between shown neurons; return what a legend shows of them."""
    signs: Any = ((1, BLUE, "-", "weight > 0"), (-1, RED, (0, (2.5, 1.5)), "weight < 0"))
    legend = []
    for sign, color, dashes, label in signs:
        lines, widths = [], []
        for before, after in pairwise(columns):
            w = np.array(net.weights[before.layer - 1], dtype=np.float64)
            finite = np.abs(w[np.isfinite(w)])
            part = sign * w[np.ix_(after.neurons, before.neurons)] / (finite.max(initial=0) or 1)
            for j, k in np.argwhere(part > 0):  # NaN is not drawn
                start = (before.left + NEURON_RADIUS, before.heights[k])
                lines.append((start, (after.left - NEURON_RADIUS, after.heights[j])))
                widths.append(
                    MIN_LINE_WIDTH + (MAX_LINE_WIDTH - MIN_LINE_WIDTH) * min(part[j, k], 1.0)
                )
        if lines:
            drawn = LineCollection(
                lines, linewidths=widths, colors=color, linestyles=[dashes], alpha=0.55,
                label=label, zorder=1,
            )  # fmt: skip
            axes.add_collection(drawn, autolim=False)
            legend.append(Line2D([], [], color=color, linestyle=dashes, label=label))
    return legend


def _draw_neurons(
    axes: Axes,
    columns: list[Column],
    numbers: list[FloatArray | None],
    what: str,
    with_scale: bool,
    size: float,
) -> None:
    """Draw the neurons, their numbers, the dots, and the indices of inputs and outputs."""
    blank, circles, values = [], [], []
    for column, values_of_layer in zip(columns, numbers, strict=True):
        for neuron, height in zip(column.neurons, column.heights, strict=True):
            circle = Circle((column.left, height), NEURON_RADIUS)
            if values_of_layer is None:
                blank.append(circle)
            else:
                circles.append(circle)
                values.append(float(values_of_layer[neuron]))
            if column.layer in (1, len(columns)) and size >= MIN_TEXT_SIZE:
                side = -1 if column.layer == 1 else 1
                axes.text(
                    column.left + side * 1.35 * NEURON_RADIUS, height, str(neuron),
                    fontsize=0.9 * size, ha="right" if side < 0 else "left", va="center",
                    color="dimgrey",
                )  # fmt: skip
        if column.dots is not None:
            heights = [column.dots + step for step in (-0.22, 0, 0.22)]
            axes.plot([column.left] * 3, heights, ".", color="black", markersize=2.5, zorder=3)
    edge: dict[str, Any] = {"edgecolors": "black", "linewidths": 0.8, "zorder": 2}
    if blank:
        axes.add_collection(PatchCollection(blank, facecolors="white", **edge), autolim=False)
    if not circles:
        return
    shown = np.array(values)
    cmap, norm = scale_for(shown, signed=what == "error" or None)
    drawn = PatchCollection(circles, cmap=cmap, norm=norm, **edge)
    drawn.set_array(shown)
    axes.add_collection(drawn, autolim=False)
    for circle, value in zip(circles, values, strict=True) if size >= MIN_TEXT_SIZE else ():
        color = text_color(drawn.cmap(norm(value)))
        left, height = circle.center
        axes.text(left, height, _short(value), fontsize=size, ha="center", va="center",
                  color=color, zorder=4)  # fmt: skip
    if with_scale:
        label = "activation $a$" if what == "activation" else "error $δ = ∂C_x/∂z$ (cost per unit)"
        color_scale(axes, drawn, label)


def _text_size(axes: Axes) -> float:
    """The size of text that fits into a neuron, in points."""
    dpi = axes.figure.dpi
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    unit = min(axes.bbox.width / (right - left), axes.bbox.height / (top - bottom)) / dpi
    return float(min(TEXT_SIZE * unit, 9.0))


def _short(value: float) -> str:
    """A number in five characters or fewer.

    Examples
    --------
    >>> _short(0.5), _short(-0.0301), _short(2e-5), _short(-123.4), _short(0)
    ('0.50', '-0.03', '2e-5', '-123', '0')
    """
    if value == 0:
        return "0"
    if not np.isfinite(value):
        return f"{value}"
    if 0.01 <= abs(value) < 100:
        return f"{value:.2f}"[:5]
    if 100 <= abs(value) < 10_000:
        return f"{value:.0f}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


network.__module__ = "bpfast.plot"  # the public module
