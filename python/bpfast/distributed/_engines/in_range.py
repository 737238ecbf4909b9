"""Sums over shards that leave the range of float32 or float64 although their mean does not."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfast.distributed._engines.engine import Engine
    from bpfast.distributed._ordered_sum.values import Part
    from bpfast.distributed._plan import StepRows
    from bpfast.distributed._shards.sums import SumTask


def run_in_range(
    engine: Engine, task: SumTask, rows: Mapping[int, StepRows] | None = None
) -> tuple[Part, int]:
    """The sums of a task times 2^k, and k: 0 unless one of them is not finite then.

    Otherwise the task is run again with k = -⌈log2(2 n)⌉ or less, so that the sums of n terms are
    in range where their means are. Weights have a mean below 2 over all examples. A power of 2
    changes no bit of a number that remains normal.
    """
    found: Part = engine.run(task, rows)
    params = task.params
    if _is_finite(found) or params is None or not np.isfinite(params).all():
        return found, 0
    shift = -int(2 * found.examples).bit_length()
    again = copy.copy(task)
    again.shift += shift
    return engine.run(again, rows), shift


def _is_finite(part: Part) -> bool:
    if not math.isfinite(part.cost):
        return False
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        total = part.vector.sum()  # faster than a look at each number
    return bool(np.isfinite(total) or np.isfinite(part.vector).all())
