"""y of shape (n,) in the form that the network's cost reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._costs import LABELLED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network


def as_targets(net: Network, y: NDArray[Any]) -> NDArray[Any]:
    """`y`, of shape (n,) turned into labels or into the column of a single output.

    So metrics and class weights meet one form: y of shape (n, n_L), or integer labels of shape
    (n,). What a callable cost gets stays as it is, and so does what the cost refuses.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([2, 1], output="identity", seed=0)
    >>> as_targets(net, np.array([0.5, 2.0])).shape
    (2, 1)
    >>> net = bpfast.Network([2, 3], output="softmax", cost="log_likelihood", seed=0)
    >>> as_targets(net, np.array([0.0, 2.0]))
    array([0, 2])
    """
    if y.ndim != 1 or y.dtype.kind not in "buif" or net._custom_cost is not None:
        return y
    cost = net.config["cost"]
    takes_labels, is_float = cost in LABELLED, y.dtype.kind == "f"
    if takes_labels and not is_float:
        return y
    width = net.sizes[-1]
    if width == 1:
        return y[:, np.newaxis]
    if takes_labels and ((y >= 0) & (y < width) & (y % 1 == 0)).all():
        return y.astype(np.int64)
    return y
