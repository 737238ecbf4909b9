"""Repeat calls with less and more free memory, and with one request of CPython's refused.

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
from tests.out_of_memory.trial import (
    HAS_HOOKS,
    Outcome,
    in_a_fork,
    with_free_memory,
    without_the_nth,
)

MIB = 1 << 20
KINDS = ("limit", "python")
Trials = Iterator[tuple[str, Outcome]]


def limits(step: float, most: float = 512) -> Iterator[int]:
    """Yield free bytes: the next is `step` MiB further, less below 1 MiB, later 1/32."""
    free = 0.0
    while free <= most:
        yield int(free * MIB)
        free += step / 4 if free < 1 else max(step, free / 32)


def trials_with_limits(work: Callable[[], object], step: float) -> Trials:
    """Leave a call no memory, then more, until it is done three times."""
    done = 0
    for free in limits(step):
        outcome = in_a_fork(lambda free=free: with_free_memory(work, free))  # type: ignore[misc]
        yield f"{free / MIB:.3f} MiB", outcome
        done = done + 1 if outcome.is_done else 0
        if done == 3:
            return


def trials_with_refusals(work: Callable[[], object], every: int) -> Trials:
    """Refuse one request of CPython's, then the next, until eight in a row are not missed."""
    k, done = 0, 0
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
    kinds: Iterable[str] = KINDS,
    step: float = 0.125,
    every: int = 7,
    warm: bool = False,
) -> tuple[int, list[str]]:
    """Try one call: how many trials there were, and those that went wrong."""
    work = prepared(name, threads, warm)
    trials: list[Trials] = []
    if "limit" in kinds:
        trials.append(trials_with_limits(work, step))
    if "python" in kinds and HAS_HOOKS:
        trials.append(trials_with_refusals(work, every))
    outcomes = [(case, outcome) for kind in trials for case, outcome in kind]
    wrong = [f"{case}: {outcome.words}" for case, outcome in outcomes if not outcome.is_right]
    return len(outcomes), wrong


def check(name: str, threads: int, options: argparse.Namespace) -> bool:
    """Try one call in a process of its own, and print what went wrong."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    started = time.monotonic()
    count, wrong = failures(
        name,
        threads,
        kinds=options.kinds,
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
    """Try the chosen calls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of calls (all)")
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS, help="(both)")
    parser.add_argument("--step", type=float, default=0.125, help="MiB between two limits (0.125)")
    parser.add_argument(
        "--every",
        type=int,
        default=7,
        help="requests between two refusals, beyond 200 (7)",
    )
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2], help="(1 2)")
    parser.add_argument("--show", type=int, default=3, help="failures to show for a call (3)")
    parser.add_argument("--warm", action="store_true", help="make each call once before")
    options = parser.parse_args()
    names = [n for n in CALLS if not options.names or any(part in n for part in options.names)]
    outcomes = [check(name, threads, options) for name in names for threads in options.threads]
    print(f"{len(names)} calls, {outcomes.count(False)} of {len(outcomes)} checks with failures")
    sys.exit(not outcomes or not all(outcomes))
