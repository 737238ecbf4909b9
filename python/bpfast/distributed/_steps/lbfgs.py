"""Full-batch training with SciPy's L-BFGS-B; each evaluation is one sum over the shards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._blas import prepare_scipy_blas
from bpfast._layer import weights_of
from bpfast._training.stopping.divergence import failure
from bpfast._training.stopping.reason import reason_of
from bpfast.distributed._ordered_sum.values import ordered_sum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._training.loop import Training
    from bpfast.distributed._steps.runner import ShardRunner


def minimise(training: Training, runner: ShardRunner, options: dict[str, Any]) -> Any:
    """Minimise C + l2/2 Σ w². Each iteration is a row of the history.

    `options` are those of SciPy's L-BFGS-B. Returns SciPy's result.
    """
    from scipy.optimize import minimize

    prepare_scipy_blas()
    net, history = training.net, training.history
    last = _core.copy_params(net).astype(np.float64)
    weights, penalty = weights_of(net), training.settings.l2
    start = time.perf_counter()
    # C of the points since the last iteration: that of an iteration is the cost in its row.
    costs: list[tuple[NDArray[np.float64], float]] = []

    def evaluate(params: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        _core.assign_params(net, params)
        total, divisor = runner.total()
        cost, gradient = total.cost / divisor, total.mean_vector(divisor)
        costs.append((params.copy(), cost))
        if penalty:
            penalized = np.where(weights, params, 0.0)
            with np.errstate(under="ignore"):
                cost += penalty / 2 * float(ordered_sum(np.square(penalized)))
                gradient = gradient + penalty * penalized
        if not len(history) and len(costs) == 1 and not np.isfinite(cost):
            raise failure(net, runner, 1, 0)
        return cost, gradient

    def after_iteration(params: NDArray[np.float64]) -> None:
        nonlocal start
        last[...] = params
        _core.assign_params(net, params)
        cost = next((c for at, c in reversed(costs) if (at == params).all()), np.nan)
        costs.clear()
        row = {"cost": cost, "seconds": time.perf_counter() - start, "learning_rate": 1.0}
        if training.validation is not None:
            row["validation_cost"] = training.validation.cost()
            row |= training.validation.metrics(training.metrics, "validation_")
        start = time.perf_counter()
        if training.record(len(history) + 1, row):
            raise StopIteration

    try:
        _core.set_training(net, history, training.optimizer)
        found = minimize(
            evaluate, last.copy(), jac=True, method="L-BFGS-B",
            callback=after_iteration, options=options,
        )  # fmt: skip
    except BaseException as error:
        history.stopped = reason_of(error)
        raise
    finally:
        _core.assign_params(net, last)
    training.restore_best()
    return found
