"""Initial weights that suit the activations of a network: what findings suggest, and checks try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast._activations import ONE_SIDED, activation_names, base_name

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast.inside._factors import LayerFactors

# 1/σ'(0). Errors, and what differs between examples, pass a layer by its σ' and the weights W of
# the layer above. Their size stays if RMS(W) √n_in is 1/σ': 1 out of tanh and identity layers. The
# initialisations are made for 1, or √2 out of relu layers.
INVERSE_SLOPES = {"sigmoid": 4, "hard_sigmoid": 6}


def factor_out_of(activation: str) -> int:
    """How many times as large the weights out of such a layer should be as those from tanh."""
    return INVERSE_SLOPES.get(activation, 1)


def factors_around(net: Network, layer: int) -> tuple[int, int]:
    """The factor of the weights of a layer, out of the layer below, and of those out of it."""
    names = ["identity", *activation_names(net)[:-1], "identity"]
    return factor_out_of(names[layer - 2]), factor_out_of(names[layer - 1])


def relative_gain(net: Network, layer: LayerFactors) -> float:
    """RMS(W) √n_in as a multiple of what suits the activations below and above the weights."""
    return layer.gain / max(factors_around(net, layer.number))


def start_for(net: Network) -> str:
    """The initial weights that suit a network, in words."""
    hidden = activation_names(net)[:-1]
    times = [f"the weights out of {name} layers multiplied by {INVERSE_SLOPES[name]}"
             for name in INVERSE_SLOPES if name in hidden]  # fmt: skip
    return ", with ".join([f"init='{_init_for(hidden)}'", *[" and ".join(times)] * bool(times)])


def started(net: Network, rng: np.random.Generator) -> Network:
    """A network like `net` with such weights, and biases of 0."""
    hidden: list[Any] = activation_names(net)[:-1]
    new = like(net, init=_init_for(hidden), seed=rng)
    for weights, below in zip(list(new.weights)[1:], hidden, strict=True):
        np.multiply(weights, factor_out_of(below), out=weights)
    return new


def like(net: Network, **changes: Any) -> Network:
    """A network with the sizes and settings of `net`, other parameters, and these changes."""
    config = net.config
    arguments = {
        "hidden": config["hidden"], "output": config["output"], "cost": config["cost"],
        "dtype": net.dtype, "biases": config["biases"],
    }  # fmt: skip
    return bpfast.Network(list(net.sizes), **(arguments | changes))


def _init_for(hidden: list[str]) -> str:
    if "selu" in hidden:
        return "lecun"
    names = {base_name(name) for name in hidden}
    return "he" if names.intersection((*ONE_SIDED, "leaky_relu")) else "xavier"
