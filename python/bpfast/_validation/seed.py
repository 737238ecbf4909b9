"""The generator of random numbers that a seed stands for."""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_DEPTH = 32


def generator(seed: Any) -> np.random.Generator:
    """Make what `numpy.random.default_rng` makes of `seed`.

    It recurses without end into a list that holds itself, which ends the process.

    Raises
    ------
    ValueError, TypeError
        It does not take the seed; lists are nested too deep.

    Examples
    --------
    >>> generator(3).random() == generator(3).random()
    True
    """
    _check_depth(seed, ())
    return np.random.default_rng(seed)


def _check_depth(seed: Any, outer: tuple[int, ...]) -> None:
    if isinstance(seed, str | bytes | bytearray | memoryview) or not hasattr(seed, "__len__"):
        return
    if isinstance(seed, np.ndarray) and (not seed.ndim or not seed.dtype.hasobject):
        return
    if len(outer) == MAX_DEPTH or id(seed) in outer:
        raise ValueError(f"expected lists at most {MAX_DEPTH} deep in each other, got deeper ones")
    for part in seed:
        _check_depth(part, (*outer, id(seed)))
