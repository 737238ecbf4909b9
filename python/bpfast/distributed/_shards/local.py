"""Data in shards."""

from __future__ import annotations

import operator
import os
from typing import TYPE_CHECKING, Any

from bpfast._training.data.sources import copied_batch
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.inputs import checked_x
from bpfast._validation.arrays.overlap import refuse_params
from bpfast._validation.naming import naming
from bpfast._validation.numbers import flag, integer
from bpfast._validation.target_shape import rows_error
from bpfast.distributed._ordered_sum.values import Failure
from bpfast.distributed._shards.data import WITH_A_LIST, ShardData
from bpfast.distributed._shards.load import NAMES, load
from bpfast.distributed._shards.shard import Shard

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network

# The default. The engine adds up to 4096 examples of a large network in one block.
SHARD_ROWS = 4096


class LocalShards:
    """Data in shards, in one process.

    `fit` on these shards gives the bits that it gives on any number of Dask workers or MPI ranks
    with the same shards. So results can be compared, and code tried, without a cluster.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1); or list
        The examples. Without `y`, a list with one entry per shard: a tuple ``(x, y)`` or ``(x, y,
        sample_weight)``, a callable without arguments that returns one, or the path of an ``.npz``
        file with arrays ``x``, ``y`` and, optionally, ``sample_weight``.
    y : array_like, (n, n_L) or (n,), optional
        The targets.
    sample_weight : array_like, (n,), optional
        The weight of each example.
    shard_rows : int, optional
        The number of rows of a shard, 4096 by default; the last one has the remaining rows. Only
        with arrays. It determines the order in which gradients are added, and so their last bits.
    keep : bool, default True
        Whether the data of a shard stay in memory after their first use. False: callables are
        called and files are read for each use, for data larger than memory.

    Raises
    ------
    ValueError
        `shard_rows` is below 1 or given with a list, or there are no shards.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Rows are numbered over all shards, also in errors. A shard that is loaded again must have as
    many rows as before, and the same arrays. Arrays are not copied before their use; do
    not change them before `fit` returns. What a callable returns is copied, so it may fill the same
    arrays for each shard. ``len(shards)`` is the number of shards, ``shards[k]`` the
    data of shard k.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> shards = bpfast.distributed.LocalShards(np.ones((10, 2)), np.ones(10), shard_rows=4)
    >>> shards
    LocalShards(3 shards of 4 rows)
    >>> shards[2][0].shape
    (2, 2)
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        shard_rows: int | None = None,
        keep: bool = True,
    ) -> None:
        self.keep = flag("keep", keep)
        if y is None:
            self._sources = _listed(ShardData(x, None, sample_weight, shard_rows))
            self._arrays = None
            self.shard_rows = None
            self._count = len(self._sources)
            return
        rows = SHARD_ROWS if shard_rows is None else integer("shard_rows", shard_rows, 1)
        x, y = checked_x(x), as_array("y", y)
        weight = None if sample_weight is None else as_array("sample_weight", sample_weight)
        self._arrays, self.shard_rows = (x, y, weight), rows
        self._count = -(-_length(x, y, weight) // rows)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Any:
        """The data of a shard, as (x, y) or (x, y, sample_weight)."""
        try:
            number = operator.index(number)
        except TypeError:
            got = type(number).__name__
            raise TypeError(f"number: expected the number of a shard, got {got}") from None
        if not -self._count <= number < self._count:
            raise IndexError(f"number: expected one of {self._count} shards, got {number}")
        return load(self._source(number % self._count))

    def _refuse_params(self, net: Network) -> None:
        """Raise ValueError if an array is a view of the parameters, which the training changes."""
        if self._arrays is not None:
            refuse_params(net, **dict(zip(NAMES, self._arrays, strict=True)))
            return
        for number, source in enumerate(self._sources):
            if isinstance(source, tuple):
                with naming(f"shard {number}"):
                    refuse_params(net, **dict(zip(NAMES, source, strict=False)))

    def _source(self, number: int) -> Any:
        """What the data of a shard are loaded from: arrays, a callable or a path."""
        if self._arrays is None:
            return self._sources[number]
        assert self.shard_rows is not None  # noqa: S101 - arrays have it
        at = slice(number * self.shard_rows, (number + 1) * self.shard_rows)
        return tuple(array[at] for array in self._arrays if array is not None)

    def __repr__(self) -> str:
        rows = "" if self.shard_rows is None else f" of {self.shard_rows} rows"
        return f"LocalShards({self._count} shard{'s' * (self._count != 1)}{rows})"


def prepare(net: Network, number: int, source: Any) -> Shard | Failure:
    """The shard made from `source`. An error is returned: the first of all shards is raised."""
    try:
        data = load(source)
        if callable(source):  # which may fill the same arrays for the next shard
            data, _ = copied_batch(data)
        return Shard.of(net, data)
    except Exception as error:  # noqa: BLE001 - raised by the driver
        return Failure(number, error)


def _listed(data: ShardData) -> list[Any]:
    """The sources of a list of shards."""
    x = data.x
    if not isinstance(x, list | tuple):
        got = type(x).__name__
        raise TypeError(f"y: expected the targets of x, or a list of shards as x, got {got} alone")
    data.refuse_all_but_x(WITH_A_LIST)
    data.refuse_empty_list()
    for number, entry in enumerate(x):
        if not (isinstance(entry, tuple | str | os.PathLike) or callable(entry)):
            got = type(entry).__name__
            raise TypeError(
                f"x: expected (x, y), a callable or a path as shard {number}, got {got}"
            )
    return list(x)


def _length(x: Any, y: NDArray[Any], weight: NDArray[Any] | None) -> int:
    """The number of rows, the same of all arrays."""
    if x.ndim != 2:
        raise ValueError(f"x: expected 2 dimensions, got shape {x.shape}")
    n = int(x.shape[0])
    if n == 0:
        raise ValueError("x: expected one example or more, got an empty batch")
    if y.shape[:1] != (n,):
        raise rows_error(n, y.shape)
    if weight is not None and weight.shape != (n,):
        raise ValueError(f"sample_weight: expected shape ({n},), got {weight.shape}")
    return n


LocalShards.__module__ = "bpfast.distributed"
