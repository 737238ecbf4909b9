"""Progress: a bar if tqdm is installed, else a line for each epoch on stderr."""

from __future__ import annotations

import sys
import time
import warnings
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Progress:
    """Show a training's progress, or nothing.

    Use it as a context manager, so that the bar is closed however the training ends. If the stream
    is closed or broken, nothing more is written and the training continues.

    Parameters
    ----------
    progress : bool
        Whether to show anything.
    epochs : int
        The number of epochs.
    examples : int, optional
        The number of examples of an epoch. None: unknown until the first epoch has ended.

    Raises
    ------
    TypeError
        `progress` is not a bool.

    Examples
    --------
    >>> with Progress(False, epochs=2, examples=100) as progress:
    ...     for epoch in range(2):
    ...         for batch in range(10):
    ...             progress.advance(10)
    ...         progress.epoch({"cost": 0.1})
    """

    __slots__ = ("_epochs", "_examples", "_is_enabled", "_report")

    def __init__(self, progress: bool, epochs: int, examples: int | None = None) -> None:
        self._is_enabled = progress
        self._epochs, self._examples = epochs, examples
        self._report: _Bar | _Lines | None = None

    def __enter__(self) -> Self:
        # sys.stderr is None in a program without a console.
        if self._is_enabled and sys.stderr is not None:
            self._report = _open(_Stream(sys.stderr), self._epochs, self._examples)
        return self

    def advance(self, examples: int) -> None:
        """Count this many more examples of the epoch."""
        if self._report is not None:
            self._report.advance(examples)

    def epoch(self, row: Mapping[str, float]) -> None:
        """End an epoch and show its row of the history."""
        if self._report is not None:
            self._report.epoch(row)

    def __exit__(self, *error: object) -> None:
        report, self._report = self._report, None
        if report is not None:
            report.close()


class _Stream:
    """A stream that never fails: writes to a closed or broken stream are dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._broken = False

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # before `__init__`
            raise AttributeError(name)
        return getattr(self._stream, name)  # tqdm reads encoding, fileno and others

    def write(self, text: str) -> None:
        self._try(lambda: self._stream.write(text))

    def flush(self) -> None:
        flush = getattr(self._stream, "flush", None)
        if flush is not None:  # a stream of the user may have none
            self._try(flush)

    def _try(self, act: Callable[[], object]) -> None:
        if not self._broken:
            try:
                act()
            except (OSError, ValueError):
                self._broken = True


def _open(stream: _Stream, epochs: int, examples: int | None) -> _Bar | _Lines:
    try:
        tqdm = _tqdm()
    except ImportError:
        return _Lines(stream, epochs)
    return _Bar(tqdm, stream, epochs, examples)


def _tqdm() -> type:
    """The bar of `tqdm.auto`: a widget in a notebook that has ipywidgets, else one of text."""
    import tqdm

    bar: type = tqdm.std.tqdm
    ipython = sys.modules.get("IPython")
    if ipython is not None and hasattr(ipython.get_ipython(), "kernel"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are no widgets
            import tqdm.auto  # elsewhere it would import asyncio for nothing
        bar = tqdm.auto.tqdm
    return bar


def _figures(row: Mapping[str, float]) -> str:
    """The figures of a row that are displayed.

    Examples
    --------
    >>> _figures({"cost": 0.25, "seconds": 3.0, "validation_accuracy": 0.98765})
    'cost 0.25, validation_accuracy 0.9877'
    """
    watched = (name for name in row if name == "cost" or name.startswith("validation_"))
    return ", ".join(f"{name} {row[name]:.4g}" for name in watched)


def _clock(seconds: float) -> str:
    """Seconds as minutes and seconds, with hours if there are any.

    Examples
    --------
    >>> _clock(75.2), _clock(3661)
    ('01:15', '1:01:01')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


class _Bar:
    """One tqdm bar over all examples of all epochs."""

    def __init__(self, tqdm: type, stream: _Stream, epochs: int, examples: int | None) -> None:
        # No monitor thread: it would only redraw bars that skip updates, which this one does not,
        # and a training without the thread is safe to fork.
        quiet = type("tqdm", (tqdm,), {"monitor_interval": 0})
        self._epochs, self._examples, self._done = epochs, examples, 0
        self._bar = quiet(
            total=None if examples is None else epochs * examples,
            desc=f"epoch 1/{epochs}",
            unit=" examples",
            unit_scale=True,
            miniters=1,
            dynamic_ncols=True,
            file=stream,
        )

    def advance(self, examples: int) -> None:
        self._bar.update(examples)

    def epoch(self, row: Mapping[str, float]) -> None:
        self._done += 1
        if self._examples is None:
            self._bar.total = round(self._bar.n / self._done * self._epochs)
        self._bar.set_description_str(
            f"epoch {min(self._done + 1, self._epochs)}/{self._epochs}", refresh=False
        )
        self._bar.set_postfix_str(_figures(row), refresh=False)

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """A line for each epoch."""

    def __init__(self, stream: _Stream, epochs: int) -> None:
        self._stream, self._epochs, self._done, self._seen = stream, epochs, 0, 0
        self._start = time.perf_counter()

    def advance(self, examples: int) -> None:
        self._seen += examples

    def epoch(self, row: Mapping[str, float]) -> None:
        self._done += 1
        seconds = max(time.perf_counter() - self._start, 1e-9)
        rate = f"{self._seen / seconds:,.0f} examples/s"
        remaining = _clock(seconds / self._done * max(self._epochs - self._done, 0))
        figures = _figures(row)
        self._stream.write(
            f"epoch {self._done}/{self._epochs}: {figures}, {rate}, {remaining} left\n"
        )
        self._stream.flush()

    def close(self) -> None:
        """Nothing to close."""
