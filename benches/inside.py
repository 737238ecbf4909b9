"""Time derivatives beyond the gradient of a batch: `python -m benches.inside`.

Every library runs in a process of its own; each result is compared with bpfast's before anything is
timed. Writes inside-LEVEL.json and inside-LEVEL.md.
"""

import argparse
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benches import options
from benches.cases.cases import Case
from benches.derivatives import LIBRARIES
from benches.derivatives.registry import CALLS
from benches.machine import machine
from benches.pages import tables
from benches.processes.measure import say
from benches.processes.rounds import interleave, summary
from benches.processes.workers import PeerFailedError, Team, Worker

Result = dict[str, Any]

CASES = (
    Case("digits", (784, 128, 64, 10), 512, "float32", "tanh"),
    Case("small", (8, 64, 64, 4), 64, "float32", "tanh"),
    Case("even", (256, 256, 256, 256, 256), 512, "float32", "tanh"),
)
# What bpfast should take of the time of its own gradient, and how many times a peer should take.
OF_GRADIENT = {
    "norms": 1.10,
    "clipped": 1.15,
    "vjp": 0.75,
    "hvp": 2.8,
    "hvp_known": 2.1,
    "ggn_vp": 2.0,
}
LEADS = {"per_example": 2.0, "hvp": 2.0}
TOLERANCE = 1e-4
ROUNDS = 15


def begin(team: Team, case: Case) -> tuple[list[tuple[Worker, str]], list[dict[str, Any]]]:
    """Open the case everywhere; the calls that can be timed, and those that are off and why."""
    able, left_out = [], []
    truth: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "found.npy"
        for worker in team.workers:  # bpfast is the first
            try:
                worker.ask("derive", key=case.name, case=case.to_json())
                for call in LIBRARIES[worker.peer].calls:
                    worker.ask("read", key=case.name, call=call, save=str(place))
                    found = np.load(place)
                    exact = truth.setdefault(call, found)
                    off = float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
                    if not off <= TOLERANCE:
                        raise PeerFailedError(f"{call}: off by {off:.1e} of the norm")
                    able.append((worker, call))
            except PeerFailedError as error:
                say(f"  left out: {worker}: {error}")
                left_out.append({"peer": worker.peer, "threads": worker.threads, "why": str(error)})
    return able, left_out


def run(args: argparse.Namespace, peers: list[str], threads: list[int], level: str) -> Result:
    """Time the calls of each case."""
    others, about = machine.OtherProcesses(), machine.describe(peers, level)
    libraries = [name for name in LIBRARIES if name in peers]
    times, left_out = [], []
    wanted = [(name, LIBRARIES[name].place, k) for name in libraries for k in threads]

    def once(worker: Worker, call: str, case: str) -> float:
        seconds: float = worker.sample("time", key=case, call=call)["seconds"]
        return seconds

    with Team(wanted, level) as team:
        for case in CASES[: 1 if args.quick else None]:
            say(f"{case.name}: {'-'.join(map(str, case.sizes))}, n = {case.batch}")
            able, missing = begin(team, case)
            left_out += [row | {"case": case.name} for row in missing]
            subjects = {(w, call): partial(once, w, call, case.name) for w, call in able}
            samples = interleave(subjects, args.rounds, args.seconds * len(CALLS))
            for (worker, call), found in samples.items():
                row = {"case": case.name, "call": call, "peer": worker.peer}
                times.append(row | {"threads": worker.threads} | summary(found))
            for worker in team.workers:
                worker.ask("close")
    return {
        "level": level,
        "threads": threads,
        "machine": about | {"others": others.share()},
        "cases": [case.to_json() for case in CASES],
        "peers": {name: {"title": LIBRARIES[name].title, "about": LIBRARIES[name].about}
                  for name in libraries},
        "times": times,
        "left_out": left_out,
    }  # fmt: skip


def markdown(result: Result) -> str:
    """A table for each case and number of threads."""
    found = {
        (row["case"], row["threads"], row["call"], row["peer"]): row["median"]
        for row in result["times"]
    }
    peers = result["peers"]
    parts = [
        "Medians in µs; in brackets bpfast's time over that of its own gradient. Goals: at most "
        + ", ".join(f"{most:g} for {CALLS[call]}" for call, most in OF_GRADIENT.items())
        + "; and the best of the others takes at least "
        + ", ".join(
            f"{least:g} times as long for the {CALLS[call]}" for call, least in LEADS.items()
        )
        + ". What misses its goal is bold.\n"
    ]
    for case in result["cases"]:
        for threads in result["threads"]:
            body = []
            for call, title in CALLS.items():
                key = (case["name"], threads, call)
                own = found.get((*key, "bpfast"))
                if own is None:
                    continue
                share = own / found[case["name"], threads, "gradient", "bpfast"]
                cell = f"{own * 1e6:,.0f} ({share:.2f})"
                others = [found[*key, p] for p in peers if p != "bpfast" and (*key, p) in found]
                lead = min(others) / own if others else None
                missed = share > OF_GRADIENT.get(call, np.inf) or (
                    lead is not None and lead < LEADS.get(call, 0)
                )
                rest = [
                    f"{found[*key, p] * 1e6:,.0f}" if (*key, p) in found else "–"
                    for p in peers
                    if p != "bpfast"
                ]
                ahead = f"{lead:.1f}" if lead is not None else "–"
                body.append([title, f"**{cell}**" if missed else cell, *rest, ahead])
            if body:
                sizes = "-".join(map(str, case["sizes"]))
                parts.append(
                    f"\n{sizes}, {case['activation']}, n = {case['batch']}, {case['dtype']}, "
                    f"{tables.many(threads, 'thread')}:\n\n"
                )
                heads = ["call", *(peer["title"] for peer in peers.values()), "best other / bpfast"]
                parts.append(tables.table(heads, body))
    parts += [f"\n- **{peer['title']}**: {peer['about']}." for peer in peers.values()]
    parts += [
        f"\n- Not timed: {peers[row['peer']]['title']}, {row['case']}: {row['why']}"
        for row in result["left_out"]
    ]
    return "".join(parts) + "\n"


def main() -> None:
    parser = options.parser(__doc__)
    args = parser.parse_args()
    args.rounds = args.rounds or (options.QUICK_ROUNDS if args.quick else ROUNDS)
    level = options.level(parser, args)
    result = run(args, options.peers(parser, args), options.threads(parser, args), level)
    args.output.mkdir(parents=True, exist_ok=True)
    place = args.output / f"inside-{level}"
    place.with_suffix(".json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    place.with_suffix(".md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
