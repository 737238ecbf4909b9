"""Speeds of learning, from the costs of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bpfast._typing import FloatArray

# A training is faster than another if it is by this much; a cost that has grown by it rises.
MIN_RATIO = 1.5
# A training that takes away less of the cost than this has learned nothing.
MIN_PROGRESS = 0.01


def half(cost: float) -> float:
    """The relative cost at which a training that starts from `cost` has halved it."""
    return 0.5 * min(cost, 1.0)


def mean_speeds(before: FloatArray, after: FloatArray) -> tuple[float, float]:
    """The mean speeds up to the step at which one training has halved its cost, or of all steps.

    The costs are multiples of that of the best constant answer. They are counted from 1 or the
    first cost, whichever is lower. A cost that ends above 1 has the speed 0, or -inf if it rises.
    A cost that begins at 0 has the speed NaN if it stays there, else -inf.
    """
    last = max(min(_halved(before), _halved(after)), 1)
    return _speed(before, last), _speed(after, last)


def _halved(costs: FloatArray) -> int:
    """The step at which a training has halved its cost, or its last one, also if it begins at 0."""
    found = np.flatnonzero((costs <= half(costs[0])) & (costs[0] > 0))
    return int(found[0]) if found.size else len(costs) - 1


def rises(start: float, end: float, factor: float = MIN_RATIO) -> bool:
    """Whether a cost that ends at `end` has grown by this factor."""
    return not end <= factor * max(start, 1.0)


def _speed(costs: FloatArray, last: int) -> float:
    start, end = min(costs[0], 1.0), costs[last]
    if start == 0:
        return np.nan if end == 0 else -np.inf
    if end >= 1:
        return -np.inf if rises(costs[0], end) else 0.0
    return float(np.log(start / max(end, 1e-300)) / last)


def is_learning(speed: float, steps: int) -> bool:
    """Whether this number of steps at this speed takes away MIN_PROGRESS or more of the cost."""
    return speed * steps >= MIN_PROGRESS


def is_faster(speed: float, other: float, steps: int) -> bool:
    """Whether a training learns, and clearly faster than the other."""
    return is_learning(speed, steps) and speed >= MIN_RATIO * other


def ratio(after: float, before: float, steps: int) -> float:
    """The speed with a change as a multiple of that without it.

    inf if only the changed network learns, 0 if only the unchanged one does, NaN if neither does or
    a speed is unknown.
    """
    if np.isnan(after) or np.isnan(before):
        return np.nan
    if before > 0:
        return max(after, 0.0) / before
    return np.inf if is_learning(after, steps) else np.nan
