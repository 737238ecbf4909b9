"""PyTorch: torch.func."""

import os
from typing import Any

import numpy as np
import torch
from torch.func import grad, jvp, vmap

from benches.cases.cases import Problem

ACTIVATIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))


class TorchPeer:
    def __init__(self, problem: Problem, v: Any) -> None:
        sigma = ACTIVATIONS[problem.case.activation]

        def forward(parameters: Any, x: Any) -> Any:
            last = len(parameters) - 2
            for k in range(0, last, 2):
                x = sigma(torch.nn.functional.linear(x, parameters[k], parameters[k + 1]))
            return torch.nn.functional.linear(x, parameters[last], parameters[last + 1])

        def of_one(parameters: Any, x: Any, y: Any) -> Any:
            return 0.5 * ((forward(parameters, x) - y) ** 2).sum()

        def cost(parameters: Any, x: Any, y: Any) -> Any:
            return 0.5 * ((forward(parameters, x) - y) ** 2).sum() / len(y)

        self.cost, self.each = grad(cost), vmap(grad(of_one), (None, 0, 0))
        pairs = zip(problem.weights, problem.biases, strict=True)
        self.parameters = tuple(torch.from_numpy(part) for pair in pairs for part in pair)
        self.x, self.y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)
        sizes = np.cumsum([part.numel() for part in self.parameters])[:-1]
        parts = np.split(v, sizes)
        self.v = tuple(
            torch.from_numpy(part.reshape(p.shape))
            for part, p in zip(parts, self.parameters, strict=True)
        )

    def gradient(self) -> Any:
        return self.cost(self.parameters, self.x, self.y)

    def per_example(self) -> Any:
        return self.each(self.parameters, self.x, self.y)

    def norms(self) -> Any:
        squares = [g.flatten(1).square().sum(1) for g in self.per_example()]
        return torch.stack(squares).sum(0).sqrt()

    def clipped(self) -> Any:
        gradients = self.per_example()
        squares = [g.flatten(1).square().sum(1) for g in gradients]
        factor = torch.clamp(1 / torch.stack(squares).sum(0).sqrt(), max=1)
        return [torch.tensordot(factor, g, 1) for g in gradients]

    def hvp(self) -> Any:
        def of(parameters: Any) -> Any:
            return self.cost(parameters, self.x, self.y)

        return jvp(of, (self.parameters,), (self.v,))[1]

    def read(self, call: str) -> Any:
        """The result as an array, with parameters in the order of W^1 by rows, b^1, ..."""
        found = getattr(self, call)()
        if call == "norms":
            return found.numpy()
        start = 1 if call == "per_example" else 0
        parts = [part.flatten(start).numpy() for part in found]
        return np.concatenate(parts, axis=-1)
