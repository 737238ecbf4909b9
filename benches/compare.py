"""Time bpfast beside its peers on the nine cases: `python -m benches.compare`.

Every peer runs in processes of its own and first shows that its gradient is right. Figures are
medians over interleaved rounds. Writes compare.json, compare.md and, with matplotlib, plots.
"""

import argparse
import datetime as dt
import json
from typing import Any

from benches import machine, options, page, start
from benches.cases import BY_NAME, CASES, QUICK, Case
from benches.measure import Bench, Row, say
from benches.peak import Peak
from benches.peers import PEERS
from benches.workers import PINS, Team

BATCHES = tuple(4**k for k in range(9))  # 1 to 65,536
BATCH_CASES = ("nielsen30", "tab256")
WIDTHS = tuple(2**k for k in range(3, 12))  # 8 to 2,048
CALLER_CASES = ("nielsen30", "tab256", "mlp512")
CALLER_COUNTS = (1, 2, 4, 8)


def parse() -> tuple[argparse.Namespace, list[str], list[int], list[Case]]:
    """Read the command line: the options, and from them peers, threads and cases."""
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
    args.rounds = args.rounds or (options.QUICK_ROUNDS if args.quick else 21)
    cases = [case for case in CASES if case.name in wanted]
    return args, options.peers(parser, args), options.threads(parser, args), cases


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
    """Which kernels the BLAS of each peer that has one has chosen."""
    workers = {worker.peer: worker for worker in team.workers if PEERS[worker.peer].blas}
    return {peer: worker.ask("kernels")["kernels"] for peer, worker in workers.items()}


def curves(bench: Bench, *, quick: bool) -> dict[str, list[Row]]:
    """Time against batch, against weights, and throughput against Python threads."""
    batches = (1, 16, 256) if quick else BATCHES
    widths = (8, 32) if quick else WIDTHS
    counts, seconds = ((1, 2), 0.05) if quick else (CALLER_COUNTS, 0.3)
    rounds = options.QUICK_ROUNDS if quick else 7
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


def run(
    args: argparse.Namespace, peers: list[str], threads: list[int], cases: list[Case]
) -> dict[str, Any]:
    """Measure everything that was asked for."""
    others = machine.Others()
    about = machine.describe(peers)
    peak = Peak(wanted=not (args.no_peak or args.quick))
    times: list[Row] = []
    found: dict[str, list[Row]] = {}
    with Team(wanted(peers, threads, about["cpus"])) as team:
        bench = Bench(team, args.rounds, args.seconds)
        kernels = kernels_of(team)
        peak.measure()
        for case in cases:
            times += bench.table(case)
            peak.measure()
        if not args.no_curves:
            found = curves(bench, quick=args.quick)
    say("import and first call")
    begin = start.measure(1 if args.quick else 15)
    return {
        "when": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "quick": args.quick,
        "complete": not args.quick and not args.no_curves and len(cases) == len(CASES),
        "machine": about | {"others": others.share()},
        "peers": {name: {"title": PEERS[name].title, "about": PEERS[name].about} for name in peers},
        "kernels": kernels,
        "threads": threads,
        "rounds": args.rounds,
        "cases": [
            case.to_json() | {"weights": case.weights, "flops": case.flops("gradient")}
            for case in cases
        ],
        "checks": bench.checks,
        "left_out": bench.left_out,
        "peak": peak.result(),
        "peak_spread": peak.spread(),
        "peak_missing": peak.missing,
        "times": times,
        **found,
        "start": begin,
    }


def main() -> None:
    args, peers, threads, cases = parse()
    args.output.mkdir(parents=True, exist_ok=True)
    result = run(args, peers, threads, cases)
    path = args.output / "compare.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    links = page.plots(result, args.output, args.output)
    text = f"# bpfast beside its peers\n\n{page.comparison(result, links)}"
    (args.output / "compare.md").write_text(text, encoding="utf-8")
    print(f"{text}\n{path}" if links else f"{text}\n{path}\nno plots: {page.NO_PLOTS}")


if __name__ == "__main__":
    main()
