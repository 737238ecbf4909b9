"""The gradient of a sparse batch, restricted to the inputs that the batch uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from bpfast import _core
from bpfast._by_identity import by_identity
from bpfast._calls import methods
from bpfast._derivatives.arguments import refuse_trace
from bpfast._validation.arrays.sparse import by_rows
from bpfast._validation.arrays.sparse_format import check_format
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Gradient


@by_identity
class Touched(NamedTuple):
    """The inputs that a sparse batch uses, and the gradient for them.

    ``inputs`` are the columns of x with at least one stored element, in ascending order.
    ``gradient.weights[0]`` is ∂C/∂W^2 of these columns, of shape (n_2, len(inputs)); all other
    columns of ∂C/∂W^2 are 0. The rest of ``gradient`` equals that of ``net.backprop``.
    """

    inputs: NDArray[np.int64]
    gradient: Gradient


def backprop_touched(
    self: _core.Network,
    x: Any,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Literal["mean", "sum"] = "mean",
) -> Touched:
    """C and its gradient for a sparse batch that uses few of many inputs.

    Time and memory depend on the number of inputs that the batch uses, and not on n_1.

    Parameters
    ----------
    x : SciPy sparse, (n, n_1)
        A sparse matrix or array of any format.
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
    Touched
        ``inputs``: the columns of x with at least one stored element, ascending. ``gradient``: a
        `Gradient` whose ``weights[0]`` has only these columns of ∂C/∂W^2; the others are 0.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, or
        weights are not finite or, with "mean", negative or all zero.
    TypeError
        x is not sparse, or an argument is not of real numbers.

    Examples
    --------
    >>> import bpfast, scipy.sparse
    >>> net = bpfast.Network([1000, 1], output="identity", init="zeros")
    >>> x = scipy.sparse.csr_array(([2.0], ([0], [700])), shape=(1, 1000))
    >>> inputs, g = net.backprop_touched(x, [[1.0]])
    >>> inputs, g.weights[0]
    (array([700]), array([[-2.]]))
    >>> net.weights[0][:, inputs] -= 0.1 * g.weights[0]
    """
    check_network(self)
    refuse_trace(x)
    if not hasattr(x, "tocsr"):
        raise TypeError(f"x: expected a SciPy sparse matrix, got {type(x).__name__}")
    rows = by_rows(x)
    check_format(rows)
    expected = (rows.shape[0], self.sizes[0])
    if rows.shape != expected:
        raise ValueError(f"x: expected shape {expected}, got {rows.shape}")
    stored = int(rows.indptr[-1])  # a matrix may have room for more
    inputs, positions = np.unique(rows.indices[:stored], return_inverse=True)
    if not inputs.size:
        inputs = np.zeros(1, np.int64)  # a network has at least one input
    # The same network with these inputs only.
    options = {name: self.config[name] for name in ("hidden", "output", "cost", "dtype")}
    first, *others = self.weights
    # `first[:, inputs]`. If memory runs out, `take` raises MemoryError; indexing may raise others.
    columns = first.T.take(inputs.astype(np.intp), axis=0).T
    small = _core.Network.from_parameters([columns, *others], self.biases, **options)
    arrays = (rows.data[:stored], positions.astype(rows.indices.dtype), rows.indptr)
    narrow = type(rows)(arrays, shape=(rows.shape[0], len(inputs)))
    gradient = methods.backprop(small, narrow, y, sample_weight=sample_weight, reduction=reduction)
    return Touched(inputs.astype(np.int64), gradient)
