"""bpfast: the gradient alone, and training by `fit`, as the benchmark of steps calls them."""

from dataclasses import dataclass

import numpy as np

import bpfast
from benches.cases.cases import Problem
from benches.peers.bpfast_peer import BpfastPeer


@dataclass(frozen=True)
class Plan:
    """What a timed call of `fit` does: what it does before its first step has to count little."""

    batches: int  # in an epoch
    epochs: int

    @property
    def steps(self) -> int:
        return self.batches * self.epochs


PLANS = {
    "nielsen30": Plan(128, 8),
    "rl64-64": Plan(128, 8),
    "mlp512": Plan(32, 1),
    "chains": Plan(1, 32),  # full batch
}
ETA = 1e-6  # so small that the parameters stay where they are


class BpfastFitPeer(BpfastPeer):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.plan = PLANS[problem.case.name]
        self.many_x = np.tile(self.x, (self.plan.batches, 1))
        self.many_y = np.tile(self.y, (self.plan.batches, 1))
        self.by_sgd = self.net.copy(), bpfast.SGD(ETA)
        self.by_adam = self.net.copy(), bpfast.Adam(ETA)

    def sgd(self) -> None:
        self.train(*self.by_sgd)

    def adam(self) -> None:
        self.train(*self.by_adam)

    def train(self, net: bpfast.Network, optimizer: bpfast.SGD | bpfast.Adam) -> None:
        """Train for the plan's epochs, the batches shuffled unless there is one."""
        net.fit(
            self.many_x,
            self.many_y,
            epochs=self.plan.epochs,
            batch_size=len(self.x),
            shuffle=self.plan.batches > 1,
            optimizer=optimizer,
            seed=0,
            sparse=False,
        )
