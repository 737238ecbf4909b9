"""bpfast: the gradient alone, with a step of Adam behind it, and in `fit`."""

import numpy as np

import bpfast
from benches.cases import Problem
from benches.peers.bpfast_peer import BpfastPeer

# The steps of an epoch of `fit`: what it does before the first counts little.
STEPS = 32


class BpfastAdamPeer(BpfastPeer):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.optimizer = bpfast.Adam(1e-6)
        self.trained = self.net.copy()
        self.trained_by = bpfast.Adam(1e-6)
        self.many_x = np.tile(self.x, (STEPS, 1))
        self.many_y = np.tile(self.y, (STEPS, 1))

    def step(self) -> None:
        self.net.backprop(self.x, self.y, out=self.g)
        self.optimizer.step(self.net.params, self.g.flat)

    def fit(self) -> None:
        """STEPS steps, the examples in a new order."""
        self.trained.fit(
            self.many_x,
            self.many_y,
            epochs=1,
            batch_size=len(self.x),
            optimizer=self.trained_by,
            seed=0,
            sparse=False,
        )
