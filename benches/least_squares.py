"""Time Levenberg-Marquardt beside L-BFGS on two fits: `python -m benches.least_squares`."""

import time
from typing import Any

import numpy as np

import bpfast
from benches.pages import tables

SEEDS = range(5)
LBFGS: dict[str, Any] = {"max_iterations": 5000, "tolerance": 1e-12, "options": {"maxfun": 100_000}}


def problems() -> dict[str, tuple[list[int], np.ndarray, np.ndarray]]:
    """Sizes, x and y of a sine and of a surrogate of a function of two variables."""
    sine = np.linspace(-3, 3, 200)[:, np.newaxis]
    plane = np.random.default_rng(0).uniform(-1, 1, (1000, 2))
    surface = np.sin(3 * plane[:, :1]) * np.cos(2 * plane[:, 1:]) + plane[:, :1] ** 2
    return {
        "sin 2x, 1-16-1, n = 200": ([1, 16, 1], sine, np.sin(2 * sine)),
        "surrogate, 2-20-20-1, n = 1,000": ([2, 20, 20, 1], plane, surface),
    }


def main() -> None:
    body = []
    for name, (sizes, x, y) in problems().items():
        for seed in SEEDS:
            net = bpfast.Network(sizes, hidden="tanh", output="identity", seed=seed)
            twin = net.copy()
            start = time.perf_counter()
            found = bpfast.least_squares(net, x, y)
            middle = time.perf_counter()
            other = bpfast.scipy_minimize(twin, x, y, **LBFGS)
            end = time.perf_counter()
            body.append([
                name, str(seed), f"{found.cost:.1e}", f"{found.evaluations}",
                f"{middle - start:.2f}", f"{other.fun:.1e}", f"{other.nfev:,}",
                f"{end - middle:.2f}",
            ])  # fmt: skip
    heads = ["fit", "seed", "least_squares: C", "steps", "s", "L-BFGS: C", "evaluations", "s"]
    print(tables.table(heads, body))


if __name__ == "__main__":
    main()
