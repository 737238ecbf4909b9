"""What `bpfast.inside.Monitor` adds to the time of `fit`: `python -m benches.monitor`.

Each round trains every case once with each monitor, in shuffled order; shown is the median over the
rounds of the time with it divided by that without one in the same round. The parameters have the
same bits with and without a monitor, which is checked.
"""

import argparse
import random
import statistics
import time
import warnings
from typing import Any, NamedTuple

import numpy as np

import bpfast
from benches.planted.problems import digits

# The arguments of the monitor; None: without one.
MONITORS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "each epoch": {},
    "every 10 steps": {"every_steps": 10},
    "every step": {"every_steps": 1},
    "every step, cosine": {"every_steps": 1, "cosine": True},
}


class Case(NamedTuple):
    """A training."""

    sizes: tuple[int, ...]
    batch_size: int
    optimizer: Any = "sgd"
    dtype: str = "float32"
    hidden: Any = "sigmoid"
    sparse: bool = False

    @property
    def name(self) -> str:
        """As the table shows it."""
        sparse = ", CSR" if self.sparse else ""
        sizes = "-".join(map(str, self.sizes))
        return (
            f"{sizes} {self.hidden}{sparse} | {self.optimizer} | {self.dtype} | {self.batch_size}"
        )


CASES = (
    Case((784, 30, 10), 10),
    Case((784, 30, 10), 10, dtype="float64"),
    Case((784, 30, 10), 10, optimizer="adam"),
    Case((784, 30, 10), 10, sparse=True),
    Case((784, 128, 64, 10), 32, hidden="relu"),
    Case((784, 128, 64, 10), 32, hidden="relu", optimizer="adam"),
    Case((784, 128, 64, 10), 128, hidden="relu"),
    Case((784, 128, 64, 10), 128, hidden="relu", dtype="float64"),
    Case((8, 64, 64, 4), 32, hidden="tanh"),
    Case((8, 64, 64, 4), 32, hidden="tanh", optimizer="adam"),
)
SECONDS = 0.1  # that a training without a monitor takes at least


def data(case: Case, count: int) -> tuple[Any, Any]:
    """Real digits, or random numbers for networks with other inputs."""
    if case.sizes[0] == 784:
        x, y = digits(count, 0)
        return x.astype(case.dtype), y
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, case.sizes[0])).astype(case.dtype), rng.integers(
        case.sizes[-1], size=count
    )


def seconds(
    case: Case, x: Any, y: Any, epochs: int, arguments: dict[str, Any] | None
) -> tuple[float, Any]:
    """The time of a training, and its parameters."""
    net = bpfast.Network(
        list(case.sizes), hidden=case.hidden, cost="cross_entropy", dtype=case.dtype, seed=0
    )
    monitors = []
    if arguments is not None:
        monitors = [bpfast.inside.Monitor(x, y, warn=False, **arguments)]
    start = time.perf_counter()
    net.fit(
        x, y, epochs=epochs, batch_size=case.batch_size, optimizer=case.optimizer,
        learning_rate=0.1 if case.optimizer == "sgd" else 0.001,
        callbacks=monitors, seed=0, sparse=case.sparse,
    )  # fmt: skip
    return time.perf_counter() - start, net.params.copy()


def measure(case: Case, count: int, rounds: int) -> str:
    """A row of the table."""
    x, y = data(case, count)
    steps_per_epoch = -(-count // case.batch_size)
    epochs = max(int(SECONDS / seconds(case, x, y, 2, None)[0] * 2), 1)
    times: dict[str, list[float]] = {name: [] for name in MONITORS}
    expected, order = None, list(MONITORS)
    for k in range(rounds + 1):
        random.Random(k).shuffle(order)
        for name in order:
            took, params = seconds(case, x, y, epochs, MONITORS[name])
            if k:  # the first round is a warm-up
                times[name].append(took)
            expected = params if expected is None else expected
            if (params != expected).any():
                raise SystemExit(f"{name}: other bits")
    ratios = [
        statistics.median(a / b for a, b in zip(times[name], times["none"], strict=True))
        for name in list(MONITORS)[1:]
    ]
    step = statistics.median(times["none"]) / (epochs * steps_per_epoch) * 1e6
    return f"{case.name} | {step:.1f} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--digits", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cases", type=int, nargs="+", default=range(len(CASES)))
    options = parser.parse_args()
    warnings.simplefilter("error")
    names = ["network", "optimizer", "dtype", "batch", "threads", "µs per step"]
    print(f"| {' | '.join([*names, *list(MONITORS)[1:]])} |")
    print(f"|{'---|' * (len(MONITORS) + 5)}")
    for threads in options.threads:
        with bpfast.num_threads(threads):
            for k in options.cases:
                row = measure(CASES[k], options.digits, options.rounds)
                name, rest = row.rsplit(f" | {CASES[k].batch_size} | ", 1)
                print(f"| {name} | {CASES[k].batch_size} | {threads} | {rest}", flush=True)


if __name__ == "__main__":
    main()
