"""Ctrl-C that Python drops, and Ctrl-C that waits."""

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


class HeldInterrupts:
    """Ctrl-C held back while processes exchange messages.

    A process that left in between would not send what another one waits for.
    """

    def __init__(self) -> None:
        self._is_open = False
        self._held: tuple[int, Any] | None = None
        self._before: Any = None

    @contextmanager
    def held(self, *, until_next: bool = False) -> Iterator[None]:
        """Call the handler of Ctrl-C at the end, unless an exception is raised anyway.

        With `until_next`, the next `held` does it, or `opened` within.
        """
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or not callable(before):
            yield
            return
        self._before = before
        signal.signal(signal.SIGINT, self._handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
        if not until_next:
            self._call_held()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Within `held`: call the handler at once, also for what was held until here."""
        try:
            self._is_open = True
            self._call_held()
            yield
        finally:
            self._is_open = False

    def _handler(self, number: int, frame: Any) -> Any:
        if self._is_open:
            return self._before(number, frame)
        self._held = number, frame
        return None

    def _call_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._before(*held)
