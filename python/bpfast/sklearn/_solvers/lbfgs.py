"""The solver "lbfgs": SciPy's L-BFGS-B over all examples, with gradients of the network."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from bpfast._minimizers.scipy import Objective
from bpfast._training.arguments.unusual_targets import warn_of_targets
from bpfast._validation.caller import stack_level
from bpfast.sklearn import _network

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast.sklearn._solvers.stochastic import Data


def fit_lbfgs(estimator: Any, net: Network, data: Data, *, loss_scale: float) -> bool:
    """Train `net`, and set `n_iter_` and `loss_` of the estimator.

    Returns whether there is a result: not if the loss or a derivative of the start is not finite.

    In float64, because rounding soon ends a line search in float32.

    The vectors of L-BFGS are short, so the threads of BLAS would cost more than they save, and
    take CPUs from the gradient.
    """
    work = net if net.dtype == np.float64 else net.astype(np.float64)
    total = float(data.x.shape[0]) if data.weight is None else float(np.sum(data.weight))
    if not total > 0:  # by which the loss is divided
        expected = "a sum above 0 with solver='lbfgs'"
        raise ValueError(f"sample_weight: expected {expected}, got {total:g}")
    alpha = float(estimator.alpha) / total
    objective = Objective(work, data.x, data.y, data.weight, alpha, signed=True)
    with threadpool_limits(limits=1, user_api="blas"):
        loss, derivative = objective.start()
        if net.config["output"] != "identity":  # of any scale, as in scikit-learn
            warn_of_targets(work, np.asarray(data.y), data.weight)
        if not (np.isfinite(loss) and np.isfinite(derivative).all()):
            return False
        found = objective.minimize("L-BFGS-B", options=options_of(estimator))
    if work is not net:
        net.params[...] = work.params
    finish(estimator, work, found, alpha, loss_scale)
    return True


def options_of(estimator: Any) -> dict[str, Any]:
    """The options of SciPy's L-BFGS-B."""
    return {
        "maxiter": int(estimator.max_iter),
        "maxfun": int(estimator.max_fun),
        "gtol": float(estimator.tol),
    }


def finish(estimator: Any, work: Network, found: Any, alpha: float, loss_scale: float) -> None:
    """Set `n_iter_` and `loss_` of the estimator to those of SciPy's result, and warn of its end.

    `work` has the parameters of the result, and `alpha` is the factor of their penalty in its loss.
    """
    estimator.n_iter_ = min(int(found.nit), int(estimator.max_iter))
    penalty = _network.penalty(work, alpha, 0.0)
    estimator.loss_ = (float(found.fun) - penalty) * loss_scale + penalty
    if estimator.verbose:
        print(f"lbfgs: {estimator.n_iter_} iterations, loss = {estimator.loss_:.8f}")
    if found.status != 0:
        more = ""
        if estimator.n_iter_ == estimator.max_iter:
            more = (
                "\n\nIncrease the number of iterations to improve the convergence "
                f"(max_iter={estimator.max_iter})."
            )
        warnings.warn(
            f"lbfgs failed to converge after {estimator.n_iter_} iteration(s) "
            f"(status={found.status}):\n{found.message}\n{more}\nScaled inputs, as by "
            "sklearn.preprocessing.StandardScaler, need fewer iterations.",
            ConvergenceWarning,
            stacklevel=stack_level(),
        )
