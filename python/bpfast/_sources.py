"""Where the examples of a training come from: arrays, or batches one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from bpfast._prefetch import Prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._core import Trainer
    from bpfast._settings import Settings


class Source(Protocol):
    """Loads examples into a trainer, epoch by epoch."""

    examples: int | None

    def begin(self, epoch: int) -> None:
        """Begin an epoch, counted from 1."""

    def ready(self, most: int | None) -> int:
        """Make steps ready: how many, at most `most`; 0 at the end of the epoch."""

    def fault(self) -> str | None:
        """What is not finite in the examples of the next step, if something is."""

    def close(self) -> None:
        """Let go of all that an unfinished epoch holds."""


class Arrays:
    """All examples at once, in arrays."""

    def __init__(
        self,
        trainer: Trainer,
        settings: Settings,
        x: Any,
        y: NDArray[Any],
        sample_weight: NDArray[np.float64] | None,
        sparse: float = 0.0,
    ) -> None:
        trainer.load(x, y, sample_weight, sparse)
        self._trainer, self._settings = trainer, settings
        self._x, self._y = x, y
        self.examples = len(trainer)
        self._left = 0

    def begin(self, epoch: int) -> None:
        """Begin an epoch, in an order of its own."""
        seed = self._settings.seed if self._settings.shuffle else None
        self._trainer.begin(epoch, seed)
        self._left = -(-self.examples // self._settings.batch_size)

    def ready(self, most: int | None) -> int:
        """The steps left, or some of them."""
        count = self._left if most is None else min(most, self._left)
        self._left -= count
        return count

    def fault(self) -> str | None:
        """What is not finite in the examples of the next step."""
        rows = self._trainer.next_rows()
        return _fault(self._x[rows], self._y[rows], rows)

    def close(self) -> None:
        """Nothing is held."""


class Batches:
    """Batches of an iterable, or of a factory that is called for each epoch; a step for each."""

    examples = None

    def __init__(
        self, trainer: Trainer, batches: Iterable[Any] | Callable[[], Iterable[Any]]
    ) -> None:
        self._trainer, self._batches = trainer, batches
        self._epoch = self._count = 0
        self._next: Iterator[Any] = iter(())
        self._held = ExitStack()
        self._now: tuple[Any, Any] = (None, None)

    def begin(self, epoch: int) -> None:
        """Ask for the batches of an epoch."""
        self.close()
        batches = self._batches() if callable(self._batches) else self._batches
        if not isinstance(batches, Iterable):
            got = type(batches).__name__
            raise TypeError(f"batches: expected an iterable of batches, got {got}")
        self._next = iter(self._held.enter_context(Prefetch(batches)))
        self._epoch, self._count = epoch, 0

    def ready(self, most: int | None) -> int:  # noqa: ARG002, a batch is a step
        """Load the next batch."""
        for batch in self._next:
            x, y, weight = _parts(batch, self._count)
            try:
                self._trainer.load(x, y, weight)
            except (TypeError, ValueError) as error:
                where = f"batch {self._count} of epoch {self._epoch}"
                raise type(error)(f"{where}: {error}") from error
            self._trainer.begin(self._epoch, None)
            self._now = (x, y)
            self._count += 1
            return 1
        if self._count == 0:
            more = "; an iterator serves one epoch, a list or a factory every one"
            raise ValueError(
                f"batches: expected one or more in epoch {self._epoch}, got none{more}"
            )
        return 0

    def fault(self) -> str | None:
        """What is not finite in the batch."""
        x, y = self._now
        found = _fault(x, y, None)
        return found and f"batch {self._count - 1} of epoch {self._epoch}: {found}"

    def close(self) -> None:
        """End the thread that fetches batches."""
        self._held.close()

    def __enter__(self) -> Self:
        return self


def _parts(batch: Any, count: int) -> tuple[Any, Any, Any]:
    if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
        got = type(batch).__name__
        if isinstance(batch, tuple | list):
            got += f" of {len(batch)}"
        raise TypeError(f"batch {count}: expected (x, y) or (x, y, sample_weight), got {got}")
    x, y, *weight = batch
    return x, y, weight[0] if weight else None


def _fault(x: Any, y: Any, rows: NDArray[Any] | None) -> str | None:
    """Name the first example with a number that is not finite."""
    x = x.toarray() if hasattr(x, "toarray") else np.asarray(x)
    for name, array in (("x", x), ("y", np.asarray(y))):
        if array.dtype.kind != "f" or np.isfinite(array).all():
            continue
        bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
        row = int(bad.argmax())
        numbers = array[row].ravel()
        got = numbers[~np.isfinite(numbers)][0]
        return f"{name}[{row if rows is None else rows[row]}]: expected finite numbers, got {got}"
    return None
