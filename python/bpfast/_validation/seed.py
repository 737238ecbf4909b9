"""The random generator of a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_DEPTH = 32


def generator(seed: Any) -> np.random.Generator:
    """`numpy.random.default_rng(seed)`, with a check for nested lists.

    NumPy recurses without end into a list that contains itself, which ends the process.

    Raises
    ------
    ValueError, TypeError
        NumPy does not accept the seed, or lists are nested too deep.

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
        raise ValueError(f"expected lists nested at most {MAX_DEPTH} deep, got deeper ones")
    for entry in seed:
        _check_depth(entry, (*outer, id(seed)))
