"""`Layer`: one layer of a network, an item of `Network.layers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast import _core
    from bpfast._network import Network


class Layer:
    """One layer of a network: its parameters, its activation and its sizes.

    ``net.layers[k]`` returns one. It holds views and no numbers of its own, so it always shows the
    network's current parameters. Assigning to `weights` or `biases` copies the numbers into the
    network; the other attributes are read-only. Two layers are equal if they are the same layer of
    the same network.

    Parameters
    ----------
    weights, biases : Views
        ``net.weights`` and ``net.biases``.
    k : int
        The index of the layer in them. Index k is layer k + 2 of the network, because layer 1 is
        the input.
    activation : str
        σ of the layer.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([784, 30, 10], hidden="tanh", output="softmax", seed=0)
    >>> layer = net.layers[0]
    >>> layer
    Layer(784 -> 30, tanh, 23550 parameters)
    >>> layer.weights is net.weights[0]
    True
    >>> layer.biases *= 0
    >>> net.biases[0].tolist() == [0] * 30
    True
    """

    __slots__ = ("_activation", "_biases", "_k", "_weights")

    _activation: str
    _biases: _core.Views
    _k: int
    _weights: _core.Views

    def __init__(self, weights: _core.Views, biases: _core.Views, k: int, activation: str) -> None:
        set_ = object.__setattr__
        set_(self, "_weights", weights)
        set_(self, "_biases", biases)
        set_(self, "_k", k)
        set_(self, "_activation", activation)

    @property
    def weights(self) -> NDArray[np.floating[Any]]:
        """W^l, (n_out, n_in): a writable view of the network's parameters."""
        return self._weights[self._k]

    @weights.setter
    def weights(self, value: ArrayLike) -> None:
        self._weights[self._k] = value

    @property
    def biases(self) -> NDArray[np.floating[Any]]:
        """b^l, (n_out,): a writable view of the network's parameters; None if there are none."""
        return self._biases[self._k]

    @biases.setter
    def biases(self, value: ArrayLike) -> None:
        self._biases[self._k] = value

    @property
    def activation(self) -> str:
        """The name of σ_l, one of `bpfast.ACTIVATIONS`."""
        return self._activation

    @property
    def n_in(self) -> int:
        """n_(l-1), the number of inputs of the layer."""
        return int(self.weights.shape[1])

    @property
    def n_out(self) -> int:
        """n_l, the number of neurons of the layer."""
        return int(self.weights.shape[0])

    @property
    def n_params(self) -> int:
        """The number of weights and biases of the layer."""
        return (self.n_in + self._has_biases()) * self.n_out

    def _has_biases(self) -> bool:
        biases: Any = self._biases[self._k]
        return biases is not None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("weights", "biases"):
            raise AttributeError(f"{name}: expected weights or biases, which alone can be set")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name}: an attribute of a layer cannot be deleted")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Layer is a view of its network: copy or pickle the network")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layer):
            return NotImplemented
        return self._k == other._k and self._weights is other._weights

    def __hash__(self) -> int:
        return hash((id(self._weights), self._k))

    def __repr__(self) -> str:
        sizes = f"{self.n_in} -> {self.n_out}"
        biases = "" if self._has_biases() else "no biases, "
        return f"Layer({sizes}, {self.activation}, {biases}{self.n_params} parameters)"


def weights_of(net: Network) -> NDArray[np.bool_]:
    """Which elements of the flat vector are weights, and not biases."""
    mask = []
    for layer in net.layers:
        n_weights = layer.n_in * layer.n_out
        mask += [np.ones(n_weights, bool), np.zeros(layer.n_params - n_weights, bool)]
    return np.concatenate(mask)


Layer.__module__ = "bpfast"  # the public module
