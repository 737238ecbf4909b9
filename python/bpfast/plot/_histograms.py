"""Histograms of activations, weighted inputs, errors, weights or gradients, by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bpfast._activations import activation_names
from bpfast._underflow import underflows
from bpfast._validation.names import one_of, unknown_name
from bpfast._validation.network import check_network
from bpfast._validation.numbers import integer
from bpfast.inside._scaled import rms
from bpfast.plot._figure import BLUE, MAX_DRAWN, figure_of, grid, panels_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from bpfast._core import _Inputs as Inputs
    from bpfast._network import Network
    from bpfast._typing import FloatArray

# The label of the x axis of each quantity.
AXIS_LABELS = {
    "a": "activation $a$",
    "z": "weighted input $z$",
    "error": "error $δ = ∂C_x/∂z$ (cost per unit)",
    "weights": "weight $w$",
    "gradient": "$∂C/∂w$ (cost per unit)",
}
QUANTITY_SYNONYMS = {
    "activation": "a", "activations": "a", "weightedinputs": "z", "errors": "error",
    "delta": "error", "weight": "weights", "gradients": "gradient", "grad": "gradient",
}  # fmt: skip
# These differ by orders of magnitude within a layer: a logarithmic axis shows their tails.
WITH_TAILS = ("error", "gradient")
# The least width of a histogram, relative to its numbers, for equal or almost equal ones.
MIN_RELATIVE_WIDTH = 1e-6


def histograms(
    net: Network,
    x: Inputs | None = None,
    y: ArrayLike | None = None,
    what: Literal["a", "z", "error", "weights", "gradient"] = "a",
    *,
    bins: int = 40,
    ax: Axes | Sequence[Axes] | None = None,
) -> Figure:
    """Draw a histogram for each of the layers 2 to L.

    Parameters
    ----------
    net : Network
        The network.
    x : array_like or SciPy sparse, (n, n_1), optional
        The examples, which all but ``what="weights"`` need.
    y : array_like, (n, n_L) or (n,), optional
        Their targets, which errors and gradients need. With cross_entropy and log_likelihood also
        integer class labels of shape (n,).
    what : {"a", "z", "error", "weights", "gradient"}, default "a"
        The activations a^l or weighted inputs z^l of all examples, their errors δ^l = ∂C_x/∂z^l,
        the weights W^l, or the gradient ∂C/∂W^l of the mean cost. The histograms of errors and
        gradients have a logarithmic y axis.
    bins : int, default 40
        The number of bins of each histogram, from its smallest to its largest number.
    ax : matplotlib.axes.Axes, or a sequence of them, optional
        Where to draw, one Axes per layer. Default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        x or y is needed or does not fit, the number of Axes is not L - 1, or ``what`` or ``bins``
        is not valid.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    Notes
    -----
    NaN, infinity and numbers beyond 1e300 are left out; the title has their number.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> net = bpfast.Network([4, 30, 20, 1], seed=0)
    >>> x, y = np.random.default_rng(0).random((100, 4)), np.ones((100, 1))
    >>> figure = bpfast.plot.histograms(net, x, what="z")
    >>> [panel.get_xlabel() for panel in figure.axes]
    ['weighted input $z$', 'weighted input $z$', 'weighted input $z$']
    >>> figure = bpfast.plot.histograms(net, x, y, "gradient")
    """
    check_network(net, "net")
    if str(what) in QUANTITY_SYNONYMS:
        raise unknown_name("what", what, AXIS_LABELS, synonyms=QUANTITY_SYNONYMS)
    one_of("what", what, AXIS_LABELS)
    count = integer("bins", bins, 1)
    layers = _values(net, x, y, what)
    names = [f"layer {layer}" for layer in range(2, len(net.sizes) + 1)]
    panels = panels_for(ax, names, 3.6, 2.9)
    activations = activation_names(net)
    for index, (panel, values) in enumerate(zip(panels, layers, strict=True)):
        numbers = values.astype(np.float64)
        finite = numbers[np.abs(numbers) <= MAX_DRAWN]  # NaN is not
        fractions, edges = _histogram(finite, count)
        panel.stairs(fractions, edges, fill=True, color=BLUE, alpha=0.35)
        panel.stairs(fractions, edges, color=BLUE, linewidth=1.2)
        title = f"{names[index]}: {net.sizes[index + 1]} {activations[index]}"
        if finite.size:
            title += f", RMS {rms(finite):.3g}"
        if missing := values.size - finite.size:
            title += f"\n{missing} not finite or beyond {MAX_DRAWN:g}"
        panel.set_title(title, fontsize=9)
        panel.set_xlabel(AXIS_LABELS[what])
        panel.set_ylabel("fraction of numbers")
        panel.ticklabel_format(axis="x", scilimits=(-3, 4), useMathText=True)
        if what in WITH_TAILS and fractions.any():
            panel.set_yscale("log")
        grid(panel)
    return figure_of(panels)


def _values(net: Network, x: Any, y: Any, what: str) -> list[FloatArray]:
    """The numbers of each of the layers 2 to L."""
    if what == "weights":
        return [np.array(w) for w in net.weights]
    if x is None:
        raise ValueError(f"x: expected examples, which what={what!r} needs, got None")
    if what in ("a", "z"):
        trace = net.trace(x)
        return list(trace.a[1:]) if what == "a" else list(trace.z)
    if y is None:
        raise ValueError(f"y: expected targets, which what={what!r} needs, got None")
    if what == "error":
        return list(net.errors(x, y, reduction="sum"))
    return [np.array(w) for w in net.backprop(x, y).weights]


@underflows
def _histogram(values: FloatArray, bins: int) -> tuple[FloatArray, FloatArray]:
    """The fraction of the numbers in each bin, and the edges of the bins."""
    if not values.size:
        return np.zeros(bins), np.linspace(0, 1, bins + 1)
    low, high = float(values.min()), float(values.max())
    min_width = MIN_RELATIVE_WIDTH * max(abs(low), abs(high)) or 0.5
    if high - low < min_width:
        low, high = low - min_width / 2, high + min_width / 2
    counts, edges = np.histogram(values, bins, (low, high))
    return counts / values.size, edges


histograms.__module__ = "bpfast.plot"  # the public module
