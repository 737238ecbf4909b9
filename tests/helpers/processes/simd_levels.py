"""The SIMD levels of this machine."""

import subprocess
import sys

import bpfast
from tests.helpers.child import environment

NAMES = ["baseline", "neon", "avx2", "avx512"]
CONFIG = "import json, bpfast; print(json.dumps(bpfast.show_config('dicts')['simd']))"


def started(program, level):
    """A process that runs `program` at `level`."""
    return subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=environment(BPFAST_SIMD=level),
        capture_output=True,
        text=True,
        check=False,
    )


IN_USE = bpfast.show_config("dicts")["simd"]
LEVELS = [name for name in NAMES if started(CONFIG, name).returncode == 0]
FUSED = [name for name in LEVELS if name != "baseline"]


def turns(*threads):
    """Pairs of a level and a number of threads whose bits agree.

    The widest level with each number of threads, and each other level with fused multiply-add once.
    """
    *others, widest = FUSED or ["baseline"]
    return [(widest, k) for k in threads] + [(level, threads[-1]) for level in others]
