"""bpfast: one call for the whole gradient, into a Gradient made beforehand."""

import numpy as np

import bpfast
from benches.cases.cases import Problem
from benches.peers.protocol import Array, Parts, Peer


def network_of(problem: Problem) -> bpfast.Network:
    """The network of a problem, with its parameters."""
    return bpfast.Network.from_parameters(
        problem.weights,
        problem.biases,
        hidden=problem.case.activation,
        output="identity",
        cost="quadratic",
        dtype=problem.case.dtype,
    )


class BpfastPeer(Peer):
    def __init__(self, problem: Problem) -> None:
        case = problem.case
        self.net = network_of(problem)
        self.x, self.y = problem.x, problem.y
        self.g = bpfast.Gradient(self.net)
        self.a = np.empty((case.batch, case.sizes[-1]), case.dtype)

    def gradient(self) -> object:
        return self.net.backprop(self.x, self.y, out=self.g)

    def forward(self) -> object:
        return self.net.forward(self.x, out=self.a)

    def read_gradient(self) -> Parts:
        g = self.net.backprop(self.x, self.y, out=self.g)
        return list(g.weights), list(g.biases)

    def read_forward(self) -> Array:
        return self.net.forward(self.x, out=self.a)

    @staticmethod
    def kernels() -> list[str]:
        return [str(bpfast.show_config("dicts")["simd"])]
