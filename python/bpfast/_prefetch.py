"""The next item of an iterable, fetched by a thread of its own while this one is at work."""

from __future__ import annotations

import threading
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

    With `snapshot`, the thread calls it with each item before it asks for the next one. It gives
    what comes out, and whether this shares nothing with `items`: otherwise the next item is asked
    for when this one is done with.

    As a context manager it ends the thread, at once unless `items` keeps it waiting, and closes
    `items` where that is a generator.
    """

    def __init__(
        self,
        items: Iterable[Any],
        snapshot: Callable[[Any], tuple[Any, bool]] = lambda item: (item, True),
    ) -> None:
        self._items, self._snapshot = items, snapshot
        # SimpleQueue has no lock that Ctrl-C could leave closed.
        self._wanted: SimpleQueue[bool] = SimpleQueue()  # one more item, or none any more
        self._found: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._thread = threading.Thread(target=self._fetch, name="bpfast-prefetch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __iter__(self) -> Iterator[Any]:
        self._wanted.put(True)
        while True:
            try:
                # Without a timeout, Ctrl-C would wait for the item on some systems.
                kind, value = self._found.get(timeout=LOOK)
            except Empty:
                continue
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
        self._wanted.put(False)
        self._thread.join(LOOK)

    def _fetch(self) -> None:
        iterator: Iterator[Any] | None = None
        try:
            iterator = iter(self._items)
            end = object()
            while self._wanted.get():
                item = next(iterator, end)
                if item is end:
                    self._found.put(("end", None))
                    return
                self._found.put(("item", self._snapshot(item)))
        except BaseException as error:  # noqa: BLE001, it is raised where the item was wanted
            self._found.put(("error", error))
        finally:
            if isinstance(iterator, GeneratorType):
                iterator.close()
