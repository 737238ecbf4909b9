"""PyTorch: modules and backward(), as they are and compiled."""

import os
import re
from typing import Any

import torch
from torch import nn

from benches.cases.cases import Problem
from benches.peers.protocol import Array, Parts, Peer

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))


class SparseLinear(nn.Module):  # type: ignore[misc]
    """The first layer of a sparse x, given as columns and values, (n, stored) each."""

    def __init__(self, w: Array, b: Array) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(w.shape[1], w.shape[0], mode="sum")
        self.bias = nn.Parameter(torch.from_numpy(b.copy()))
        with torch.no_grad():
            self.bag.weight.copy_(torch.from_numpy(w).T)

    def forward(self, x: Any) -> Any:
        columns, values = x
        return self.bag(columns, per_sample_weights=values) + self.bias

    def gradient(self) -> tuple[Array, Array]:
        return self.bag.weight.grad.numpy().T, self.bias.grad.numpy()


class Linear(nn.Linear):  # type: ignore[misc]
    """A layer with its parameters."""

    def __init__(self, w: Array, b: Array) -> None:
        super().__init__(w.shape[1], w.shape[0], dtype=getattr(torch, w.dtype.name))
        with torch.no_grad():
            self.weight.copy_(torch.from_numpy(w))
            self.bias.copy_(torch.from_numpy(b))

    def gradient(self) -> tuple[Array, Array]:
        return self.weight.grad.numpy(), self.bias.grad.numpy()


class TorchPeer(Peer):
    def __init__(self, problem: Problem) -> None:
        case = problem.case
        layers: list[Any] = []
        for w, b in zip(problem.weights, problem.biases, strict=True):
            first_of_sparse = case.sparse and not layers
            layers += [SparseLinear(w, b) if first_of_sparse else Linear(w, b)]
            layers += [ACTIVATIONS[case.activation]()]
        self.linears = layers[::2]
        self.model = nn.Sequential(*layers[:-1])
        self.x: Any
        if case.sparse:
            parts = problem.x.indices.astype("i8"), problem.x.data
            self.x = tuple(torch.from_numpy(part.reshape(case.batch, -1)) for part in parts)
        else:
            self.x = torch.from_numpy(problem.x)
        self.y = torch.from_numpy(problem.y)
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
        weights, biases = zip(*(linear.gradient() for linear in self.linears), strict=True)
        return list(weights), list(biases)

    def read_forward(self) -> Array:
        a: Array = self.forward().numpy()
        return a

    @staticmethod
    def kernels() -> list[str]:
        lines = torch.__config__.show().splitlines()
        libraries = [line.strip(" -") for line in lines if "Math Kernel" in line or "DNN v" in line]
        own = f"ATen {torch.__version__}: {torch.backends.cpu.get_cpu_capability()}"
        return [own, *(re.split(r" \(Git|-Product", library)[0] for library in libraries)]


class CompiledPeer(TorchPeer):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        # A process meets many problems, and PyTorch stops compiling after eight of the same code.
        torch.compiler.reset()
        self.run_cost = torch.compile(self.cost, dynamic=False)
        self.run_model = torch.compile(self.model, dynamic=False)
