"""What is measured: the tables by case, the curves, and several callers at once."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from benches.cases import Case
from benches.rounds import interleave, summary
from benches.workers import PeerFailedError, Team, Worker

Row = dict[str, Any]


def say(text: str) -> None:
    """Tell how far the run is."""
    print(text, file=sys.stderr, flush=True)


class Bench:
    """The workers, and what was found about them on the way."""

    def __init__(self, team: Team, rounds: int, seconds: float) -> None:
        self.workers, self.rounds, self.seconds = team.workers, rounds, seconds
        self.checks: list[Row] = []
        self.left_out: list[Row] = []  # who was not timed, on what, and why

    def leave_out(self, worker: Worker, case: Case, why: str) -> None:
        """Note that a worker is not timed on a case."""
        say(f"  left out: {worker} on {case.name}: {why}")
        row = {"peer": worker.peer, "threads": worker.threads, "case": case.name, "why": why}
        self.left_out.append(row)

    def opened(self, case: Case, workers: Sequence[Worker]) -> list[Worker]:
        """Open a case; those remain whose gradient and output are right."""
        able = []
        for worker in workers:
            try:
                found = worker.ask("open", key=case.name, case=case.to_json())
            except PeerFailedError as error:
                self.leave_out(worker, case, str(error))
                continue
            place = {"case": case.name, "batch": case.batch}
            self.checks.append({"peer": worker.peer, "threads": worker.threads, **place, **found})
            worst = max(found["gradient"], found["forward"])
            if worst <= found["tolerance"]:
                able.append(worker)
            else:
                self.leave_out(worker, case, f"its numbers are wrong by {worst:.1e} of the norm")
        return able

    def time(
        self, case: Case, calls: Sequence[str], workers: Sequence[Worker], rounds: int | None = None
    ) -> list[Row]:
        """Time calls of a case on workers, in rounds."""

        def once(worker: Worker, call: str) -> float:
            seconds: float = worker.ask("time", key=case.name, call=call)["seconds"]
            return seconds

        able = self.opened(case, workers)
        subjects = {(w, call): partial(once, w, call) for w in able for call in calls}
        samples = interleave(subjects, rounds or self.rounds, self.seconds)
        for worker in able:
            worker.ask("close")
        place = {"case": case.name, "batch": case.batch}
        return [
            {**place, "call": call, "peer": w.peer, "threads": w.threads, **summary(found)}
            for (w, call), found in samples.items()
        ]

    def table(self, case: Case) -> list[Row]:
        """Gradient and forward of a case, and forward at n = 1."""
        say(f"{case.name}: gradient and forward")
        rows = self.time(case, ("gradient", "forward"), self.workers)
        if case.batch > 1:
            rows += self.time(case.with_batch(1), ("forward",), self.workers)
        return rows

    def curve(self, case: Case, rounds: int) -> list[Row]:
        """The gradient of a case, all threads."""
        say(f"{case.name}, n = {case.batch:,}: gradient")
        most = max(worker.threads for worker in self.workers)
        everyone = [worker for worker in self.workers if worker.threads == most]
        rows = self.time(case, ("gradient",), everyone, rounds)
        return [row | {"weights": case.weights} for row in rows]

    def callers(self, case: Case, counts: Sequence[int], rounds: int, seconds: float) -> list[Row]:
        """Gradients a second of several Python threads at once, each with its own network."""
        say(f"{case.name}: {', '.join(map(str, counts))} Python threads")
        most = max(worker.threads for worker in self.workers)

        def once(worker: Worker, count: int) -> float:
            place = {"key": f"{case.name} callers", "case": case.to_json()}
            rate: float = worker.ask("callers", **place, count=count, seconds=seconds)["rate"]
            return rate

        samples: dict[tuple[Worker, int], list[float]] = {}
        for worker in self.workers:
            if worker.threads != most:
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
