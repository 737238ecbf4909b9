"""bpfast: `fit`, with every number of x or with those that are not 0."""

from typing import Any

from scipy.sparse import csr_array

import bpfast
from benches.cases.digits import BATCH, ETA, SEED, Digits
from benches.trainers.protocol import Parts, Trainer


class BpfastTrainer(Trainer):
    # `fit` checks its arguments and, for the sparse way, looks at every number of x first.
    AT_ONCE = 10
    SPARSE: bool | None = False

    def __init__(self, digits: Digits) -> None:
        self.x: Any = digits.x
        self.y = digits.y
        self.net = bpfast.Network.from_parameters(digits.weights, digits.biases, dtype="float32")

    def learn(self, epochs: int) -> None:
        # The first epoch of a seed has the order in which the others begin.
        self.net.fit(
            self.x,
            self.y,
            epochs=epochs,
            batch_size=BATCH,
            optimizer=bpfast.SGD(ETA),
            seed=SEED,
            sparse=self.SPARSE,
        )

    def epoch(self) -> None:
        self.learn(1)

    def epochs(self) -> None:
        self.learn(self.AT_ONCE)

    def parameters(self) -> Parts:
        return list(self.net.weights), list(self.net.biases)


class BpfastSparseTrainer(BpfastTrainer):
    SPARSE = True


class BpfastCsrTrainer(BpfastTrainer):
    SPARSE = None

    def __init__(self, digits: Digits) -> None:
        super().__init__(digits)
        self.x = csr_array(digits.x)
