"""The page of a comparison: its tables, with their text."""

import importlib.util
from pathlib import Path
from typing import Any

from benches.pages import prose, tables

Result = dict[str, Any]

COLUMNS = (
    '"µs at peak" is the time of the case\'s operations at the FMA peak, and "bpfast, of peak" is '
    "that time divided by the time of bpfast."
)
AGREEMENT = (
    "Largest error of each library over all cases: the distance from the equations computed in "
    "float64, relative to the norm."
)
CALLERS = (
    "Gradients per second in total when several Python threads call at the same time, each with "
    "its own network:"
)
GROWTH = (
    "Times on all threads. Shaded areas are quartiles. The dotted line is proportional to the "
    "abscissa and goes through the last point of bpfast."
)
STARTUP = (
    "Each sample is a new process with all threads. The threads of NumPy's BLAS still spin after "
    "the import while these calls run, and occupy CPUs that a gradient on several threads uses."
)

LATENCY = (
    "The time of `net.forward(x, out=a)` for one example, called from Python, and that of its "
    "arithmetic alone: the products, biases and activations, computed by the kernels of bpfast in "
    "a Rust loop (benches/kernels/products.rs) on one CPU. The difference is the overhead of the "
    "call."
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
            f"The code of each library:\n\n{prose.peers(result)}\n",
        ]
    )


def comparison(result: Result, links: dict[str, str]) -> str:
    """The Markdown of a comparison at one level; `links` lead to its plots, by name."""
    most = tables.many(max(result["threads"]), "thread")
    speedup = f"Speed-up of a gradient with {most} over one thread:"
    mark = f" {prose.mark(result)}" if prose.unlimited(result) else ""

    def plot(name: str) -> str:
        return f"{links[name]}\n\n" if name in links else ""

    parts = [
        f"### Kernels and limit\n\n{prose.when(result)}\n{prose.kernels(result)}\n",
        f"{prose.peak(result)}\n",
        f"{AGREEMENT}\n\n{tables.agreement(result)}\n",
        prose.left_out(result),
        f"### Times by case\n\nMicroseconds; the best in bold. {COLUMNS}{mark}\n\n",
        *map(plot, ("gradient", "forward", "single")),
        tables.sections(result, tables.timing, "####"),
        plot("peak"),
        f"### Latency\n\n{LATENCY}\n\n{tables.latency(result)}\n",
        f"### Ratios by case\n\nThe time of each library divided by that of bpfast.{mark}\n\n",
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
