"""Small networks of one shape do their steps together: each has the bits of a training alone."""

import copy
import threading
from _thread import interrupt_main

import numpy as np
import pytest

import bpfast
from tests.helpers.many import RNG, S, X, Y, assert_same, own_cost
from tests.helpers.processes.ctrl_c import ctrl_c_raises

LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
CLASSES = {"output": "softmax", "cost": "log_likelihood"}
HELD = np.arange(0, 120, 4)


def alike(count=11, sizes=(4, 6, 1), **options):
    hidden = {"hidden": "tanh"} if len(sizes) > 2 else {}
    options = {"output": "identity"} | hidden | options
    return [bpfast.Network(list(sizes), seed=k, **options) for k in range(count)]


# Networks, y, and arguments of fit_many; a list has one value for each of 11 networks.
CASES = {
    "defaults": ({}, Y, {}),
    "float32": ({"dtype": "float32"}, Y, {"optimizer": "sgd", "learning_rate": 0.1}),
    "two layers": ({"sizes": (4, 5, 7, 1), "hidden": "gelu"}, Y, {"batch_size": 7}),
    "no hidden layer": ({"sizes": (4, 1)}, Y, {}),
    "without biases": ({"biases": False}, Y, {}),
    "classes": ({"sizes": (4, 6, 3)} | CLASSES, LABELS, {"metrics": "accuracy"}),
    "class weights": ({"sizes": (4, 6, 3)} | CLASSES, LABELS, {"class_weight": "balanced"}),
    "multiple outputs": (
        {"sizes": (4, 6, 2), "output": "sigmoid", "cost": "cross_entropy"},
        RNG.random((120, 2)), {"sample_weight": S},
    ),
    "rates": ({}, Y, {"learning_rate": [0.01 * (1 + k) for k in range(11)]}),
    "optimizers": (
        {}, Y, {"optimizer": [("sgd", "adam", "rmsprop", "adagrad")[k % 4] for k in range(11)]},
    ),
    "penalties": ({}, Y, {"l1": [0.0, 0.01] * 5 + [0.1], "l2": 0.01, "optimizer": "sgd"}),
    "rows": ({}, Y, {"rows": [RNG.integers(0, 120, 100) for _ in range(11)]}),
    "epochs": ({}, Y, {"epochs": [1 + k for k in range(11)]}),
    "early stopping": (
        {}, Y, {"validation": 0.3, "early_stopping": 1, "epochs": 40, "learning_rate": 0.1},
    ),
    "validation": ({}, Y, {"validation": (X[:30], Y[:30], S[:30])}),
    "plateau": (
        {}, Y, {"learning_rate": bpfast.schedules.Plateau(0.1, patience=1), "epochs": 12},
    ),
    # These do their steps alone.
    "dropout": ({}, Y, {"dropout": 0.2}),
    "norms": ({}, Y, {"clip_norm": 0.1, "max_norm": 1.0}),
    "some with dropout": ({}, Y, {"dropout": [0.0, 0.2] * 5 + [0.0]}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("threads", [1, 3])
def test_the_bits_of_a_training_alone(case, threads):
    kind, y, options = CASES[case]
    options = {"epochs": 4} | options
    nets, twins = alike(**kind), alike(**kind)
    with bpfast.num_threads(threads):
        ensemble = bpfast.fit_many(nets, X, y, seed=0, **options)
    for k, twin in enumerate(twins):
        one = {name: v[k] if isinstance(v, list) else v for name, v in options.items()}
        one["learning_rate"] = copy.deepcopy(one.get("learning_rate"))  # a schedule has state
        rows = one.pop("rows", np.arange(120))
        history = twin.fit(X[rows], y[rows], seed=k, **one)
        assert_same(nets[k], twin, ensemble.histories[k], history)


def test_other_shapes_among_them():
    def networks():
        wide = [
            bpfast.Network([4, 200, 1], hidden="tanh", output="identity", seed=k) for k in (0, 1)
        ]
        own = bpfast.Network([4, 6, 1], output="identity", cost=own_cost, seed=0)
        return [*alike(3), wide[0], *alike(4, dtype="float32"), own, wide[1], *alike(2, (4, 7, 1))]

    nets, twins = networks(), networks()
    ensemble = bpfast.fit_many(nets, X, Y, epochs=3, seed=0)
    for k, twin in enumerate(twins):
        assert_same(nets[k], twin, ensemble.histories[k], twin.fit(X, Y, epochs=3, seed=k))


@pytest.mark.filterwarnings("ignore:cost. has grown", "ignore:nets.5., .* stopped alone")
@pytest.mark.parametrize("rate", [1e3, 1e5, 1e30])
def test_one_that_diverges(rate):
    """The others lose no step, whichever it is."""
    nets, twins = alike(hidden="relu"), alike(hidden="relu")
    rates = [rate if k == 5 else 0.01 for k in range(11)]
    options = {"epochs": 40, "optimizer": "sgd"}
    ensemble = bpfast.fit_many(nets, X, Y, learning_rate=rates, seed=0, **options)
    for k, twin in enumerate(twins):
        if k == 5:
            with pytest.raises(bpfast.DivergenceError):
                twin.fit(X, Y, learning_rate=rate, seed=k, **options)
            assert twin.history.stopped == "diverged"
        else:
            twin.fit(X, Y, learning_rate=0.01, seed=k, **options)
        assert_same(nets[k], twin, ensemble.histories[k], twin.history)


def test_memory_of_any_alignment():
    room = np.zeros(120 * 4 + 1)
    x = room[1:].reshape(120, 4)
    x[:] = X
    nets, twins = alike(), alike()
    bpfast.fit_many(nets, x, Y, epochs=2, seed=0)
    for k, twin in enumerate(twins):
        twin.fit(X, Y, epochs=2, seed=k)
        assert nets[k].params.tobytes() == twin.params.tobytes()


def test_ctrl_c():
    """All end after the same step."""
    nets, twins = alike(8), alike(8)
    threading.Timer(0.2, interrupt_main).start()
    with ctrl_c_raises(), bpfast.num_threads(1), pytest.raises(KeyboardInterrupt):
        bpfast.fit_many(nets, X, Y, epochs=10**6, seed=0)
    (steps,) = {net.optimizer.steps for net in nets}
    for k, (net, twin) in enumerate(zip(nets, twins, strict=True)):
        assert net.history.stopped == "interrupted"
        epochs, left = divmod(steps, 4)
        assert len(net.history) == epochs
        if left == 0:
            twin.fit(X, Y, epochs=epochs, seed=k)
            assert net.params.tobytes() == twin.params.tobytes()
