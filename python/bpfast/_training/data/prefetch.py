"""Fetches the next item of an iterable in a thread, while the current one is in use."""

from __future__ import annotations

import _thread
import os
import threading
from collections import deque
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from bpfast._helper_thread import POLL_SECONDS, THREAD_START_BYTES, THREAD_START_POLLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


class Prefetch:
    """Iterate over `items`, one item ahead. Exceptions of `items` are raised in order.

    With `snapshot`, the thread calls it with each item before it requests the next one. It returns
    the item to yield, and whether this shares no memory with `items`. If it does share memory, the
    next item is requested only after this one has been used.

    The thread inherits the context of the caller, such as `num_threads`. If memory is too short for
    a thread, items are fetched when they are needed.

    Leaving the context manager closes the iterator of `items` if it is a generator, so that its
    ``finally`` has run, raises what that raises, and ends the thread. It waits for neither if the
    thread is blocked in `items`. The thread starts with the first item, so that Ctrl-C after
    ``__enter__`` leaves no thread behind. A forked child does not have the thread: there,
    RuntimeError is raised for items that were not fetched before.
    """

    def __init__(
        self,
        items: Iterable[Any],
        snapshot: Callable[[Any], tuple[Any, bool]] = lambda item: (item, True),
    ) -> None:
        self._items, self._snapshot = items, snapshot
        self._process = 0  # the process of the thread
        self._has_thread = False
        self._has_begun = False  # whether the thread runs
        self._is_blocked = False  # whether the thread waits for an item of `items`
        self._iterator: Iterator[Any] | None = None
        self._error: BaseException | None = None  # the exception of closing the iterator
        # SimpleQueue has no lock that Ctrl-C could leave locked.
        self._requests: SimpleQueue[bool] = SimpleQueue()  # True: fetch an item. False: stop.
        # Not a queue: `get` may ignore its timeout after a long signal handler.
        self._found: deque[tuple[str, Any]] = deque()

    def __enter__(self) -> Self:
        return self

    def _begin(self) -> None:
        try:
            # Whoever takes the first of these locks fetches the items: the thread, or the consumer
            # if the thread has not started. The others are released when the thread has started or
            # cannot start, when there is an item, and when the thread has ended.
            self._is_taken = threading.Lock()
            self._is_start_known, self._is_found, self._has_ended = (_locked() for _ in range(3))
            self._thread = threading.Thread(
                target=copy_context().run, args=(self._fetch,), name="bpfast-prefetch", daemon=True
            )
            # A thread without memory to start ends silently. This memory is never written.
            np.empty(THREAD_START_BYTES, np.uint8)
            self._process, self._has_thread = os.getpid(), True
            # Not `Thread.start`, which waits until the thread runs: a signal handler may fork
            # during the wait, and the child would wait forever. So would a parent whose thread has
            # ended for lack of memory.
            _thread.start_new_thread(self._start, ())
        except (MemoryError, RuntimeError):  # RuntimeError if the system refuses a lock or a thread
            self._has_thread = False
            return
        for _ in range(THREAD_START_POLLS):
            if self._is_start_known.acquire(timeout=POLL_SECONDS):
                break
            if os.getpid() != self._process:
                return
        self._has_thread = not self._is_taken.acquire(blocking=False)

    def __iter__(self) -> Iterator[Any]:
        self._begin()
        if not self._has_thread:
            self._iterator = iter(self._items)
            yield from self._iterator
            return
        self._requests.put(True)
        while True:
            # With a timeout, because otherwise Ctrl-C would wait for the item on some systems.
            while not self._is_found.acquire(timeout=POLL_SECONDS):
                if os.getpid() != self._process:
                    message = (
                        "a forked child cannot go on with batches that its parent was fetching"
                    )
                    raise RuntimeError(message)
                if not self._has_ended.locked() and not self._found:
                    # The thread had no memory to report its error.
                    raise MemoryError("cannot fetch a batch")
            kind, value = self._found.popleft()
            if kind == "end":
                return
            if kind == "error":
                raise value
            item, is_apart = value
            if is_apart:
                self._requests.put(True)
            yield item
            if not is_apart:
                self._requests.put(True)

    def __exit__(self, *error: object) -> None:
        if not self._has_thread:
            # A traceback may hold the generator of `__iter__`, and so the iterator.
            for items in (self._iterator, self._items):
                if isinstance(items, GeneratorType):
                    items.close()
            return
        self._requests.put(False)
        while not self._has_ended.acquire(timeout=POLL_SECONDS):
            # A thread that has not begun, after an early Ctrl-C, has nothing to close.
            if not self._has_begun or self._is_blocked or os.getpid() != self._process:
                return
        self._thread.join(POLL_SECONDS)
        if self._error is not None:
            raise self._error

    def _start(self) -> None:
        try:
            self._thread.start()
        except (MemoryError, RuntimeError):
            self._tell_start()

    def _tell_start(self) -> None:
        with suppress(RuntimeError):  # `Thread.start` may fail after the thread has started
            self._is_start_known.release()

    def _put(self, kind: str, value: Any) -> None:
        self._found.append((kind, value))
        self._is_found.release()

    def _fetch(self) -> None:
        if not self._is_taken.acquire(blocking=False):
            return
        try:
            self._has_begun = True
            self._tell_start()
            self._iterator = iter(self._items)
            end = object()
            while self._requests.get():
                self._is_blocked = True
                item = next(self._iterator, end)
                self._is_blocked = False
                if os.getpid() != self._process:
                    return  # `items` has forked: the child has no consumer
                if item is end:
                    self._put("end", None)
                    return
                self._put("item", self._snapshot(item))
        except BaseException as error:  # noqa: BLE001, raised in the consumer
            self._put("error", error)
        finally:
            self._is_blocked = False
            try:
                if isinstance(self._iterator, GeneratorType):
                    self._iterator.close()
            except BaseException as error:  # noqa: BLE001, raised by `__exit__`
                self._error = error
            finally:
                self._has_ended.release()
