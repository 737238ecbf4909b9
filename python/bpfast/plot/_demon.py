"""The demon: the true change of the cost beside δ Δz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from bpfast._validation.numbers import integer
from bpfast.inside._demon import Demon
from bpfast.plot._arguments import instance_of
from bpfast.plot._figure import axes_for, drawn, grid, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def demon(demon: Demon, *, most: int = 3, ax: Axes | None = None) -> Axes:
    """Draw the true change of the cost over Δz, beside the straight line δ Δz.

    Parameters
    ----------
    demon : bpfast.inside.Demon
        The result of `bpfast.inside.demon`.
    most : int, default 3
        The most neurons that are shown: those with the largest abs(δ).
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: new Axes in a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        For each neuron ΔC, with markers, and δ Δz, a thin line of the same colour.

    Raises
    ------
    ValueError
        ``most`` is below 1.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, "The four fundamental equations".

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> net = bpfast.Network([3, 4, 2], seed=0)
    >>> demon = bpfast.inside.demon(net, np.ones((5, 3)), np.zeros((5, 2)), layer=2, neuron=1)
    >>> ax = bpfast.plot.demon(demon)
    >>> true, predicted = ax.get_lines()[:2]
    >>> bool((true.get_ydata() == demon.true[0]).all())
    True
    """
    instance_of("demon", demon, Demon)
    count = integer("most", most, 1)
    axes = axes_for(ax)
    chosen = np.sort(np.argsort(-np.abs(demon.delta), kind="stable")[:count])
    order = np.argsort(demon.dz, kind="stable")
    dz = drawn(demon.dz[order])
    is_single = len(demon.delta) == 1
    for index, row in enumerate(chosen):
        style: dict[str, Any] = line_style(index, len(chosen), len(dz))
        style["linestyle"] = "-"
        where = f"layer {demon.layer[row]}, neuron {demon.neuron[row]}"
        label = "$ΔC$" if is_single else f"$ΔC$: {where}"
        axes.plot(dz, drawn(demon.true[row][order]), label=label, linewidth=1.8, **style)
        is_last = index == len(chosen) - 1
        axes.plot(
            dz, drawn(demon.predicted[row][order]), color=style["color"], linestyle=(0, (5, 3)),
            linewidth=1.0, marker="x" if len(dz) == 1 else "",
            label="$δ\\,Δz$" if is_last else "_nolegend_",
        )  # fmt: skip
    axes.axhline(0, color="grey", linewidth=0.6, zorder=0)
    axes.axvline(0, color="grey", linewidth=0.6, zorder=0)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.set_xlabel("change $Δz$ of the weighted input")
    axes.set_ylabel("change of the cost $C$")
    title = f"the demon at {len(chosen)} of {len(demon.delta)} neurons"
    if is_single:
        title = f"the demon at {where}: δ = {demon.delta[0]:.3g}"
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8, handlelength=3.5)
    grid(axes)
    return axes


demon.__module__ = "bpfast.plot"  # the public module
