"""Tasks that find out what the driver needs to know of the shards before the first step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from bpfast._training.arguments.weights import count_classes
from bpfast.distributed._shards.fingerprint import Fingerprint
from bpfast.distributed._shards.task import Model, Task

if TYPE_CHECKING:
    from bpfast.distributed._plan import StepRows
    from bpfast.distributed._shards.shard import Shard

# The most rows that an error names.
MAX_SHOWN = 5


class NonFinite(NamedTuple):
    """The rows of a shard with a number that is not finite, and the first such number."""

    rows: list[int]
    got: float
    dtype: str = "float64"  # that the numbers were converted to

    def message(self, name: str, first: int) -> str:
        """An error that shows the number and names the rows; row 0 has the number `first`.

        Examples
        --------
        >>> NonFinite([2, 5], float("nan")).message("x", 10)
        'x[12]: expected finite numbers, got nan, and in 2 rows in all: 12, 15'
        """
        numbers = [first + row for row in self.rows]
        expected = "finite numbers"
        if self.dtype == "float32" and not math.isnan(self.got):  # too large, or infinite before
            expected += " that float32 can hold"
        text = f"{name}[{numbers[0]}]: expected {expected}, got {self.got}"
        if len(numbers) > 1:
            shown = ", ".join(map(str, numbers[:MAX_SHOWN]))
            text += f", and in {len(numbers)} rows in all: {shown}"
            text += ", …" * (len(numbers) > MAX_SHOWN)
        return text


class ShardFacts(NamedTuple):
    """What the plan needs to know of some examples of a shard."""

    rows: int
    weights: float | None  # Σ |s_x|, None without weights
    has_positive: bool  # whether a weight is above 0
    first_negative: tuple[int, float] | None  # the first weight below 0 and its row in the shard
    non_finite: NonFinite | None  # the weights that are not finite
    is_sparse: bool
    y_shape: tuple[int, ...]  # of one example


class Recognise(Task):
    """The fingerprint of each shard."""

    name = "bpfast-fingerprint"

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:  # noqa: ARG002
        """The fingerprint, to be joined in the order of the shards."""
        return (Fingerprint.of(shard),)


class Count(Task):
    """The facts of each shard, or of the examples held out of it."""

    name = "bpfast-count"

    def __init__(self, model: Model, *, held_out: bool = False) -> None:
        super().__init__(model)
        self.held_out = held_out

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:  # noqa: ARG002
        """The facts, to be joined in the order of the shards."""
        return (shard.part(held_out=self.held_out).facts(),)


class CountClasses(Task):
    """The number of examples of each class in each shard."""

    name = "bpfast-count-classes"

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:  # noqa: ARG002
        """The numbers by class, to be joined."""
        return (count_classes(shard.y),) if len(shard) else None


class CheckShard(Task):
    """Raises an error for numbers that cannot be used.

    `first` has the global number of the first row of each shard as the user gave it.
    """

    name = "bpfast-check"

    def __init__(self, model: Model, first: list[int], *, finite: bool) -> None:
        super().__init__(model)
        self.first, self.finite = first, finite

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:  # noqa: ARG002
        """Nothing, if all is well."""
        shard.check_numbers(self.model.net, self.first[number], finite=self.finite)
