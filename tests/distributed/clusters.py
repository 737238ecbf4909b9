"""Local Dask clusters for programs of the tests."""

import sys
from contextlib import contextmanager, suppress

import dask
from distributed import Client, LocalCluster


@contextmanager
def cluster(workers, *, processes):
    """The client of workers with one thread each."""
    # On a busy machine any step may take long.
    with dask.config.set({"distributed.comm.timeouts.connect": "120s"}):
        local = LocalCluster(
            n_workers=workers, processes=processes, threads_per_worker=1, dashboard_address=None
        )
        client = Client(local, timeout=120)
        try:
            yield client
        finally:
            sys.stdout.flush()
            # A worker that does not end in the 5 s that Dask gives it is killed, and this raises.
            with suppress(TimeoutError):
                client.close()
            with suppress(TimeoutError):
                local.close()
