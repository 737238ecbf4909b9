"""Levenberg-Marquardt beside L-BFGS and SciPy's "lm" on three fits.

Run it with `python -m benches.least_squares`.
"""

import time
from typing import Any

import numpy as np
import scipy.optimize

import bpfast
from benches.pages import tables

SEEDS = range(5)
STEPS = 200
MINPACK: dict[str, Any] = {"max_nfev": STEPS, "xtol": 1e-12, "ftol": 1e-10, "gtol": 1e-8}
LBFGS: dict[str, Any] = {"max_iterations": 5000, "tolerance": 1e-12, "options": {"maxfun": 100_000}}


def problems() -> dict[str, tuple[list[int], np.ndarray, np.ndarray]]:
    """Sizes, x and y of two sines and of a surrogate of a function of two variables."""
    few = np.random.default_rng(0).standard_normal((40, 2))
    sine = np.linspace(-3, 3, 200)[:, np.newaxis]
    plane = np.random.default_rng(0).uniform(-1, 1, (1000, 2))
    surface = np.sin(3 * plane[:, :1]) * np.cos(2 * plane[:, 1:]) + plane[:, :1] ** 2
    return {
        "sin(x_1 + x_2), 2-3-1, n = 40": ([2, 3, 1], few, np.sin(few.sum(axis=1, keepdims=True))),
        "sin 2x, 1-16-1, n = 200": ([1, 16, 1], sine, np.sin(2 * sine)),
        "surrogate, 2-20-20-1, n = 1,000": ([2, 20, 20, 1], plane, surface),
    }


def minpack(net: bpfast.Network, x: np.ndarray, y: np.ndarray) -> float:
    """C at the end of SciPy's Levenberg-Marquardt method, for one output."""
    root = np.sqrt(len(x))

    def residuals(params: np.ndarray) -> Any:
        net.params[:] = params
        return (net(x) - y).ravel() / root

    def jacobian(params: np.ndarray) -> Any:
        net.params[:] = params
        return net.per_example_gradients(x, net(x) - 1).flat / root  # a - y = 1: ∂a/∂p

    start = net.params.copy()
    found = scipy.optimize.least_squares(residuals, start, jacobian, method="lm", **MINPACK)
    return float(found.cost)


def main() -> None:
    body = []
    for name, (sizes, x, y) in problems().items():
        for seed in SEEDS:
            net = bpfast.Network(sizes, hidden="tanh", output="identity", seed=seed)
            twin, third = net.copy(), net.copy()
            start = time.perf_counter()
            found = bpfast.least_squares(net, x, y, max_iterations=STEPS)
            middle = time.perf_counter()
            other = bpfast.scipy_minimize(twin, x, y, **LBFGS)
            end = time.perf_counter()
            scipys = minpack(third, x, y)
            last = time.perf_counter()
            body.append([
                name, str(seed), f"{found.cost:.1e}", f"{found.evaluations}",
                f"{middle - start:.2f}", f"{other.fun:.1e}", f"{other.nfev:,}",
                f"{end - middle:.2f}", f"{scipys:.1e}", f"{last - end:.2f}",
            ])  # fmt: skip
    heads = ["fit", "seed", "least_squares: C", "steps", "s", "L-BFGS: C", "evaluations", "s"]
    heads += ["SciPy's lm: C", "s"]
    print(tables.table(heads, body))


if __name__ == "__main__":
    main()
