"""The outputs for other weighted inputs of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._derivatives.arguments import layer_index
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast import _core

    Array = NDArray[Any]


def forward_from(self: _core.Network, layer: int, z: ArrayLike) -> Array:
    """a^L from the weighted inputs z^l of a layer: what a change of z^l does to the outputs.

    Parameters
    ----------
    layer : int
        l, from 2 (the first layer with weights) to L.
    z : array_like, (n, n_l)
        z^l.

    Returns
    -------
    ndarray, (n, n_L)
        a^L. With z^l from `trace` it has the bits of `forward`.

    Raises
    ------
    ValueError
        There is no such layer, or z has another shape or no rows.
    TypeError
        ``layer`` is not an integer, or z is not of real numbers.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2: the demon in neuron j of layer l.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([2, 3, 1], seed=0)
    >>> trace = net.trace([[1, 2]])
    >>> bool(net.forward_from(2, trace.z[0]) == net.forward([[1, 2]]))
    True
    """
    check_network(self)
    return self._forward_from(layer_index(self, layer), z)
