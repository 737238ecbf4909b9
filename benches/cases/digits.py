"""The digits of examples/mnist.py, its start, and its order of them."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bpfast._core import permutation
from examples.shared.digits import FOLDER, load

Array = NDArray[np.floating[Any]]
SIZES = (784, 30, 10)
BATCH = 10
ETA = 3.0
SEED = 1


@dataclass(frozen=True)
class Digits:
    """Training and test digits, and the parameters that training starts from."""

    x: Array  # (n, 784), from 0 to 1
    y: Array  # (n, 10), 1 at the label
    test_x: Array
    test_labels: NDArray[np.uint8]
    weights: list[Array]
    biases: list[Array]

    @classmethod
    def load(cls, count: int) -> Self:
        """Read the first `count` training digits, all test digits, and draw the start."""
        x, labels = load(FOLDER, ["train", "train-10k"], "float32")
        test_x, test_labels = load(FOLDER, ["t10k"], "float32")
        count = min(count, len(x)) // BATCH * BATCH
        rng = np.random.default_rng(0)
        pairs = list(itertools.pairwise(SIZES))
        # A start that learns with scikit-learn's other cost too: N(0, 1/n_in).
        weights = [(rng.standard_normal((m, k)) / np.sqrt(k)).astype("f4") for k, m in pairs]
        biases = [rng.standard_normal(m).astype("f4") for m in SIZES[1:]]
        y = np.eye(10, dtype="f4")[labels[:count]]
        return cls(x[:count], y, test_x, test_labels, weights, biases)

    def orders(self) -> Iterator[NDArray[np.int64]]:
        """Shuffled indices for epoch after epoch, the same for every peer."""
        for epoch in itertools.count(1):
            yield permutation(SEED, epoch, len(self.x)).astype(np.int64)

    def accuracy(self, weights: list[Array], biases: list[Array]) -> float:
        """The share of test digits that a network gets right."""
        a = self.test_x
        for w, b in zip(weights, biases, strict=True):
            a = 1 / (1 + np.exp(-(a @ w.T + b)))
        return float(np.mean(a.argmax(axis=1) == self.test_labels))
