"""A case: a network with its data, and what was planted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bpfast


@dataclass(frozen=True)
class Setup:
    """What `explain` gets."""

    net: bpfast.Network
    x: NDArray[Any]
    y: NDArray[Any]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A planted fault; `kind` is what `explain` should name, "" for a healthy network."""

    title: str
    kind: str
    make: Callable[[], Setup]
    because: str = ""


def sgd(rate: float, **options: Any) -> dict[str, Any]:
    """SGD as an argument of `explain`."""
    return {"optimizer": bpfast.SGD(rate, **options)}


def adam(rate: float = 0.001) -> dict[str, Any]:
    """Adam as an argument of `explain`."""
    return {"optimizer": bpfast.Adam(rate)}


def trained(setup: Setup, **options: Any) -> Setup:
    """The same after a training."""
    setup.net.fit(setup.x, setup.y, seed=0, **options)
    return Setup(setup.net, setup.x, setup.y)


def classes(
    sizes: list[int], seed: int, hidden: str = "tanh", init: str = "xavier", **options: Any
) -> bpfast.Network:
    """A classifier with softmax outputs."""
    arguments: dict[str, Any] = {"output": "softmax", "cost": "log_likelihood"} | options
    return bpfast.Network(sizes, hidden=hidden, init=init, seed=seed, **arguments)  # type: ignore[arg-type]


def regression(
    sizes: list[int], seed: int, hidden: str = "relu", init: str = "he", **options: Any
) -> bpfast.Network:
    """A regression with identity outputs."""
    arguments: dict[str, Any] = {"output": "identity"} | options
    return bpfast.Network(sizes, hidden=hidden, init=init, seed=seed, **arguments)  # type: ignore[arg-type]


def scaled(net: bpfast.Network, factor: float, layers: slice = slice(None)) -> bpfast.Network:
    """The network with some weights multiplied."""
    for weights in net.weights[layers]:
        np.multiply(weights, factor, out=weights)
    return net


def shifted(net: bpfast.Network, layer: int, value: float) -> bpfast.Network:
    """The network with a layer's biases set to one value."""
    net.biases[layer - 2] = np.full(net.sizes[layer - 1], value)
    return net
