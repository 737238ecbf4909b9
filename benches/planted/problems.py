"""Examples to learn: digits and small problems, scaled as a careful user would scale them."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.shared.digits import FOLDER, load

Floats = NDArray[np.float64]
Problem = tuple[Floats, NDArray[Any]]


@cache
def _images() -> tuple[Floats, NDArray[np.int64]]:
    x, labels = load(FOLDER, ["train", "train-10k"], "float64")
    return x.astype(np.float64), labels.astype(np.int64)


def digits(n: int, seed: int, side: int = 28) -> Problem:
    """Real digits from 0 to 1, of 28, 14 or 7 pixels a side; labels."""
    x, labels = _images()
    rows = np.random.default_rng(seed).permutation(len(x))[:n]
    step = 28 // side
    small = x[rows].reshape(n, side, step, side, step).mean(axis=(2, 4))
    return small.reshape(n, side * side), labels[rows]


def rows_of(labels: NDArray[np.int64], classes: int) -> Floats:
    """Labels as rows with a single 1."""
    return np.eye(classes)[labels]


def blobs(n: int, seed: int, features: int = 10, classes: int = 3) -> Problem:
    """Normal clusters of standard deviation 1; labels."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((classes, features)) * 1.5
    labels = rng.integers(0, classes, n)
    x = centres[labels] + rng.standard_normal((n, features))
    return (x - x.mean(axis=0)) / x.std(axis=0), labels


def signs(n: int, seed: int) -> Problem:
    """XOR of two signs; labels 0 and 1."""
    x = np.random.default_rng(seed).standard_normal((n, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def spirals(n: int, seed: int) -> Problem:
    """Two spirals with one turn; labels 0 and 1."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    angle = rng.random(n) * 2 * np.pi
    radius = 0.3 + angle / np.pi
    turn = angle + np.pi * labels
    x = np.column_stack([radius * np.cos(turn), radius * np.sin(turn)])
    x += 0.05 * rng.standard_normal(x.shape)
    return x / x.std(), labels


def surface(n: int, seed: int, features: int = 5) -> Problem:
    """A regression with products and sines, noise of a tenth; y of mean 0, deviation 1, (n, 1)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, features))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2 % features] + x[:, -1]
    y = y / y.std() + 0.1 * rng.standard_normal(n)
    return x, ((y - y.mean()) / y.std())[:, np.newaxis]


def wave(n: int, seed: int) -> Problem:
    """sin(3 x) of one feature, (n, 1)."""
    x = np.random.default_rng(seed).uniform(-1.7, 1.7, (n, 1))
    return x, np.sin(3 * x)
