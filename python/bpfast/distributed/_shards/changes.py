"""Changes of the shards before the first step, made where each of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bpfast.distributed._ordered_sum.values import Failure
from bpfast.distributed._shards.fingerprint import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bpfast.distributed._shards.shard import Shard


class Change(Protocol):
    """Makes a shard from a shard."""

    def for_shard(self, number: int) -> Change:
        """The part of the change that a shard needs, to be sent to it."""

    def of(self, number: int, shard: Shard) -> Shard:
        """The new shard. The old one is not changed."""


@dataclass(frozen=True)
class RefuseOthers:
    """Refuses a shard that is not the one with this fingerprint."""

    fingerprints: Mapping[int, Fingerprint]

    def for_shard(self, number: int) -> RefuseOthers:
        """The fingerprint of one shard."""
        return RefuseOthers({number: self.fingerprints[number]})

    def of(self, number: int, shard: Shard) -> Shard:
        """The shard itself."""
        self.fingerprints[number].refuse_other(Fingerprint.of(shard))
        return shard


@dataclass(frozen=True)
class HoldOut:
    """Holds out some rows of each shard, numbered within the shard."""

    rows: Mapping[int, NDArray[np.uint32]]

    def for_shard(self, number: int) -> HoldOut:
        """The rows of one shard."""
        return HoldOut({number: self.rows[number]} if number in self.rows else {})

    def of(self, number: int, shard: Shard) -> Shard:
        """The shard without these rows, which it keeps apart."""
        return shard.hold_out(self.rows.get(number, np.empty(0, np.uint32)))


@dataclass(frozen=True)
class WeighClasses:
    """Multiplies the weight of each example by the weight of its class."""

    weights: Mapping[int, float]
    outputs: int

    def for_shard(self, number: int) -> WeighClasses:  # noqa: ARG002
        """All of it."""
        return self

    def of(self, number: int, shard: Shard) -> Shard:  # noqa: ARG002
        """The shard with other weights."""
        return shard.weigh(self.weights, self.outputs)


def changed(change: Change, number: int, shard: Any) -> Any:
    """The shard after a change. An error is returned: the first of all shards is raised."""
    if isinstance(shard, Failure):
        return shard
    try:
        return change.of(number, shard)
    except Exception as error:  # noqa: BLE001 - raised by the driver
        return Failure(number, error)
