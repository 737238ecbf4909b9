"""The cluster on which an estimator trains."""

from __future__ import annotations

from typing import Any

from bpfast._optional import is_dask


def client_of(estimator: Any, X: Any) -> Any:
    """The client of the cluster that trains on X; None for this process.

    That is the parameter `client`, or the current client for dask data. Without one, dask data are
    computed here, as NumPy does.

    Raises
    ------
    TypeError
        The parameter is no client.
    ImportError
        Dask is not installed.
    """
    given = estimator.client
    if given is None and not is_dask(X):
        return None
    from bpfast.distributed._engines.dask_client import checked_client

    try:
        return checked_client(given)
    except (ImportError, ValueError):  # no current client
        if given is not None:
            raise
        return None
