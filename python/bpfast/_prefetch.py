"""The next item of an iterable, fetched by a thread of its own while this one is at work."""

from __future__ import annotations

import os
import threading
from contextvars import copy_context
from queue import Empty, SimpleQueue
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# How often Ctrl-C is looked for while an item is waited for, and how long the end of the thread is
# waited for, in seconds.
LOOK = 0.05


class Prefetch:
    """Iterate over `items`, one item ahead; an exception of theirs comes out where it would be.

    With `kept`, an item comes out as `kept(item)`, which the thread calls before it asks for the
    next one.
    The thread works in the context of who makes this, with its `num_threads` among others.
    As a context manager it ends the thread, at once unless `items` keeps it waiting, and closes
    `items` where that is a generator. A child forked in between has no thread that fetches: there
    RuntimeError is raised for an item that has not been found before.
    """

    def __init__(self, items: Iterable[Any], kept: Callable[[Any], Any] | None = None) -> None:
        self._items, self._kept = items, kept
        # SimpleQueue has no lock that Ctrl-C could leave closed.
        self._wanted: SimpleQueue[bool] = SimpleQueue()  # one more item, or none any more
        self._found: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._fetch,), name="bpfast-prefetch", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __iter__(self) -> Iterator[Any]:
        self._wanted.put(True)
        while True:
            can_come = self._thread.is_alive()
            try:
                # Without a timeout, Ctrl-C would wait for the item on some systems.
                kind, value = self._found.get(timeout=LOOK)
            except Empty:
                if can_come:
                    continue
                message = "a forked child cannot go on with batches that its parent was fetching"
                raise RuntimeError(message) from None
            if kind == "end":
                return
            if kind == "error":
                raise value
            self._wanted.put(True)
            yield value

    def __exit__(self, *error: object) -> None:
        self._wanted.put(False)
        self._thread.join(LOOK)

    def _fetch(self) -> None:
        process = os.getpid()
        iterator: Iterator[Any] | None = None
        try:
            iterator = iter(self._items)
            end = object()
            while self._wanted.get():
                item = next(iterator, end)
                if os.getpid() != process:
                    return  # `items` has forked: nobody waits for the item in the child
                if item is end:
                    self._found.put(("end", None))
                    return
                self._found.put(("item", item if self._kept is None else self._kept(item)))
        except BaseException as error:  # noqa: BLE001, it is raised where the item was wanted
            self._found.put(("error", error))
        finally:
            if isinstance(iterator, GeneratorType):
                iterator.close()
