"""Ctrl-C that Python drops."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def kept_interrupts() -> Iterator[None]:
    """Raise at the end what the handler of Ctrl-C has raised meanwhile, if nobody has got it.

    Python prints and drops an exception that is raised in a `__del__` or in the callback of a weak
    reference. Dask's futures have both. User code must not run within, as it may catch the
    exception on purpose.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    dropped: list[BaseException] = []

    def handler(number: int, frame: Any) -> Any:
        try:
            return before(number, frame)
        except BaseException as error:
            dropped.append(error)
            raise

    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if dropped:
        raise dropped[-1]
