"""The histories of an ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from bpfast._many.ensemble.ensemble import Ensemble
from bpfast._many.ensemble.ranking import best_index
from bpfast.plot._arguments import instance_of
from bpfast.plot._figure import BLUE, RED, axes_for, drawn, grid, plain
from bpfast.plot._history import VALIDATION_PREFIX

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def ensemble(ensemble: Ensemble, column: str = "cost", *, ax: Axes | None = None) -> Axes:
    """Draw a column of the histories of all networks over the epochs.

    Each network is a thin line, the best one, if there is one by the column, a thick line.
    Validation is dashed.

    Parameters
    ----------
    ensemble : Ensemble
        The networks.
    column : str, default "cost"
        A column of their histories. ``validation_`` and the column is drawn beside it, if there is
        one.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        No network has such a column, or an epoch.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import bpfast
    >>> nets = [bpfast.Network([1, 1], output="identity", seed=seed) for seed in range(3)]
    >>> ensemble = bpfast.fit_many(nets, [[0.0], [1.0]], [0.0, 1.0], epochs=5, seed=0)
    >>> bpfast.plot.ensemble(ensemble).get_ylabel()
    'cost'
    """
    instance_of("ensemble", ensemble, Ensemble)
    instance_of("column", column, str)
    pairs = [(column, "training", BLUE, "-"), (VALIDATION_PREFIX + column, "validation", RED, "--")]
    if column.startswith(VALIDATION_PREFIX):
        pairs = [(column, "validation", RED, "--")]
    known = [history for history in ensemble.histories if history is not None and len(history)]
    pairs = [pair for pair in pairs if any(pair[0] in history for history in known)]
    if not known:
        raise ValueError("ensemble: expected a network with one epoch or more, got none")
    if not pairs:
        raise ValueError(f"column: expected one of the histories of the networks, got {column!r}")
    axes = axes_for(ax)
    best = best_index(ensemble.histories, pairs[-1][0])
    for name, label, color, dashes in pairs:
        shown = False
        for k, history in enumerate(ensemble.histories):
            if history is None or not len(history) or name not in history:
                continue
            width = 2.2 if k == best else 0.7
            axes.plot(
                history.epoch, drawn(history[name]), dashes, color=color, linewidth=width,
                alpha=1.0 if k == best else 0.5, label=None if shown else label,
            )  # fmt: skip
            shown = True
    axes.set_xlabel("epoch")
    axes.set_ylabel(plain(column.replace("_", " ")))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend()
    grid(axes)
    return axes
