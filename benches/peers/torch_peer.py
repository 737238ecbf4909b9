"""PyTorch: modules and backward(), as they are and compiled."""

import os
from typing import Any

import torch
from torch import nn

from benches.cases import Problem
from benches.peers.protocol import Array, Parts, Peer

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))


class TorchPeer(Peer):
    def __init__(self, problem: Problem) -> None:
        case = problem.case
        layers: list[Any] = []
        for w, b in zip(problem.weights, problem.biases, strict=True):
            linear = nn.Linear(w.shape[1], w.shape[0], dtype=getattr(torch, case.dtype))
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, ACTIVATIONS[case.activation]()]
        self.linears = layers[::2]
        self.model = nn.Sequential(*layers[:-1])
        self.x, self.y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)
        self.scale = 0.5 / case.batch
        self.run_cost = self.cost
        self.run_model: Any = self.model

    def cost(self, x: Any, y: Any) -> Any:
        return nn.functional.mse_loss(self.model(x), y, reduction="sum") * self.scale

    def gradient(self) -> Any:
        self.model.zero_grad(set_to_none=True)
        cost = self.run_cost(self.x, self.y)
        cost.backward()
        return cost

    def forward(self) -> Any:
        with torch.inference_mode():
            return self.run_model(self.x)

    def read_gradient(self) -> Parts:
        self.gradient()
        return (
            [linear.weight.grad.numpy() for linear in self.linears],
            [linear.bias.grad.numpy() for linear in self.linears],
        )

    def read_forward(self) -> Array:
        a: Array = self.forward().numpy()
        return a


class CompiledPeer(TorchPeer):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        # A process meets many problems, and PyTorch stops compiling after eight of the same code.
        torch.compiler.reset()
        self.run_cost = torch.compile(self.cost, dynamic=False)
        self.run_model = torch.compile(self.model, dynamic=False)
