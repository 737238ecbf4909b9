"""What is measured: the tables by case, the curves, and several callers at once."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import bpfast
from benches.cases.cases import Case
from benches.peers import PEERS
from benches.processes.rounds import interleave, summary
from benches.processes.workers import PeerFailedError, Team, Worker

Row = dict[str, Any]

CURVE_SECONDS = 3.0  # after so long a point of a curve has no new round


def can(peer: str, call: str, *, sparse: bool) -> bool:
    """Whether a peer has a way for a call."""
    return peer not in PEERS or PEERS[peer].can(call, sparse=sparse)


def say(text: str) -> None:
    """Tell how far the run is."""
    print(text, file=sys.stderr, flush=True)


class Bench:
    """The workers, and what was found about them on the way."""

    def __init__(self, team: Team, rounds: int, seconds: float) -> None:
        self.workers, self.rounds, self.seconds = team.workers, rounds, seconds
        self.checks: list[Row] = []
        self.left_out: list[Row] = []  # who was not timed, on what, and why

    def with_all_threads(self) -> list[Worker]:
        """The workers of the curves."""
        most = max(worker.threads for worker in self.workers)
        every = [worker for worker in self.workers if worker.threads == most]
        return [w for w in every if w.peer not in PEERS or not PEERS[w.peer].compiled]

    def leave_out(self, worker: Worker, case: Case, why: str) -> None:
        """Note that a worker is not timed on a case."""
        say(f"  left out: {worker} on {case.name}: {why}")
        row = {"peer": worker.peer, "threads": worker.threads, "case": case.name, "why": why}
        self.left_out.append(row)

    def replies(
        self, case: Case, calls: Mapping[Worker, Sequence[str]]
    ) -> Iterator[tuple[Worker, Sequence[str], Callable[[], Row]]]:
        """Let workers open a case, as many at a time as there are CPUs: more would fill memory."""
        at_once = bpfast.get_num_threads()
        pairs = list(calls.items())
        for k in range(0, len(pairs), at_once):
            for worker, wanted in pairs[k : k + at_once]:
                worker.send("open", key=case.name, case=case.to_json(), calls=wanted)
            for worker, wanted in pairs[k : k + at_once]:
                yield worker, wanted, worker.receive

    def opened(
        self, case: Case, calls: Mapping[Worker, Sequence[str]]
    ) -> Mapping[Worker, Sequence[str]]:
        """Open a case; those remain whose gradient and output are right."""
        able = {}
        for worker, wanted, reply in self.replies(case, calls):
            try:
                found = reply()
            except PeerFailedError as error:
                self.leave_out(worker, case, str(error))
                continue
            place = {"case": case.name, "batch": case.batch}
            self.checks.append({"peer": worker.peer, "threads": worker.threads, **place, **found})
            worst = max(found[call] for call in wanted)
            if worst <= found["tolerance"]:
                able[worker] = wanted
            else:
                self.leave_out(worker, case, f"its numbers are wrong by {worst:.1e} of the norm")
        return able

    def time(
        self,
        case: Case,
        calls: Sequence[str],
        workers: Sequence[Worker],
        rounds: int | None = None,
        seconds: float | None = None,
    ) -> list[Row]:
        """Time calls of a case on the workers that have a way for them, in rounds."""

        def once(worker: Worker, call: str) -> float:
            sample: float = worker.sample("time", key=case.name, call=call)["seconds"]
            return sample

        wanted = {w: [c for c in calls if can(w.peer, c, sparse=case.sparse)] for w in workers}
        able = self.opened(case, {worker: found for worker, found in wanted.items() if found})
        subjects = {(w, call): partial(once, w, call) for w in able for call in able[w]}
        samples = interleave(subjects, rounds or self.rounds, seconds or self.seconds)
        for worker in able:
            worker.ask("close")
        place = {"case": case.name, "batch": case.batch}
        return [
            {**place, "call": call, "peer": w.peer, "threads": w.threads, **summary(found)}
            for (w, call), found in samples.items()
        ]

    def table(self, case: Case) -> list[Row]:
        """The calls of a case, and forward at n = 1."""
        say(f"{case.name}: {' and '.join(case.calls)}")
        rows = self.time(case, case.calls, self.workers)
        if case.batch > 1 and "gradient" in case.calls:  # others have the network of one of these
            rows += self.time(case.with_batch(1), ("forward",), self.workers)
        return rows

    def curve(self, case: Case, rounds: int) -> list[Row]:
        """The gradient of a case, all threads."""
        say(f"{case.name}, n = {case.batch:,}: gradient")
        rows = self.time(case, ("gradient",), self.with_all_threads(), rounds, CURVE_SECONDS)
        return [row | {"weights": case.weights} for row in rows]

    def callers(self, case: Case, counts: Sequence[int], rounds: int, seconds: float) -> list[Row]:
        """Gradients a second of several Python threads at once, each with its own network."""
        say(f"{case.name}: {', '.join(map(str, counts))} Python threads")

        def once(worker: Worker, count: int) -> float:
            place = {"key": f"{case.name} callers", "case": case.to_json()}
            rate: float = worker.sample("callers", **place, count=count, seconds=seconds)["rate"]
            return rate

        samples: dict[tuple[Worker, int], list[float]] = {}
        for worker in self.with_all_threads():
            if not can(worker.peer, "gradient", sparse=case.sparse):
                continue
            subjects = {(worker, count): partial(once, worker, count) for count in counts}
            try:
                samples |= interleave(subjects, rounds, self.seconds)
                worker.ask("close")
            except PeerFailedError as error:
                self.leave_out(worker, case, str(error))
        return [
            {"case": case.name, "peer": worker.peer, "count": count, **summary(found)}
            for (worker, count), found in samples.items()
        ]
