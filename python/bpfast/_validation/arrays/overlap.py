"""Arrays that share memory with the parameters, which a training would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._validation.arrays.sparse import is_sparse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

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


class ParamsOfMany:
    """The parameters of several networks, to find those that an array is a view of.

    Parameters
    ----------
    nets : dict of str to Network
        The networks, by the names that errors give them.

    Examples
    --------
    >>> import bpfast
    >>> nets = {f"nets[{k}]": bpfast.Network([2, 1], seed=k) for k in range(3)}
    >>> ParamsOfMany(nets).refuse(y=nets["nets[2]"].weights[0])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: y: expected an array that does not overlap params of nets[2], got one that ...
    """

    def __init__(self, nets: Mapping[str, Network]) -> None:
        self._params = {name: net.params for name, net in nets.items()}

    def refuse(self, **arrays: Any) -> None:
        """Raise ValueError if an array, by the name of its argument, is a view of parameters."""
        for name, given in arrays.items():
            array = _memory_of(given)
            # Mostly: then it need not be compared with each of many networks.
            if array is None or _is_of_numpy(array):
                continue
            for owner, params in self._params.items():
                if np.may_share_memory(params, array):
                    expected = f"an array that does not overlap params of {owner}"
                    got = "one that shares memory with it"
                    raise ValueError(f"{name}: expected {expected}, got {got}")


def _is_of_numpy(array: NDArray[Any]) -> bool:
    """Whether NumPy has allocated the memory of an array, so that no network has."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.flags.owndata


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
