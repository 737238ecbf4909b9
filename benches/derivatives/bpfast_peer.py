"""bpfast: the methods of Network."""

from typing import Any

import numpy as np

import bpfast
from benches.cases.cases import Problem
from benches.peers.bpfast_peer import network_of


class BpfastPeer:
    def __init__(self, problem: Problem, v: Any) -> None:
        case = problem.case
        self.net = network_of(problem)
        self.x, self.y = problem.x, problem.y
        self.g = bpfast.Gradient(self.net)
        # v is in the order of W^1 by rows, b^1, ...
        direction, start = bpfast.Gradient(self.net), 0
        for weights, biases in zip(direction.weights, direction.biases, strict=True):
            for part in (weights, biases):
                part[:] = v[start : start + part.size].reshape(part.shape)
                start += part.size
        self.v = direction.flat
        self.trace = self.net.trace(self.x)
        self.errors = self.net.errors(self.x, self.y)
        self.residual = (self.trace.a[-1] - self.y) / len(self.y)
        self.rows = np.empty((case.batch, self.net.params.size), case.dtype)

    def gradient(self) -> Any:
        return self.net.backprop(self.x, self.y, out=self.g)

    def per_example(self) -> Any:
        return self.net.per_example_gradients(self.x, self.y, out=self.rows)

    def norms(self) -> Any:
        return self.net.per_example_norms(self.x, self.y)

    def clipped(self) -> Any:
        return self.net.clipped_backprop(self.x, self.y, 1.0, reduction="sum", out=self.g)

    def vjp(self) -> Any:
        return self.net.vjp(self.trace, self.residual, wrt="params", out=self.g)

    def hvp(self) -> Any:
        return self.net.hvp(self.x, self.y, self.v, out=self.g)

    def hvp_known(self) -> Any:
        return self.net.hvp(self.trace, self.y, self.v, errors=self.errors, out=self.g)

    def ggn_vp(self) -> Any:
        return self.net.ggn_vp(self.x, self.y, self.v, out=self.g)

    def read(self, call: str) -> Any:
        """The result as an array, with parameters in the order of W^1 by rows, b^1, ..."""
        found = getattr(self, call)()
        if call == "norms":
            return found
        parts = [
            part.reshape(*part.shape[: call == "per_example"], -1)
            for pair in zip(found.weights, found.biases, strict=True)
            for part in pair
        ]
        return np.concatenate(parts, axis=-1)
