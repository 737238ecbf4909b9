"""What benches/kernels/products.rs measures: the FMA peak, the arithmetic of a small call."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

from benches.machine import levels
from benches.processes.workers import ROOT, cpus

COMMAND = ["cargo", "bench", "--quiet", "--features", "bench", "--bench", "kernels", "--"]


class Unmeasured(Exception):  # noqa: N818, it is no error: a run goes on without the figure
    """Why it could not be measured."""


def ask(word: str, level: str, threads: int | None = None) -> Any:
    """The JSON that the program prints for a word, at a SIMD level; raises Unmeasured."""
    if not (ROOT / "benches" / "kernels" / "products.rs").exists():
        raise Unmeasured("benches/kernels/products.rs is not there")
    if shutil.which("cargo") is None:
        raise Unmeasured("cargo is not installed")
    environment = os.environ | {levels.VARIABLE: level}
    with cpus(threads or os.cpu_count() or 1):
        done = subprocess.run(
            [*COMMAND, word], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        sys.stderr.write(done.stderr)
        raise Unmeasured(f"`{' '.join([*COMMAND, word])}` failed")
    return json.loads(lines[-1])
