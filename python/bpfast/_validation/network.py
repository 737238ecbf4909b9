"""Networks, their layers and neurons as arguments, and parameters while user code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast import _core
from bpfast._validation.numbers import integer

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Below every number that is meant, so that the message is that of the range.
_MIN_INTEGER = -(2**63)


def check_network(value: object, argument: str = "self") -> None:
    """Raise TypeError unless `value` is a network.

    Examples
    --------
    >>> check_network([2, 1], "net")
    Traceback (most recent call last):
    TypeError: net: expected a Network, got list
    """
    if not isinstance(value, _core.Network):
        got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise TypeError(f"{argument}: expected a Network, got {got}")


def refuse_other_params(net: _core.Network, before: NDArray[Any], argument: str = "cost") -> None:
    """Raise ValueError if a cost or schedule changed the parameters."""
    if not _core.has_params(net, before):
        raise ValueError(f"{argument}: expected to leave net.params unchanged, got other numbers")


def parse_layer(net: _core.Network, layer: Any) -> int:
    """A layer with weights in the book's numbering, 2 to L.

    Raises
    ------
    ValueError
        There is no such layer, or it is the input.
    TypeError
        It is not an integer.

    Examples
    --------
    >>> import bpfast
    >>> parse_layer(bpfast.Network([2, 3, 1]), 1)
    Traceback (most recent call last):
    ValueError: layer: expected a layer from 2 to 3, where layer 1 is the input, got 1
    """
    given, last = integer("layer", layer, _MIN_INTEGER), len(net.sizes)
    if not 2 <= given <= last:
        expected = f"a layer from 2 to {last}, where layer 1 is the input"
        raise ValueError(f"layer: expected {expected}, got {given}")
    return given


def parse_neuron(net: _core.Network, layer: int, neuron: Any, argument: str = "neuron") -> int:
    """A neuron of a layer, counted from 0.

    Raises
    ------
    ValueError
        There is no such neuron.
    TypeError
        It is not an integer.

    Examples
    --------
    >>> import bpfast
    >>> parse_neuron(bpfast.Network([2, 3, 1]), 2, 3)
    Traceback (most recent call last):
    ValueError: neuron: expected a neuron of layer 2, from 0 to 2, got 3
    """
    given, last = integer(argument, neuron, _MIN_INTEGER), net.sizes[layer - 1] - 1
    if not 0 <= given <= last:
        expected = f"a neuron of layer {layer}, from 0 to {last}"
        raise ValueError(f"{argument}: expected {expected}, got {given}")
    return given
