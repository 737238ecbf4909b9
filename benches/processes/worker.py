"""A process that holds one peer and does what it is asked, a line of JSON at a time.

A peer a process: no library's waiting threads, settings or memory get into another's times, and
the number of threads can be set before the library is loaded. benches/processes/workers.py runs it:
`python -m benches.processes.worker MODULE:CLASS`.
"""

import gc
import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benches.cases import truth
from benches.cases.cases import Case, Problem
from benches.cases.digits import Digits
from benches.processes import clock
from benches.processes.callers import throughput
from benches.processes.serve import serve

Request = dict[str, Any]


class Server:
    """What this process has open, by key, and how it answers requests."""

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
        found = {"tolerance": truth.tolerance(problem)}
        if "forward" in request["calls"]:
            found["forward"] = truth.distance(np.asarray(peer.read_forward(), np.float64), output)
        if "gradient" in request["calls"]:
            found["gradient"] = truth.distance(truth.flat(*peer.read_gradient()), gradient)
        # What is there by now stays: each sample's collection need not look through it.
        gc.collect()
        gc.freeze()
        return found

    def train(self, request: Request) -> Request:
        """Make a trainer, let it learn for an epoch, and save its parameters."""
        self.digits = Digits.load(request["digits"])
        trainer = self.kind(self.digits)
        trainer.epoch()
        np.save(Path(request["save"]), truth.flat(*trainer.parameters()))
        gc.collect()
        gc.freeze()
        self.open_[request["key"]] = trainer
        return {}

    def derive(self, request: Request) -> Request:
        """Make a library for a case of derivatives, with a direction."""
        case = Case.from_json(request["case"])
        size = case.weights + sum(case.sizes[1:])
        v = np.random.default_rng(1).standard_normal(size).astype(case.dtype)
        self.open_[request["key"]] = self.kind(Problem.draw(case), v)
        gc.collect()
        gc.freeze()
        return {}

    def read(self, request: Request) -> Request:
        """Save the result of a call."""
        np.save(Path(request["save"]), self.open_[request["key"]].read(request["call"]))
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
            self.repeats[place] = clock.calibrate(call)
        return {"seconds": clock.sample(call, self.repeats[place])}

    def epoch(self, request: Request) -> Request:
        """Time an epoch, the mean of those that a trainer does in a call."""
        sample = self.time(request | {"call": "epochs"})["seconds"]
        return {"seconds": sample / self.open_[request["key"]].AT_ONCE}

    def callers(self, request: Request) -> Request:
        """Count the gradients a second of several Python threads."""
        peers = self.open_.setdefault(request["key"], [])
        while len(peers) < request["count"]:
            peers.append(self.kind(Problem.draw(Case.from_json(request["case"]))))
        calls = [peer.gradient for peer in peers[: request["count"]]]
        return {"rate": throughput(calls, request["seconds"])}

    def kernels(self, _: Request) -> Request:
        """Name the kernels in use: as the library says, else as the BLAS in this process say."""
        own: list[str] = self.kind.kernels()
        if own:
            return {"kernels": own}
        try:
            from threadpoolctl import threadpool_info
        except ImportError:
            return {"kernels": ["unknown: threadpoolctl is not installed"]}
        found = [library for library in threadpool_info() if library["user_api"] == "blas"]
        blas = {
            f"{library['internal_api']} {library['version']}: "
            f"{library.get('architecture', 'it does not tell')}"
            for library in found
        }
        return {"kernels": sorted(blas)}

    def close(self, _: Request) -> Request:
        """Forget everything."""
        gc.unfreeze()
        self.open_.clear()
        self.repeats.clear()
        return {}


if __name__ == "__main__":
    serve(lambda: Server(sys.argv[1]))
