"""Arrays with missing values, in every form."""

from collections import deque

import numpy as np

import bpfast

RNG = np.random.default_rng(0)
X, Y, S = RNG.standard_normal((6, 3)), RNG.random((6, 2)), RNG.random(6) + 0.1
W, B = [RNG.standard_normal((2, 3))], [RNG.standard_normal(2)]
LABELS = RNG.integers(0, 2, 6)
Z, DELTA = RNG.standard_normal((6, 2)), RNG.standard_normal((6, 2))


def net_of(**options):
    return bpfast.Network([3, 2], seed=0, **options)


def masked(array):
    """The array with a missing value, whose place has a plausible number."""
    mask = np.zeros(array.shape, bool)
    mask.reshape(-1)[1] = True
    return np.ma.array(array, mask=mask)


class Holder:
    """An object that gives what it holds when it is asked for an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


class Masked(np.ndarray):
    """An array with a mask of its own, as other libraries than NumPy have."""

    mask = None


def with_mask(array):
    other = masked(array)
    found = other.data.view(Masked)
    found.mask = other.mask
    return found


FORMS = {
    "masked": masked,
    "hard": lambda a: np.ma.array(masked(a), hard_mask=True),
    "Fortran": lambda a: masked(np.asfortranarray(a)),
    "float32": lambda a: masked(a.astype(np.float32)),
    "integers": lambda a: masked(a.astype(np.int64)),
    "all": np.ma.masked_all_like,
    "in an object": lambda a: Holder(masked(a)),
    "in a list": lambda a: list(masked(a)),
    "in a tuple": lambda a: tuple(masked(a)),
    "in a deque": lambda a: deque(masked(a)),
    "objects in a list": lambda a: [Holder(row) if a.ndim > 1 else row for row in masked(a)],
    "the class of another library": with_mask,
}  # fmt: skip
