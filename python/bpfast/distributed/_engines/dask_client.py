"""The client of a Dask cluster: which one, and errors that say that its scheduler is lost."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bpfast.distributed._engines.interrupts import kept_interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator


def checked_client(client: Any) -> Any:
    """The client, or the current one.

    Raises
    ------
    ImportError
        Dask is not installed.
    TypeError
        It is no client, or an asynchronous one.
    ValueError
        There is none, or it is closed.
    """
    try:
        from distributed import Client, get_client
    except ImportError:
        raise ImportError(
            'a Dask cluster needs dask and distributed: pip install "bpfast[dask]"'
        ) from None
    if client is None:
        try:
            return get_client()
        except ValueError:
            expected = "a dask.distributed.Client for dask data"
            raise ValueError(f"client: expected {expected}, got none") from None
    if not isinstance(client, Client):
        got = type(client).__name__
        raise TypeError(f"client: expected a dask.distributed.Client, got {got}")
    if client.asynchronous:
        raise TypeError("client: expected one with asynchronous=False, got an asynchronous one")
    if client.status in ("closing", "closed"):
        raise ValueError(f"client: expected a connected one, got one that is {client.status}")
    return client


@contextmanager
def guarded(client: Any) -> Iterator[None]:
    """Turn the errors of a lost scheduler into one that says so, and lose no Ctrl-C."""
    from distributed import CancelledError

    address = getattr(client.scheduler, "address", "of this client")
    try:
        with kept_interrupts():
            yield
    # RuntimeError: the loop of a closed client.
    except (CancelledError, OSError, TimeoutError, AttributeError, RuntimeError) as error:
        if client.status == "running" and not isinstance(error, CancelledError):
            raise
        if client.status == "running" and _is_alive(client):
            raise RuntimeError(
                "client: expected data that can be computed again; a shard was lost with its worker"
            ) from error
        raise ConnectionError(
            f"client: the connection to the scheduler {address} is lost; the network has the "
            "parameters of its last completed step"
        ) from error


def _is_alive(client: Any) -> bool:
    """Whether the scheduler answers."""
    try:
        client.nthreads()
    except (OSError, TimeoutError, AttributeError):
        return False
    return True
