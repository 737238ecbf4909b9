"""Names of activations with a parameter, as in "leaky_relu(0.2)"."""

from __future__ import annotations

import math
from typing import Any

from bpfast._activations import base_name, parameter
from bpfast._core import ACTIVATIONS
from bpfast._network import Network
from bpfast._validation.network import check_network

# The parameter that a name without parentheses stands for: the slope, and α.
DEFAULTS = {"leaky_relu": 0.01, "elu": 1.0}


def spelled(name: str, value: float) -> str:
    """The name of an activation with a parameter; with 0 both are relu.

    Examples
    --------
    >>> spelled("leaky_relu", 0.2), spelled("leaky_relu", 0.01), spelled("elu", 0)
    ('leaky_relu(0.2)', 'leaky_relu', 'relu')
    """
    if value == 0:
        return "relu"
    return name if value == DEFAULTS[name] else f"{name}({float(value)!r})"


def name_and_parameter(activation: str) -> tuple[str, float]:
    """The name of an activation and its parameter; NaN if it has none.

    Examples
    --------
    >>> name_and_parameter("leaky_relu(0.2)"), name_and_parameter("elu")
    (('leaky_relu', 0.2), ('elu', 1.0))
    >>> name_and_parameter("tanh")
    ('tanh', nan)
    """
    name = base_name(activation)
    return name, parameter(activation, DEFAULTS.get(name, math.nan))


def of_layers(net: Any) -> list[str]:
    """The activation of each layer 2, …, L of a network.

    Raises
    ------
    TypeError
        `net` is not a network.

    Examples
    --------
    >>> of_layers([2, 1])
    Traceback (most recent call last):
    TypeError: net: expected a Network, got list
    """
    check_network(net, "net")
    config = net.config
    return [*config["hidden"], config["output"]]


def is_known(activation: str) -> bool:
    """Whether a network can have this activation."""
    if activation in ACTIVATIONS:
        return True
    try:
        Network([1, 1], output=activation, init="zeros")
    except ValueError:
        return False
    return True
