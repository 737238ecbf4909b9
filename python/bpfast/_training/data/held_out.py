"""Which examples are held out for validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

# In place of the number of an epoch, in the random order that decides which examples are held out;
# epochs are counted from 1.
HELD_OUT_EPOCH = 0


def split_rows(share: float, n: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The rows of `n` to train on, and the fraction `share` to hold out, drawn by the seed.

    Both are in ascending order, so a network has the same held-out examples wherever it is trained.

    Raises
    ------
    ValueError
        One of the two would be empty.

    Examples
    --------
    >>> rest, held_out = split_rows(0.25, 8, seed=0)
    >>> len(held_out), sorted([*rest, *held_out]) == list(range(8))
    (2, True)
    """
    count = round(share * n) if 0 < share < 1 else 0
    if not 0 < count < n:
        expected = "a fraction above 0 and below 1 that leaves examples on both sides"
        raise ValueError(f"validation: expected {expected}, got {share:g} of {n}")
    order = _core.permutation(seed, HELD_OUT_EPOCH, n)
    return np.sort(order[count:]), np.sort(order[:count])


def refuse_zero_weights(*, trained_on: bool, held_out: bool) -> None:
    """Raise ValueError if a part of the examples has only weights of 0.

    `trained_on` and `held_out` say whether that part has a weight above 0.

    Examples
    --------
    >>> refuse_zero_weights(trained_on=True, held_out=True)
    """
    for has_weight, name in ((trained_on, "trained on"), (held_out, "held out")):
        if not has_weight:
            expected = "a fraction that leaves weights above 0 on both sides"
            raise ValueError(f"validation: expected {expected}, got none of those {name}")
