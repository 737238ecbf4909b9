"""Products with matrices of second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._derivatives.arguments import with_custom_cost
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast import _core
    from bpfast._core import Gradient, Trace
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import Reduction


def hvp(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    v: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    errors: list[NDArray[Any]] | None = None,
    out: Gradient | None = None,
) -> Gradient:
    """Hessian-vector product H v, H = ∂²C/∂p² over all parameters p, exact, by the R-operator.

    A forward and a backward pass of the derivatives along v beside those of the gradient; H is
    never formed. At a kink (relu at 0, huber at 1) the second derivative is taken as 0.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters: then no forward pass is computed.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1).
    v : array_like, (P,)
        The vector, in the order of `params`; a Gradient as well.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.
    errors : list of ndarray, optional
        What `errors` returned for the same arguments: then BP1 and BP2 are not computed.
    out : Gradient, optional
        Where to write: a gradient of this network, or of a network with the same sizes and dtype.

    Returns
    -------
    Gradient
        H v in the order of the parameters. Its `cost` is NaN.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, weights
        are not finite or, with "mean", negative or all zero; or the cost is a callable, whose
        second derivatives are unknown.
    TypeError
        An argument is not of real numbers, or ``out`` is not a Gradient of the network's dtype.

    References
    ----------
    Pearlmutter, *Fast Exact Multiplication by the Hessian*, 1994.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.hvp([[3]], [[0]], [1, 0]).flat  # C = (3 w + b)² / 2
    array([9., 3.])
    """
    check_network(self)
    if errors is not None and not isinstance(errors, list):
        raise TypeError(f"errors: expected a list of arrays, got {type(errors).__name__}")
    examples = (x, y, sample_weight, reduction)
    return self._curvature_product("hessian", examples, v, errors, out)


def ggn_vp(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    v: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    out: Gradient | None = None,
) -> Gradient:
    """Product with the generalised Gauss-Newton matrix: G v, G = mean of Jᵀ H J, exact.

    J = ∂z^L/∂p and H = ∂²C_x/∂z² for cross_entropy over sigmoid and for log_likelihood and poisson
    over softmax. For all others J = ∂a^L/∂p and H = ∂²C_x/∂a². G has no negative eigenvalue. Where
    C is the negative log-likelihood of such an output, G is the Fisher matrix.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters: then no forward pass is computed.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1).
    v : array_like, (P,)
        The vector, in the order of `params`; a Gradient as well.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.
    out : Gradient, optional
        Where to write: a gradient of this network, or of a network with the same sizes and dtype.

    Returns
    -------
    Gradient
        G v in the order of the parameters. Its `cost` is NaN.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, weights
        are not finite or, with "mean", negative or all zero; or the cost is a callable, whose
        second derivatives are unknown.
    TypeError
        An argument is not of real numbers, or ``out`` is not a Gradient of the network's dtype.

    References
    ----------
    Schraudolph, *Fast Curvature Matrix-Vector Products for Second-Order Gradient Descent*, 2002.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.ggn_vp([[3]], [[0]], [1, 0]).flat  # as for the Hessian: z is linear in w and b
    array([9., 3.])
    """
    check_network(self)
    examples = (x, y, sample_weight, reduction)
    return self._curvature_product("ggn", examples, v, None, out)


def empirical_fisher_vp(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    v: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    out: Gradient | None = None,
) -> Gradient:
    """Product with the empirical Fisher matrix: F v, F = mean of ∂C_x ∂C_xᵀ.

    It uses the y that are given. The Fisher matrix itself takes y from the distribution that the
    network's outputs stand for: see `ggn_vp`.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters: then no forward pass is computed. No Trace with a callable cost.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    v : array_like, (P,)
        The vector, in the order of `params`; a Gradient as well.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": F = Σ s_x ∂C_x ∂C_xᵀ / Σ s_x. "sum": F = Σ s_x ∂C_x ∂C_xᵀ.
    out : Gradient, optional
        Where to write: a gradient of this network, or of a network with the same sizes and dtype.

    Returns
    -------
    Gradient
        F v in the order of the parameters. Its `cost` is NaN.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, or
        weights are not finite or, with "mean", negative or all zero.
    TypeError
        An argument is not of real numbers, or ``out`` is not a Gradient of the network's dtype.

    References
    ----------
    Kunstner, Balles and Hennig, *Limitations of the Empirical Fisher Approximation*, 2019.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.empirical_fisher_vp([[3]], [[2]], [1, 0]).flat  # ∂C_x = (-6, -2)
    array([36., 12.])
    """
    x, y, sample_weight = with_custom_cost(self, x, y, sample_weight)
    examples = (x, y, sample_weight, reduction)
    return self._curvature_product("empirical_fisher", examples, v, None, out)
