"""Ctrl-C at any line between the beginning of an epoch and its first batch leaves no thread behind.

A trace function raises KeyboardInterrupt there, as a signal handler would.
"""

import contextlib
import sys
import threading

import numpy as np
import pytest

import bpfast
from bpfast._training.data import prefetch as _prefetch
from bpfast._training.data import sources as _sources

X, Y = np.eye(3), np.eye(3)
LONG = 60  # s: a thread that is left behind waits for ever
# Where an interruption ends what was begun. What closes (`close`, `__exit__`) is not of it.
CODES = {
    _prefetch.Prefetch.__init__.__code__,
    _prefetch.Prefetch.__enter__.__code__,
    _prefetch.Prefetch.__iter__.__code__,
    _prefetch.Prefetch._begin.__code__,
    _sources.Batches.begin.__code__,
    _sources.Batches.ready.__code__,
    _sources.Files.begin.__code__,
    _sources.Files.ready.__code__,
    contextlib.ExitStack.enter_context.__code__,
    contextlib.ExitStack._push_cm_exit.__code__,  # type: ignore[attr-defined]
}


class Interrupt:
    """Raise KeyboardInterrupt at the line number `at` of those that are counted here."""

    def __init__(self, at):
        self.at, self.lines = at, 0

    def __call__(self, frame, event, _):
        if frame.f_code not in CODES:
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self


def lines_until(work, at):
    """Interrupt `work` at a line: whether it came to it."""
    before, interrupt = sys.gettrace(), Interrupt(at)
    sys.settrace(interrupt)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def threads():
    return [one for one in threading.enumerate() if one.name == "bpfast-prefetch"]


def of_batches(_):
    net = bpfast.Network([3, 3], seed=0)
    return lambda: net.fit(((X, Y) for _ in range(3)), epochs=1)


def of_files(folder):
    np.save(folder / "x.npy", np.eye(3, dtype="float32"))
    x = np.load(folder / "x.npy", mmap_mode="r")
    net = bpfast.Network([3, 3], seed=0)
    return lambda: net.fit(x, Y, epochs=1)


@pytest.mark.parametrize("of", [of_batches, of_files])
def test_no_thread_is_left(of, tmp_path):
    assert not threads()
    at = 0
    while lines_until(of(tmp_path), at := at + 1):
        for thread in threads():
            thread.join(LONG)
            assert not thread.is_alive(), f"a thread is left after line {at}"
    assert at > 20  # lines at which it was interrupted
