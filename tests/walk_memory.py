"""Every public call where memory runs out: `python tests/walk_memory.py [NAME ...] [--help]`.

Two walks. One leaves a call so many bytes of address space, from none to as many as it needs. The other
makes the k-th allocation of Python's own allocators fail, for k = 1, 2, … A call gives its answer or
raises MemoryError; the network works afterwards. What ends by a signal, hangs, or raises anything else
is printed, and the exit code is 1.

Each trial runs in a process of its own, forked from one where the call is ready.
"""

import argparse
import contextlib
import ctypes
import gc
import os
import resource
import select
import signal
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from memory_calls import CALLS

import bpfast

try:
    import _testcapi
except ImportError:  # a Python without its tests
    _testcapi = None  # type: ignore[assignment]

MIB = 1 << 20
HANGS = 60.0  # seconds: what a busy machine takes for none of these calls


# What raises there, be it the wrong thing, is no fault of ours.
OTHERS = (
    "<frozen ",
    sysconfig.get_path("stdlib"),
    *(str(Path(sysconfig.get_path("purelib"), name)) for name in ("numpy", "scipy")),
)


class Outcome(NamedTuple):
    """What became of a call."""

    is_right: bool
    is_done: bool
    words: str


def is_of_others(error: BaseException) -> bool:
    """Tell whether CPython, NumPy or SciPy raised `error`, which they do not always well."""
    if error.__cause__ is not None:
        return is_of_others(error.__cause__)
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(OTHERS)


def tell(work: Callable[[], object], undo: Callable[[], None]) -> Outcome:
    """Do `work`, `undo` what it was done under, and tell what became of it."""
    try:
        work()
        undo()
    except MemoryError as error:
        undo()
        words = f"MemoryError: {error}"
    except BaseException as error:
        undo()
        if not is_of_others(error):
            return Outcome(False, False, "".join(traceback.format_exception(error))[-1500:])
        words = f"of others: {type(error).__name__}: {error}"
    else:
        words = "done"
    small = bpfast.Network([2, 2], init="zeros")
    if small.backprop(np.array([[1.0, 2]]), np.array([[0.0, 1]])).cost != 0.25:
        return Outcome(False, False, f"{words}, and wrong afterwards")
    return Outcome(True, words == "done", words)


def in_a_fork(work: Callable[[], Outcome]) -> Outcome:
    """Do `work` in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        if not os.environ.get("WALK_LOUD"):
            os.dup2(quiet, 2)
        signal.set_wakeup_fd(-1)
        outcome = work()
        os.write(writing, f"{outcome.is_right:d}{outcome.is_done:d}{outcome.words}".encode())
        os._exit(0)
    os.close(writing)
    said, end = b"", time.monotonic() + HANGS
    while time.monotonic() < end and select.select([reading], [], [], end - time.monotonic())[0]:
        more = os.read(reading, 1 << 16)
        if not more:
            break
        said += more
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        return Outcome(False, False, "hangs")
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code or not said:
        return Outcome(False, False, f"ends with {signal.Signals(-code).name if code else 'no word'}")
    text = said.decode()
    return Outcome(text[0] == "1", text[1] == "1", text[2:])


def used() -> int:
    """Tell how many bytes of address space are in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def fill_holes(malloc: Callable[[int], int | None]) -> None:
    """Take what the system's allocator has left of what was freed."""
    for size in (1 << 20, 1 << 16, 1 << 12, 512, 64, 24):
        while malloc(size):
            pass


def with_room(work: Callable[[], object], room: int) -> Outcome:
    """Do `work` with `room` bytes of address space left, and nothing beside."""
    malloc = ctypes.CDLL(None).malloc
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    before = resource.getrlimit(resource.RLIMIT_AS)

    def undo() -> None:
        resource.setrlimit(resource.RLIMIT_AS, before)

    gc.collect()
    limit = used()
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    with contextlib.suppress(MemoryError):
        fill_holes(malloc)
    resource.setrlimit(resource.RLIMIT_AS, (limit + room, before[1]))
    return tell(work, undo)


def without_the_nth(work: Callable[[], object], k: int) -> Outcome:
    """Do `work`; the k-th allocation of Python's allocators fails."""
    _testcapi.set_nomemory(k, k + 1)
    return tell(work, _testcapi.remove_mem_hooks)


def rooms(finest: float, most: float) -> Iterator[int]:
    """Yield rooms in bytes: in fine steps, from 1 MiB on in coarser ones, and then in steps of 1/32."""
    room = 0.0
    while room <= most:
        yield int(room * MIB)
        room += finest / 4 if room < 1 else max(finest, room / 32)


def walk_rooms(work: Callable[[], object], finest: float) -> Iterator[tuple[str, Outcome]]:
    """Leave a call less or more room, until it is done several times."""
    done = 0
    for room in rooms(finest, 512):
        outcome = in_a_fork(lambda room=room: with_room(work, room))  # type: ignore[misc]
        yield f"{room / MIB:.3f} MiB", outcome
        done = done + 1 if outcome.is_done else 0
        if done == 3:
            return


def walk_python(work: Callable[[], object], every: int) -> Iterator[tuple[str, Outcome]]:
    """Let one allocation of Python's fail, then the next."""
    k, done = 1, 0
    while done < 8:
        outcome = in_a_fork(lambda k=k: without_the_nth(work, k))  # type: ignore[misc]
        yield f"k = {k}", outcome
        done = done + 1 if outcome.is_done else 0
        k += 1 if k < 200 else every


def prepared(name: str, threads: int, warm: bool) -> Callable[[], object]:
    """Make the call called `name`."""
    bpfast.set_num_threads(threads)
    work = CALLS[name]()
    if warm:
        with contextlib.suppress(Exception):
            work()
    return work


def walk(name: str, options: argparse.Namespace, threads: int) -> bool:
    """Walk one call, in a process of its own, as what it makes stays there."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        with open(reading) as said:
            print(said.read(), end="", flush=True)
        return os.waitpid(child, 0)[1] == 0
    os.close(reading)
    lines, bad, started = [], 0, time.monotonic()
    work = prepared(name, threads, options.warm)
    walks: list[Iterator[tuple[str, Outcome]]] = []
    if "room" in options.walks:
        walks.append(walk_rooms(work, options.finest))
    if "python" in options.walks and _testcapi is not None:
        walks.append(walk_python(work, options.every))
    counts = []
    for trials in walks:
        count = 0
        for place, outcome in trials:
            count += 1
            if not outcome.is_right:
                bad += 1
                if bad <= options.show:
                    lines.append(f"  {place}: {outcome.words}")
            if options.verbose:
                lines.append(f"  {place}: {outcome.words}")
        counts.append(count)
    told = " + ".join(map(str, counts))
    took = time.monotonic() - started
    head = f"{'BAD' if bad else 'ok '} {name}, {threads} threads: {told} trials, {bad} bad, {took:.1f} s"
    os.write(writing, "\n".join([head, *lines, ""]).encode())
    os._exit(bad > 0)


def main() -> int:
    """Walk the calls that are asked for."""
    parser = argparse.ArgumentParser(description="Every public call where memory runs out.")
    parser.add_argument("names", nargs="*", help="parts of names of calls (all)")
    parser.add_argument("--walks", nargs="*", default=["room", "python"], help="room, python")
    parser.add_argument("--finest", type=float, default=0.125, help="MiB between two rooms")
    parser.add_argument("--every", type=int, default=7, help="allocations from one k to the next")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--show", type=int, default=3, help="the most failures of a call to show")
    parser.add_argument("--warm", action="store_true", help="let each call be made before")
    parser.add_argument("--verbose", action="store_true", help="show every trial")
    options = parser.parse_args()
    names = [n for n in CALLS if not options.names or any(part in n for part in options.names)]
    wrong = 0
    for name in names:
        for threads in options.threads:
            wrong += not walk(name, options, threads)
    print(f"{len(names)} calls, {wrong} walks with failures")
    return 1 if wrong or not names else 0


if __name__ == "__main__":
    sys.exit(main())
