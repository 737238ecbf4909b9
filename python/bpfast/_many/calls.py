"""`forward_many` and `backprop_many`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from bpfast._network import Network


def forward_many(nets: Iterable[Network], x: Any) -> list[NDArray[Any]]:
    return [net(x) for net in nets]
