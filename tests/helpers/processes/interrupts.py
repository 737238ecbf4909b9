"""How soon a call that is interrupted raises."""

import os
import signal
import statistics
import sys
import time

BOUND = 0.25  # s: the promised 100 ms, and as much again and more for a busy machine
LONGEST = 0.5  # s
DEAF = 8.0  # s of the wall clock, less than what sleeps takes when it is left alone


def now():
    """The time and the CPU time of this process, for `Waits.heard`."""
    return f"{time.monotonic()} {time.process_time()}"


def cpu_time_of(pid):
    """The CPU time of a process; infinite where no clock tells it."""
    if sys.platform != "linux":
        return float("inf")
    return time.clock_gettime(~pid << 3 | 2)  # CPUCLOCK_SCHED of the process


class Waits:
    """The times from signals to a process until its calls have raised.

    A wait is as long as its CPU time if that is less: a machine that others use stops the process.
    """

    def __init__(self, pid):
        self.pid, self.seconds = pid, []

    def interrupt(self):
        self.sent = time.monotonic(), cpu_time_of(self.pid)
        os.kill(self.pid, signal.SIGINT)

    def heard(self, line):
        """Note that the call has raised; `line` is what `now` returned there."""
        wall, cpu = (float(word) - sent for word, sent in zip(line.split(), self.sent, strict=True))
        assert wall < DEAF, self
        self.seconds.append(min(wall, cpu) if cpu > 0 else wall)

    def check(self):
        assert max(self.seconds) < LONGEST, self
        assert statistics.median(self.seconds) < BOUND, self

    def __repr__(self):
        return ", ".join(f"{wait * 1000:.0f} ms" for wait in self.seconds)
