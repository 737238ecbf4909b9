"""Time bpfast beside its peers on the cases, at one SIMD level: `python -m benches.compare`.

Every peer runs in processes of its own and first shows that its gradient is right. Figures are
medians over interleaved rounds. Writes compare-LEVEL.json, compare-LEVEL.md and, with matplotlib,
plots.
"""

import argparse
import datetime as dt
import json
import time
from typing import Any

from benches import options
from benches.cases.cases import BY_NAME, CASES, QUICK, Case
from benches.machine import cargo, levels, machine, start
from benches.machine.peak import Peak
from benches.pages import page
from benches.peers import PEERS, Entry
from benches.processes.measure import Bench, Row, say
from benches.processes.workers import PINS, Team

ROUNDS = 15
BATCHES = tuple(4**k for k in range(8))  # 1 to 16,384
BATCH_CASES = ("nielsen30", "tab256")
WIDTHS = tuple(2**k for k in range(3, 12))  # 8 to 2,048
CALLER_CASES = ("nielsen30", "tab256", "mlp512")
CALLER_COUNTS = (1, 2, 4, 8)
FLOPS = ("gradient", "forward")


def parse() -> tuple[argparse.Namespace, list[str], list[int], list[Case], str]:
    """Read the command line: the options, and from them peers, threads, cases and the level."""
    parser = options.parser(__doc__)
    names = ", ".join(BY_NAME)
    parser.add_argument("--cases", nargs="+", metavar="CASE", help=f"of {names} (all)")
    parser.add_argument("--no-curves", action="store_true", help="the tables by case alone")
    parser.add_argument("--no-peak", action="store_true", help="without the machine's FMA peak")
    args = parser.parse_args()
    for name in args.cases or ():
        if name not in BY_NAME:
            parser.error(f"--cases: expected names of {names}; got {name}")
    wanted = args.cases or (QUICK if args.quick else BY_NAME)
    args.rounds = args.rounds or (options.QUICK_ROUNDS if args.quick else ROUNDS)
    cases = [case for case in CASES if case.name in wanted]
    peers, threads = options.peers(parser, args), options.threads(parser, args)
    return args, peers, threads, cases, options.level(parser, args)


def wanted(peers: list[str], threads: list[int], every: int) -> list[tuple[str, str, int]]:
    """Which worker processes there are to be: bpfast at powers of two, too."""
    found = []
    for name in peers:
        counts = set(threads)
        if name == "bpfast":
            counts |= {k for k in (2, 4, 8, 16, 32, 64, 128) if k < threads[-1]}
        if not (PINS or PEERS[name].counted):
            counts &= {every}
        found += [(name, PEERS[name].place, k) for k in sorted(counts)]
    return found


def kernels_of(team: Team) -> dict[str, list[str]]:
    """Which kernels each peer that can be asked has chosen."""
    workers = {worker.peer: worker for worker in team.workers if PEERS[worker.peer].kernels}
    return {peer: worker.ask("kernels")["kernels"] for peer, worker in workers.items()}


def curves(bench: Bench, *, quick: bool) -> dict[str, list[Row]]:
    """Time against batch, against weights, and throughput against Python threads."""
    batches = (1, 16, 256) if quick else BATCHES
    widths = (8, 32) if quick else WIDTHS
    counts, seconds = ((1, 2), 0.05) if quick else (CALLER_COUNTS, 0.2)
    rounds = options.QUICK_ROUNDS if quick else 3
    by_batch = [BY_NAME[name] for name in (("rl64-64",) if quick else BATCH_CASES)]
    callers = [BY_NAME[name] for name in (("rl64-64",) if quick else CALLER_CASES)]
    squares = [Case(f"{w}-{w}-{w}-{w}", (w,) * 4, 128, "float32", "relu") for w in widths]
    return {
        "by_batch": [
            row
            for case in by_batch
            for n in batches
            for row in bench.curve(case.with_batch(n), rounds)
        ],
        "by_weights": [row for case in squares for row in bench.curve(case, rounds)],
        "callers": [
            row for case in callers for row in bench.callers(case, counts, rounds, seconds)
        ],
    }


def arithmetic(level: str) -> float | None:
    """The seconds of the products and activations of rl64-1 at n = 1, by the kernels alone."""
    try:
        seconds: float = cargo.ask("latency", level, 1)["seconds"]
    except cargo.Unmeasured as reason:
        say(f"  arithmetic of a call: {reason}")
        return None
    return seconds


def about_peer(entry: Entry, level: str) -> dict[str, Any]:
    """What the tables need of a peer; one that the level does not hold is `unlimited`."""
    return {
        "title": entry.title,
        "about": entry.about,
        "lacks": dict(entry.lacks),
        "unlimited": levels.is_limit(level) and not entry.limited,
    }


def run(
    args: argparse.Namespace, peers: list[str], threads: list[int], cases: list[Case], level: str
) -> dict[str, Any]:
    """Measure everything that was asked for; curves and imports at the widest level alone."""
    others, begin = machine.OtherProcesses(), time.monotonic()
    about = machine.describe(peers, level)
    cargo_wanted = not (args.no_peak or args.quick)
    peak = Peak(level, wanted=cargo_wanted)
    widest = not levels.is_limit(level)
    times: list[Row] = []
    found: dict[str, Any] = {}
    with Team(wanted(peers, threads, about["cpus"]), level) as team:
        bench = Bench(team, args.rounds, args.seconds)
        kernels = kernels_of(team)
        peak.measure()
        for case in cases:
            times += bench.table(case)
            peak.measure()
        if widest and not args.no_curves:
            found = curves(bench, quick=args.quick)
    if widest:
        say("import and first call")
        found["start"] = start.measure(1 if args.quick else 11)
    return {
        "arithmetic": arithmetic(level) if cargo_wanted else None,
        "when": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "quick": args.quick,
        "complete": not args.quick and not args.no_curves and len(cases) == len(CASES),
        "level": level,
        "environment": levels.environment(level),
        "machine": about | {"others": others.share()},
        "minutes": (time.monotonic() - begin) / 60,
        "peers": {name: about_peer(PEERS[name], level) for name in peers},
        "kernels": kernels,
        "threads": threads,
        "rounds": args.rounds,
        "cases": [
            case.to_json()
            | {"weights": case.weights, "flops": {call: case.flops(call) for call in FLOPS}}
            for case in cases
        ],
        "checks": bench.checks,
        "left_out": bench.left_out,
        "peak": peak.result(),
        "peak_spread": peak.spread(),
        "peak_missing": peak.missing,
        "times": times,
        **found,
    }


def main() -> None:
    args, peers, threads, cases, level = parse()
    args.output.mkdir(parents=True, exist_ok=True)
    result = run(args, peers, threads, cases, level)
    path = args.output / f"compare-{level}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    links = page.plots(result, args.output / level, args.output)
    text = f"# bpfast beside its peers, {level}\n\n{page.comparison(result, links)}"
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"{path}" if links else f"{path}\nno plots: {page.NO_PLOTS}")


if __name__ == "__main__":
    main()
