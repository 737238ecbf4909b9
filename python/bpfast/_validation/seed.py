"""Seeds: an integer for a training, or a random generator."""

from __future__ import annotations

import os
import sys
from typing import Any, TypeAlias

import numpy as np

from bpfast._validation.naming import naming
from bpfast._validation.numbers import integer

# A string, because access to np.random imports it, and hashlib with it.
Seed: TypeAlias = (
    "int | np.random.Generator | np.random.BitGenerator | np.random.SeedSequence | None"
)

MAX_DEPTH = 32
MAX_SEED = 2**63 - 1


def _drawn() -> int:
    """A seed below 2^63 from the system. Not by `secrets`, whose import takes 4 ms."""
    return int.from_bytes(os.urandom(8), "little") >> 1


def parse_seed(seed: Any) -> int:
    """The integer seed: `seed` itself, drawn from a generator, or from the system for None.

    Raises
    ------
    ValueError
        The integer is negative or has 64 bits or more.
    TypeError
        `seed` has another type.

    Examples
    --------
    >>> import numpy as np
    >>> parse_seed(7)
    7
    >>> drawn = np.random.default_rng(0).integers(2**63)
    >>> parse_seed(np.random.default_rng(0)) == int(drawn)
    True
    """
    if seed is None:
        return _drawn()
    random = sys.modules.get("numpy.random")  # if it is not imported, seed is none of its types
    if random and isinstance(seed, random.Generator | random.BitGenerator | random.SeedSequence):
        return int(random.default_rng(seed).integers(2**63))
    if random and isinstance(seed, random.RandomState):
        got = "RandomState; numpy.random.default_rng(seed) is such a generator"
        raise TypeError(f"seed: expected an integer or a Generator, got {got}")
    return integer("seed", seed, 0)


def parse_seeds(seed: Any, count: int) -> list[int]:
    """The integer seeds of several trainings, in order.

    An integer s gives s, s + 1, …; a generator, or one made of a BitGenerator or SeedSequence,
    draws one after the other, the first as `parse_seed` does; None draws each from the system.

    Raises
    ------
    ValueError
        An integer is negative, or the last one would have 64 bits or more.
    TypeError
        `seed` has another type.

    Examples
    --------
    >>> import numpy as np
    >>> parse_seeds(7, 3)
    [7, 8, 9]
    >>> first, second = parse_seeds(np.random.SeedSequence(0), 2)
    >>> first == parse_seed(np.random.SeedSequence(0)), first == second
    (True, False)
    """
    if seed is None:
        return [_drawn() for _ in range(count)]
    random = sys.modules.get("numpy.random")
    if random and isinstance(seed, random.Generator | random.BitGenerator | random.SeedSequence):
        rng = random.default_rng(seed)  # one, as a SeedSequence makes equal ones
        return [parse_seed(rng) for _ in range(count)]
    first = parse_seed(seed)
    if first > MAX_SEED - (count - 1):
        expected = f"at most {MAX_SEED - (count - 1)}, as the last of {count} is {count - 1} more"
        raise ValueError(f"seed: expected {expected}, got {first}")
    return list(range(first, first + count))


def generator(seed: Any) -> np.random.Generator:
    """`numpy.random.default_rng(seed)`, with a check for nested lists and for bools.

    NumPy recurses without end into a list that contains itself, which ends the process, and takes
    a bool in a list for 0 or 1.

    Raises
    ------
    ValueError, TypeError
        NumPy does not accept the seed, it is or contains a bool, it is masked, or lists are nested
        too deep.

    Examples
    --------
    >>> generator(3).random() == generator(3).random()
    True
    """
    if isinstance(seed, np.ndarray) and seed.ndim == 0:
        seed = integer("seed", seed, 0)
    with naming("seed"):
        _check_entries(seed, ())
        return np.random.default_rng(seed)


def _check_entries(seed: Any, outer: tuple[int, ...]) -> None:
    is_array = isinstance(seed, np.ndarray | np.generic)
    if isinstance(seed, bool) or (is_array and seed.dtype == bool):
        kind = "an array of bool" if np.ndim(seed) else type(seed).__name__
        got = f"{kind} in a list" if outer else kind
        raise TypeError(f"expected an integer or what default_rng accepts, got {got}")
    if isinstance(seed, str | bytes | bytearray | memoryview) or not hasattr(seed, "__len__"):
        return
    if is_array and (not seed.ndim or not seed.dtype.hasobject):
        return
    if len(outer) == MAX_DEPTH or id(seed) in outer:
        raise ValueError(f"expected lists nested at most {MAX_DEPTH} deep, got deeper ones")
    for entry in seed:
        _check_entries(entry, (*outer, id(seed)))
