"""The peak of the memory of a process."""

import sys

import pytest

# /proc tells a process's own peak. (ru_maxrss starts at that of the process it was forked from.)
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")

MB = 1_000_000
PRELUDE = """
import json, sys
from pathlib import Path
import numpy as np
import bpfast
def status(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
def resident():
    return status("VmRSS")
def extra(call):
    # The peak of `call` beyond what is there before it.
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = resident()
    result = call()
    return status("VmHWM") - before
"""
