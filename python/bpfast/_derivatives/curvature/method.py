"""`net.curvature`: a matrix of second derivatives at the present parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._core import Trace
from bpfast._derivatives.arguments import with_custom_cost
from bpfast._derivatives.curvature.operator import (
    MATRIX_NAMES,
    Curvature,
    MatrixName,
    ProductArguments,
)
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.sparse import for_scipy, is_sparse
from bpfast._validation.arrays.sparse_format import check_format
from bpfast._validation.names import one_of
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast import _core
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import Reduction


def curvature(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    matrix: MatrixName = "hessian",
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Curvature:
    """The matrix of second derivatives at the present parameters, as an operator.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters: then no forward pass is computed. No Trace with a callable cost.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1).
    matrix : {"hessian", "ggn", "empirical_fisher"}, default "hessian"
        The Hessian (`hvp`), the generalised Gauss-Newton matrix (`ggn_vp`) or the empirical Fisher
        matrix (`empirical_fisher_vp`).
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.

    Returns
    -------
    Curvature
        Products, `diagonal`, `trace`, `eigenvalues` and `linear_operator`.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, weights
        are not finite or, with "mean", negative or all zero; ``matrix`` is unknown; or the cost is
        a callable and the matrix not the Fisher matrix.
    TypeError
        An argument is not of real numbers.

    References
    ----------
    Pearlmutter, *Fast Exact Multiplication by the Hessian*, 1994.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.curvature([[3]], [[0]], matrix="ggn").diagonal()
    array([9., 1.])
    """
    check_network(self)
    name: Any = one_of("matrix", matrix, MATRIX_NAMES)
    if isinstance(x, Trace) and self._custom_cost is None:
        known: Any = _copy_of_trace(self, x)
    else:
        known, sample_weight = self._prepare(x, y, sample_weight, reduction, None)
        if is_sparse(known):
            check_format(known)  # SciPy's copy needs arrays
            known = for_scipy(known)
        known = known.copy()
    y = as_array("y", y).copy()
    weight = None if sample_weight is None else as_array("sample_weight", sample_weight).copy()
    if name == "empirical_fisher":
        known, y, weight = with_custom_cost(self, known, y, weight)
    if self._custom_cost is None and not isinstance(known, Trace):
        known = self._stored_forward(known)
    errors = None
    if name == "hessian" and self._custom_cost is None:
        errors = self._errors(known, y, weight, reduction)
    examples = ProductArguments(known, y, weight, reduction)
    return Curvature._of(self, name, examples, errors)


def _copy_of_trace(net: _core.Network, trace: Trace) -> Trace:
    """A copy of what the products read of a trace; None for each z^l that they do not read."""
    are_read = net._check_trace(trace)
    z: Any = [
        z_l.copy() if is_read else None for z_l, is_read in zip(trace.z, are_read, strict=True)
    ]
    return Trace(z, [a_l.copy() for a_l in trace.a])
