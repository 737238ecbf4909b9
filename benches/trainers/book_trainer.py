"""The book's own way, chapter 1: backprop example by example, on column vectors.

Nielsen, *Neural Networks and Deep Learning*, network.py, rewritten for float32.
"""

import numpy as np

from benches.cases.digits import BATCH, ETA, Digits
from benches.trainers.protocol import Array, Parts, Trainer


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


class BookTrainer(Trainer):
    def __init__(self, digits: Digits) -> None:
        x, y = digits.x[:, :, None], digits.y[:, :, None]
        self.examples, self.orders = list(zip(x, y, strict=True)), digits.orders()
        self.weights = list(digits.weights)
        self.biases = [b[:, None] for b in digits.biases]

    def epoch(self) -> None:
        examples = [self.examples[i] for i in next(self.orders)]
        for i in range(0, len(examples), BATCH):
            self.update(examples[i : i + BATCH])

    def update(self, batch: list[tuple[Array, Array]]) -> None:
        """Step by the mean gradient of a mini-batch."""
        nabla_w = [np.zeros_like(w) for w in self.weights]
        nabla_b = [np.zeros_like(b) for b in self.biases]
        for x, y in batch:
            delta_w, delta_b = self.backprop(x, y)
            nabla_w = [nw + dw for nw, dw in zip(nabla_w, delta_w, strict=True)]
            nabla_b = [nb + db for nb, db in zip(nabla_b, delta_b, strict=True)]
        eta = ETA / len(batch)
        self.weights = [w - eta * nw for w, nw in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - eta * nb for b, nb in zip(self.biases, nabla_b, strict=True)]

    def backprop(self, x: Array, y: Array) -> Parts:
        """BP1 to BP4 for one example."""
        a, zs = [x], []
        for w, b in zip(self.weights, self.biases, strict=True):
            zs.append(np.dot(w, a[-1]) + b)
            a.append(sigmoid(zs[-1]))
        slope = sigmoid(zs[-1]) * (1 - sigmoid(zs[-1]))
        delta = (a[-1] - y) * slope
        nabla_w: list[Array] = [np.dot(delta, a[-2].T)]
        nabla_b: list[Array] = [delta]
        for k in range(2, len(self.weights) + 1):
            slope = sigmoid(zs[-k]) * (1 - sigmoid(zs[-k]))
            delta = np.dot(self.weights[-k + 1].T, delta) * slope
            nabla_w.insert(0, np.dot(delta, a[-k - 1].T))
            nabla_b.insert(0, delta)
        return nabla_w, nabla_b

    def parameters(self) -> Parts:
        return self.weights, [b[:, 0] for b in self.biases]
