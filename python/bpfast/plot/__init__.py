"""Plots of networks, errors, trainings and reports, with matplotlib.

Install matplotlib with ``pip install "bpfast[plot]"``. ``import bpfast`` does not import it; the
first use of ``bpfast.plot`` does.

Each function draws in the Axes given as ``ax``, or else in a new figure, and returns the Axes.
Those with several panels take a sequence of Axes and return the Figure. New figures do not belong
to pyplot: they need no display and need not be closed, and a notebook shows them.
Save them with ``ax.figure.savefig("plot.png")`` or ``figure.savefig("plot.png")``.

- `network`, `weights` and `histograms` show a network.
- `saliency` and `confusion` show what it does with examples.
- `history`, `saturation` and `speed` show a training, `ensemble` those of many networks.
- `demon` and `report` show results of `bpfast.inside`.
"""

try:
    from bpfast.plot._confusion import confusion
    from bpfast.plot._demon import demon
    from bpfast.plot._ensemble import ensemble
    from bpfast.plot._graph import network
    from bpfast.plot._histograms import histograms
    from bpfast.plot._history import history
    from bpfast.plot._images import saliency, weights
    from bpfast.plot._monitor import saturation, speed
    from bpfast.plot._report import report
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "matplotlib":
        raise
    raise ImportError('bpfast.plot needs matplotlib: pip install "bpfast[plot]"') from error

__all__ = [
    "confusion",
    "demon",
    "ensemble",
    "histograms",
    "history",
    "network",
    "report",
    "saliency",
    "saturation",
    "speed",
    "weights",
]


def __dir__() -> list[str]:
    return __all__
