"""The steps of the estimators: the penalty of a mini-batch is divided by its own examples."""

import numpy as np

import bpfast
from bpfast import _core
from bpfast._training.arguments.settings import Settings
from tests.helpers.tolerance import close

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((8, 3)), RNG.standard_normal((8, 2))
SIZE, L2, RATE = 4, 0.4, 0.1


def test_other_numbers_of_examples_may_follow():
    """6 and then 7 of them: the last steps have 2 and 3, and the penalty of that number."""
    net = bpfast.Network([3, 2], output="identity", seed=0)
    expected, optimizer = net.copy(), bpfast.SGD(RATE)
    settings = Settings(
        net, batch_size=SIZE, l1=0.0, l2=L2 / SIZE, dropout=0.0, max_norm=None, clip_norm=None,
        shuffle=False, seed=0, check_finite=False,
    )  # fmt: skip
    trainer = _core.Trainer(net, optimizer._rule(), SIZE, settings, penalty_per_example=True)
    costs, examples = 0.0, (6, 7, 8, 6)
    for n in examples:
        trainer.load(X[:n], Y[:n])
        trainer.begin(1)
        trainer.run(np.full(2, RATE), optimizer, optimizer._state_for([net.params]), None)
        for rows in (slice(0, SIZE), slice(SIZE, n)):
            g = expected.backprop(X[rows], Y[rows])
            count = len(X[rows])
            costs += g.cost * count
            weights = expected.weights[0].copy()
            expected.params -= RATE * np.asarray(g)
            expected.weights[0][...] -= RATE * L2 / count * weights
    assert close(net.params, expected.params, "float64")
    assert close(trainer.report[2], costs / sum(examples), "float64")
    assert settings.l2 == L2 / SIZE
