"""What tests of the peak of memory need; `tests/programs/memory/own_memory.py` reads it."""

import sys

import pytest

# /proc has the peak of the process itself; ru_maxrss starts at the peak of its parent.
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")

MB = 1_000_000
