"""The outputs for other weighted inputs of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpfast._validation.network import check_network, parse_layer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast import _core
    from bpfast._network import Network
    from bpfast._typing import AnyArray


def forward_from(self: _core.Network, layer: int, z: ArrayLike) -> AnyArray:
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
    return self._forward_from(parse_layer(self, layer) - 2, z)


def network_from(net: _core.Network, layer: int) -> Network:
    """The layers from `layer` on as a network, whose inputs are z of that layer.

    `forward_from` gives the outputs; this gives the cost as well, with all digits where cost and
    output are one formula of z^L. The first layer multiplies by the identity matrix.
    """
    from bpfast import Network

    config, k = net.config, layer - 2
    width = net.sizes[layer - 1]
    return Network.from_parameters(
        [np.eye(width), *list(net.weights)[k + 1 :]],
        [np.zeros(width), *list(net.biases)[k + 1 :]],
        hidden=config["hidden"][k:],
        output=config["output"],
        cost=config["cost"],
        dtype=net.dtype,
    )
