"""The form of a shard, which stays the same when it is loaded again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bpfast._validation.arrays.sparse import is_sparse

if TYPE_CHECKING:
    from bpfast.distributed._shards.shard import Shard


class Form(NamedTuple):
    """What the plan of a training relies on when a shard is loaded for each use."""

    rows: int
    y_shape: tuple[int, ...]  # of one example
    is_sparse: bool
    has_weights: bool

    @classmethod
    def of(cls, shard: Shard) -> Form:
        """The form of a shard as the user gave it."""
        return cls(len(shard), shard.y.shape[1:], is_sparse(shard.x), shard.weight is not None)

    def refuse_other(self, now: Form) -> None:
        """Raise ValueError if the shard has another form now.

        Examples
        --------
        >>> Form(40, (1,), False, False).refuse_other(Form(10, (1,), False, False))
        Traceback (most recent call last):
        ValueError: expected 40 rows, as at the start, got 10
        """
        kinds = {False: "dense", True: "sparse"}, {False: "none", True: "weights"}
        for what, before, got in (
            ("expected {} rows", self.rows, now.rows),
            ("y: expected entries of shape {}", self.y_shape, now.y_shape),
            ("x: expected {}", kinds[0][self.is_sparse], kinds[0][now.is_sparse]),
            ("sample_weight: expected {}", kinds[1][self.has_weights], kinds[1][now.has_weights]),
        ):
            if before != got:
                raise ValueError(f"{what.format(before)}, as at the start, got {got}")
