"""Markdown tables from what compare measured."""

import math
from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]
Result = dict[str, Any]

CALLS = {
    "gradient": "One batch gradient (cost, forward and BP1–BP4)",
    "forward": "Forward",
    "single": "Inference: forward at n = 1",
}


MARK = " †"  # a peer that the SIMD level of the run does not hold


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left, the others to the right."""
    if not rows:
        return "(nothing was measured)\n"
    rule = [":--", *("--:" for _ in head[1:])]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rows))


def figure(value: float, digits: int = 3) -> str:
    """A number with three significant digits and no exponent."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def many(count: int, noun: str) -> str:
    """`count` and its noun: 1 thread, 2 threads."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def cases_of(result: Result, call: str) -> list[Row]:
    """The cases of a table; at n = 1 those that differ in their batch alone are one."""
    cases: list[Row] = result["cases"]
    if call != "single":
        return [case for case in cases if call in case["calls"]]
    cases = [case for case in cases if "gradient" in case["calls"]]
    networks = [(case["sizes"], case["dtype"], case["activation"]) for case in cases]
    return [case for k, case in enumerate(cases) if networks.index(networks[k]) == k]


def rows_of(result: Result, call: str, threads: int) -> dict[str, dict[str, Row]]:
    """The rows of a table: by case, then by peer."""
    found: dict[str, dict[str, Row]] = {}
    for case in cases_of(result, call):
        n, name = (1, "forward") if call == "single" else (case["batch"], call)
        found[case["name"]] = {
            row["peer"]: row
            for row in result["times"]
            if row["case"] == case["name"]
            and (row["batch"], row["call"], row["threads"]) == (n, name, threads)
        }
    return found


def at_peak(result: Result, case: Row, call: str, threads: int) -> float | None:
    """The seconds that the case's operations take at the machine's FMA peak."""
    rates = (result["peak"] or {}).get(case["dtype"], {})
    if str(threads) not in rates:
        return None
    work = case["flops"]["forward"] / case["batch"] if call == "single" else case["flops"][call]
    seconds: float = work / rates[str(threads)]
    return seconds


def lead(result: Result, times: dict[str, Row]) -> tuple[float, str] | None:
    """The time of the fastest other peer on a case over that of bpfast, and which peer it is.

    A peer that the run's SIMD level does not hold is no peer of that level.
    """
    own = times.get("bpfast")
    found = [
        (row["median"], peer)
        for peer, row in times.items()
        if peer != "bpfast" and not result["peers"][peer]["unlimited"]
    ]
    if own is None or not found:
        return None
    best, peer = min(found)
    return best / own["median"], peer


def heading(peer: Row) -> str:
    """A peer's name above its column: marked where the level does not hold it."""
    return f"{peer['title']}{MARK if peer['unlimited'] else ''}"


def spread(row: Row) -> str:
    """A median in microseconds, and half of the distance of its quartiles."""
    half = (row["high"] - row["low"]) / 2 / row["median"]
    return f"{figure(row['median'] * 1e6)} ±{half:.1%}"


def timed(result: Result, peers: Sequence[str], call: str) -> list[str]:
    """Those of the peers that have a way for a call."""
    kind = "gradient" if call == "gradient" else "forward"
    return [peer for peer in peers if kind not in result["peers"][peer]["lacks"]]


def timing(result: Result, call: str, threads: int) -> str:
    """Times by case and peer, with the best in bold, and the fraction of peak."""
    rows = rows_of(result, call, threads)
    peers = {peer: result["peers"][peer] for peer in timed(result, list(result["peers"]), call)}
    peaked = at_peak(result, result["cases"][0], call, threads) is not None
    body = []
    for case in cases_of(result, call):
        times = rows[case["name"]]
        held = [row for peer, row in times.items() if not peers[peer]["unlimited"]]
        best = min((row["median"] for row in held), default=0)
        cells = [case["name"]]
        for peer in peers:
            cell = spread(times[peer]) if peer in times else "–"
            cells.append(f"**{cell}**" if peer in times and times[peer]["median"] == best else cell)
        limit = at_peak(result, case, call, threads)
        if limit is not None:
            own = times.get("bpfast")
            cells += [figure(limit * 1e6), f"{limit / own['median']:.0%}" if own else "–"]
        body.append(cells)
    head = ["case", *(heading(peer) for peer in peers.values())]
    return table(head + ["µs at peak", "bpfast, of peak"] * peaked, body)


def ratios(result: Result, call: str, threads: int) -> str:
    """How many times as long as bpfast each peer takes, and the geometric means."""
    others = timed(result, [peer for peer in result["peers"] if peer != "bpfast"], call)
    rows = rows_of(result, call, threads)
    columns: dict[str, list[float]] = {name: [] for name in [*others, "best"]}
    body = []
    for case in cases_of(result, call):
        times = rows[case["name"]]
        if "bpfast" not in times or len(times) == 1:
            continue
        own = times["bpfast"]["median"]
        found = {peer: times[peer]["median"] / own for peer in others if peer in times}
        best = lead(result, times)
        if best is not None:
            found["best"] = best[0]
        for name, ratio in found.items():
            columns[name].append(ratio)
        cells = [f"{found[name]:.2f}" if name in found else "–" for name in columns]
        body.append([case["name"], *cells])
    if body:
        means = [f"{geometric_mean(c):.2f}" if c else "–" for c in columns.values()]
        body.append(["geometric mean", *means])
    return table(["case", *(heading(result["peers"][p]) for p in others), "best of them"], body)


def speedup(result: Result) -> str:
    """How many times faster all threads are than one, by case and peer."""
    one, most = min(result["threads"]), max(result["threads"])
    if one == most:
        return "(one number of threads was measured)\n"
    few, all_ = rows_of(result, "gradient", one), rows_of(result, "gradient", most)
    peers = timed(result, list(result["peers"]), "gradient")
    body = []
    for case in few:
        pairs = [(few[case].get(peer), all_[case].get(peer)) for peer in peers]
        cells = [f"{a['median'] / b['median']:.2f}" if a and b else "–" for a, b in pairs]
        body.append([case, *cells])
    return table(["case", *(heading(result["peers"][peer]) for peer in peers)], body)


def agreement(result: Result) -> str:
    """The largest distance of each peer's gradient and output from float64 NumPy."""
    body = []
    for peer, about in result["peers"].items():
        cells = [about["title"]]
        for name in ("gradient", "forward"):
            for dtype in ("float32", "float64"):
                cases = [case["name"] for case in result["cases"] if case["dtype"] == dtype]
                found = [
                    check[name]
                    for check in result["checks"]
                    if check["peer"] == peer and check["case"] in cases and name in check
                ]
                cells.append(f"{max(found):.1e}" if found else "–")
        body.append(cells)
    return table(
        ["peer", "gradient, float32", "gradient, float64", "forward, float32", "forward, float64"],
        body,
    )


LATENCY_CASE = "rl64-1"  # the network of benches/kernels/products.rs


def latency(result: Result) -> str:
    """A call at n = 1, its arithmetic, and the rest, by number of threads."""
    arithmetic = result["arithmetic"]
    if arithmetic is None:
        return "(the arithmetic was not measured by itself)\n"
    body = []
    for threads in reversed(result["threads"]):
        own = rows_of(result, "single", threads).get(LATENCY_CASE, {}).get("bpfast")
        if own:
            seconds = (own["median"], arithmetic, own["median"] - arithmetic)
            cells = [f"{value * 1e6:.2f}" for value in seconds]
            body.append([f"{LATENCY_CASE}, {many(threads, 'thread')}", *cells])
    return table(["", "call, µs", "arithmetic, µs", "rest, µs"], body)


def callers(result: Result) -> str:
    """Gradients a second by number of Python threads."""
    rows = result.get("callers") or []
    counts = sorted({row["count"] for row in rows})
    body = []
    for case, peer in dict.fromkeys((row["case"], row["peer"]) for row in rows):
        rates = {r["count"]: r["median"] for r in rows if (r["case"], r["peer"]) == (case, peer)}
        title = result["peers"][peer]["title"]
        body.append([case, title, *(f"{rates[k]:,.0f}" if k in rates else "–" for k in counts)])
    return table(["case", "peer", *(many(k, "Python thread") for k in counts)], body)


def startup(result: Result) -> str:
    """Import and first call."""
    found = result["start"]

    def cell(row: Row) -> str:
        return f"{row['median'] * 1e3:.2f} ({row['low'] * 1e3:.2f}–{row['high'] * 1e3:.2f})"

    body = [
        ["import numpy", cell(found["import"]["numpy"])],
        ["import bpfast after it", cell(found["import"]["bpfast"])],
    ]
    for name, calls in found["calls"].items():
        body.append([f"{name}: first gradient of a process", cell(calls["first"])])
        body.append([f"{name}: later ones", cell(calls["later"])])
    return table(["", "ms: median (quartiles)"], body)


def sections(result: Result, make: Callable[[Result, str, int], str], level: str) -> str:
    """One table for each call and number of threads."""
    parts = []
    for call, title in CALLS.items():
        for threads in reversed(result["threads"]):
            parts.append(f"{level} {title}, {many(threads, 'thread')}\n\n")
            parts.append(make(result, call, threads) + "\n")
    return "".join(parts)
