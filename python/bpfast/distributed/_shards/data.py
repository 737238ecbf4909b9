"""The data of a training, as the user gave them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.arguments.unusual_targets import warn_of_targets

if TYPE_CHECKING:
    from bpfast._network import Network


@dataclass(frozen=True)
class ShardData:
    """Examples that are to be cut into shards of `shard_rows` rows, or that are in shards."""

    x: Any
    y: Any = None
    sample_weight: Any = None
    shard_rows: int | None = None

    def refuse_all_but_x(self, where: str) -> None:
        """Raise ValueError if there is more than x, which has the rest already.

        Examples
        --------
        >>> ShardData([], shard_rows=5).refuse_all_but_x("with a list")
        Traceback (most recent call last):
        ValueError: shard_rows: expected none with a list, got int
        """
        for name in ("y", "sample_weight", "shard_rows"):
            value = getattr(self, name)
            if value is not None:
                raise ValueError(f"{name}: expected none {where}, got {type(value).__name__}")

    def warn_of_targets(self, net: Network) -> None:
        """Warn of y as `Network.fit` does, if it is an array in memory."""
        y, weight = self.y, self.sample_weight
        if not isinstance(y, np.ndarray) or y.ndim not in (1, 2):
            return
        is_weight = isinstance(weight, np.ndarray) and weight.shape == y.shape[:1]
        warn_of_targets(net, y, weight if is_weight else None)

    def refuse_empty_list(self) -> None:
        """Raise ValueError for a list of no shards."""
        if not self.x:
            raise ValueError("x: expected one shard or more, got an empty list")


# What has the rest already, for `refuse_all_but_x`.
WITH_A_LIST = "with a list, whose entries are the shards"
WITH_SHARDS = "with LocalShards, which has it"
