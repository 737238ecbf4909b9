"""Walk calls: with less or more room, and with one request of CPython's refused, then another.

A call gives its answer or raises MemoryError, and the package works afterwards. Anything else is a
failure: an end by a signal, a hang, another exception.
"""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator

import bpfast
from tests.out_of_memory.calls import CALLS
from tests.out_of_memory.trial import HAS_HOOKS, Outcome, in_a_fork, with_room, without_the_nth

MIB = 1 << 20
WALKS = ("room", "python")
Trials = Iterator[tuple[str, Outcome]]


def limits(step: float, most: float = 512) -> Iterator[int]:
    """Yield bytes left: the next is `step` MiB further, less below 1 MiB, later 1/32."""
    room = 0.0
    while room <= most:
        yield int(room * MIB)
        room += step / 4 if room < 1 else max(step, room / 32)


def walk_limits(work: Callable[[], object], step: float) -> Trials:
    """Leave a call no room, then more, until it is done three times."""
    done = 0
    for room in limits(step):
        outcome = in_a_fork(lambda room=room: with_room(work, room))  # type: ignore[misc]
        yield f"{room / MIB:.3f} MiB", outcome
        done = done + 1 if outcome.is_done else 0
        if done == 3:
            return


def walk_python(work: Callable[[], object], every: int) -> Trials:
    """Refuse one request of CPython's, then the next, until eight in a row are not missed."""
    k, done = 1, 0
    while done < 8:
        outcome = in_a_fork(lambda k=k: without_the_nth(work, k))  # type: ignore[misc]
        yield f"k = {k}", outcome
        done = done + 1 if outcome.is_done else 0
        k += 1 if k < 200 else max(every, k // 200)  # one call makes 50,000 requests


def prepared(name: str, threads: int, warm: bool) -> Callable[[], object]:
    """Make the call called `name`."""
    bpfast.set_num_threads(threads)
    work = CALLS[name]()
    if warm:
        with contextlib.suppress(Exception):
            work()
    return work


def failures(
    name: str,
    threads: int,
    *,
    walks: Iterable[str] = WALKS,
    step: float = 0.125,
    every: int = 7,
    warm: bool = False,
) -> tuple[int, list[str]]:
    """Walk one call: how many trials there were, and those that went wrong."""
    work = prepared(name, threads, warm)
    trials: list[Trials] = []
    if "room" in walks:
        trials.append(walk_limits(work, step))
    if "python" in walks and HAS_HOOKS:
        trials.append(walk_python(work, every))
    outcomes = [(place, outcome) for walk in trials for place, outcome in walk]
    wrong = [f"{place}: {outcome.words}" for place, outcome in outcomes if not outcome.is_right]
    return len(outcomes), wrong


def walk(name: str, threads: int, options: argparse.Namespace) -> bool:
    """Walk one call in a process of its own, as what it makes would stay; print what went wrong."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    started = time.monotonic()
    count, wrong = failures(
        name,
        threads,
        walks=options.walks,
        step=options.step,
        every=options.every,
        warm=options.warm,
    )
    took = time.monotonic() - started
    said = "BAD" if wrong else "ok "
    print(f"{said} {name}, {threads} threads: {len(wrong)} of {count} trials, {took:.1f} s")
    for words in wrong[: options.show]:
        print(" ", words)
    sys.stdout.flush()
    os._exit(bool(wrong))


def main() -> None:
    """Walk the calls that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of calls (all)")
    parser.add_argument("--walks", nargs="*", default=WALKS, choices=WALKS, help="(both)")
    parser.add_argument("--step", type=float, default=0.125, help="MiB from room to room (0.125)")
    parser.add_argument(
        "--every",
        type=int,
        default=7,
        help="requests from k to k, beyond 200 (7)",
    )
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2], help="(1 2)")
    parser.add_argument("--show", type=int, default=3, help="failures to show for a call (3)")
    parser.add_argument("--warm", action="store_true", help="make each call once before")
    options = parser.parse_args()
    names = [n for n in CALLS if not options.names or any(part in n for part in options.names)]
    outcomes = [walk(name, threads, options) for name in names for threads in options.threads]
    print(f"{len(names)} calls, {outcomes.count(False)} of {len(outcomes)} walks with failures")
    sys.exit(not outcomes or not all(outcomes))
