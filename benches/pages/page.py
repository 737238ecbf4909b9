"""The pages: all tables of a comparison, with the text that belongs to them."""

import importlib.util
from pathlib import Path
from typing import Any

from benches.pages import prose, tables

Result = dict[str, Any]

AGREEMENT = (
    "The largest distance of each peer's answers from the equations in float64, relative to the "
    "norm, over all cases:"
)
CALLERS = (
    "Gradients a second, all together, when several Python threads call at once, each with a "
    "network of its own:"
)
GROWTH = (
    "Shades are quartiles; the dotted line has bpfast's last point and grows in proportion. All "
    "threads are used."
)
STARTUP = (
    "A process each time, and all threads. Those of NumPy's BLAS still spin after its import while "
    "these calls are made, and take CPUs from a gradient on several threads."
)

LATENCY = (
    "`net.forward(x, out=a)` for one example from Python, beside its arithmetic alone: products, "
    "biases and activations, by bpfast's kernels in a loop of benches/kernels.rs, on one CPU. The "
    "rest is the call."
)

NO_PLOTS = "matplotlib is not installed"


def plots(result: Result, folder: Path, page: Path) -> dict[str, str]:
    """Draw into `folder`; links from a page in the folder `page`, none without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return {}
    from benches.pages import plots

    places = {path.stem: path.relative_to(page).as_posix() for path in plots.draw(result, folder)}
    return {name: f"![{plots.TITLES[name]}]({place})" for name, place in places.items()}


def method(result: Result) -> str:
    """The machine, the method, the cases and the peers: what the levels of a run share."""
    return "".join(
        [
            f"## Machine and versions\n\n{prose.machine(result)}\n",
            f"## Method\n\n{prose.method(result)}\n{prose.cases(result)}\n",
            f"What each peer's code does:\n\n{prose.peers(result)}\n",
        ]
    )


def comparison(result: Result, links: dict[str, str]) -> str:
    """The Markdown of a comparison at one level; `links` lead to its plots, by name."""
    most = tables.many(max(result["threads"]), "thread")
    speedup = f"How many times as fast a gradient is with {most} as with one:"
    mark = f" {prose.mark(result)}" if prose.unlimited(result) else ""

    def plot(name: str) -> str:
        return f"{links[name]}\n\n" if name in links else ""

    parts = [
        f"### Kernels and limit\n\n{prose.when(result)}\n{prose.kernels(result)}\n",
        f"{prose.peak(result)}\n",
        f"{AGREEMENT}\n\n{tables.agreement(result)}\n",
        prose.left_out(result),
        f"### Times by case\n\nMicroseconds; the best in bold.{mark}\n\n",
        *map(plot, ("gradient", "forward", "single")),
        tables.sections(result, tables.timing, "####"),
        plot("peak"),
        f"### Latency\n\n{LATENCY}\n\n{tables.latency(result)}\n",
        f"### Ratios by case\n\nHow many times as long as bpfast each peer takes.{mark}\n\n",
        tables.sections(result, tables.ratios, "####"),
        f"### Threads\n\n{speedup}\n\n{tables.speedup(result)}\n{plot('threads')}",
    ]
    if result.get("callers"):
        parts.append(f"{CALLERS}\n\n{tables.callers(result)}\n{plot('callers')}")
    if "batch" in links and "weights" in links:
        parts += [f"### As the work grows\n\n{GROWTH}\n\n", plot("batch"), plot("weights")]
    if "start" in result:
        parts.append(f"### Import and first call\n\n{STARTUP}\n\n{tables.startup(result)}\n")
    return "".join(parts)
