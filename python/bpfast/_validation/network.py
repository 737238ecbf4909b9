"""Networks as arguments, and their parameters while user code runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray


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


def refuse_other_params(net: _core.Network, before: NDArray[Any]) -> None:
    """Raise ValueError if a cost changed the parameters from which its a^L was computed."""
    if not _core.has_params(net, before):
        raise ValueError("cost: expected to leave net.params unchanged, got other numbers")
