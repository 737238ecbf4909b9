"""Time bpfast.sklearn beside scikit-learn's own MLPs: `python -m benches.sklearn_estimators`.

Each library runs in its own process, at equal settings: fit for a number of epochs, predict of all
test examples and of one. Prints a table in Markdown.
"""

import argparse
import sys
import time
import warnings
from functools import partial
from typing import Any

from benches.cases.sklearn_data import CASES
from benches.pages import tables
from benches.processes.rounds import interleave, summary
from benches.processes.serve import serve
from benches.processes.workers import Served

LIBRARIES = {"scikit-learn": "sklearn.neural_network", "bpfast": "bpfast.sklearn"}
CALLS = ("fit", "predict_all", "predict_one", "network_fit")
# Of all cases: no training ends before its last epoch.
SHARED = {"n_iter_no_change": 10**6, "random_state": 0}
PREDICTIONS = 300


class Server:
    """A library in a process of its own, with one case at a time."""

    def __init__(self, library: str) -> None:
        warnings.simplefilter("ignore")
        self.module = __import__(LIBRARIES[library], fromlist=["MLPClassifier"])
        self.name = ""
        self.timed: Timed | None = None

    def time(self, request: dict[str, str]) -> dict[str, Any]:
        """Time a call of a case; None where the library does not have it."""
        if request["case"] != self.name:
            self.name = request["case"]
            self.timed = Timed(self.module, CASES[self.name]())
        found: dict[str, Any] = getattr(self.timed, request["call"])()
        return found


class Timed:
    """The timed calls of a case."""

    def __init__(self, module: Any, case: Any) -> None:
        self.case = case
        self.x, self.test_x, self.y, self.test_y = case.parts()
        self.kind = getattr(module, case.kind)
        self.model = self.new().fit(self.x, self.y)
        self.score = float(self.model.score(self.test_x, self.test_y))

    def new(self) -> Any:
        """A new estimator."""
        return self.kind(**SHARED, **self.case.parameters)

    def fit(self) -> dict[str, Any]:
        """Fit a new estimator."""
        self.new().set_params(max_iter=1).fit(self.x, self.y)  # wakes the CPUs and their caches
        model = self.new()
        start = time.perf_counter()
        model.fit(self.x, self.y)
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "score": self.score, "title": self.case.title}

    def network_fit(self) -> dict[str, Any]:
        """The same epochs by `Network.fit`, without the estimator."""
        if not hasattr(self.model, "network_"):
            return {"seconds": None}
        net = self.new().set_params(max_iter=1).fit(self.x, self.y).network_
        y = self.y if self.case.kind == "MLPClassifier" else self.y[:, None]
        epochs, l2 = self.case.parameters["max_iter"], self.model.alpha / 200
        rate = self.model.learning_rate_init
        start = time.perf_counter()
        net.fit(self.x, y, epochs=epochs, batch_size=200, l2=l2, learning_rate=rate, seed=0)
        return {"seconds": time.perf_counter() - start}

    def predict_all(self) -> dict[str, Any]:
        """Predict all test examples."""
        start = time.perf_counter()
        self.model.predict(self.test_x)
        return {"seconds": time.perf_counter() - start}

    def predict_one(self) -> dict[str, Any]:
        """Predict one row, the mean of several calls."""
        row = self.test_x[:1].copy()
        start = time.perf_counter()
        for _ in range(PREDICTIONS):
            self.model.predict(row)
        return {"seconds": (time.perf_counter() - start) / PREDICTIONS}


def process(library: str) -> Served:
    """A process that has one of the libraries."""
    return Served(library, ["benches.sklearn_estimators", "--serve", library])


def seconds_of(worker: Served, case: str, call: str) -> float:
    """The seconds of a call."""
    found: float = worker.sample("time", case=case, call=call)["seconds"]
    return found


def measure(names: list[str], rounds: int, seconds: float) -> list[dict[str, Any]]:
    """The figures of each case."""
    found = []
    for name in names:
        print(name, file=sys.stderr, flush=True)
        with process("scikit-learn") as peer, process("bpfast") as own:
            workers = {"scikit-learn": peer, "bpfast": own}
            about = {
                library: workers[library].ask("time", case=name, call="fit") for library in workers
            }
            subjects = {
                (library, call): partial(seconds_of, worker, name, call)
                for library, worker in workers.items()
                for call in CALLS
                if (library, call) != ("scikit-learn", "network_fit")
            }
            samples = interleave(subjects, rounds, seconds)
        times = {key: summary(values) for key, values in samples.items()}
        scores = {library: about[library]["score"] for library in about}
        found.append({"title": about["bpfast"]["title"], "times": times, "scores": scores})
    return found


def markdown(results: list[dict[str, Any]]) -> str:
    """The table: times of both, their ratio, scores, and the overhead of the estimator."""
    body = []
    for result in results:
        times, scores = result["times"], result["scores"]
        cells = [result["title"]]
        for call, unit in (("fit", 1e3), ("predict_all", 1e3), ("predict_one", 1e6)):
            peer, own = times["scikit-learn", call]["median"], times["bpfast", call]["median"]
            cells.append(
                f"{tables.figure(peer * unit)} / {tables.figure(own * unit)} = {peer / own:.1f}×"
            )
        own, alone = times["bpfast", "fit"]["median"], times["bpfast", "network_fit"]["median"]
        cells += [
            f"{scores['scikit-learn']:.3f} / {scores['bpfast']:.3f}",
            f"{own / alone - 1:+.1%}",
        ]
        body.append(cells)
    heads = [
        "data",
        "fit, ms",
        "predict all, ms",
        "predict one, µs",
        "test score",
        "over Network.fit",
    ]
    return tables.table(heads, body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=LIBRARIES, help=argparse.SUPPRESS)
    parser.add_argument("--cases", nargs="+", metavar="CASE", help="(all)")
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    parser.add_argument("--seconds", type=float, default=10.0, help="after so long no new round")
    args = parser.parse_args()
    if args.serve:
        serve(lambda: Server(args.serve))
        return
    print(
        markdown(
            measure(
                args.cases or [name for name in CASES if "quick" not in name],
                args.rounds,
                args.seconds,
            )
        )
    )


if __name__ == "__main__":
    main()
