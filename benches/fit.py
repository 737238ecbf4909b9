"""Time a step of `fit` beside its gradient, for SGD and Adam: `python -m benches.fit`.

Writes fit-LEVEL.json.
"""

import json
from functools import partial
from typing import Any

from benches import options
from benches.cases.cases import BY_NAME
from benches.pages import tables
from benches.peers.bpfast_fit_peer import PLANS
from benches.processes.measure import say
from benches.processes.rounds import interleave, summary
from benches.processes.workers import Team, Worker

Result = dict[str, Any]

PLACE = "benches.peers.bpfast_fit_peer:BpfastFitPeer"
CALLS = ("gradient", "sgd", "adam")
ROUNDS = 15


def run(
    cases: list[str], threads: list[int], level: str, rounds: int, seconds: float
) -> list[dict[str, Any]]:
    """Time a gradient, and a step of `fit` with each optimizer, on each case."""

    def once(worker: Worker, case: str, call: str) -> float:
        taken: float = worker.sample("time", key=case, call=call)["seconds"]
        return taken / (1 if call == "gradient" else PLANS[case].steps)

    rows = []
    with Team([("bpfast", PLACE, k) for k in threads], level) as team:
        for case in cases:
            say(f"{case}: steps of fit")
            for worker in team.workers:
                worker.ask("open", key=case, case=BY_NAME[case].to_json(), calls=["gradient"])
            subjects = {
                (worker, call): partial(once, worker, case, call)
                for worker in team.workers
                for call in CALLS
            }
            rows += [
                {"case": case, "threads": worker.threads, "call": call, **summary(found)}
                for (worker, call), found in interleave(subjects, rounds, seconds).items()
            ]
            for worker in team.workers:
                worker.ask("close")
    return rows


def ratio(rows: list[dict[str, Any]], case: str, threads: int, call: str) -> float | None:
    """How many times as long as its gradient a step takes; None where it was not measured."""
    found = {
        row["call"]: row["median"]
        for row in rows
        if (row["case"], row["threads"]) == (case, threads)
    }
    return found[call] / found["gradient"] if {call, "gradient"} <= found.keys() else None


def markdown(result: Result) -> str:
    """The table."""
    rows = result["steps"]
    found = {(row["case"], row["threads"], row["call"]): row["median"] for row in rows}
    body = []
    for case in dict.fromkeys(row["case"] for row in rows):
        for k in reversed(result["threads"]):
            cells = [case, str(k), tables.figure(found[case, k, "gradient"] * 1e6)]
            for call in CALLS[1:]:
                step = tables.figure(found[case, k, call] * 1e6)
                cells.append(f"{step} (×{ratio(rows, case, k, call):.2f})")
            body.append(cells)
    heads = ["case", "threads", "gradient", "step of `fit`, SGD", "step of `fit`, Adam"]
    full = ", ".join(name for name, plan in PLANS.items() if plan.batches == 1)
    return (
        "Time of a step of `fit` and of a gradient alone, for some of the cases: medians in "
        "microseconds, and in brackets the step divided by the gradient. The gradient is "
        "`net.backprop(x, y, out=g)` of the same batch each time; `fit` shuffles the examples, "
        "gathers each batch and records a history. The batch of "
        f"{full} has all of the examples, without shuffling.\n\n"
        "The gradients are those of the tables above, measured once more in the processes of this "
        "program. On several threads, a gradient as short as that of rl64-64 takes one of two "
        "times, which differ by a factor of two, and a process keeps to one of them for many "
        "calls. So the two tables can have different times of the same call.\n\n"
        + tables.table(heads, body)
    )


def main() -> None:
    parser = options.parser(__doc__)
    parser.add_argument("--cases", nargs="+", metavar="CASE", help=f"of {', '.join(PLANS)} (all)")
    args = parser.parse_args()
    for name in args.cases or ():
        if name not in PLANS:
            parser.error(f"--cases: expected names of {', '.join(PLANS)}; got {name}")
    cases = args.cases or (["rl64-64"] if args.quick else list(PLANS))
    threads, level = options.threads(parser, args), options.level(parser, args)
    rounds = args.rounds or (options.QUICK_ROUNDS if args.quick else ROUNDS)
    steps = run(cases, threads, level, rounds, args.seconds)
    result = {"level": level, "quick": args.quick, "threads": threads, "steps": steps}
    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / f"fit-{level}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
