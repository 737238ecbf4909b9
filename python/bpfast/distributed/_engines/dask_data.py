"""Dask arrays, frames and delayed objects as sources of shards."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.numbers import integer
from bpfast.distributed._shards.data import WITH_A_LIST
from bpfast.distributed._shards.local import SHARD_ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast.distributed._shards.data import ShardData


def sources_of(client: Any, data: ShardData) -> tuple[list[Any], bool]:
    """The futures of each shard's data, and whether these are on workers already."""
    from dask import delayed
    from distributed import futures_of

    x, y = data.x, data.y
    if isinstance(x, list | tuple):
        data.refuse_all_but_x(WITH_A_LIST)
        data.refuse_empty_list()
        wholes = list(x)
        is_placed = bool(futures_of(wholes))
        return client.compute([delayed(entry) for entry in wholes]), is_placed
    if y is None:
        raise TypeError(f"y: expected the targets of x, got none with {type(x).__name__}")
    rows = SHARD_ROWS if data.shard_rows is None else integer("shard_rows", data.shard_rows, 1)
    given = {"x": x, "y": y}
    if data.sample_weight is not None:
        given["sample_weight"] = data.sample_weight
    is_placed = bool(futures_of(x))
    arrays = {name: _array(name, value, rows) for name, value in given.items()}
    n = arrays["x"].shape[0]
    for name, array in arrays.items():
        if array.shape[0] != n:
            raise ValueError(f"{name}: expected {n} rows, as many as x, got {array.shape[0]}")
    if n == 0:
        raise ValueError("x: expected one example or more, got an empty batch")
    blocks = [array.to_delayed().reshape(array.numblocks[0]) for array in arrays.values()]
    return client.compute(
        [delayed(tuple)(list(parts)) for parts in zip(*blocks, strict=True)]
    ), is_placed


def array_of_frame(name: str, frame: Any) -> Any:
    """A frame or series as a dask array, whose blocks are what NumPy makes of the partitions.

    Its method `to_dask_array` makes objects of columns of several dtypes and of nullable ones.
    """
    # The dtype is a guess: that of a block follows from its partition.
    meta = np.empty((0, *frame.shape[1:]))
    parts = frame.map_partitions(partial(array_of_partition, name), meta=meta)
    return parts.compute_chunk_sizes()


def array_of_partition(name: str, part: Any) -> NDArray[Any]:
    """A partition as an array; of y also of names, which estimators encode."""
    array = as_array(name, part)
    if name != "y" and array.dtype.kind not in "biuf":
        raise no_numbers(name, part, array)  # here, where the columns have names
    return array


def _array(name: str, value: Any, rows: int) -> Any:
    """A dask array in chunks of `rows` rows, whatever `value` is."""
    import dask.array as da

    if hasattr(value, "to_dask_array"):
        value = array_of_frame(name, value)
    elif not isinstance(value, da.Array):
        value = da.from_array(as_array(name, value), chunks=rows)
    if any(np.isnan(length) for lengths in value.chunks for length in lengths):
        value = value.compute_chunk_sizes()
    if value.ndim not in (1, 2) or (name == "x" and value.ndim != 2):
        expected = "2 dimensions" if name == "x" else "1 or 2 dimensions"
        raise ValueError(f"{name}: expected {expected}, got shape {value.shape}")
    return value.rechunk((rows, -1)[: value.ndim])
