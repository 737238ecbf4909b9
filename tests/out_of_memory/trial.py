"""One call where memory runs out, in a process of its own, and what becomes of it."""

import contextlib
import ctypes
import dis
import faulthandler
import gc
import linecache
import os
import pickle
import re
import resource
import select
import signal
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import bpfast

try:
    import _testcapi  # type: ignore[import-not-found]
except ImportError:  # a Python without its own tests
    _testcapi = None

HANGS = 60.0  # seconds: more than any call takes, also on a busy machine
# What is raised there is no fault of ours.
OTHERS = (
    "<frozen ",
    sysconfig.get_path("stdlib"),
    *(str(Path(sysconfig.get_path("purelib"), name)) for name in ("numpy", "scipy")),
)
# Functions of NumPy's, in C, which tell CPython that they have failed and do not say how: the calls
# named numpys[...], which do without bpfast, show the same.
NUMPYS = re.compile(r" of numpy\.|<ufunc |<built-in function (where|unravel_index)>")
# What CPython raises where C has failed without an exception and no function is named. CPython 3.11
# fails so itself: the frame of a Python function has no memory, as in the call named
# cpythons[calls]. NumPy does where an array is the index of an array, as in numpys[index]. Neither
# call needs bpfast.
NO_EXCEPTION = "error return without exception set"
# NumPy's iterator raises MemoryError without the GIL, which ends the process, if it gets no buffers
# for an operation on arrays. The call named numpys[of rows], which does without bpfast, shows the
# same.
OPERATION = re.compile(r" (?:[-+*/@%<>]|\*\*|//|[<>=!]=) ")
PLACE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
HAS_HOOKS = _testcapi is not None


class Outcome(NamedTuple):
    """What became of a call."""

    is_right: bool
    is_done: bool
    words: str


def has_no_exception(error: BaseException) -> bool:
    """Tell whether a call of a Python function or an index has failed without an exception.

    A function of C that fails without an exception is named in another message, so a call is one of
    a Python function, which got no frame. PyO3 never returns without an exception, so an index is
    one of an array. Caches follow an instruction: the traceback is at one of these if the call is
    of a caller, and the entry of the called function found no memory either.
    """
    last = error.__traceback__
    if last is None or type(error) is not SystemError or str(error) != NO_EXCEPTION:
        return False
    while last.tb_next is not None:
        last = last.tb_next
    code, at = last.tb_frame.f_code.co_code, last.tb_lasti
    while dis.opname[code[at]] == "CACHE":
        at -= 2
    name = dis.opname[code[at]]
    return name.endswith("_SUBSCR") or (name == "CALL" and sys.version_info < (3, 12))


def is_of_others(error: BaseException) -> bool:
    """Tell whether CPython, NumPy or SciPy raised `error`, which may be the wrong one."""
    if isinstance(error, pickle.PicklingError):
        return True  # CPython's, in C, for whatever has failed there
    if has_no_exception(error):
        return True
    if isinstance(error, SystemError) and NUMPYS.search(str(error)):
        return True
    if isinstance(error, TypeError) and str(error).startswith("A loop/promoter has already been"):
        return True  # NumPy's, from the choice of a ufunc's loop
    if error.__cause__ is not None:
        return is_of_others(error.__cause__)
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(OTHERS)


def is_of_numpys_iterator(said: str) -> bool:
    """Tell whether a process that said where it crashed did so in an operation on arrays."""
    place = PLACE.search(said)
    line = linecache.getline(place["file"], int(place["line"])) if place else ""
    return OPERATION.search(line) is not None and "_core" not in line


def tell(work: Callable[[], object], undo: Callable[[], None]) -> Outcome:
    """Do `work`, `undo` what it was done under, and tell what became of it."""
    try:
        work()
        undo()
    except MemoryError as error:
        undo()
        words = f"MemoryError: {error}"
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
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
        faulthandler.enable(writing, all_threads=False)  # a crash says where
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        if "LOUD" not in os.environ:
            os.dup2(quiet, 2)
        outcome = work()
        os.write(writing, f"{outcome.is_right:d}{outcome.is_done:d}{outcome.words}".encode())
        os._exit(0)
    os.close(writing)
    said, end, has_ended = b"", time.monotonic() + HANGS, False
    while not has_ended and select.select([reading], [], [], max(0, end - time.monotonic()))[0]:
        more = os.read(reading, 1 << 16)
        said, has_ended = said + more, not more
    os.close(reading)
    if not has_ended:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not has_ended:
        return Outcome(False, False, "hangs")
    if code or not said:
        end_of = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        words = f"ends with {end_of} {said.decode(errors='replace')[:1500]}"
        return Outcome(is_of_numpys_iterator(words), False, words)
    text = said.decode()
    return Outcome(text[0] == "1", text[1] == "1", text[2:])


def used() -> int:
    """Tell how many bytes of address space are in use."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def fill_holes() -> None:
    """Take what the system's allocator has left of what was freed."""
    malloc = ctypes.CDLL(None).malloc
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    for size in (1 << 20, 1 << 16, 1 << 12, 512, 64, 24):
        while malloc(size):
            pass


def with_free_memory(work: Callable[[], object], free: int) -> Outcome:
    """Do `work` with `free` bytes of address space left."""
    gc.collect()
    before, limit = resource.getrlimit(resource.RLIMIT_AS), used()

    def undo() -> None:
        resource.setrlimit(resource.RLIMIT_AS, before)

    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    with contextlib.suppress(MemoryError):
        fill_holes()
    resource.setrlimit(resource.RLIMIT_AS, (limit + free, before[1]))
    return tell(work, undo)


def without_the_nth(work: Callable[[], object], k: int) -> Outcome:
    """Do `work`; the k-th request that CPython makes of its allocators is refused."""
    _testcapi.set_nomemory(k, k + 1)
    return tell(work, _testcapi.remove_mem_hooks)
