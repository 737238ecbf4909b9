"""The next item of an iterable, fetched by a thread of its own while this one is at work."""

from __future__ import annotations

import _thread
import os
import threading
from collections import deque
from contextvars import copy_context
from queue import SimpleQueue
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# How often Ctrl-C is looked for while an item is waited for, and how long the end of the thread is
# waited for, in seconds.
POLL_SECONDS = 0.05
# More bytes than a thread and what it starts take where they begin, their stacks among them.
THREAD_START_BYTES = 1 << 26


class Prefetch:
    """Iterate over `items`, one item ahead; an exception of theirs comes out where it would be.

    With `snapshot`, the thread calls it with each item before it asks for the next one. It gives
    what comes out, and whether this shares nothing with `items`: otherwise the next item is asked
    for when this one is done with.

    The thread works in the context of who makes this, with its `num_threads` among others.
    Where memory is short there is no thread, and an item is fetched when it is wanted.

    As a context manager it ends the thread, at once unless `items` keeps it waiting, and closes
    `items` where that is a generator. The thread begins with the first item, so that Ctrl-C
    between ``__enter__`` and what follows leaves none behind. A child forked later has no thread
    that fetches: there RuntimeError is raised for an item that has not been found before.
    """

    def __init__(
        self,
        items: Iterable[Any],
        snapshot: Callable[[Any], tuple[Any, bool]] = lambda item: (item, True),
    ) -> None:
        self._items, self._snapshot = items, snapshot
        self._process = 0  # that of the thread
        self._has_thread = False
        # SimpleQueue has no lock that Ctrl-C could leave closed.
        self._wanted: SimpleQueue[bool] = SimpleQueue()  # one more item, or none any more
        # Not a queue: `get` may forget its timeout where a signal handler takes longer.
        self._found: deque[tuple[str, Any]] = deque()
        self._is_found, self._has_ended = threading.Lock(), threading.Lock()
        self._is_found.acquire()
        self._has_ended.acquire()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._fetch,), name="bpfast-prefetch", daemon=True
        )

    def __enter__(self) -> Self:
        return self

    def _begin(self) -> None:
        self._process, self._has_thread = os.getpid(), True
        try:
            # A thread that lacks memory to begin ends without a word. This is not touched.
            np.empty(THREAD_START_BYTES, np.uint8)
            # `Thread.start` waits until the thread runs: not here, where a signal handler may fork
            # meanwhile, whose child would wait for ever.
            _thread.start_new_thread(self._start, ())
        except (MemoryError, RuntimeError):  # the latter where the system refuses a thread
            self._has_thread = False

    def __iter__(self) -> Iterator[Any]:
        self._begin()
        if not self._has_thread:
            yield from self._items
            return
        self._wanted.put(True)
        while True:
            # Without a timeout, Ctrl-C would wait for the item on some systems.
            while not self._is_found.acquire(timeout=POLL_SECONDS):
                if os.getpid() != self._process:
                    message = (
                        "a forked child cannot go on with batches that its parent was fetching"
                    )
                    raise RuntimeError(message)
            kind, value = self._found.popleft()
            if kind == "end":
                return
            if kind == "error":
                raise value
            item, is_apart = value
            if is_apart:
                self._wanted.put(True)
            yield item
            if not is_apart:
                self._wanted.put(True)

    def __exit__(self, *error: object) -> None:
        if not self._has_thread:
            if isinstance(self._items, GeneratorType):
                self._items.close()
            return
        self._wanted.put(False)
        if self._has_ended.acquire(timeout=POLL_SECONDS):
            self._thread.join(POLL_SECONDS)

    def _start(self) -> None:
        try:
            self._thread.start()
        except BaseException as error:  # noqa: BLE001, as in `_fetch`
            self._put("error", error)

    def _put(self, kind: str, value: Any) -> None:
        self._found.append((kind, value))
        self._is_found.release()

    def _fetch(self) -> None:
        iterator: Iterator[Any] | None = None
        try:
            iterator = iter(self._items)
            end = object()
            while self._wanted.get():
                item = next(iterator, end)
                if os.getpid() != self._process:
                    return  # `items` has forked: nobody waits for the item in the child
                if item is end:
                    self._put("end", None)
                    return
                self._put("item", self._snapshot(item))
        except BaseException as error:  # noqa: BLE001, it is raised where the item was wanted
            self._put("error", error)
        finally:
            try:
                if isinstance(iterator, GeneratorType):
                    iterator.close()
            finally:
                self._has_ended.release()
