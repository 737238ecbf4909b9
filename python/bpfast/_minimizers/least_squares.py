"""Least squares by the Levenberg-Marquardt method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._minimizers.levenberg_marquardt import Limits, Search
from bpfast._training.arguments.unusual_targets import warn_of_targets
from bpfast._validation.names import by_name
from bpfast._validation.network import check_network
from bpfast._validation.numbers import integer, not_negative, positive

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from bpfast._network import Network

# With more, G and its factors take more than 600 MB, and a step half a minute.
MAX_PARAMETERS = 5000


@dataclass(frozen=True)
class LeastSquaresResult:
    """The result of `least_squares`; the network has the parameters.

    Parameters
    ----------
    cost : float
        C at the end.
    gradient_norm : float
        The largest absolute value of ∂C/∂p at the end.
    iterations : int
        The steps that lowered the cost.
    evaluations : int
        The steps that were tried.
    success : bool
        Whether a tolerance was reached.
    message : str
        Why it ended.
    """

    cost: float
    gradient_norm: float
    iterations: int
    evaluations: int
    success: bool
    message: str


LeastSquaresResult.__module__ = "bpfast"


# Arguments of other libraries.
SYNONYMS = {
    "maxiter": "max_iterations", "maxnfev": "max_iterations", "epochs": "max_iterations",
    "steps": "max_iterations", "maxsteps": "max_iterations", "gtol": "gradient_tolerance",
    "ftol": "cost_tolerance", "tol": "cost_tolerance", "mu": "damping", "lambda": "damping",
    "callbacks": "callback",
}  # fmt: skip


@by_name(SYNONYMS, is_method=False)
def least_squares(
    net: Network,
    x: Any,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    max_iterations: int = 200,
    gradient_tolerance: float = 1e-8,
    cost_tolerance: float = 1e-10,
    damping: float = 1.0,
    callback: Callable[[int, float], object] | None = None,
) -> LeastSquaresResult:
    """Minimise the quadratic cost by the Levenberg-Marquardt method.

    Each step solves (G + λ D) s = -∂C/∂p with the Gauss-Newton matrix G = JᵀJ / n, where
    J = ∂a^L/∂p, and the diagonal matrix D, whose D_ii is the largest G_ii so far. It is kept if it
    lowers C; λ falls after good steps and rises after bad ones. For small networks (up to 5,000
    parameters) it needs far fewer passes over the examples than `scipy_minimize`.

    Parameters
    ----------
    net : Network
        The search starts from its parameters, and it gets the best ones. Its cost must be
        quadratic; float64 is recommended.
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row. Other dtypes are converted to the network's.
    y : array_like, (n, n_L), or (n,) for a single output
        The targets.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite and 0 or above. Default: 1 for each example.
    max_iterations : int, default 200
        The most steps that lower the cost.
    gradient_tolerance : float, default 1e-8
        Stop when no absolute value of ∂C/∂p is above it.
    cost_tolerance : float, default 1e-10
        Stop when a step lowers C by no more than this part of C, unless damping has shortened it:
        λ sᵀDs > sᵀGs.
    damping : float, default 1
        λ of the first step. Smaller values, such as 1e-3, save a few steps if the start is near a
        minimum; elsewhere they may saturate neurons.
    callback : callable, optional
        Called as ``callback(iteration, cost)`` after each step that lowers the cost. Raise
        StopIteration in it to stop.

    Returns
    -------
    LeastSquaresResult
        C, the numbers of steps, and why it ended.

    Warns
    -----
    UserWarning
        y is far outside the range of the outputs, or of another scale.

    Raises
    ------
    ValueError
        The cost is not quadratic, the network has more than 5,000 parameters, shapes do not match,
        weights are negative, not finite or all zero, C is not finite at the start, or an option is
        out of its range.
    TypeError
        An argument is not of real numbers, or net is not a network.
    MemoryError
        G and its factors do not fit into memory: 24 P² bytes, 600 MB for 5,000 parameters.

    Notes
    -----
    An exception, also that of Ctrl-C, leaves the network with the best parameters found so far.

    References
    ----------
    Marquardt, *An Algorithm for Least-Squares Estimation of Nonlinear Parameters*, 1963; Moré, *The
    Levenberg-Marquardt Algorithm: Implementation and Theory*, 1978, for D; H. B. Nielsen, *Damping
    Parameter in Marquardt's Method*, 1999, for λ; Hagan and Menhaj, *Training Feedforward Networks
    with the Marquardt Algorithm*, 1994.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.linspace(-1, 1, 100)[:, np.newaxis]
    >>> net = bpfast.Network([1, 8, 1], hidden="tanh", output="identity", seed=0)
    >>> found = bpfast.least_squares(net, x, np.sin(3 * x))
    >>> found.cost < 1e-8
    True
    """
    check_network(net, "net")
    if (name := net.config["cost"]) != "quadratic":
        got = repr(name) if isinstance(name, str) else "a callable"
        raise ValueError(f"net: expected the cost 'quadratic', got {got}")
    if net.params.size > MAX_PARAMETERS:
        raise ValueError(
            f"net: expected at most {MAX_PARAMETERS} parameters, got {net.params.size}; "
            "use scipy_minimize"
        )
    if callback is not None and not callable(callback):
        raise TypeError(f"callback: expected a callable, got {type(callback).__name__}")
    limits = Limits(
        integer("max_iterations", max_iterations, 1),
        not_negative("gradient_tolerance", gradient_tolerance),
        not_negative("cost_tolerance", cost_tolerance),
    )
    search = Search(net, x, y, sample_weight, positive("damping", damping))
    warn_of_targets(net, np.asarray(y), sample_weight)
    message, success = search.run(limits, callback)
    return LeastSquaresResult(
        search.cost, search.gradient_norm, search.iterations, search.tried, success, message
    )
