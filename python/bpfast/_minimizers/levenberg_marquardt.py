"""The Levenberg-Marquardt method: damped Gauss-Newton steps that lower the cost."""

from __future__ import annotations

import _thread
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._blas import prepare_blas
from bpfast._derivatives.arguments import refuse_trace
from bpfast._helper_thread import POLL_SECONDS, THREAD_START_BYTES, THREAD_START_POLLS
from bpfast._training.data.non_finite import fault
from bpfast._underflow import underflows
from bpfast._validation.arrays.overlap import refuse_params
from bpfast._validation.arrays.sparse import for_scipy, is_sparse
from bpfast._validation.arrays.sparse_format import check_format
from bpfast._validation.naming import naming

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfast._network import Network
    from bpfast._typing import Float64Array

# G, a product that is added to it or G with its damping, and the factors of that.
MATRICES = 3
# The most elements of J, and multiply-adds of Jᵀ J, that are computed at a time: Python handles
# signals between two such parts.
MAX_JACOBIAN_ELEMENTS, MAX_PRODUCT_WORK = 1 << 22, 1 << 31
# With fewer parameters a step is solved too quickly to be worth interrupting.
MIN_INTERRUPTIBLE_PARAMETERS = 500
MIN_DAMPING, MAX_DAMPING = 1e-16, 1e16


@dataclass(frozen=True)
class Limits:
    """Where a search ends: the steps that lower the cost, and the two tolerances."""

    iterations: int
    gradient: float
    cost: float


class Search:
    """Steps (G + λ D) s = -∂C/∂p on the parameters of a network; only those that lower C stay.

    D is diagonal, with D_i the largest G_ii so far (Moré, 1978). With the present G_ii the step of
    the weights of a neuron that saturates has no limit, since its G_ii vanish: the weights grow,
    and the search ends on a plateau.

    Attributes
    ----------
    cost : float
        C at the present parameters.
    iterations, tried : int
        The steps that lowered the cost, and all that were tried.
    """

    def __init__(self, net: Network, x: Any, y: Any, sample_weight: Any, damping: float) -> None:
        refuse_trace(x)
        prepare_blas()
        self._net, self._y = net, y
        self._x, self._sample_weight = net._prepare(x, y, sample_weight, "mean", None)
        if is_sparse(self._x):
            check_format(self._x)  # SciPy's slices need arrays
            self._x = for_scipy(self._x)
        refuse_params(net, x=self._x, y=y, sample_weight=sample_weight)
        self._differentiate()
        if not np.isfinite(self.cost):
            if found := fault(net.dtype, self._x, y):
                raise ValueError(found)
            raise ValueError(f"net: expected parameters with a finite cost, got {self.cost}")
        self._damping, self._rise = damping, 2.0
        self.iterations = self.tried = 0
        self._matrix, self._spare = _matrices(net.params.size)
        self._scale, self._is_damped = np.zeros(net.params.size), False
        self._compute_matrix()

    @property
    def gradient_norm(self) -> float:
        """The largest absolute value of ∂C/∂p."""
        return float(np.abs(self._gradient).max())

    def run(
        self, limits: Limits, callback: Callable[[int, float], object] | None
    ) -> tuple[str, bool]:
        """Search. Returns why it ended, and whether a tolerance was reached."""
        while True:
            if self.gradient_norm <= limits.gradient:
                return "the gradient is below gradient_tolerance", True
            if self.iterations >= limits.iterations:
                return "max_iterations was reached", False
            before = self.cost
            fall = self._step()
            if fall is None:
                if self._damping > MAX_DAMPING:
                    return "no step lowers the cost any more", False
                continue
            if callback is not None and self._stops(callback):
                return "the callback stopped it", False
            if fall <= limits.cost * before and not self._is_damped:
                return "the cost falls by less than cost_tolerance", True
            self._compute_matrix()

    @underflows
    def _step(self) -> float | None:
        """Try a step. Returns by how much C fell; None if it did not, and nothing changed."""
        net, cost = self._net, self.cost
        damping = self._damping * self._scale
        step = _solve(self._matrix, self._gradient, damping, self._spare)
        before = net.params.copy()
        self.tried += 1
        is_lower = False
        try:
            net.params += step.astype(net.dtype)
            found = float(net.cost(self._x, self._y, sample_weight=self._sample_weight))
            is_lower = bool(found < cost)
        finally:
            if not is_lower:
                net.params[:] = before
        if not is_lower:
            self._damping *= self._rise
            self._rise *= 2
            return None
        curvature = step @ (self._matrix @ step)
        # A short step lowers C by little anywhere, not only at a minimum.
        self._is_damped = bool(step @ (damping * step) > curvature)
        # What the quadratic model predicted.
        expected = -(step @ self._gradient) - 0.5 * curvature
        gain = (cost - found) / float(expected) if expected > 0 else 0.0
        factor = max(1 / 3, 1 - (2 * gain - 1) ** 3)
        self._damping, self._rise = max(self._damping * factor, MIN_DAMPING), 2.0
        self.iterations += 1
        self._differentiate()
        return cost - found

    def _differentiate(self) -> None:
        """C and ∂C/∂p at the present parameters."""
        found = self._net.backprop(self._x, self._y, sample_weight=self._sample_weight)
        self.cost, self._gradient = found.cost, found.flat.astype(np.float64)

    @underflows
    def _compute_matrix(self) -> None:
        _gauss_newton(self._net, self._x, self._sample_weight, self._matrix, self._spare)
        np.maximum(self._scale, np.diagonal(self._matrix), out=self._scale)
        # A parameter without influence so far: its G_ii is 0.
        np.maximum(self._scale, max(float(self._scale.max()), 1e-300) * 1e-12, out=self._scale)

    def _stops(self, callback: Callable[[int, float], object]) -> bool:
        """Call the callback. Returns whether it raised StopIteration."""
        params = self._net.params.copy()
        try:
            callback(self.iterations, self.cost)
        except StopIteration:
            return True
        if not _core.has_params(self._net, params):
            raise ValueError("callback: expected to leave net.params unchanged, got others")
        return False


def _matrices(size: int) -> tuple[Float64Array, Float64Array]:
    """Memory for G, and for a product or G with its damping.

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


def _solve(
    matrix: Float64Array, gradient: Float64Array, damping: Float64Array, damped: Float64Array
) -> Float64Array:
    """(G + λ D) s = -∂C/∂p, for the diagonal λ D."""
    damped[:] = matrix
    damped.reshape(-1)[:: len(damped) + 1] += damping
    if len(gradient) < MIN_INTERRUPTIBLE_PARAMETERS:
        return _solution(damped, gradient)
    return _interruptible(lambda: _solution(damped, gradient))


def _solution(damped: Float64Array, gradient: Float64Array) -> Float64Array:
    try:
        return np.linalg.solve(damped, -gradient).astype(np.float64)
    except np.linalg.LinAlgError:  # singular for rounding
        return np.linalg.lstsq(damped, -gradient, rcond=None)[0].astype(np.float64)


def _interruptible(work: Callable[[], Float64Array]) -> Float64Array:
    """The result of `work`, a call of LAPACK, which looks for no signals itself.

    It runs on another thread, which an interrupt leaves behind: the thread ends with its call. It
    runs here if there is no thread for it.

    Raises
    ------
    RuntimeError
        A signal handler has forked, and this is the child, which does not have the thread.
    """
    results: list[Float64Array] = []
    errors: list[BaseException] = []
    process = os.getpid()

    def run() -> None:
        if not is_taken.acquire(blocking=False):
            return
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)
        finally:
            has_ended.release()

    try:
        is_taken, has_ended = threading.Lock(), threading.Lock()
        has_ended.acquire()
        # A thread without memory to start ends silently. This memory is never written.
        np.empty(THREAD_START_BYTES, np.uint8)
        # Not `Thread.start`, whose wait would not end in a forked child.
        _thread.start_new_thread(run, ())
    except (MemoryError, RuntimeError):  # RuntimeError if the system refuses a lock or a thread
        return work()
    polls = 0
    while not has_ended.acquire(timeout=POLL_SECONDS):
        if os.getpid() != process:
            raise RuntimeError(
                "a forked child cannot go on with a step that its parent was solving"
            )
        polls += 1
        if polls == THREAD_START_POLLS and is_taken.acquire(blocking=False):
            return work()
    if errors:
        raise errors[0]
    if not results:
        raise MemoryError("cannot keep the solution of a step")
    return results[0]


def _gauss_newton(
    net: Network, x: Any, sample_weight: Any, out: Float64Array, product: Float64Array
) -> None:
    """G = Σ_x f_x J_xᵀ J_x, f_x = 1/n or s_x / Σ s, in `out`."""
    size, n = net.params.size, x.shape[0]
    out[:] = 0
    factors = np.full(n, 1 / n)
    if sample_weight is not None:
        factors = np.asarray(sample_weight, np.float64)
        if factors.shape != (n,):  # a callback has changed it
            raise ValueError(f"sample_weight: expected shape ({n},), got {factors.shape}")
        factors = factors / factors.sum()
    width = net.sizes[-1]
    at_once = max(1, min(MAX_JACOBIAN_ELEMENTS // size, MAX_PRODUCT_WORK // size**2))
    for first in range(0, n, at_once):
        rows = slice(first, min(n, first + at_once))
        with naming("x"):  # a callback may have resized the arrays of a sparse x
            part = x[rows]
        known = net._stored_forward(part)
        roots = np.sqrt(factors[rows])
        for j in range(width):
            v = np.zeros((len(roots), width), net.dtype)
            v[:, j] = roots
            jacobian = net._per_example_vjp(known, v, False).astype(np.float64, copy=False)
            np.matmul(jacobian.T, jacobian, out=product)
            out += product
