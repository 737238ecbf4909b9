"""Train on data in shards: in one process, on Dask workers, or on MPI ranks, with the same bits.

- `fit` trains a network.
- `LocalShards` is the same plan in one process.

Dask needs ``pip install "bpfast[dask]"``, MPI ``pip install "bpfast[mpi]"`` and an MPI library.
"""

from bpfast.distributed._fit import fit
from bpfast.distributed._shards.local import LocalShards

__all__ = ["LocalShards", "fit"]
