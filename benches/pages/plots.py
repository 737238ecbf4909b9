"""The plots of a comparison, as small SVG files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benches.pages import tables

Result = dict[str, Any]

COLORS = {
    "bpfast": "#d1495b",
    "numpy": "#30638e",
    "sklearn": "#e9a03b",
    "jax": "#5a9367",
    "torch": "#8e6c8a",
    "torch.compile": "#b89fb4",
    "tensorflow": "#7f7f7f",
    "onnxruntime": "#3aafa9",
}
LIMIT = "FLOPs at peak"
STYLE: dict[Any, Any] = {  # matplotlib has a type for each key
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text: a tenth of the size
    "svg.hashsalt": "bpfast",  # the same file from the same figures
}


def bars(
    axes: Axes, result: Result, call: str, values: dict[str, dict[str, float]], bottom: float
) -> None:
    """Draw grouped bars: a group for each case, a bar for each peer (`values[peer][case]`)."""
    names = [case["name"] for case in tables.cases_of(result, call)]
    width = 0.84 / len(values)
    for k, (peer, found) in enumerate(values.items()):
        x = np.arange(len(names)) + (k - (len(values) - 1) / 2) * width
        heights = [found.get(name, np.nan) - bottom for name in names]
        axes.bar(
            x,
            heights,
            width,
            bottom,
            color=COLORS[peer],
            label=tables.heading(result["peers"][peer]),
        )
    axes.set_xticks(range(len(names)), names, rotation=20)
    axes.grid(visible=False, axis="x")


def named(axes: Axes) -> tuple[list[Any], list[str]]:
    """What its legend has, the peers first."""
    handles, labels = axes.get_legend_handles_labels()
    pairs = sorted(zip(handles, labels, strict=True), key=lambda pair: pair[1] == LIMIT)
    return [handle for handle, _ in pairs], [label for _, label in pairs]


def by_case(call: str) -> Callable[[Result], Figure]:
    """Bars of a call's times, a panel for each number of threads."""

    def make(result: Result) -> Figure:
        counts = result["threads"]
        figure = Figure(figsize=(11, 3.1 * len(counts)), layout="constrained")
        panels = figure.subplots(len(counts), squeeze=False, sharex=True)[:, 0]
        for axes, threads in zip(panels, reversed(counts), strict=True):
            rows = tables.rows_of(result, call, threads)
            values = {
                peer: {c: 1e6 * rows[c][peer]["median"] for c in rows if peer in rows[c]}
                for peer in tables.timed(result, list(result["peers"]), call)
            }
            smallest = min((v for found in values.values() for v in found.values()), default=1.0)
            bars(axes, result, call, values, smallest / 2)
            for k, case in enumerate(tables.cases_of(result, call)):
                limit = 1e6 * (tables.at_peak(result, case, call, threads) or 0)
                if limit > smallest / 2:
                    label = None if LIMIT in named(axes)[1] else LIMIT
                    axes.hlines(limit, k - 0.45, k + 0.45, colors="black", label=label, lw=1)
            axes.set(yscale="log", ylabel="µs", title=tables.many(threads, "thread"))
        panels[0].legend(*named(panels[0]), ncols=4, fontsize=8, loc="upper left")
        figure.suptitle(tables.CALLS[call])
        return figure

    return make


def fraction(result: Result) -> Figure | None:
    """Fraction of FMA peak by case and peer, all threads."""
    if not result["peak"]:
        return None
    threads = max(result["threads"])
    rows = tables.rows_of(result, "gradient", threads)
    limits = {
        case["name"]: tables.at_peak(result, case, "gradient", threads) or np.nan
        for case in tables.cases_of(result, "gradient")
    }
    values = {
        peer: {c: 100 * limits[c] / rows[c][peer]["median"] for c in rows if peer in rows[c]}
        for peer in tables.timed(result, list(result["peers"]), "gradient")
    }
    figure = Figure(figsize=(9, 3.1), layout="constrained")
    axes = figure.subplots()
    bars(axes, result, "gradient", values, 0.0)
    axes.set(ylabel="% of FMA peak", title=f"One batch gradient, {tables.many(threads, 'thread')}")
    axes.legend(ncols=2, fontsize=8)
    return figure


def lines(axes: Axes, result: Result, rows: list[dict[str, Any]], by: str) -> None:
    """Draw time against `by`, a line for each peer, with quartiles, and a linear guide."""
    for peer in result["peers"]:
        found = sorted((row for row in rows if row["peer"] == peer), key=lambda row: row[by])
        x = [row[by] for row in found]
        if not x:
            continue
        middle, low, high = ([row[name] for row in found] for name in ("median", "low", "high"))
        title = result["peers"][peer]["title"]
        axes.plot(x, middle, "o-", color=COLORS[peer], label=title, lw=1.3, ms=3)
        axes.fill_between(x, low, high, color=COLORS[peer], alpha=0.2, lw=0)
        if peer == "bpfast":
            guide = [middle[-1] * value / x[-1] for value in x]
            axes.plot(x, guide, ":", color="black", lw=1, label="linear")
    smallest = min((row["low"] for row in rows), default=1e-6)
    axes.set(xscale="log", yscale="log", ylim=(smallest / 2, None))


def batch(result: Result) -> Figure | None:
    """Time against the batch size."""
    rows = result.get("by_batch")
    if not rows:
        return None
    names = list(dict.fromkeys(row["case"] for row in rows))
    figure = Figure(figsize=(4.7 * len(names), 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        lines(axes, result, [row for row in rows if row["case"] == name], "batch")
        axes.set(title=name, xlabel="examples in the batch", ylabel="seconds a gradient")
    figure.axes[0].legend(fontsize=8)
    return figure


def weights(result: Result) -> Figure | None:
    """Time against the number of weights."""
    rows = result.get("by_weights")
    if not rows:
        return None
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    lines(axes, result, rows, "weights")
    title = "w-w-w-w, n = 128, float32, relu"
    axes.set(title=title, xlabel="weights", ylabel="seconds a gradient")
    axes.legend(fontsize=8)
    return figure


def threads(result: Result) -> Figure | None:
    """bpfast's speed-up over one thread, by case and number of threads."""
    rows = [r for r in result["times"] if r["peer"] == "bpfast" and r["call"] == "gradient"]
    counts = sorted({row["threads"] for row in rows})
    if len(counts) < 2 or counts[0] != 1:
        return None
    figure = Figure(figsize=(9, 3.1), layout="constrained")
    axes = figure.subplots()
    names = [case["name"] for case in tables.cases_of(result, "gradient")]
    width = 0.84 / (len(counts) - 1)
    shades = mpl.colormaps["Reds"](np.linspace(0.45, 0.85, len(counts) - 1))
    one = {row["case"]: row["median"] for row in rows if row["threads"] == 1}
    for k, count in enumerate(counts[1:]):
        found = {row["case"]: row["median"] for row in rows if row["threads"] == count}
        speed = [one[n] / found[n] if n in one and n in found else np.nan for n in names]
        x = np.arange(len(names)) + (k - (len(counts) - 2) / 2) * width
        axes.bar(x, speed, width, color=shades[k], label=tables.many(count, "thread"))
        axes.axhline(count, color=shades[k], lw=0.8, ls=":")
    axes.axhline(1, color="black", lw=0.8)
    axes.set_xticks(range(len(names)), names, rotation=20)
    axes.grid(visible=False, axis="x")
    axes.set(ylabel="times faster than one", title="bpfast, one batch gradient")
    axes.set_ylim(0, 1.15 * counts[-1])
    axes.legend(ncols=4, fontsize=8, loc="upper left")
    return figure


def callers(result: Result) -> Figure | None:
    """Throughput against the number of Python threads that call at once."""
    rows = result.get("callers")
    if not rows:
        return None
    names = list(dict.fromkeys(row["case"] for row in rows))
    figure = Figure(figsize=(3.3 * len(names) + 0.5, 3.2), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for peer in result["peers"]:
            found = [row for row in rows if (row["case"], row["peer"]) == (name, peer)]
            if not found:
                continue
            found.sort(key=lambda row: row["count"])
            x = [row["count"] for row in found]
            y = [row["median"] for row in found]
            title = result["peers"][peer]["title"]
            axes.plot(x, y, "o-", color=COLORS[peer], label=title, lw=1.3, ms=3)
        axes.set(title=name, xlabel="Python threads", xscale="log")
        counts = sorted({row["count"] for row in rows})
        axes.set_xticks(counts, map(str, counts), minor=False)
        axes.set_xticks([], minor=True)
        axes.set_ylim(bottom=0)
    figure.axes[0].set_ylabel("gradients a second, all together")
    figure.axes[-1].legend(fontsize=8)
    return figure


PLOTS: dict[str, Callable[[Result], Figure | None]] = {
    "gradient": by_case("gradient"),
    "forward": by_case("forward"),
    "single": by_case("single"),
    "peak": fraction,
    "batch": batch,
    "weights": weights,
    "threads": threads,
    "callers": callers,
}


TITLES = {
    "gradient": "Bars: time of a gradient by case and peer",
    "forward": "Bars: time of a forward pass by case and peer",
    "single": "Bars: time of a forward pass at n = 1 by case and peer",
    "peak": "Bars: fraction of FMA peak by case and peer",
    "batch": "Lines: time of a gradient against the batch size",
    "weights": "Lines: time of a gradient against the number of weights",
    "threads": "Bars: speed-up of bpfast by case and number of threads",
    "callers": "Lines: gradients a second against the number of Python threads",
}


def draw(result: Result, folder: Path, suffix: str = "svg") -> list[Path]:
    """Draw what the result has figures for."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context(STYLE):
        for name, make in PLOTS.items():
            figure = make(result)
            if figure is not None:
                path = folder / f"{name}.{suffix}"
                metadata = {"Date": None} if suffix == "svg" else None
                for axes in figure.axes:
                    axes.minorticks_off()  # on logarithmic axes they are most of the file
                figure.savefig(path, format=suffix, dpi=110, metadata=metadata)
                written.append(path)
    return written
