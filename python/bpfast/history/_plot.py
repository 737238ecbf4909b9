"""The plot of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bpfast.history._history import History

VALIDATION = "validation_"
# The size of a panel, in inches.
WIDTH, HEIGHT = 4.8, 3.6


def plot(history: History, axes: Any) -> Figure:
    """The implementation of `History.plot`."""
    try:
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError("plot needs matplotlib: pip install matplotlib") from error
    if not len(history):
        raise ValueError("history: expected one epoch or more, got none")
    panels = panel_names(history.names)
    if axes is None:
        figure = Figure(figsize=(WIDTH * len(panels), HEIGHT), layout="constrained")
        axes = [figure.add_subplot(1, len(panels), index + 1) for index in range(len(panels))]
    else:
        axes = [axes] if isinstance(axes, Axes) else _listed(axes)
        for panel in axes:
            if not isinstance(panel, Axes):
                got = type(panel).__name__
                raise TypeError(f"axes: expected Axes of matplotlib, got {got}")
    if len(axes) != len(panels):
        raise ValueError(f"axes: expected {len(panels)}, for {', '.join(panels)}, got {len(axes)}")
    for name, panel in zip(panels, axes, strict=True):
        for column, label in ((name, "training"), (VALIDATION + name, "validation")):
            if column in history:
                # A line with a single point is invisible.
                marker = "o" if len(history) == 1 else ""
                panel.plot(history.epoch, history[column], label=label, marker=marker)
        panel.set_xlabel("epoch")
        panel.set_ylabel(name.replace("_", " "))
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        panel.grid(alpha=0.3)
        panel.legend()
    found: Figure = axes[0].figure
    return found


def _listed(axes: Any) -> list[Any]:
    """The axes of a sequence or array, such as `subplots` returns."""
    try:
        return list(getattr(axes, "flat", axes))
    except (NotImplementedError, TypeError):
        got = type(axes).__name__
        raise TypeError(f"axes: expected Axes of matplotlib, got {got}") from None


def panel_names(columns: tuple[str, ...]) -> list[str]:
    """The panels: the cost, then each metric. Training and validation share a panel.

    Examples
    --------
    >>> panel_names(("epoch", "cost", "seconds", "learning_rate", "validation_accuracy"))
    ['cost', 'accuracy']
    """
    names = [name.removeprefix(VALIDATION) for name in columns]
    unplotted = ("epoch", "seconds", "learning_rate")
    return list(dict.fromkeys(name for name in names if name not in unplotted))
