"""Full-batch training with SciPy's minimisers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._core import Gradient
from bpfast._training.output_range import warn_of_output_range
from bpfast._validation.names import unknown_name
from bpfast._validation.numbers import not_negative, whole
from bpfast._validation.sparse import by_rows, is_sparse, without_duplicates

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray
    from scipy.optimize import OptimizeResult

    from bpfast._network import Network

METHODS = ("l-bfgs-b", "bfgs", "cg", "newton-cg", "tnc", "slsqp", "trust-constr")
# SciPy asks these for more than a cost and its gradient, or has no use for the latter.
WITHOUT_GRADIENT = ("nelder-mead", "powell", "cobyla", "cobyqa")
WITH_HESSIAN = ("dogleg", "trust-ncg", "trust-exact", "trust-krylov")


def scipy_minimize(
    net: Network,
    x: Any,
    y: ArrayLike,
    *,
    method: str = "L-BFGS-B",
    l2: float = 0.0,
    sample_weight: ArrayLike | None = None,
    max_iterations: int | None = None,
    tolerance: float | None = None,
    callback: Callable[[Any], object] | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResult:
    """Minimise C + l2/2 Σ w² over all examples, by a method of `scipy.optimize.minimize`.

    For small networks: each evaluation is one gradient over the whole batch, on all cores, and the
    second-order methods need few of them.

    Parameters
    ----------
    net : Network
        It starts from its parameters and is left with the best that was found. float64 is advised:
        SciPy works in it, and a line search in float32 soon ends in rounding.
    x, y, sample_weight
        As for ``net.backprop``.
    method : str, default "L-BFGS-B"
        One that takes a gradient and no Hessian: "L-BFGS-B", "BFGS", "CG", "Newton-CG", "TNC",
        "SLSQP", "trust-constr".
    l2 : float, default 0
        As for ``net.fit``.
    max_iterations : int, optional
        ``maxiter`` of the method; "TNC" counts evaluations instead.
    tolerance : float, optional
        ``tol`` of `scipy.optimize.minimize`.
    callback : callable, optional
        ``callback(params)`` after each iteration; it may raise StopIteration to end there.
    options : dict, optional
        More options of the method.

    Returns
    -------
    scipy.optimize.OptimizeResult
        What SciPy says of it: ``fun``, ``nit``, ``nfev``, ``success``, ``message``, and the flat
        vector ``x``, in float64.

    Raises
    ------
    ImportError
        SciPy is not installed.
    ValueError, TypeError
        As for ``net.backprop``; y as for ``net.fit``; another method; a start whose cost or
        gradient is not finite. Whatever is raised, the network has the parameters of the last
        whole iteration.

    Warns
    -----
    UserWarning
        As ``net.fit``.

    Notes
    -----
    After a fork in a signal handler, the OpenBLAS that SciPy calls may spin without end, in parent
    and child, as it does in `scipy.optimize.minimize` alone; ``OPENBLAS_NUM_THREADS=1`` in the
    environment avoids it.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> found = bpfast.scipy_minimize(net, [[0], [1], [2]], [[1], [3], [5]])
    >>> net.params.round(4)  # y = 2 x + 1
    array([2., 1.])
    """
    try:
        from scipy.optimize import OptimizeResult, minimize
    except ImportError:
        raise ImportError("scipy_minimize needs SciPy: pip install scipy") from None
    if not isinstance(net, _core.Network):
        raise TypeError(f"net: expected a Network, got {type(net).__name__}")
    if not isinstance(method, str):
        raise TypeError(f"method: expected a name, got {type(method).__name__}")
    if method.lower() not in METHODS + WITHOUT_GRADIENT + WITH_HESSIAN:
        raise unknown_name("method", method, METHODS, synonyms={"lbfgs": "l-bfgs-b"})
    if method.lower() in WITHOUT_GRADIENT + WITH_HESSIAN:
        raise ValueError(f"method: expected one that takes a gradient alone, got '{method}'")
    penalty = not_negative("l2", l2)
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"options: expected a dict, got {type(options).__name__}")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback: expected a callable, got {type(callback).__name__}")
    if tolerance is not None:
        tolerance = not_negative("tolerance", tolerance)
    settings = dict(options or {})
    if max_iterations is not None:
        name = "maxfun" if method.lower() == "tnc" else "maxiter"
        settings[name] = whole("max_iterations", max_iterations, 1)
    gradient, weights = Gradient(net), _weights_of(net)
    last = _core.copy_params(net).astype(np.float64)
    counts, ended = {"nit": 0, "nfev": 0}, False

    def evaluate(params: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        counts["nfev"] += 1
        _core.assign_params(net, params)
        net.backprop(x, y, sample_weight=sample_weight, out=gradient)
        cost, slope = gradient.cost, gradient.flat.astype(np.float64)
        if penalty:
            kept = np.where(weights, params, 0.0)
            cost += penalty / 2 * float(kept @ kept)
            slope += penalty * kept
        return cost, slope

    def after_iteration(params: NDArray[np.float64], *_: Any) -> None:
        nonlocal ended
        last[...] = params
        counts["nit"] += 1
        try:
            if callback is not None:
                callback(params)
        except StopIteration:
            ended = True
            raise

    try:
        cost, slope = evaluate(last)  # which checks x, y and their weights
        # Once, and not in each evaluation.
        x = without_duplicates(by_rows(x)) if is_sparse(x) else np.ascontiguousarray(x, net.dtype)
        _core.check_targets(net, np.asarray(y), 0)
        warn_of_output_range(net, np.asarray(y), sample_weight, 2)
        if not (np.isfinite(cost) and np.isfinite(slope).all()):
            raise ValueError(f"net: expected a start with finite cost and gradient, got {cost}")
        found = minimize(
            evaluate,
            last.copy(),
            jac=True,
            method=method,
            tol=tolerance,
            callback=after_iteration,
            options=settings,
        )
    except BaseException as error:
        _core.assign_params(net, last)
        # Some methods catch what a callback ends them with, some let it through.
        if not (ended and isinstance(error, StopIteration)):
            raise
        cost, slope = evaluate(last)
        message = "`callback` raised `StopIteration`."  # in SciPy's words, and with its status
        outcome = {"x": last, "fun": cost, "jac": slope, "success": False, "status": 99}
        return OptimizeResult(outcome | counts | {"message": message})
    _core.assign_params(net, found.x)
    return found


def _weights_of(net: Network) -> NDArray[np.bool_]:
    """Which numbers of the flat vector are weights, and not biases."""
    sizes, mask = net.sizes, []
    for n_in, n_out in itertools.pairwise(sizes):
        mask += [np.ones(n_in * n_out, bool), np.zeros(n_out, bool)]
    return np.concatenate(mask)
