"""The random numbers of a training, from scikit-learn's `random_state`."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

# The seeds that are drawn: those of `numpy.random.RandomState.randint` on every system.
_MAX_SEED = 2**31 - 1


def random_numbers(random_state: Any) -> np.random.RandomState:
    """The generator of a `random_state`. A `Generator` is used through its own bit generator."""
    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(random_state.bit_generator)
    generator: np.random.RandomState = check_random_state(random_state)
    return generator


def training_seed(random_state: Any, generator: np.random.RandomState) -> int:
    """The seed of the order of the examples and of dropout: an integer itself, or a drawn one."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(generator.randint(_MAX_SEED))
