"""Least squares by the Levenberg-Marquardt method."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._validation.network import check_network
from bpfast._validation.numbers import not_negative, positive, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from bpfast._network import Network

    Array = NDArray[np.float64]

# With more, G and what solves with it take more than 600 MB, and a step half a minute.
MOST_PARAMETERS = 5000
# G, a product that is added to it or G with its damping, and the factors of that.
MATRICES = 3
# The elements of J, and the multiplications of Jᵀ J, that are computed at a time: between them the
# main thread looks for signals.
JACOBIAN_AT_ONCE, WORK_AT_ONCE = 1 << 22, 1 << 31
# Of fewer parameters, a solution takes too little time to be interrupted.
MANY_PARAMETERS = 500
SMALLEST_DAMPING, LARGEST_DAMPING = 1e-16, 1e16


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


def least_squares(
    net: Network,
    x: Any,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    max_iterations: int = 200,
    gradient_tolerance: float = 1e-8,
    cost_tolerance: float = 1e-10,
    damping: float = 1e-3,
    callback: Callable[[int, float], object] | None = None,
) -> LeastSquaresResult:
    """Minimise the quadratic cost by the Levenberg-Marquardt method.

    Each step solves (G + λ diag G) s = -∂C/∂p with the Gauss-Newton matrix G = JᵀJ / n, where
    J = ∂a^L/∂p, and is kept if it lowers C; λ falls after good steps and rises after bad ones. For
    small networks (up to 5,000 parameters) it needs far fewer passes over the examples than
    `scipy_minimize`.

    Parameters
    ----------
    net : Network
        The search starts from its parameters, and it gets the best ones. Its cost must be
        quadratic; float64 is recommended.
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row. Other dtypes are converted to the network's.
    y : array_like, (n, n_L)
        The targets.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite and 0 or above. Default: 1 for each example.
    max_iterations : int, default 200
        The steps at most that lower the cost.
    gradient_tolerance : float, default 1e-8
        Stop when no absolute value of ∂C/∂p is above it.
    cost_tolerance : float, default 1e-10
        Stop when a step lowers C by less than this part of C.
    damping : float, default 1e-3
        λ of the first step.
    callback : callable, optional
        Called as ``callback(iteration, cost)`` after each step that lowers the cost. Raise
        StopIteration in it to stop.

    Returns
    -------
    LeastSquaresResult
        C, the numbers of steps, and why it ended.

    Raises
    ------
    ValueError
        The cost is not quadratic, the network has more than 5,000 parameters, shapes do not match,
        weights are negative, not finite or all zero, C is not finite at the start, or an option is
        out of its range.
    TypeError
        An argument is not of real numbers, or net is not a network.
    MemoryError
        G and what solves with it do not fit into memory: 24 P² bytes, 600 MB for 5,000 parameters.

    Notes
    -----
    An exception, also that of Ctrl-C, leaves the network with the best parameters found so far.

    References
    ----------
    Marquardt, *An Algorithm for Least-Squares Estimation of Nonlinear Parameters*, 1963; H. B.
    Nielsen, *Damping Parameter in Marquardt's Method*, 1999; Hagan and Menhaj, *Training
    Feedforward Networks with the Marquardt Algorithm*, 1994.

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
    if net.params.size > MOST_PARAMETERS:
        raise ValueError(
            f"net: expected at most {MOST_PARAMETERS} parameters, got {net.params.size}; "
            "use scipy_minimize"
        )
    if callback is not None and not callable(callback):
        raise TypeError(f"callback: expected a callable, got {type(callback).__name__}")
    limits = _Limits(
        whole("max_iterations", max_iterations, 1),
        not_negative("gradient_tolerance", gradient_tolerance),
        not_negative("cost_tolerance", cost_tolerance),
    )
    return _search(net, (x, y, sample_weight), limits, positive("damping", damping), callback)


@dataclass(frozen=True)
class _Limits:
    iterations: int
    gradient: float
    cost: float


def _search(
    net: Network,
    examples: tuple[Any, Any, Any],
    limits: _Limits,
    damping: float,
    callback: Callable[[int, float], object] | None,
) -> LeastSquaresResult:
    x, y, sample_weight = examples
    x, sample_weight = net._prepare(x, y, sample_weight, "mean", None)
    start = net.backprop(x, y, sample_weight=sample_weight)
    cost, slope = start.cost, start.flat.astype(np.float64)
    if not np.isfinite(cost):
        raise ValueError(f"net: expected parameters with a finite cost, got {cost}")
    matrix, spare = _matrices(net.params.size)
    _gauss_newton(net, x, sample_weight, matrix, spare)
    iterations, tried, rise = 0, 0, 2.0

    def result(message: str, *, success: bool = True) -> LeastSquaresResult:
        norm = float(np.abs(slope).max())
        return LeastSquaresResult(cost, norm, iterations, tried, success, message)

    while True:
        if np.abs(slope).max() <= limits.gradient:
            return result("the gradient is below gradient_tolerance")
        if iterations >= limits.iterations:
            return result("max_iterations was reached", success=False)
        step = _solve(matrix, slope, damping, spare)
        before = net.params.copy()
        tried += 1
        lower = False
        try:
            net.params += step.astype(net.dtype)
            found = float(net.cost(x, y, sample_weight=sample_weight))
            lower = bool(found < cost)
        finally:
            if not lower:
                net.params[:] = before
        if not lower:
            damping *= rise
            rise *= 2
            if damping > LARGEST_DAMPING:
                return result("no step lowers the cost any more", success=False)
            continue
        # What the quadratic model predicted.
        expected = -(step @ slope) - 0.5 * step @ (matrix @ step)
        gain = (cost - found) / float(expected) if expected > 0 else 0.0
        damping = max(damping * max(1 / 3, 1 - (2 * gain - 1) ** 3), SMALLEST_DAMPING)
        rise = 2.0
        small = cost - found <= limits.cost * cost
        iterations += 1
        gradient = net.backprop(x, y, sample_weight=sample_weight)
        cost, slope = gradient.cost, gradient.flat.astype(np.float64)
        if callback is not None:
            found_params = net.params.copy()
            try:
                callback(iterations, cost)
            except StopIteration:
                return result("the callback stopped it", success=False)
            if not _core.has_params(net, found_params):
                raise ValueError("callback: expected to leave net.params unchanged, got others")
        if small:
            return result("the cost falls by less than cost_tolerance")
        _gauss_newton(net, x, sample_weight, matrix, spare)


def _matrices(size: int) -> tuple[Array, Array]:
    """Room for G, and for what is computed beside it.

    Raises
    ------
    MemoryError
        They do not fit into memory, with the factors.
    """
    needed = MATRICES * 8 * size**2
    try:
        np.empty(needed, np.uint8)  # freed again; only the address space is taken
        return np.zeros((size, size)), np.zeros((size, size))
    except MemoryError as error:
        expected = f"a network for whose {size} parameters there are {needed / 2**30:.2f} GiB"
        message = f"net: expected {expected}, got less memory; use scipy_minimize"
        raise MemoryError(message) from error


def _solve(matrix: Array, slope: Array, damping: float, damped: Array) -> Array:
    """(G + λ diag G) s = -∂C/∂p."""
    diagonal = np.diagonal(matrix)
    floor = max(float(diagonal.max()), 1e-300) * 1e-12
    damped[:] = matrix
    damped[np.diag_indices_from(damped)] += damping * np.maximum(diagonal, floor)
    if len(slope) < MANY_PARAMETERS:
        return _solution(damped, slope)
    return _interruptible(lambda: _solution(damped, slope))


def _solution(damped: Array, slope: Array) -> Array:
    try:
        return np.linalg.solve(damped, -slope).astype(np.float64)
    except np.linalg.LinAlgError:  # singular for rounding
        return np.linalg.lstsq(damped, -slope, rcond=None)[0].astype(np.float64)


def _interruptible(work: Callable[[], Array]) -> Array:
    """The result of `work`, a call of LAPACK, which looks for no signals itself.

    It runs on another thread, which an interrupt leaves behind: the thread ends with its call.
    """
    results: list[Array] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.05)
    if errors:
        raise errors[0]
    return results[0]


def _gauss_newton(net: Network, x: Any, sample_weight: Any, out: Array, product: Array) -> None:
    """G = Σ_x f_x J_xᵀ J_x, f_x = 1/n or s_x / Σ s, in `out`."""
    size, n = net.params.size, x.shape[0]
    out[:] = 0
    factors = np.full(n, 1 / n)
    if sample_weight is not None:
        factors = np.asarray(sample_weight, np.float64)
        factors = factors / factors.sum()
    width = net.sizes[-1]
    at_once = max(1, min(JACOBIAN_AT_ONCE // size, WORK_AT_ONCE // size**2))
    for first in range(0, n, at_once):
        rows = slice(first, min(n, first + at_once))
        known = net._stored_forward(x[rows])
        roots = np.sqrt(factors[rows])
        for j in range(width):
            v = np.zeros((len(roots), width), net.dtype)
            v[:, j] = roots
            jacobian = net._per_example_vjp(known, v, False).astype(np.float64, copy=False)
            np.matmul(jacobian.T, jacobian, out=product)
            out += product
