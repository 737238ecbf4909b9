"""Figures that a notebook shows by itself, without pyplot."""

from __future__ import annotations

import io
import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# The figures of the running cell that it has not shown yet.
_pending: list[Figure] = []


class NotebookFigure(Figure):
    """A figure that is shown once below the cell that makes it, also if the cell ends with a ;."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shell = _kernel()
        if shell is not None:
            if not _pending:
                shell.events.register("post_run_cell", _show)
            _pending.append(self)

    def _repr_png_(self) -> bytes:
        return _png(self)


class NotebookAxes(Axes):
    """Axes whose figure a notebook shows."""

    def _repr_png_(self) -> bytes:
        return _png(self.figure)


def _png(figure: Any) -> bytes:
    if figure in _pending:
        _pending.remove(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _kernel() -> Any:
    """The shell of a notebook, or None: a program or a terminal shows no pictures."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell if hasattr(shell, "kernel") else None


def _show(result: Any) -> None:
    """Show, after a cell, what it has not shown; not what an error may have left half drawn."""
    from IPython.display import display

    shell, figures = _kernel(), list(_pending)
    _pending.clear()
    if shell is not None:
        shell.events.unregister("post_run_cell", _show)
    for figure in figures if result.success else ():
        display(figure)
