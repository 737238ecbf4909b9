"""The summary: how much faster bpfast is at each SIMD level, and where it is slower."""

from typing import Any

from benches.pages import tables

Result = dict[str, Any]

BEHIND = 0.98  # below this ratio of the fastest peer's time, bpfast is slower
NAMES = {"gradient": "gradient", "forward": "forward", "single": "forward at n = 1"}


def leads(result: Result, call: str, threads: int) -> dict[str, tuple[float, str]]:
    """By case: the time of the fastest other peer over bpfast's, and which peer it is."""
    rows = tables.rows_of(result, call, threads)
    found = {case: tables.lead(result, times) for case, times in rows.items()}
    return {case: best for case, best in found.items() if best is not None}


def mean(result: Result, call: str, threads: int) -> float | None:
    """The geometric mean of the leads; None where there is no peer."""
    found = [ratio for ratio, _ in leads(result, call, threads).values()]
    return tables.geometric_mean(found) if found else None


def behind(result: Result, call: str, threads: int) -> str:
    """The cases where a peer is faster by more than 2 %, with the peer."""
    found = sorted(
        (ratio, case, peer)
        for case, (ratio, peer) in leads(result, call, threads).items()
        if ratio < BEHIND
    )
    cells = [f"{c} ({ratio:.2f}, {result['peers'][p]['title']})" for ratio, c, p in found]
    return ", ".join(cells) or "none"


def markdown(results: list[Result]) -> str:
    """The table, a row for each level, call and number of threads."""
    peers = {
        name: peer
        for result in results
        for name, peer in result["peers"].items()
        if name != "bpfast"
    }
    body = []
    for result in results:
        for call, name in NAMES.items():
            for threads in reversed(result["threads"]):
                average = mean(result, call, threads)
                if average is None:
                    continue
                cells = [result["level"], name, str(threads), f"**{average:.2f}**"]
                cells += [over(result, call, threads, peer) for peer in peers]
                body.append([*cells, behind(result, call, threads)])
    heads = ["level", "call", "threads", "fastest peer", *(p["title"] for p in peers.values())]
    return tables.table([*heads, "bpfast is slower on"], body)


def over(result: Result, call: str, threads: int, peer: str) -> str:
    """The geometric mean of a peer's times over bpfast's, on the cases that it has a way for."""
    rows = tables.rows_of(result, call, threads).values()
    pairs = [
        (row[peer]["median"], row["bpfast"]["median"])
        for row in rows
        if peer in row and "bpfast" in row
    ]
    if not pairs:
        return "–"
    mark = tables.MARK if result["peers"][peer]["unlimited"] else ""
    return f"{tables.geometric_mean([a / b for a, b in pairs]):.2f}{mark}"
