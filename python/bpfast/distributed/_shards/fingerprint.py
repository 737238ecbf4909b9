"""What a shard is recognised by when it is made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np

from bpfast._validation.arrays.sparse import is_sparse
from bpfast.distributed._shards.form import Form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfast.distributed._shards.shard import Shard

# Of rows that are not contiguous so many bytes are copied at a time.
BLOCK_BYTES = 1 << 20
MAX_ITEM_BYTES = 8


class Fingerprint(NamedTuple):
    """The form and the numbers of a shard.

    It is made each time a shard is made, and once more at the start. The checksum of 4096 rows of
    784 float32 takes 4 ms, a tenth of their gradient through 784-128-64-10 or less.
    """

    form: Form
    checksum: int

    @classmethod
    def of(cls, shard: Shard) -> Fingerprint:
        """That of a shard as the user gave it."""
        x = [shard.x.data, shard.x.indices, shard.x.indptr] if is_sparse(shard.x) else [shard.x]
        checksum = 0
        for array in [*x, shard.y, shard.weight]:
            # y of a callable cost may be anything; long double has bytes without a value.
            if array is None or array.dtype.kind not in "biuf" or array.itemsize > MAX_ITEM_BYTES:
                continue
            checksum = crc32(array.dtype.str.encode(), checksum)
            for block in _blocks(array):
                checksum = crc32(block, checksum)
        return cls(Form.of(shard), checksum)

    def refuse_other(self, now: Fingerprint) -> None:
        """Raise ValueError if the shard has another form or other numbers now.

        Examples
        --------
        >>> before = Fingerprint(Form(40, (1,), False, False), checksum=7)
        >>> before.refuse_other(before._replace(checksum=8))
        Traceback (most recent call last):
        ValueError: expected the same numbers as at the start, got others when it was made again
        """
        self.form.refuse_other(now.form)
        if self.checksum != now.checksum:
            expected = "the same numbers as at the start"
            raise ValueError(f"expected {expected}, got others when it was made again")


def _blocks(array: Any) -> Iterator[Any]:
    """The numbers of an array in C order, as contiguous arrays."""
    if array.flags.c_contiguous or not array.size:
        yield array
        return
    rows = max(1, BLOCK_BYTES * len(array) // array.nbytes)
    for first in range(0, len(array), rows):
        yield np.ascontiguousarray(array[first : first + rows])
