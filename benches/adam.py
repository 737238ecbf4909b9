"""What a step of Adam adds to the gradient of mlp512."""

from functools import partial
from typing import Any

from benches import tables
from benches.cases import BY_NAME
from benches.peers.bpfast_adam_peer import STEPS
from benches.rounds import interleave, summary
from benches.workers import Team, Worker

CASE = "mlp512"
PLACE = "benches.peers.bpfast_adam_peer:BpfastAdamPeer"
CALLS = {"gradient": 1, "step": 1, "fit": STEPS}


def run(threads: list[int], rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Time a gradient, one with a step of one's own, and a step of `fit`."""

    def once(worker: Worker, call: str) -> float:
        taken: float = worker.ask("time", key="adam", call=call)["seconds"]
        return taken / CALLS[call]

    with Team([("bpfast", PLACE, k) for k in threads]) as team:
        for worker in team.workers:
            worker.ask("open", key="adam", case=BY_NAME[CASE].to_json())
        subjects = {
            (worker.threads, call): partial(once, worker, call)
            for worker in team.workers
            for call in CALLS
        }
        samples = interleave(subjects, rounds, seconds)
    return [{"threads": k, "call": call, **summary(found)} for (k, call), found in samples.items()]


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table."""
    found = {(row["threads"], row["call"]): row["median"] for row in rows}
    body = []
    for k in sorted({row["threads"] for row in rows}, reverse=True):
        alone = found[k, "gradient"]
        both = (found[k, call] for call in ("step", "fit"))
        cells = [f"{taken * 1e6:,.0f} ({taken / alone - 1:+.0%})" for taken in both]
        body.append([tables.many(k, "thread"), f"{alone * 1e6:,.0f}", *cells])
    heads = ["", "gradient", "gradient, then `Adam.step`", "a step of `fit` with Adam"]
    case = BY_NAME[CASE]
    sizes = "-".join(map(str, case.sizes))
    return (
        f"A step of Adam beside the gradient alone, {CASE}: {sizes}, batches of {case.batch}, "
        f"{case.dtype}; µs, medians, and what they are above the gradient. `fit` shuffles, and "
        "gathers each batch.\n\n" + tables.table(heads, body)
    )
