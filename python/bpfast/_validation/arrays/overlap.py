"""Arrays that share memory with the parameters, which a training would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._validation.arrays.sparse import is_sparse

if TYPE_CHECKING:
    from bpfast._core import Network


def refuse_params(net: Network, **arrays: Any) -> None:
    """Raise ValueError if one of `arrays`, by the names of the arguments, is a view of the params.

    The core refuses the arrays that it reads during a step, in the same words.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([2, 1], seed=0)
    >>> refuse_params(net, x=net.weights[0])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: x: expected an array that does not overlap params, got one that shares memory ...
    """
    params = net.params
    for name, given in arrays.items():
        array = _memory_of(given)
        # The parameters have their memory for themselves, so comparing the bounds is exact.
        if array is not None and np.may_share_memory(params, array):
            expected = "an array that does not overlap params"
            raise ValueError(f"{name}: expected {expected}, got one that shares memory with it")


def _memory_of(value: Any) -> Any:
    """The array whose memory an array-like has; None for a list, or if there is none."""
    if is_sparse(value):
        value = getattr(value, "data", None)
    if isinstance(value, np.ndarray) or not hasattr(value, "__array__"):
        return value if isinstance(value, np.ndarray) else None
    try:
        return np.asarray(value)
    except Exception:  # noqa: BLE001 - raised where the value is used
        return None
