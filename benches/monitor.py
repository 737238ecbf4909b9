"""What `bpfast.inside.Monitor` adds to the time of `fit`: `python -m benches.monitor`.

784-30-10 on real digits, SGD, one thread, CPU time, the least of several runs. The network has the
same bits with and without a monitor, which is checked.
"""

import argparse
import time
import warnings
from typing import Any

import numpy as np

import bpfast
from benches.planted.problems import digits

RUNS = 5
# The arguments of the monitor; None: without one.
MONITORS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "each epoch": {},
    "every 100 steps": {"every_steps": 100},
    "every 50 steps": {"every_steps": 50},
    "every 10 steps": {"every_steps": 10},
    "every step": {"every_steps": 1},
}


def seconds(
    x: Any, y: Any, batch_size: int, epochs: int, dtype: Any, arguments: dict[str, Any] | None
) -> tuple[float, Any]:
    """The CPU time of a training, and its parameters."""
    net = bpfast.Network([784, 30, 10], cost="cross_entropy", dtype=dtype, seed=0)
    monitors = [] if arguments is None else [bpfast.inside.Monitor(x, y, **arguments)]
    start = time.process_time()
    net.fit(
        x, y, epochs=epochs, batch_size=batch_size, optimizer=bpfast.SGD(0.5),
        callbacks=monitors, seed=0, sparse=False,
    )  # fmt: skip
    return time.process_time() - start, net.params.copy()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--digits", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    warnings.simplefilter("error")  # a healthy training: nothing to warn of
    print(f"| dtype | batch | µs per step | {' | '.join(list(MONITORS)[1:])} |")
    print(f"|{'---|' * (len(MONITORS) + 2)}")
    x, y = digits(options.digits, 0)
    with bpfast.num_threads(1):
        for dtype in ("float32", "float64"):
            given = x.astype(dtype)
            for batch_size in (10, 32, 64):
                least = dict.fromkeys(MONITORS, np.inf)
                expected = None
                for _ in range(RUNS):  # in turn, so that a busy moment meets all
                    for name, arguments in MONITORS.items():
                        took, params = seconds(
                            given, y, batch_size, options.epochs, dtype, arguments
                        )
                        least[name] = min(least[name], took)
                        expected = params if expected is None else expected
                        if (params != expected).any():
                            raise SystemExit(f"{name}: other bits")
                steps = options.epochs * -(-options.digits // batch_size)
                ratios = [f"{least[name] / least['none']:.2f}" for name in list(MONITORS)[1:]]
                step = f"{least['none'] / steps * 1e6:.0f}"
                print(f"| {dtype} | {batch_size} | {step} | {' | '.join(ratios)} |", flush=True)


if __name__ == "__main__":
    main()
