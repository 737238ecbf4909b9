"""Where a distributed training computes: this process, Dask workers or MPI ranks."""
