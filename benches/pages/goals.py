"""The goals of bpfast at each SIMD level, and what a run reached."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benches import epoch, fit
from benches.pages import summary, tables

Result = dict[str, Any]

# Share of the machine's FMA peak in a gradient, at least.
PEAK = {
    "wide": 0.85,
    "wide-f8": 0.85,
    "mlp512": 0.80,
    "tab256": 0.80,
    "pinn": 0.70,
    "nielsen100": 0.70,
    "rl64-64": 0.60,
    "chains": 0.45,
}
# Geometric mean of the fastest peer's time over bpfast's, at least, by level and call.
MEAN = {
    ("avx2", "gradient"): 2.2,
    ("avx512", "gradient"): 2.8,
    ("avx2", "forward"): 2.0,
    ("avx512", "forward"): 2.0,
}
SPARSE = 5.0  # the gradient of ctr over the better of scikit-learn and NumPy, at least
SPARSE_PEERS = ("numpy", "sklearn")
LATENCY = 0.6e-6  # seconds of a call at n = 1 beyond its arithmetic, at most
STEP = {"sgd": 1.10, "adam": 1.15}  # a step of fit over its gradient, at most
STEP_CASES = ("nielsen30", "rl64-64", "mlp512")
FULL_BATCH = ("chains", "adam", 1.10)
EPOCH = {"bpfast": 4.0, "bpfast-sparse": 6.0}  # an epoch of JAX's over theirs, at least


@dataclass(frozen=True)
class Found:
    """A goal, the figure of one number of threads, and whether it is reached."""

    name: str
    goal: str
    figure: str
    reached: bool


def peak_shares(result: Result, threads: int) -> Iterator[Found]:
    rows = tables.rows_of(result, "gradient", threads)
    for case in result["cases"]:
        name, own = case["name"], rows.get(case["name"], {}).get("bpfast")
        limit = tables.at_peak(result, case, "gradient", threads) if own else None
        if name in PEAK and own and limit is not None:
            share = limit / own["median"]
            goal = f"≥ {PEAK[name]:.0%}"
            yield Found(f"share of FMA peak, {name}", goal, f"{share:.0%}", share >= PEAK[name])


def leads(result: Result, threads: int) -> Iterator[Found]:
    for call, name in summary.NAMES.items():
        found = summary.leads(result, call, threads)
        if not found:
            continue
        low, case = min((ratio, case) for case, (ratio, _) in found.items())
        text = f"{low:.2f} ({case})"
        yield Found(f"{name}: smallest lead", "≥ 0.98", text, low >= summary.BEHIND)
        wanted, mean = MEAN.get((result["level"], call)), summary.mean(result, call, threads)
        if wanted is not None and mean is not None:
            title = f"{name}: geometric mean, fastest peer over bpfast"
            yield Found(title, f"≥ {wanted:g}", f"{mean:.2f}", mean >= wanted)


def sparse(result: Result, threads: int) -> Iterator[Found]:
    times = tables.rows_of(result, "gradient", threads).get("ctr", {})
    others = [times[peer]["median"] for peer in SPARSE_PEERS if peer in times]
    if others and "bpfast" in times:
        ratio = min(others) / times["bpfast"]["median"]
        name = "gradient of ctr: the faster of scikit-learn and NumPy with SciPy, over bpfast"
        yield Found(name, f"≥ {SPARSE:g}", f"{ratio:.2f}", ratio >= SPARSE)


def latency(result: Result, threads: int) -> Iterator[Found]:
    own = tables.rows_of(result, "single", threads).get(tables.LATENCY_CASE, {}).get("bpfast")
    if own and result["arithmetic"] is not None:
        beyond = own["median"] - result["arithmetic"]
        text = f"{beyond * 1e6:.2f} µs"
        name = f"overhead of a call at n = 1, {tables.LATENCY_CASE}"
        yield Found(name, f"≤ {LATENCY * 1e6:g} µs", text, beyond <= LATENCY)


def steps(result: Result, threads: int) -> Iterator[Found]:
    wanted = [(case, call, most) for call, most in STEP.items() for case in STEP_CASES]
    for case, call, most in [*wanted, FULL_BATCH]:
        ratio = fit.ratio(result["steps"], case, threads, call)
        if ratio is not None:
            title = f"step of `fit` over its gradient, {'SGD' if call == 'sgd' else 'Adam'}, {case}"
            yield Found(title, f"≤ {most:.2f}", f"{ratio:.2f}", ratio <= most)


def epochs(result: Result, threads: int) -> Iterator[Found]:
    theirs = epoch.median(result, "jax", threads)
    for peer, least in EPOCH.items():
        own = epoch.median(result, peer, threads)
        if own is not None and theirs is not None:
            name = f"epoch of digits, JAX over {result['peers'][peer]['title']}"
            yield Found(name, f"≥ {least:g}", f"{theirs / own:.2f}", theirs / own >= least)


def markdown(compared: list[Result], fits: list[Result], trained: list[Result]) -> str:
    """A table: a row for each goal, a column for each level and number of threads."""
    columns: list[str] = []
    cells: dict[str, dict[str, Found]] = {}
    makers = [(compared, make) for make in (peak_shares, leads, sparse, latency)]
    for results, make in [*makers, (fits, steps), (trained, epochs)]:
        for result in results:
            for threads in reversed(result["threads"]):
                column = f"{result['level']}, {tables.many(threads, 'thread')}"
                if column not in columns:
                    columns.append(column)
                for found in make(result, threads):
                    cells.setdefault(found.name, {})[column] = found
    body = []
    for name, row in cells.items():
        goals = dict.fromkeys(found.goal for found in row.values())
        figures = [cell(row.get(column)) for column in columns]
        body.append([name, " / ".join(goals), *figures])
    return tables.table(["", "goal", *columns], body)


def cell(found: Found | None) -> str:
    """A figure, in bold where the goal is missed."""
    if found is None:
        return "–"
    return found.figure if found.reached else f"**{found.figure}**"
