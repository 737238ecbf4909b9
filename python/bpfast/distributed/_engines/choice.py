"""Which engine a training uses: this process, Dask workers, or MPI ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._optional import is_dask, is_future
from bpfast.distributed._engines.engine import Local
from bpfast.distributed._shards.data import WITH_SHARDS, ShardData
from bpfast.distributed._shards.local import LocalShards

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfast._network import Network
    from bpfast.distributed._engines.engine import Engine
    from bpfast.distributed._shards.task import Model
    from bpfast.history._history import History
    from bpfast.optimizers import Optimizer

    Train = Callable[[Engine], History]


def connect(
    net: Network, optimizer: Optimizer, model: Model, data: ShardData, *, client: Any, comm: Any
) -> Callable[[Train], History]:
    """Make a function that runs a training on the shards of these data, wherever they are."""
    if client is not None and comm is not None:
        raise ValueError("comm: expected only one of client and comm, got both")
    x = data.x
    entries = x if isinstance(x, list | tuple) else ()
    of_dask = is_dask(x) or any(is_dask(entry) or is_future(entry) for entry in entries)
    if comm is not None:
        if of_dask:
            raise TypeError("x: expected arrays, callables or paths with comm, got dask")
        from bpfast.distributed._engines.mpi import on_ranks

        return on_ranks(comm, net, optimizer, model, _local(net, data))
    if client is not None or of_dask:
        from bpfast.distributed._engines.dask import on_workers

        return on_workers(client, model, data if of_dask else _local(net, data))
    shards = _local(net, data)

    def here(train: Train) -> History:
        return train(Local(shards, model))

    return here


def _local(net: Network, data: ShardData) -> LocalShards:
    """The data as `LocalShards`, which are no views of the network's parameters."""
    if isinstance(data.x, LocalShards):
        data.refuse_all_but_x(WITH_SHARDS)
        shards = data.x
    else:
        shards = LocalShards(data.x, data.y, data.sample_weight, shard_rows=data.shard_rows)
    shards._refuse_params(net)
    return shards
