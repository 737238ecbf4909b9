"""How a call is timed: warmed up, then so many repeats that the clock's grain does not show."""

import gc
import math
import time
from collections.abc import Callable

SAMPLE = 0.005  # seconds that a sample lasts at least, or one call
WARM = 0.01  # seconds of untimed calls before it: threads awake, caches filled, clock speed up


def warm(call: Callable[[], object]) -> None:
    """Run `call` untimed, once at least."""
    end = time.perf_counter() + WARM
    call()
    while time.perf_counter() < end:
        call()


def timed(call: Callable[[], object], repeats: int) -> float:
    """Seconds a call, over `repeats` calls in a row."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def calibrate(call: Callable[[], object]) -> int:
    """How many calls last as long as a sample should."""
    warm(call)
    repeats = 1
    while (seconds := repeats * timed(call, repeats)) < SAMPLE / 4:
        repeats *= 4
    return max(1, math.ceil(SAMPLE * repeats / seconds))


def sample(call: Callable[[], object], repeats: int) -> float:
    """Seconds a call, warmed up, without the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        warm(call)
        return timed(call, repeats)
    finally:
        gc.enable()
