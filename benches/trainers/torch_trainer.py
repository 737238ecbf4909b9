"""PyTorch: modules, backward() and an optimiser, by the mini-batch."""

import os

import torch
from torch import nn

from benches.cases.digits import BATCH, ETA, Digits
from benches.trainers.protocol import Parts, Trainer

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))


class TorchTrainer(Trainer):
    def __init__(self, digits: Digits) -> None:
        self.x, self.y = torch.from_numpy(digits.x), torch.from_numpy(digits.y)
        self.orders = digits.orders()
        self.linears = [nn.Linear(w.shape[1], w.shape[0]) for w in digits.weights]
        for linear, w, b in zip(self.linears, digits.weights, digits.biases, strict=True):
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w))
                linear.bias.copy_(torch.from_numpy(b))
        self.model = nn.Sequential(*(m for linear in self.linears for m in (linear, nn.Sigmoid())))
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=ETA)

    def epoch(self) -> None:
        order = torch.from_numpy(next(self.orders))
        x, y = self.x[order], self.y[order]
        for i in range(0, len(x), BATCH):
            self.optimiser.zero_grad(set_to_none=True)
            a = self.model(x[i : i + BATCH])
            cost = nn.functional.mse_loss(a, y[i : i + BATCH], reduction="sum") * (0.5 / BATCH)
            cost.backward()
            self.optimiser.step()

    def parameters(self) -> Parts:
        return (
            [linear.weight.detach().numpy() for linear in self.linears],
            [linear.bias.detach().numpy() for linear in self.linears],
        )
