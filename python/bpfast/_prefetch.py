"""The next item of an iterable, fetched by a thread of its own while this one is at work."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from typing import Any, Self

# How often a thread looks whether it is still wanted, in seconds.
LOOK = 0.05


class Prefetch:
    """Iterate over `items`, one item ahead; an exception of theirs comes out where it would be.

    As a context manager it ends the thread: at once, unless `items` keeps it waiting.
    """

    def __init__(self, items: Iterable[Any]) -> None:
        self._items = items
        self._queue: Queue[tuple[str, Any]] = Queue(maxsize=1)
        self._unwanted = threading.Event()
        self._thread = threading.Thread(target=self._fetch, name="bpfast-prefetch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                # Without a timeout, Ctrl-C would wait for the item on some systems.
                kind, value = self._queue.get(timeout=LOOK)
            except Empty:
                continue
            if kind == "item":
                yield value
            elif kind == "error":
                raise value
            else:
                return

    def __exit__(self, *error: object) -> None:
        self._unwanted.set()
        self._thread.join(LOOK)

    def _fetch(self) -> None:
        iterator: Iterator[Any] | None = None
        try:
            iterator = iter(self._items)
            for item in iterator:
                if not self._put(("item", item)):
                    break
            self._put(("end", None))
        except BaseException as error:  # noqa: BLE001, it is raised where the item was wanted
            self._put(("error", error))
        finally:
            close = getattr(iterator, "close", None)
            if self._unwanted.is_set() and callable(close):
                close()

    def _put(self, message: tuple[str, Any]) -> bool:
        """Hand a message over, unless nobody wants it any more."""
        while not self._unwanted.is_set():
            try:
                self._queue.put(message, timeout=LOOK)
            except Full:
                continue
            return True
        return False
