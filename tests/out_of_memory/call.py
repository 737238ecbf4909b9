"""What the calls are made of.

An entry of `CALLS` makes what its call needs, and returns the call: a function without arguments,
whose answer is thrown away. Sizes are such that it is their arrays that memory runs out for.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bpfast

Call = Callable[[], object]
CALLS: dict[str, Callable[[], Call]] = {}

ROWS, WIDE = 20_000, 300


def call(make: Callable[[], Call]) -> Callable[[], Call]:
    """Put a call into `CALLS`, under its name."""
    CALLS[make.__name__] = make
    return make


def several(make: Callable[[], Iterator[tuple[str, Callable[[], Call]]]]) -> None:
    """Put calls into `CALLS` that differ in an argument."""
    for name, one in make():
        CALLS[f"{make.__name__}[{name}]"] = one


def net(*sizes: int, **options: Any) -> bpfast.Network:
    """Make a network."""
    return bpfast.Network(sizes, seed=0, **options)


def classes(rows: int = ROWS, width: int = 10) -> np.ndarray:
    """Make class labels."""
    return np.arange(rows) % width


def numbers(*shape: int) -> np.ndarray:
    """Make numbers between 0 and 1."""
    return np.linspace(0, 1, int(np.prod(shape))).reshape(shape)


SOFTMAX: dict[str, Any] = {"output": "softmax", "cost": "log_likelihood"}


def squared(a: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A cost of one's own."""
    return ((a - y) ** 2).sum(1) / 2, a - y
