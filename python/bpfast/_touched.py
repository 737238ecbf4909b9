"""The gradient of a sparse batch by the inputs that it touches, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from bpfast import _calls, _core
from bpfast._validation.sparse import by_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Gradient


class Touched(NamedTuple):
    """The inputs that a sparse batch touches, and the gradient by what leads out of them.

    ``inputs`` are the columns of x in which something is stored, in ascending order, and
    ``gradient.weights[0]`` is ∂C/∂W^2 of these columns, of shape (n_2, len(inputs)); all other
    columns of ∂C/∂W^2 are 0. The rest of ``gradient`` is as ``net.backprop`` gives it.
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
    """C and its gradient by backpropagation, for a sparse batch that touches few of many inputs.

    Time and memory depend on the inputs that are touched, and not on n_1.

    Parameters
    ----------
    x : SciPy sparse, (n, n_1)
        In any format.
    y, sample_weight, reduction
        As for `backprop`.

    Returns
    -------
    Touched
        ``inputs``: the columns of x in which something is stored, ascending; ``gradient``: a
        `Gradient` whose ``weights[0]`` has these columns of ∂C/∂W^2 alone. The others are 0.

    Raises
    ------
    ValueError, TypeError
        As for `backprop`; x is not sparse.

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
    _calls.check_network(self)
    if not hasattr(x, "tocsr"):
        raise TypeError(f"x: expected a SciPy sparse matrix, got {type(x).__name__}")
    rows = by_rows(x)
    if rows.shape[1:] != (self.sizes[0],) or not rows.nnz:
        # It refuses the shape.
        _calls.cost(self, rows, y, sample_weight=sample_weight, reduction=reduction)
    inputs, places = np.unique(rows.indices[: rows.indptr[-1]], return_inverse=True)
    if not inputs.size:
        inputs = np.zeros(1, np.int64)  # a network has one input or more
    if inputs[0] < 0 or inputs[-1] >= rows.shape[1]:
        expected = f"indices from 0 to {rows.shape[1] - 1}"
        raise ValueError(f"x: expected {expected}, got {inputs[0]} to {inputs[-1]}")
    # The same network with no other inputs than these.
    options = {name: self.config[name] for name in ("hidden", "output", "cost", "dtype")}
    first, *others = self.weights
    small = _core.Network.from_parameters([first[:, inputs], *others], self.biases, **options)
    parts = (rows.data, places.astype(rows.indices.dtype), rows.indptr)
    narrow = type(rows)(parts, shape=(rows.shape[0], len(inputs)))
    gradient = _calls.backprop(small, narrow, y, sample_weight=sample_weight, reduction=reduction)
    return Touched(inputs.astype(np.int64), gradient)
