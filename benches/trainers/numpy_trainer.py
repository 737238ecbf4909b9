"""NumPy by the mini-batch, on arrays made beforehand."""

import numpy as np

from benches.cases.digits import BATCH, ETA, Digits
from benches.peers.numpy_peer import sigmoid, sigmoid_slope
from benches.trainers.protocol import Array, Parts, Trainer


class NumpyTrainer(Trainer):
    def __init__(self, digits: Digits) -> None:
        self.x, self.y, self.orders = digits.x, digits.y, digits.orders()
        self.w = [np.ascontiguousarray(w.T) for w in digits.weights]
        self.b = [b.copy() for b in digits.biases]
        self.a = [np.empty((BATCH, len(b)), "f4") for b in self.b]
        self.delta = [np.empty_like(a) for a in self.a]
        self.scratch = [np.empty_like(a) for a in self.a]
        self.grad_w = [np.empty_like(w) for w in self.w]
        self.grad_b = [np.empty_like(b) for b in self.b]

    def epoch(self) -> None:
        order = next(self.orders)
        x, y = self.x[order], self.y[order]
        for i in range(0, len(x), BATCH):
            self.step(x[i : i + BATCH], y[i : i + BATCH])

    def step(self, x: Array, y: Array) -> None:
        """Step by the gradient of a mini-batch."""
        below = [x, *self.a]
        for k, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
            z = np.matmul(below[k], w, out=self.a[k])
            z += b
            sigmoid(z)
        delta = np.subtract(self.a[-1], y, out=self.delta[-1])
        delta *= ETA / BATCH
        for k in reversed(range(len(self.w))):
            delta *= sigmoid_slope(self.a[k], self.scratch[k])
            np.matmul(below[k].T, delta, out=self.grad_w[k])
            np.sum(delta, axis=0, out=self.grad_b[k])
            if k > 0:
                delta = np.matmul(delta, self.w[k].T, out=self.delta[k - 1])
        for kept, g in zip(self.w + self.b, self.grad_w + self.grad_b, strict=True):
            np.subtract(kept, g, out=kept)

    def parameters(self) -> Parts:
        return [w.T for w in self.w], self.b
