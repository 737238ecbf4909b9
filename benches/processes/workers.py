"""The worker processes, from the side that asks."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from benches.machine import levels

ROOT = Path(__file__).parents[2]
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
    "BPFAST_SIMD",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "TORCHINDUCTOR_CPP_MARCH",
    "XLA_FLAGS",
)

# Threads of OpenBLAS spin for 0.1 s after a call, in hope of the next; the next sample would share
# the CPUs with them.
LONGEST_SPIN = 0.2
LONGEST_END = 10.0
LOOKS = 2  # in a row, with every thread asleep


def sleeps(task: Path) -> bool:
    """Whether a thread waits for something, by its folder in /proc."""
    try:
        state = (task / "stat").read_text("ascii", "replace").rpartition(") ")[2][0]
    except OSError:  # it has ended meanwhile
        return True
    return state != "R"


class PeerFailedError(RuntimeError):
    """A peer could not do what it was asked."""


def peer_environment(level: str) -> dict[str, str]:
    """The environment, with nothing that chooses a library's kernels but the SIMD level."""
    kept = {name: value for name, value in os.environ.items() if name not in KERNELS}
    return kept | levels.environment(level)


def with_threads(threads: int, level: str) -> dict[str, str]:
    """The environment of a peer with a number of threads."""
    return peer_environment(level) | dict.fromkeys(VARIABLES, str(threads))


@contextlib.contextmanager
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


class Served:
    """A process that runs a module of benches, which answers requests by serve.py."""

    def __init__(
        self, name: str, module: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env=peer_environment(levels.widest()) if environment is None else environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __repr__(self) -> str:
        return self.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def send(self, do: str, **request: Any) -> None:
        """Send a request, whose answer `receive` gives."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # `receive` finds that the process has ended
            self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Wait for the answer to the last request; raises PeerFailedError."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise PeerFailedError(f"{self}: its process ended ({self.process.wait()})")
        reply: dict[str, Any] = json.loads(line)
        if "failed" in reply:
            raise PeerFailedError(f"{self}: {reply['failed']}")
        return reply

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer; raises PeerFailedError."""
        self.send(do, **request)
        return self.receive()

    def sample(self, do: str, **request: Any) -> dict[str, Any]:
        """Ask, then wait until the process's threads sleep: the next sample has the CPUs alone."""
        reply = self.ask(do, **request)
        tasks = Path(f"/proc/{self.process.pid}/task")
        if not tasks.exists():
            time.sleep(LONGEST_SPIN)
            return reply
        end, asleep = time.monotonic() + LONGEST_SPIN, 0
        while asleep < LOOKS and time.monotonic() < end:
            time.sleep(0.001)
            asleep = asleep + 1 if all(map(sleeps, tasks.iterdir())) else 0
        return reply

    def stop(self) -> None:
        """End the process: by the end of its input, so that it ends processes of its own."""
        try:
            self.process.communicate(timeout=LONGEST_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


class Worker(Served):
    """One peer at one number of threads and a SIMD level, in its process."""

    def __init__(self, peer: str, place: str, threads: int, level: str) -> None:
        self.peer, self.threads = peer, threads
        environment = with_threads(threads, level) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        with cpus(threads):
            name = f"{peer} ({threads} thread{'s' if threads > 1 else ''})"
            super().__init__(name, ["benches.processes.worker", place], environment)


class Team:
    """Workers at one SIMD level, ended together."""

    def __init__(self, wanted: Iterable[tuple[str, str, int]], level: str) -> None:
        self.workers: list[Worker] = []
        try:
            for peer, place, threads in wanted:
                self.workers.append(Worker(peer, place, threads, level))
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
