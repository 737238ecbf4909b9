"""Time whole epochs of examples/mnist.py's training on the real digits: `python -m benches.epoch`.

Every trainer runs in a process of its own, from the same start through the same order of digits,
and those that minimise the same cost first show that they arrive at the same parameters. Writes
epoch-LEVEL.json and epoch-LEVEL.md.
"""

import argparse
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benches import options
from benches.cases.digits import BATCH, ETA, SIZES
from benches.machine import machine
from benches.pages import tables
from benches.peers import PEERS
from benches.processes.measure import say
from benches.processes.rounds import interleave, summary
from benches.processes.workers import PINS, PeerFailedError, Team, Worker
from benches.trainers import TRAINERS
from examples.shared.digits import FOLDER, find

Result = dict[str, Any]

# After a thousand steps of float32 that each round in their own way.
TOLERANCE = 1e-4
ROUNDS = 9


def begin(team: Team, digits: int) -> tuple[list[Worker], list[dict[str, Any]]]:
    """Let everyone learn for one epoch; those who can be timed, and who not and why."""
    able, left_out = [], []
    with tempfile.TemporaryDirectory() as folder:
        truth: Any = None
        for worker in team.workers:  # bpfast is the first
            place = Path(folder) / "parameters.npy"
            try:
                worker.ask("train", key="epoch", digits=digits, save=str(place))
                found = np.load(place)
                truth = found if truth is None else truth
                off = float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
                if TRAINERS[worker.peer].same and not off <= TOLERANCE:
                    raise PeerFailedError(f"its parameters are off by {off:.1e} of the norm")
            except PeerFailedError as error:
                say(f"  left out: {worker}: {error}")
                row = {"peer": worker.peer, "threads": worker.threads, "why": str(error)}
                left_out.append(row)
                continue
            say(f"{worker}: off by {off:.1e}")
            able.append(worker)
    return able, left_out


def run(args: argparse.Namespace, peers: list[str], threads: list[int], level: str) -> Result:
    """Time the epochs."""
    others, about = machine.OtherProcesses(), machine.describe(peers, level)
    wanted = [
        (name, entry.place, k)
        for name, entry in TRAINERS.items()
        if entry.peer in peers
        for k in threads
        if PINS or PEERS[entry.peer].counted or k == about["cpus"]
    ]

    def once(worker: Worker) -> float:
        seconds: float = worker.sample("epoch", key="epoch")["seconds"]
        return seconds

    with Team(wanted, level) as team:
        able, left_out = begin(team, args.digits)
        subjects = {worker: partial(once, worker) for worker in able}
        samples = interleave(subjects, args.rounds, args.seconds)
        times = [
            {
                "peer": worker.peer,
                "threads": worker.threads,
                **summary(found),
                **worker.ask("accuracy", key="epoch"),
            }
            for worker, found in samples.items()
        ]
    return {
        "level": level,
        "digits": args.digits,
        "quick": args.quick,
        "threads": threads,
        "machine": about | {"others": others.share()},
        "peers": {
            name: {"title": entry.title, "about": entry.about}
            for name, entry in TRAINERS.items()
            if entry.peer in peers
        },
        "times": times,
        "left_out": left_out,
    }


def median(result: Result, peer: str, threads: int) -> float | None:
    """The seconds of a trainer's epoch; None where it was not measured."""
    for row in result["times"]:
        if (row["peer"], row["threads"]) == (peer, threads):
            seconds: float = row["median"]
            return seconds
    return None


def markdown(result: Result) -> str:
    """The table of epochs, and what each trainer does."""
    threads = list(reversed(result["threads"]))
    body = []
    for peer, about in result["peers"].items():
        rows = {row["threads"]: row for row in result["times"] if row["peer"] == peer}
        cells = [about["title"]]
        for k in threads:
            half = (rows[k]["high"] - rows[k]["low"]) / 2 / rows[k]["median"] if k in rows else 0
            cells.append(f"{rows[k]['median'] * 1e3:,.1f} ±{half:.1%}" if k in rows else "–")
        accuracy = [f"{row['accuracy']:.1%}" for row in rows.values()]
        body.append([*cells, accuracy[0] if accuracy else "–"])
    heads = [f"ms, {tables.many(k, 'thread')}" for k in threads]
    sizes = "-".join(map(str, SIZES))
    lines = "".join(
        f"- **{peer['title']}**: {peer['about']}\n" for peer in result["peers"].values()
    )
    missing = "".join(
        f"- Not timed: {result['peers'][row['peer']]['title']}, "
        f"{tables.many(row['threads'], 'thread')}: {row['why']}\n"
        for row in result["left_out"]
    )
    return (
        f"Time of an epoch with {result['digits']:,} digits of examples/mnist: {sizes}, batches of "
        f"{BATCH}, float32, sigmoid, quadratic cost, η = {ETA:g}, shuffling included. Medians, ± "
        "half the distance between quartiles.\n\n"
        "All trainers start from the same parameters, with weights of variance 1/n_in. Those with "
        "the same cost see the digits in the same order, and after the first epoch their "
        f"parameters agreed to {TOLERANCE:.0e} of the norm. The last column is the accuracy on the "
        "test digits at the end of the measurement. By then the trainers have done different "
        "numbers of epochs, `net.fit` the most, with ten epochs per call. examples/mnist.py and "
        "examples/plain_loop.py start from weights of variance 1 and do 30 epochs, so their "
        "accuracy differs.\n\n"
        f"{tables.table(['trainer', *heads, 'test digits'], body)}\n{lines}{missing}"
    )


def main() -> None:
    parser = options.parser(__doc__)
    parser.add_argument("--digits", type=int, metavar="N", help="in an epoch (all 10,000)")
    args = parser.parse_args()
    args.digits = args.digits or (200 if args.quick else 10_000)
    args.rounds = args.rounds or (options.QUICK_ROUNDS if args.quick else ROUNDS)
    if not find(FOLDER / "train-10k-images-idx3-ubyte").exists():
        parser.error(f"the digits are not in {FOLDER}")
    if not BATCH <= args.digits <= 10_000:
        parser.error(f"--digits: expected from {BATCH} to 10000")
    args.digits -= args.digits % BATCH
    peers, level = options.peers(parser, args), options.level(parser, args)
    result = run(args, peers, options.threads(parser, args), level)
    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / f"epoch-{level}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    text = markdown(result)
    path.with_suffix(".md").write_text(f"# Epochs\n\n{text}", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
