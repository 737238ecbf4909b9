"""What tests of the peak of memory need; `tests/programs/own_memory.py` reads it."""

import sys

import pytest

# /proc tells a process's own peak. (ru_maxrss starts at that of the process it was forked from.)
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")

MB = 1_000_000
