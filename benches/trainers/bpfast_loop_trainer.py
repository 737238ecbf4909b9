"""bpfast: the gradient in a loop of one's own, as in examples/plain_loop.py."""

import bpfast
from benches.cases.digits import BATCH, ETA, Digits
from benches.trainers.protocol import Parts, Trainer


class BpfastLoopTrainer(Trainer):
    def __init__(self, digits: Digits) -> None:
        self.x, self.y, self.orders = digits.x, digits.y, digits.orders()
        self.net = bpfast.Network.from_parameters(digits.weights, digits.biases, dtype="float32")
        self.g = bpfast.Gradient(self.net)

    def epoch(self) -> None:
        net, g, order = self.net, self.g, next(self.orders)
        x, y = self.x[order], self.y[order]
        for i in range(0, len(x), BATCH):
            net.backprop(x[i : i + BATCH], y[i : i + BATCH], out=g)
            net.params -= ETA * g.flat

    def parameters(self) -> Parts:
        return list(self.net.weights), list(self.net.biases)
