"""The worker processes, from the side that asks."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[1]
PINS = hasattr(os, "sched_setaffinity")  # Linux alone lets a process choose its CPUs
VARIABLES = (
    "BPFAST_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
# What names or limits a peer's kernels: without it, each takes the best for this machine. Some
# machines ask OpenBLAS for an older core type, which halves NumPy's speed.
KERNELS = (
    "ATEN_CPU_CAPABILITY",
    "BLIS_ARCH_TYPE",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "XLA_FLAGS",
)


class PeerFailedError(RuntimeError):
    """A peer could not do what it was asked."""


def at_its_best() -> dict[str, str]:
    """The environment, without what keeps a library from its best kernels."""
    return {name: value for name, value in os.environ.items() if name not in KERNELS}


@contextmanager
def cpus(count: int) -> Iterator[None]:
    """Let processes that are started here have `count` CPUs, where that can be had."""
    if not PINS:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Worker:
    """One peer at one number of threads, in its process."""

    def __init__(self, peer: str, place: str, threads: int) -> None:
        self.peer, self.threads = peer, threads
        environment = at_its_best() | dict.fromkeys(VARIABLES, str(threads))
        environment |= {"TF_CPP_MIN_LOG_LEVEL": "3"}
        with cpus(threads):
            self.process = subprocess.Popen(
                [sys.executable, "-m", "benches.worker", place],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )

    def __repr__(self) -> str:
        return f"{self.peer} ({self.threads} thread{'s' if self.threads > 1 else ''})"

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer; raises PeerFailedError."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PeerFailedError(f"{self}: its process ended ({self.process.wait()})")
        reply: dict[str, Any] = json.loads(line)
        if "failed" in reply:
            raise PeerFailedError(f"{self}: {reply['failed']}")
        return reply

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


class Team:
    """Workers, ended together."""

    def __init__(self, wanted: Iterable[tuple[str, str, int]]) -> None:
        self.workers: list[Worker] = []
        try:
            for peer, place, threads in wanted:
                self.workers.append(Worker(peer, place, threads))
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()
