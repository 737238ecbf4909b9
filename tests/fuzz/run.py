"""Programs of random calls in child processes, which may die or hang, and who did."""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

from tests.fuzz import calls, files
from tests.helpers.child import environment
from tests.helpers.paths import ROOT

# Programs in one process; how long one may be at work, in seconds; the address space of a child.
BATCH, HANG, ROOM = 500, 60, 4 << 30


PROGRAMS = {"calls": calls.program, "files": files.program}


def work(what: str, first: int, count: int, seed_file: str) -> None:
    """In a child: run the programs from `first` on; the file at `seed_file` has the next one."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    if "ASAN_OPTIONS" not in os.environ:  # its shadow memory alone exceeds any limit
        resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    with tempfile.TemporaryDirectory() as folder, pathlib.Path(seed_file).open("r+b", 0) as file:
        os.chdir(folder)  # text may be used as a path
        for seed in range(first, first + count):
            os.pwrite(file.fileno(), seed.to_bytes(8, "little"), 0)
            for wrong in PROGRAMS[what](seed, pathlib.Path(folder)):
                print(wrong, flush=True)


def batch(what: str, first: int, count: int) -> list[str]:
    """Run programs in a child: what was wrong, with the seeds that show it."""
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        seed_file, out = pathlib.Path(folder, "seed"), pathlib.Path(folder, "out")
        seed_file.write_bytes(bytes(8))
        command = [sys.executable, "-c", CHILD, what, str(first), str(count), str(seed_file)]
        with out.open("wb") as file:
            child = subprocess.Popen(
                command, cwd=ROOT, env=environment(BPFAST_NUM_THREADS="2"), stdout=file,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
            code = wait_for(child, seed_file)
        said = out.read_text(errors="replace")
        if code == 0:
            return [said] if said else []
        last = int.from_bytes(seed_file.read_bytes(), "little")
        end = signal.Signals(-code).name if code < 0 else f"status {code}"
        said = said.partition("\nExtension modules: ")[0]
        found.append(f"{what}, seed {last}: the process ended with {end}\n{said[-3000:]}")
    done = last + 1 - first
    return found + (batch(what, last + 1, count - done) if done < count else [])


CHILD = """
import sys
from tests.fuzz.run import work
_, what, first, count, seed_file = sys.argv
work(what, int(first), int(count), seed_file)
"""


def wait_for(child: subprocess.Popen[bytes], seed_file: pathlib.Path) -> int:
    """Wait for `child`; kill it where one program takes too long."""
    seed, since = b"", time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(0.2)
        now = seed_file.read_bytes()
        if now != seed:
            seed, since = now, time.monotonic()
        elif time.monotonic() - since > HANG:
            child.send_signal(signal.SIGUSR1)  # prints the stack
            time.sleep(1)
            child.kill()


def main() -> None:
    """Parse the command line, and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--what", choices=PROGRAMS, help="random calls, or damaged files")
    parser.add_argument("--seconds", type=float, default=60, help="how long to go on")
    parser.add_argument("--seed", type=int, help="the first program; default: any")
    parser.add_argument("--count", type=int, help="this many programs instead of a time")
    parser.add_argument("--show", action="store_true", help="in this process, each call printed")
    options = parser.parse_args()
    first = random.SystemRandom().randrange(2**48) if options.seed is None else options.seed
    if options.show:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for seed in range(first, first + (options.count or 1)):
                PROGRAMS[options.what or "calls"](seed, pathlib.Path(folder), loud=True)
        return
    print(f"python -m tests.fuzz --seed {first}", flush=True)
    end, done, failed = time.monotonic() + options.seconds, 0, 0
    while done < options.count if options.count else time.monotonic() < end:
        count = min(BATCH, options.count - done) if options.count else BATCH
        for what in [options.what] if options.what else PROGRAMS:
            wrong = batch(what, first + done, count)
            failed += bool(wrong)
            print("\n".join(wrong), end="\n" * bool(wrong), flush=True)
        done += count
    print(f"{done} programs of each kind; {failed or 'no'} batches of {BATCH} with failures")
    sys.exit(bool(failed))
