"""BP1, whose cost may be a callable; the other equations are in `_core`."""

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
    """BP1: δ^L = ∇_a C ⊙ σ'(z^L), the Jacobian product for softmax.

    Parameters
    ----------
    z : array_like, (n, n_L)
        z^L. float32 gives float32, all else float64.
    y, sample_weight, reduction
        As for `Network.errors`.
    output, cost
        As for `Network`.
    out : ndarray, (n, n_L), optional
        Where to write: of z's dtype, C-contiguous, writeable, apart from the inputs.

    Returns
    -------
    ndarray, (n, n_L)
        δ^L = ∂C/∂z^L, with the factor 1/n, or s_x / Σ s_x, of C.

    Raises
    ------
    ValueError, TypeError
        As for `Network` and `Network.cost`.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, equation BP1.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.bp1([[0.0]], [[1.0]])  # (1/2 - 1) · 1/4
    array([[-0.125]])
    """
    if callable(cost) and not isinstance(cost, str):
        others = (output, cost, sample_weight, reduction, out)
        z, sample_weight, a = _core.bp1_outputs(z, y, *others)
        returned = cost(a, _core.as_batch(y, len(a)))
        return _core.bp1(z, returned, output, cost, sample_weight, reduction, out)
    return _core.bp1(z, y, output, cost, sample_weight, reduction, out)
