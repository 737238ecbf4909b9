"""A process that holds one peer and does what it is asked, a line of JSON at a time.

A peer a process: no library's waiting threads, settings or memory get into another's times, and
the number of threads can be set before the library is loaded. Run by benches/workers.py as
`python -m benches.worker MODULE:CLASS`.
"""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benches import clock, truth
from benches.callers import throughput
from benches.cases import Case, Problem
from benches.digits import Digits

Request = dict[str, Any]


class Desk:
    """What this process has open, by key."""

    def __init__(self, place: str) -> None:
        module, _, name = place.partition(":")
        self.kind = getattr(importlib.import_module(module), name)
        self.digits: Digits | None = None
        self.open_: dict[str, Any] = {}
        self.repeats: dict[tuple[str, str], int] = {}

    def open(self, request: Request) -> Request:
        """Make a peer for a case, and tell how far its answers are from the truth."""
        problem = Problem.draw(Case.from_json(request["case"]))
        peer = self.kind(problem)
        output, gradient = truth.solve(problem)
        self.open_[request["key"]] = peer
        return {
            "gradient": truth.distance(truth.flat(*peer.read_gradient()), gradient),
            "forward": truth.distance(np.asarray(peer.read_forward(), np.float64), output),
            "tolerance": truth.tolerance(problem),
        }

    def train(self, request: Request) -> Request:
        """Make a trainer, let it learn for an epoch, and save its parameters."""
        self.digits = Digits.load(request["digits"])
        trainer = self.kind(self.digits)
        trainer.epoch()
        np.save(Path(request["save"]), truth.flat(*trainer.parameters()))
        self.open_[request["key"]] = trainer
        return {}

    def accuracy(self, request: Request) -> Request:
        """Tell how many test digits a trainer's network gets right."""
        assert self.digits is not None
        return {"accuracy": self.digits.accuracy(*self.open_[request["key"]].parameters())}

    def time(self, request: Request) -> Request:
        """Time one sample of a call."""
        place = request["key"], request["call"]
        call = getattr(self.open_[place[0]], place[1])
        if place not in self.repeats:
            self.repeats[place] = clock.fit(call)
        return {"seconds": clock.sample(call, self.repeats[place])}

    def epoch(self, request: Request) -> Request:
        """Time an epoch, the mean of those that a trainer does in a call."""
        sample = self.time(request | {"call": "epochs"})["seconds"]
        return {"seconds": sample / self.open_[request["key"]].AT_ONCE}

    def callers(self, request: Request) -> Request:
        """Count the gradients a second of several Python threads."""
        crew = self.open_.setdefault(request["key"], [])
        while len(crew) < request["count"]:
            crew.append(self.kind(Problem.draw(Case.from_json(request["case"]))))
        calls = [peer.gradient for peer in crew[: request["count"]]]
        return {"rate": throughput(calls, request["seconds"])}

    def kernels(self, _: Request) -> Request:
        """Tell which kernels each BLAS in this process has chosen, where it can be asked."""
        try:
            from threadpoolctl import threadpool_info
        except ImportError:
            return {"kernels": ["unknown: threadpoolctl is not installed"]}
        found = [library for library in threadpool_info() if library["user_api"] == "blas"]
        told = {
            f"{library['internal_api']} {library['version']}: "
            f"{library.get('architecture', 'it does not tell')}"
            for library in found
        }
        return {"kernels": sorted(told)}

    def close(self, _: Request) -> Request:
        """Forget everything."""
        self.open_.clear()
        self.repeats.clear()
        return {}


def main() -> None:
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    desk = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            desk = desk or Desk(sys.argv[1])
            reply = getattr(desk, request["do"])(request)
        except Exception as error:  # noqa: BLE001, whatever a peer raises, the others go on
            reply = {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
