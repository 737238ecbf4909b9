"""Interleaved rounds: each subject once a round, in shuffled order, so drift hits all alike."""

import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Key = TypeVar("Key")

MIN_ROUNDS = 3  # rounds, whatever the time


def interleave(
    subjects: Mapping[Key, Callable[[], float]], rounds: int, seconds: float, *, seed: int = 0
) -> dict[Key, list[float]]:
    """Sample each subject once a round; after `seconds` and MIN_ROUNDS rounds no round begins."""
    samples: dict[Key, list[float]] = {key: [] for key in subjects}
    order, shuffle = list(subjects), random.Random(seed).shuffle
    end = time.monotonic() + seconds
    for k in range(rounds):
        if k >= MIN_ROUNDS and time.monotonic() > end:
            break
        shuffle(order)
        for key in order:
            samples[key].append(subjects[key]())
    return samples


def summary(samples: list[float]) -> dict[str, Any]:
    """Median, quartiles and number of samples."""
    if len(samples) == 1:
        low = median = high = samples[0]
    else:
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high, "samples": len(samples)}
