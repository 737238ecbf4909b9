"""BP1, whose cost may be a callable. The other equations are in `_core`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast import _core

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._typing import Activation, Cost, Reduction


def bp1(
    z: ArrayLike,
    y: ArrayLike,
    *,
    output: Activation = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """BP1: δ^L = ∇_a C ⊙ σ'(z^L); for softmax the product with the Jacobian of σ.

    Parameters
    ----------
    z : array_like, (n, n_L)
        z^L. float32 gives float32, everything else float64.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1).
    output : str, default "sigmoid"
        σ of the output layer. One of `bpfast.ACTIVATIONS`.
    cost : str or callable, default "quadratic"
        One of `bpfast.COSTS`, or ``cost(a, y) -> (C_x, nabla_a)`` with C_x of shape (n,) and
        nabla_a = ∇_a C_x of shape (n, n_L).
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.
    out : ndarray, (n, n_L), optional
        Where to write: of z's dtype, C-contiguous, writeable, sharing no memory with inputs.

    Returns
    -------
    ndarray, (n, n_L)
        δ^L = ∂C/∂z^L. With "mean", row x has the factor 1/n, or s_x / Σ s_x.

    Raises
    ------
    ValueError
        Shapes do not match, there are no rows, a name is unknown, the output does not go with the
        cost, labels are out of range or the cost takes none, weights are not finite or, with
        "mean", negative or all zero; or ``out`` has another shape or layout, is read-only or shares
        memory.
    TypeError
        An argument is not of real numbers, or ``out`` has another dtype.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, equation BP1.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.bp1([[0.0]], [[1.0]])  # (1/2 - 1) · 1/4
    array([[-0.125]])
    """
    options = sample_weight, reduction, out
    if callable(cost) and not isinstance(cost, str):
        z, sample_weight, a = _core.bp1_outputs(z, y, output, cost, options)
        returned = cost(a, _core.as_batch(y, len(a)))
        return _core.bp1(z, returned, output, cost, (sample_weight, reduction, out))
    return _core.bp1(z, y, output, cost, options)
