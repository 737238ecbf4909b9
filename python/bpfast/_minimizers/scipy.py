"""Full-batch training with SciPy's minimisers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._blas import prepare_scipy_blas
from bpfast._core import Gradient
from bpfast._derivatives.arguments import refuse_trace
from bpfast._layer import weights_of
from bpfast._optional import optional
from bpfast._training.arguments.unusual_targets import warn_of_targets
from bpfast._training.data.non_finite import fault
from bpfast._validation.arrays.overlap import refuse_params
from bpfast._validation.arrays.sparse import by_rows, is_sparse, without_duplicates
from bpfast._validation.names import by_name, unknown_name
from bpfast._validation.network import check_network
from bpfast._validation.numbers import integer, not_negative

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray
    from scipy.optimize import OptimizeResult

    from bpfast._network import Network
    from bpfast._typing import Reduction

METHODS = ("l-bfgs-b", "bfgs", "cg", "newton-cg", "tnc", "slsqp", "trust-constr")
# These methods use no gradient, or need a Hessian.
WITHOUT_GRADIENT = ("nelder-mead", "powell", "cobyla", "cobyqa")
WITH_HESSIAN = ("dogleg", "trust-ncg", "trust-exact", "trust-krylov")

# Arguments of other libraries.
SYNONYMS = {
    "maxiter": "max_iterations", "maxfun": "max_iterations", "epochs": "max_iterations",
    "steps": "max_iterations", "tol": "tolerance", "gtol": "tolerance", "ftol": "tolerance",
    "alpha": "l2", "lmbda": "l2", "weightdecay": "l2", "solver": "method",
    "callbacks": "callback",
}  # fmt: skip


@by_name(SYNONYMS, is_method=False)
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
    """Minimise C + l2/2 Σ w² over all examples with a method of `scipy.optimize.minimize`.

    For small networks: each evaluation is one gradient over the whole batch, on all cores, and
    second-order methods need few evaluations.

    Parameters
    ----------
    net : Network
        The search starts from its parameters, and it gets the best parameters found. float64 is
        recommended: SciPy works in float64, and rounding soon ends a line search in float32.
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row. Other dtypes are converted to the network's. For a sparse matrix
        or array only the stored elements are computed with; formats other than CSR are converted by
        ``tocsr()`` at each call.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    method : str, default "L-BFGS-B"
        A method that uses a gradient but no Hessian: "L-BFGS-B", "BFGS", "CG", "Newton-CG", "TNC",
        "SLSQP" or "trust-constr".
    l2 : float, default 0
        The penalty l2/2 Σ w² on the weights, not on the biases.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite and 0 or above. Default: 1 for each example.
    max_iterations : int, optional
        ``maxiter`` of the method. For "TNC", the number of evaluations.
    tolerance : float, optional
        ``tol`` of `scipy.optimize.minimize`.
    callback : callable, optional
        Called as ``callback(params)`` after each iteration. Raise StopIteration in it to stop.
    options : dict, optional
        Further options of the method.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's result: ``fun``, ``nit``, ``nfev``, ``success``, ``message``, and the flat vector
        ``x``, in float64.

    Raises
    ------
    ImportError
        SciPy is not installed.
    ValueError
        Shapes do not match, the method is unknown or needs something else than a gradient, a number
        is out of range, the cost has no minimum for y, or the initial cost or gradient is not
        finite.
    TypeError
        An argument has the wrong type.

    Warns
    -----
    UserWarning
        y is far outside the range of the outputs, or of another scale.

    Notes
    -----
    After an exception the network has the parameters of the last completed iteration.

    After a fork in a signal handler, the OpenBLAS that SciPy uses may hang in parent and child, as
    it does with `scipy.optimize.minimize` alone. ``OPENBLAS_NUM_THREADS=1`` in the environment
    avoids it.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> found = bpfast.scipy_minimize(net, [[0], [1], [2]], [[1], [3], [5]])
    >>> net.params.round(4)  # y = 2 x + 1
    array([2., 1.])
    """
    optional("scipy.optimize", "scipy_minimize", package="scipy")
    check_network(net, "net")
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
        settings[name] = integer("max_iterations", max_iterations, 1)
    refuse_trace(x)
    objective = Objective(net, x, y, sample_weight, penalty)
    cost, derivative = objective.start()
    warn_of_targets(net, np.asarray(y), sample_weight)
    if not (np.isfinite(cost) and np.isfinite(derivative).all()):
        if found := fault(net.dtype, x, y):
            raise ValueError(found)
        raise ValueError(f"net: expected a start with finite cost and gradient, got {cost}")
    return objective.minimize(method, callback, tol=tolerance, options=settings)


class Objective:
    """C + l2/2 Σ w² of a network over all examples, as a function of the flat vector in float64.

    With `signed` weights may be negative, if their sum is above 0.
    """

    def __init__(
        self,
        net: Network,
        x: Any,
        y: Any,
        sample_weight: Any,
        l2: float,
        *,
        signed: bool = False,
    ) -> None:
        self._total = 1.0
        self._reduction: Reduction = "mean"
        if signed and sample_weight is not None and (sample_weight < 0).any():
            # A mean refuses negative weights, since their sum may be 0.
            self._total, self._reduction = float(sample_weight.sum()), "sum"
        self._net, self._x, self._y, self._sample_weight = net, x, y, sample_weight
        self._l2, self._are_weights = l2, weights_of(net)
        self._gradient = Gradient(net)
        self._last = _core.copy_params(net).astype(np.float64)  # of the last iteration
        self._counts = {"nit": 0, "nfev": 0}

    def start(self) -> tuple[float, NDArray[np.float64]]:
        """The value and the gradient at the network's parameters; x, y and weights are checked."""
        net, x = self._net, self._x
        try:
            found = self(self._last)
        except BaseException:
            _core.assign_params(net, self._last)
            raise
        # Converted once, and not in each evaluation.
        self._x = (
            without_duplicates(by_rows(x)) if is_sparse(x) else np.ascontiguousarray(x, net.dtype)
        )
        refuse_params(net, x=self._x, y=self._y, sample_weight=self._sample_weight)
        _core.check_targets(net, np.asarray(self._y), 0)
        return found

    def __call__(self, params: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The value and the gradient, which the network gets too."""
        self._counts["nfev"] += 1
        gradient = self._gradient
        _core.assign_params(self._net, params)
        self._net.backprop(
            self._x,
            self._y,
            sample_weight=self._sample_weight,
            reduction=self._reduction,
            out=gradient,
        )
        with np.errstate(under="ignore"):
            return self._with_penalty(params, gradient.cost, gradient.flat.astype(np.float64))

    def _with_penalty(
        self, params: NDArray[np.float64], cost: float, derivative: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64]]:
        if self._reduction == "sum":
            cost, derivative = cost / self._total, derivative / self._total
        if self._l2:
            penalized = np.where(self._are_weights, params, 0.0)
            cost += self._l2 / 2 * float(penalized @ penalized)
            derivative += self._l2 * penalized
        return cost, derivative

    def minimize(
        self, method: str, callback: Callable[[Any], object] | None = None, **arguments: Any
    ) -> OptimizeResult:
        """Minimise from the start; after an exception the network has the last iteration."""
        from scipy.optimize import OptimizeResult, minimize

        prepare_scipy_blas()
        last, counts, ended = self._last, self._counts, False

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
            found = minimize(
                self, last.copy(), jac=True, method=method, callback=after_iteration, **arguments
            )
        except BaseException as error:
            _core.assign_params(self._net, last)
            # Some methods catch the StopIteration of a callback, some do not.
            if not (ended and isinstance(error, StopIteration)):
                raise
            cost, derivative = self(last)
            message = "`callback` raised `StopIteration`."  # SciPy's text and status
            outcome = {"x": last, "fun": cost, "jac": derivative, "success": False, "status": 99}
            return OptimizeResult(outcome | counts | {"message": message})
        _core.assign_params(self._net, found.x)
        return found
