"""Sources of examples: arrays, files, or batches of an iterable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bpfast import _core
from bpfast._training.data.non_finite import fault
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.sparse import is_sparse
from bpfast._validation.iterables import is_iterable, x_y_weight
from bpfast._validation.naming import naming

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._core import Trainer
    from bpfast._training.arguments.settings import Settings
    from bpfast._training.data.examples import Examples

# The largest fraction of nonzero elements for which the sparse path is faster, with many neurons in
# layer 2 and with few. Steps of 784-n-10 took equal times at 0.3 to 0.45, and at 0.2 if the neurons
# did not fill a register (batches of 10 to 128, AVX-512).
MAX_DENSITY, MAX_DENSITY_OF_NARROW, MIN_NEURONS_OF_WIDE = 0.25, 0.15, 16
# The elements of x that are fetched from a file at a time: 4 MB of float32.
ELEMENTS_PER_FETCH = 1 << 20


def max_density(neurons: int) -> float:
    """The largest fraction of nonzero elements of x for which the sparse path is faster.

    `neurons` is n_2, the number of neurons of the first layer after the input.

    Examples
    --------
    >>> max_density(10), max_density(100)
    (0.15, 0.25)
    """
    return MAX_DENSITY if neurons >= MIN_NEURONS_OF_WIDE else MAX_DENSITY_OF_NARROW


class Source(Protocol):
    """Loads examples into a trainer, epoch by epoch."""

    @property
    def examples(self) -> int | None:
        """The number of examples of an epoch, if known."""

    def begin(self, epoch: int) -> None:
        """Begin an epoch, counted from 1."""

    def ready(self, most: int) -> int:
        """Prepare up to `most` steps and return their number; 0 at the end of the epoch."""

    def fault(self) -> str | None:
        """Describe the first number that is not finite in the examples of the next step, if any."""

    def close(self) -> None:
        """Release everything that an unfinished epoch holds."""


class Arrays:
    """All examples at once, in arrays."""

    def __init__(
        self, trainer: Trainer, settings: Settings, data: Examples, x: Any, y: NDArray[Any]
    ) -> None:
        density = max_density(data.neurons)
        if settings.sparse is not None:
            density = float(settings.sparse)
        trainer.load(x, y, data.sample_weight, density)
        self._trainer, self._settings, self._data = trainer, settings, data
        self.examples = len(trainer)
        self._left = 0

    def begin(self, epoch: int) -> None:
        """Begin an epoch in its own order."""
        self._trainer.begin(epoch, self._settings.order_seed)
        self._left = -(-self.examples // self._settings.batch_size)

    def ready(self, most: int) -> int:
        """Return the number of remaining steps, at most `most`."""
        count = min(most, self._left)
        self._left -= count
        return count

    def fault(self) -> str | None:
        """Describe the first number that is not finite in the examples of the next step."""
        return self._data.fault(self._trainer.next_rows())

    def close(self) -> None:
        """Nothing to release."""


class Files:
    """Examples in files, loaded in blocks of several steps, in the order of the epoch."""

    def __init__(self, trainer: Trainer, settings: Settings, data: Examples) -> None:
        data.check_targets()  # here, where row numbers are those of the user
        self._trainer, self._settings, self._data = trainer, settings, data
        self.examples = len(data)
        size = settings.batch_size
        self._rows_at_once = max(ELEMENTS_PER_FETCH // data.width // size, 1) * size
        self._held = ExitStack()
        self._blocks: Iterator[Any] = iter(())
        self._rows = np.empty(0, np.uint32)  # the rows of the loaded block
        self._epoch = self._left = 0

    def begin(self, epoch: int) -> None:
        """Begin an epoch in the same order as with arrays."""
        self.close()
        seed = self._settings.order_seed
        n = self.examples
        order = np.arange(n) if seed is None else _core.permutation(seed, epoch, n)
        blocks = self._fetch(order)
        from bpfast._training.data.prefetch import Prefetch

        self._blocks = iter(self._held.enter_context(Prefetch(blocks)))
        self._epoch, self._left = epoch, 0

    def _fetch(self, order: NDArray[Any]) -> Iterator[Any]:
        for start in range(0, len(order), self._rows_at_once):
            rows = order[start : start + self._rows_at_once]
            yield rows, self._data.take(rows)

    def ready(self, most: int) -> int:
        """Return the number of remaining steps in the block; load the next block at 0."""
        if not self._left:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rows, (x, y, weight) = block
            self._trainer.load(x, y, weight, float(bool(self._settings.sparse)))
            self._trainer.begin(self._epoch, None)
            self._left = -(-len(self._rows) // self._settings.batch_size)
        count = min(most, self._left)
        self._left -= count
        return count

    def fault(self) -> str | None:
        """Describe the first number that is not finite in the examples of the next step."""
        return self._data.fault(self._rows[self._trainer.next_rows()])

    def close(self) -> None:
        """End the thread that fetches blocks."""
        self._held.close()


class Batches:
    """Batches of an iterable, or of a factory called for each epoch. Each batch is one step."""

    examples: int | None = None

    def __init__(
        self,
        trainer: Trainer,
        dtype: np.dtype[Any],
        batches: Iterable[Any] | Callable[[], Iterable[Any]],
    ) -> None:
        self._trainer, self._dtype, self._batches = trainer, dtype, batches
        self._epoch = self._count = 0
        self._next: Iterator[Any] = iter(())
        self._held = ExitStack()
        self._now: tuple[Any, Any] = (None, None)

    def begin(self, epoch: int) -> None:
        """Request the batches of an epoch."""
        self.close()
        batches = self._batches if isinstance(self._batches, Iterable) else self._batches()
        if not is_iterable(batches):
            got = type(batches).__name__
            raise TypeError(f"x: expected a callable that gives an iterable of batches, got {got}")
        from bpfast._training.data.prefetch import Prefetch

        # The batches of a list exist already.
        is_there = isinstance(batches, list | tuple)
        if not is_there:
            batches = self._held.enter_context(Prefetch(batches, copied_batch))
        self._next = iter(batches)
        self._epoch, self._count = epoch, 0

    def ready(self, most: int) -> int:  # noqa: ARG002, a batch is a step
        """Load the next batch."""
        for batch in self._next:
            self._count += 1
            with naming(self._where()):
                x, y, weight = x_y_weight(batch)
                self._trainer.load(x, y, weight)
            self._trainer.begin(self._epoch, None)
            self._now = (x, y)
            return 1
        if self._count == 0:
            more = "an iterator is used up after one epoch, a list or a callable is not"
            got = f"none in epoch {self._epoch}; {more}"
            raise ValueError(f"x: expected one batch or more, got {got}")
        return 0

    def fault(self) -> str | None:
        """Describe the first number that is not finite in the batch."""
        found = fault(self._dtype, *self._now)
        return found and f"{self._where()}: {found}"

    def close(self) -> None:
        """End the thread that fetches batches."""
        self._held.close()

    def _where(self) -> str:
        return f"batch {self._count - 1} of epoch {self._epoch}"


def as_batches(x: Any) -> Iterable[Any] | Callable[[], Iterable[Any]]:
    """The batches in `x`, if there is no y."""
    is_array = hasattr(x, "__array__") or is_sparse(x)  # also tables, whose iteration gives columns
    if is_array or isinstance(x, str | bytes) or not (callable(x) or is_iterable(x)):
        got = type(x).__name__
        raise TypeError(f"y: expected with x of type {got}; without y, x is an iterable of batches")
    return x  # type: ignore[no-any-return]


def refuse_y_with_batches(x: Any) -> None:
    """Raise TypeError if `x` is an iterable of batches or a callable although y is given."""
    is_pairs = isinstance(x, list | tuple) and len(x) > 0 and isinstance(x[0], tuple | list)
    is_batches = is_pairs and len(x[0]) > 0 and getattr(x[0][0], "ndim", 0) > 0
    if not (hasattr(x, "__array__") or hasattr(x, "__getitem__") or is_sparse(x)):
        is_batches = callable(x) or isinstance(x, Iterable)
    if is_batches:
        got = f"with x of type {type(x).__name__}, whose batches are (x, y) themselves"
        raise TypeError(f"y: expected none {got}")


def copied_batch(batch: Any) -> tuple[Any, bool]:
    """The batch with copies of its entries, and whether all entries could be copied.

    Whoever yields the batch may then refill the same arrays, tables or lists. An entry that is not
    numeric is not copied: a callable cost may accept it, or loading refuses it.
    """
    if not isinstance(batch, tuple | list):
        return batch, False
    copies = [_copied(entry) for entry in batch]
    return [entry for entry, _ in copies], all(is_copy for _, is_copy in copies)


def _copied(entry: Any) -> tuple[Any, bool]:
    if entry is None:
        return entry, True
    try:
        if is_sparse(entry):
            # SciPy's own copy checks the format; errors are raised when the batch is loaded.
            return deepcopy(entry), True
        array = as_array("", entry)
    except Exception:  # noqa: BLE001, loading raises it where the batch is at work
        return entry, False
    # `__array__` may return memory that is reused, whatever arguments it gets.
    return (array.copy(), True) if array.dtype.kind in "buif" else (entry, False)
