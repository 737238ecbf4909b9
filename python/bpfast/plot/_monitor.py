"""The columns of a `Monitor` over a training, a line per layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bpfast.inside._monitor.monitor import Monitor
from bpfast.plot._arguments import instance_of
from bpfast.plot._figure import axes_for, drawn, grid, legend_beside, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def saturation(monitor: Monitor, *, ax: Axes | None = None) -> Axes:
    """Draw the saturation of each layer over a training.

    Parameters
    ----------
    monitor : bpfast.inside.Monitor
        A monitor that has recorded a training.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: new Axes in a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A line per layer, over epochs, or over steps if the monitor has several records per epoch.

    Raises
    ------
    ValueError
        The monitor has no records.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    Notes
    -----
    For sigmoid and tanh it is the part of the gates σ' below a tenth of their maximum, for relu and
    its kind the part of neurons that are off for the whole sample. It is 0 for other activations,
    and for outputs whose σ' cancels.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.random.default_rng(0).standard_normal((100, 2))
    >>> y = (x[:, :1] > 0).astype(float)
    >>> net = bpfast.Network([2, 8, 1], seed=0)
    >>> monitor = bpfast.inside.Monitor(x, y, warn=False)
    >>> history = net.fit(x, y, epochs=3, callbacks=monitor, seed=0)
    >>> ax = bpfast.plot.saturation(monitor)
    >>> [line.get_label() for line in ax.get_lines()]
    ['layer 2', 'layer 3']
    """
    axes = _lines(monitor, "saturation", ax)
    axes.set_ylabel("saturation (fraction)")
    axes.set_ylim(-0.03, 1.03)
    axes.set_title("saturation by layer", fontsize=10)
    return axes


def speed(monitor: Monitor, *, ax: Axes | None = None) -> Axes:
    """Draw the learning speed ‖δ^l‖ of each layer over a training.

    Parameters
    ----------
    monitor : bpfast.inside.Monitor
        A monitor that has recorded a training.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: new Axes in a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        A line per layer, over epochs, or over steps if the monitor has several records per epoch.
        The y axis is logarithmic; a speed of 0 is a gap.

    Raises
    ------
    ValueError
        The monitor has no records.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 5: the speed of learning ‖δ^l‖ of a layer.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.random.default_rng(0).standard_normal((100, 2))
    >>> y = (x[:, :1] > 0).astype(float)
    >>> net = bpfast.Network([2, 8, 1], seed=0)
    >>> monitor = bpfast.inside.Monitor(x, y, warn=False)
    >>> history = net.fit(x, y, epochs=3, callbacks=monitor, seed=0)
    >>> ax = bpfast.plot.speed(monitor)
    >>> bool((ax.get_lines()[0].get_ydata() == monitor.speed_2).all())
    True
    """
    axes = _lines(monitor, "speed", ax)
    axes.set_ylabel(r"learning speed $\Vert\delta^l\Vert$ (cost per unit of $z$)")
    axes.set_title("learning speed by layer", fontsize=10)
    if any((np.asarray(line.get_ydata()) > 0).any() for line in axes.get_lines()):
        axes.set_yscale("log", nonpositive="mask")
    return axes


def _lines(monitor: Monitor, column: str, ax: Axes | None) -> Axes:
    """A line per layer of the columns ``column_l``."""
    instance_of("monitor", monitor, Monitor)
    if not len(monitor):
        raise ValueError("monitor: expected one record or more, got none")
    axes = axes_for(ax)
    has_steps = len(np.unique(monitor["epoch"])) < len(monitor)
    time = "step" if has_steps else "epoch"
    names = [name for name in monitor.names if name.startswith(f"{column}_")]
    for index, name in enumerate(names):
        style = line_style(index, len(names), len(monitor))
        label = f"layer {name.removeprefix(f'{column}_')}"
        axes.plot(monitor[time], drawn(monitor[name]), label=label, **style)
    axes.set_xlabel(time)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend_beside(axes, ax)
    grid(axes)
    return axes


for _function in (saturation, speed):
    _function.__module__ = "bpfast.plot"  # the public module
