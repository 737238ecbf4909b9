"""The settings of a training on shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._training.arguments.settings import Settings

if TYPE_CHECKING:
    from bpfast._network import Network


class ShardSettings(Settings):
    """Settings, and how the data are cut, which determines the bits too. A checkpoint stores all.

    Attributes
    ----------
    shards : list of int
        Numbers that differ if the data are cut in another way.
    """

    __slots__ = ("average_every", "method", "shards")

    def __init__(self, net: Network, method: str, average_every: int, **settings: Any) -> None:
        super().__init__(net, sparse=False, **settings)
        self.method, self.average_every = method, average_every
        self.shards: list[int] = []  # known with the data

    def to_dict(self) -> dict[str, Any]:
        """All settings in JSON types."""
        settings = {name: getattr(self, name) for name in Settings.__slots__}
        return settings | {name: getattr(self, name) for name in self.__slots__}
