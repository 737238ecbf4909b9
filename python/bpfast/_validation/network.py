"""Networks as arguments."""

from __future__ import annotations

from bpfast import _core


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
