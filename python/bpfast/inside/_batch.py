"""The examples that a function of `bpfast.inside` looks at, checked against the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._blas import prepare_blas
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.inputs import rows_of
from bpfast._validation.arrays.labels_or_columns import as_targets
from bpfast._validation.arrays.sparse import as_dense, is_sparse
from bpfast._validation.network import check_network
from bpfast.inside._scaled import scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._typing import FloatArray


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A float64 copy of a network, and examples in the dtype that the network sees.

    Attributes
    ----------
    net : Network
        A copy in float64, which may be changed.
    x : ndarray of float64, (n, n_1)
        The examples, rounded to the dtype of the user's network. Sparse x is dense here. Examples
        of weight 0 are left out.
    y : ndarray
        The targets as `Network.cost` takes them.
    targets : ndarray of float64, (n, n_L), or None
        The targets, one row per example, labels as rows with a single 1. None if a callable cost
        has targets of another shape.
    weight : ndarray of float64, (n,)
        s_x / Σ s_x.
    scale : float
        Σ s_x, or n without weights.
    rows : ndarray of int64, (n,)
        The rows of the user's x that the examples are.
    """

    net: Network
    x: FloatArray
    y: NDArray[Any]
    targets: FloatArray | None
    weight: FloatArray
    scale: float
    rows: NDArray[np.int64]

    def cost(self, params: FloatArray | None = None) -> float:
        """The mean cost, of the network or with other parameters."""
        if params is None:
            return float(self.net.cost(self.x, self.y, sample_weight=self.weight))
        before = self.net.params.copy()
        self.net.params = params
        try:
            return float(self.net.cost(self.x, self.y, sample_weight=self.weight))
        finally:
            self.net.params = before

    def gradient(self, params: FloatArray | None = None) -> FloatArray:
        """∇C as a flat vector, of the network or with other parameters."""
        before = self.net.params.copy()
        if params is not None:
            self.net.params = params
        try:
            gradient = self.net.backprop(self.x, self.y, sample_weight=self.weight)
        finally:
            self.net.params = before
        return np.array(gradient.flat, dtype=np.float64)

    def mean(self, values: FloatArray) -> FloatArray:
        """The weighted mean over the examples, the first axis."""
        mean: FloatArray = np.tensordot(self.weight, values, axes=(0, 0))
        return mean

    def rms(self, values: FloatArray) -> FloatArray:
        """The weighted root mean square over the examples, the first axis."""
        scale = scale_of(values, axis=0)
        root: FloatArray = np.sqrt(self.mean(np.square(values / scale))) * scale
        return root


def batch_of(net: Network, x: Any, y: Any, sample_weight: Any = None) -> Batch:
    """Check the arguments, in the words of `Network.cost`, and copy what is needed.

    Raises
    ------
    ValueError
        Shapes do not match, there are no examples, weights are invalid, or a number is not finite.
    TypeError
        `net` is not a network, or an argument is not of real numbers.
    """
    check_network(net, "net")
    prepare_blas()
    with np.errstate(over="ignore", under="ignore"):  # of float32, which is refused below
        net.cost(x, y, sample_weight=sample_weight)  # raises the errors of shapes and types
    given_x = as_dense(x, np.dtype(np.float64)) if is_sparse(x) else as_array("x", x)
    dense = _rounded(net, given_x)
    is_custom = callable(net.config["cost"])
    given_y = given = as_targets(net, as_array("y", y))
    targets = dense_targets(given, net.sizes[-1], len(dense))
    if not is_custom and given.ndim == 2:
        given = _rounded(net, given)
        targets = given
    params = np.asarray(net.params)
    parts = [("x", dense, given_x), ("params", params, params)]
    if given.dtype.kind == "f":
        parts.append(("y", given, given_y))
    for name, values, before in parts:
        if not np.isfinite(values).all():
            bad = np.unravel_index(np.flatnonzero(~np.isfinite(values))[0], values.shape)
            where = ", ".join(str(int(k)) for k in bad)
            expected, got = "finite numbers", before[bad]
            if np.isfinite(got):
                expected = f"numbers that {net.dtype} can hold"
            raise ValueError(f"{name}[{where}]: expected {expected}, got {got}")
    share, rows = np.ones(len(dense)), np.arange(len(dense))
    if sample_weight is not None:
        share = np.array(as_array("sample_weight", sample_weight), dtype=np.float64)
        rows = np.flatnonzero(share / share.sum() > 0)
    if len(rows) < len(dense):
        dense, given, share = rows_of(dense, rows), rows_of(given, rows), share[rows]
        targets = None if targets is None else rows_of(targets, rows)
    scale = float(share.sum())
    return Batch(
        net=net.astype(np.float64),
        x=dense,
        y=given,
        targets=targets,
        weight=share / scale,
        scale=scale,
        rows=rows,
    )


def _rounded(net: Network, values: NDArray[Any]) -> FloatArray:
    """`values` in float64, rounded to the dtype of the network."""
    with np.errstate(over="ignore", under="ignore"):  # to infinity, which is refused by name
        rounded: FloatArray = values.astype(net.dtype).astype(np.float64)
    return rounded


def dense_targets(y: NDArray[Any], outputs: int, n: int) -> FloatArray | None:
    """y as (n, n_L) in float64; labels become rows with a single 1. None for other shapes."""
    if y.dtype.kind not in "biuf":
        return None
    if y.shape == (n, outputs):
        return y.astype(np.float64)
    if y.shape != (n,):
        return None
    if outputs == 1:
        return y.astype(np.float64)[:, np.newaxis]
    labels = y.astype(np.int64)
    if (labels != y).any() or labels.min() < 0 or labels.max() >= outputs:
        return None
    rows: FloatArray = rows_of(np.eye(outputs), labels)
    return rows
