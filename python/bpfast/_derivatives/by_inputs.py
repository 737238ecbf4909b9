"""Derivatives by the inputs x: of the cost, and of each output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from bpfast._derivatives.arguments import is_at_z, with_custom_cost
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast import _core
    from bpfast._core import Trace
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import AnyArray, Reduction


def input_gradient(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> AnyArray:
    """∂C/∂x = δ^2 W^2, each row with the factor 1/n; ``reduction="sum"`` without it.

    C is the mean cost of the batch, so a row is ∂C_x/∂x times 1/n, or times s_x / Σ s_x with
    weights. With ``reduction="sum"`` it is s_x ∂C_x/∂x: that example's alone, as saliency needs it.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters: then no forward pass is computed. No Trace with a callable cost.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.

    Returns
    -------
    ndarray, (n, n_1)
        Dense also for a sparse x.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, or
        weights are not finite or, with "mean", negative or all zero.
    TypeError
        An argument is not of real numbers.
    MemoryError
        The result cannot be allocated.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2; Simonyan, Vedaldi and Zisserman, *Deep
    Inside Convolutional Networks*, 2014.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([2, 1], output="identity", init="zeros")
    >>> net.weights[0][:] = [[3, 4]]
    >>> net.input_gradient([[1, 1]], [[5]])  # a - y = 2
    array([[6., 8.]])
    """
    x, y, sample_weight = with_custom_cost(self, x, y, sample_weight)
    return self._input_gradient(x, y, sample_weight, reduction)


def jacobian(self: _core.Network, x: Inputs | Trace, *, at: Literal["a", "z"] = "a") -> AnyArray:
    """∂a_j^L/∂x_k of each example: n_L passes back through the layers after one forward pass.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters.
    at : {"a", "z"}, default "a"
        "z": ∂z_j^L/∂x_k.

    Returns
    -------
    ndarray, (n, n_L, n_1)
        Dense also for a sparse x.

    Raises
    ------
    ValueError
        x has another shape or no rows, or ``at`` is unknown.
    TypeError
        x is not of real numbers.
    MemoryError
        The result cannot be allocated.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([3, 2], output="identity", init="zeros")
    >>> net.weights[0][:] = [[1, 2, 3], [4, 5, 6]]
    >>> net.jacobian([[0, 0, 0]])
    array([[[1., 2., 3.],
            [4., 5., 6.]]])
    """
    from bpfast._core import Trace

    check_network(self)
    at_z = is_at_z(at)
    trace = x if isinstance(x, Trace) else self.trace(x)
    n, (n_inputs, *_, n_outputs) = len(trace.a[0]), self.sizes
    result: AnyArray = np.empty((n, n_outputs, n_inputs), self.dtype)
    v = np.zeros((n, n_outputs), self.dtype)
    for j in range(n_outputs):
        v[:, j] = 1
        result[:, j] = self._vjp(trace, v, at_z, (False, True), None)[1]
        v[:, j] = 0
    return result
