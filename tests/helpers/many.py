"""Networks and data of tests of many networks, and what a training of one of them alone leaves."""

import numpy as np

import bpfast

RNG = np.random.default_rng(0)
X = RNG.standard_normal((120, 4))
Y = np.tanh(X @ RNG.standard_normal((4, 1)))
S = RNG.random(120)


def networks(output="identity", cost="quadratic", width=1):
    """Four networks that differ in all that may differ."""
    parts = [
        (3, "tanh", "float64"),
        (8, "relu", "float32"),
        (17, "sigmoid", "float64"),
        (5, "gelu", "float64"),
    ]
    return [
        bpfast.Network([4, n, width], hidden=h, output=output, cost=cost, dtype=d, seed=n)
        for n, h, d in parts
    ]


def own_cost(a, y):
    return ((a - y) ** 2).sum(axis=1), 2 * (a - y)


def assert_same(net, twin, history, other):
    """The same parameters, history but for the seconds, and state of the optimizer."""
    assert net.params.tobytes() == twin.params.tobytes()
    assert history.names == other.names
    assert history.stopped == other.stopped
    assert history.seed == other.seed
    assert history.restored_epoch == other.restored_epoch
    for name in set(history.names) - {"seconds"}:
        assert history[name].tobytes() == other[name].tobytes(), name
    assert net.optimizer.steps == twin.optimizer.steps
    state, others = net.optimizer.state, twin.optimizer.state
    assert {k: np.asarray(v).tobytes() for k, v in state.items() if k != "schedule"} == {
        k: np.asarray(v).tobytes() for k, v in others.items() if k != "schedule"
    }
