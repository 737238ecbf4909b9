"""`fit_many`: each network ends with the bits of a training alone, whatever the arguments."""

import copy

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import bpfast
from tests.helpers.many import S, X, Y, assert_same, networks, own_cost

LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


class EveryFourth(bpfast.EarlyStopping):
    """A rule of the user's own."""

    __slots__ = ()

    def is_over(self, epoch):
        return epoch == 4


CLASSES = {"output": "softmax", "cost": "log_likelihood", "width": 3}
# Arguments of fit_many; a list has one value for each network.
CASES = {
    "defaults": {},
    "lists": {
        "epochs": [3, 4, 5, 6], "batch_size": [1, 16, None, 7], "l1": [0, 0.01, 0, 0.1],
        "l2": [0, 0.1, 0, 0.01], "optimizer": ["sgd", "adam", "rmsprop", "adagrad"],
        "learning_rate": [0.1, None, 0.01, 0.02],
    },
    "penalties": {"l2": 0.1, "max_norm": 1.0, "clip_norm": 0.5},
    "dropout": {"dropout": [0.1, [0.5], 0.0, 0.3]},
    "in order": {"shuffle": False, "batch_size": 50},
    "weights of each": {"sample_weight": [S, None, S**2, np.ones(120)]},
    "weights of all": {"sample_weight": S},
    "validation": {"validation": (X[:50], Y[:50]), "early_stopping": 2, "epochs": 30},
    "weighted validation": {"validation": (X[:50], Y[:50], S[:50]), "early_stopping": 3},
    "held out": {
        "validation": 0.3, "early_stopping": [1, 2, 3, 4], "epochs": 40, "learning_rate": 0.1,
    },
    "held out, weighted": {"validation": 0.3, "sample_weight": S},
    "metrics": {"validation": 0.3, "metrics": ["r2", "mean_absolute_error"]},
    "stopped by a metric": {
        "validation": 0.3, "metrics": "r2", "epochs": 30,
        "early_stopping": [bpfast.EarlyStopping(2, "validation_r2") for _ in range(4)],
    },
    "stopped by a cost that falls": {
        "epochs": 30, "early_stopping": bpfast.EarlyStopping(3, "cost", mode="max"),
    },
    "stopped by a rule of one's own": {"epochs": 30, "early_stopping": EveryFourth(9)},
    "without the best parameters": {
        "validation": 0.3, "epochs": 40, "learning_rate": 0.1,
        "early_stopping": bpfast.EarlyStopping(2, restore_best=False),
    },
    "stopped or not": {  # also where the rule runs in several calls
        "validation": 0.3, "epochs": 40, "learning_rate": 0.1, "batch_size": 1, "progress": True,
        "early_stopping": bpfast.EarlyStopping(4, min_delta=1e-4),
    },
    "schedule": {"learning_rate": bpfast.schedules.Step(0.1, every=7, factor=0.5)},
    "plateau": {"learning_rate": bpfast.schedules.Plateau(0.1, patience=1), "epochs": 12},
    "plateau after a ramp": {
        "learning_rate": bpfast.schedules.WarmUp(bpfast.schedules.Plateau(0.1, patience=1), 5),
        "epochs": 12,
    },
    "momentum": {"optimizer": bpfast.SGD(0.05, momentum=0.9)},
}  # fmt: skip


def alone(net, given, k):
    """Train a network alone with the arguments of network k."""
    options = {
        name: value[k] if isinstance(value, list) and name != "metrics" else value
        for name, value in given.items()
    }
    stop = options.get("early_stopping")
    if isinstance(stop, bpfast.EarlyStopping):
        options["early_stopping"] = copy.deepcopy(stop)
    if isinstance(options.get("optimizer"), bpfast.optimizers.Optimizer):
        options["optimizer"] = bpfast.SGD(0.05, momentum=0.9)
    options["learning_rate"] = copy.deepcopy(options.get("learning_rate"))
    return net.fit(X, Y, seed=3 + k, **options)


@pytest.mark.parametrize("name", CASES)
def test_the_bits_of_a_training_alone(name):
    given = CASES[name]
    nets, twins = networks(), networks()
    ensemble = bpfast.fit_many(nets, X, Y, seed=3, **given)
    for k, (net, twin) in enumerate(zip(ensemble, twins, strict=True)):
        assert net is nets[k]
        assert_same(net, twin, ensemble.histories[k], alone(twin, given, k))
        assert net.history is ensemble.histories[k]


def test_early_stopping_did_stop():
    """Else the cases above would show nothing."""
    ensemble = bpfast.fit_many(networks(), X, Y, seed=3, **CASES["held out"])
    assert "early stopping" in {history.stopped for history in ensemble.histories}


@pytest.mark.parametrize("form", [tuple, np.array, pd.Series, lambda values: np.array(values, "O")])
def test_sequences_with_an_entry_for_each(form):
    given = {
        "epochs": [3, 4, 5, 6], "batch_size": [1, 16, 8, 7], "l2": [0.0, 0.1, 0.0, 0.01],
        "learning_rate": [0.1, 0.2, 0.01, 0.02], "seed": [5, 3, 4, 9],
        "optimizer": ["sgd", "adam", "sgd", "sgd"], "early_stopping": [1, 2, 3, 4],
    }  # fmt: skip
    nets, twins = networks(), networks()
    ensemble = bpfast.fit_many(nets, X, Y, **{name: form(each) for name, each in given.items()})
    other = bpfast.fit_many(twins, X, Y, **given)
    for k, (net, twin) in enumerate(zip(nets, twins, strict=True)):
        assert_same(net, twin, ensemble.histories[k], other.histories[k])
    bpfast.fit_many(nets, X, Y, epochs=1, seed=range(4))
    assert [net.history.seed for net in nets] == [0, 1, 2, 3]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads(threads):
    nets, twins = networks(), networks()
    bpfast.fit_many(twins, X, Y, epochs=3, seed=0)
    with bpfast.num_threads(threads):
        bpfast.fit_many(nets, X, Y, epochs=3, seed=0)
    assert [n.params.tobytes() for n in nets] == [t.params.tobytes() for t in twins]


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix, np.asfortranarray])
def test_forms_of_x(form):
    x = np.where(np.abs(X) < 1, 0, X)
    nets, twins = networks(), networks()
    bpfast.fit_many(nets, form(x), Y, epochs=3, seed=0)
    for k, twin in enumerate(twins):
        twin.fit(form(x), Y, epochs=3, seed=k)
        assert nets[k].params.tobytes() == twin.params.tobytes()


def test_memory_maps(tmp_path):
    mapped = np.memmap(tmp_path / "x", np.float64, "w+", shape=X.shape)
    mapped[:] = X
    nets, twins = networks(), networks()
    bpfast.fit_many(nets, mapped, Y, epochs=3, seed=0)
    for k, twin in enumerate(twins):
        twin.fit(mapped, Y, epochs=3, seed=k)
        assert nets[k].params.tobytes() == twin.params.tobytes()


@pytest.mark.parametrize("y", [LABELS, LABELS.astype(float), np.eye(3)[LABELS]])
def test_classes(y):
    nets, twins = networks(**CLASSES), networks(**CLASSES)
    options = {"epochs": 4, "metrics": "accuracy", "class_weight": "balanced"}
    ensemble = bpfast.fit_many(nets, X, y, seed=0, **options)
    for k, twin in enumerate(twins):
        assert_same(nets[k], twin, ensemble.histories[k], twin.fit(X, y, seed=k, **options))


def test_costs_of_their_own():
    """A callable cost runs beside the others."""
    nets = [*networks()[:2], bpfast.Network([4, 3, 1], output="identity", cost=own_cost, seed=0)]
    twins = [net.copy() for net in nets]
    ensemble = bpfast.fit_many(nets, X, Y, epochs=3, seed=0)
    for k, twin in enumerate(twins):
        assert_same(nets[k], twin, ensemble.histories[k], twin.fit(X, Y, epochs=3, seed=k))


def test_training_continues():
    nets, twins = networks(), networks()
    for epochs in (2, 3):
        optimizers = [net.optimizer or "adam" for net in nets]
        bpfast.fit_many(nets, X, Y, epochs=epochs, optimizer=optimizers, seed=0)
    for k, twin in enumerate(twins):
        for epochs in (2, 3):
            twin.fit(X, Y, epochs=epochs, optimizer=twin.optimizer or "adam", seed=k)
        assert nets[k].params.tobytes() == twin.params.tobytes()


def test_an_error_of_a_cost_is_no_divergence():
    def cost(a, y):
        raise ZeroDivisionError("mine")

    net = bpfast.Network([X.shape[1], 2, Y.shape[1]], cost=cost, seed=0)
    with pytest.raises(ZeroDivisionError, match="mine"):
        bpfast.fit_many([net], X, Y, seed=0)
    assert net.history.stopped == "ZeroDivisionError"


def test_a_network_that_diverges_stops_alone():
    nets, twins = networks(), networks()
    rates = [0.01, 1e30, 0.01, 0.01]
    with pytest.warns(UserWarning, match="4-8-1.* stopped alone: epoch 1, step 1: the cost"):
        ensemble = bpfast.fit_many(
            nets, X, Y, epochs=4, optimizer="sgd", learning_rate=rates, seed=0
        )
    assert [history.stopped for history in ensemble.histories] == [None, "diverged", None, None]
    assert np.isfinite(nets[1].params).all()
    for k in (0, 2, 3):
        twins[k].fit(X, Y, epochs=4, optimizer="sgd", learning_rate=0.01, seed=k)
        assert nets[k].params.tobytes() == twins[k].params.tobytes()


def nothing(net, history):
    """A callback, so that Python runs after each epoch."""


@pytest.mark.parametrize("options", [{}, {"metrics": "r2"}, {"callbacks": nothing}])
def test_successive_halving(options):
    nets = [bpfast.Network([4, 6, 1], output="identity", seed=k) for k in range(8)]
    held = np.arange(0, 120, 3)
    ensemble = bpfast.fit_many(
        nets, X, Y, epochs=9, keep=0.5, every=2, validation_rows=held, **options
    )
    lengths = [len(history) for history in ensemble.histories]
    assert sorted(lengths) == [2, 2, 2, 2, 4, 4, 6, 9]
    at_two = [history.validation_cost[1] for history in ensemble.histories]
    assert {k for k in range(8) if lengths[k] == 2} == set(np.argsort(at_two)[4:].tolist())
    assert {history.stopped for history in ensemble.histories} == {None, "halving"}


@pytest.mark.parametrize(("keep", "left"), [(0.07, 7), (1e-9, 1), (0.99, 99)])
def test_how_many_go_on(keep, left):
    """0.07 · 100 is above 7 in float64."""
    nets = [bpfast.Network([4, 1], output="identity", seed=k) for k in range(100)]
    ensemble = bpfast.fit_many(nets, X, Y, epochs=2, keep=keep, every=1, seed=0)
    assert sum(history.stopped is None for history in ensemble.histories) == left


def test_validation_of_some_and_rows_of_others():
    given = {
        "validation": [(X[:9], Y[:9]), None, None, 0.2],
        "validation_rows": [None, range(9), None, None],
    }
    ensemble = bpfast.fit_many(networks(), X, Y, epochs=1, seed=0, **given)
    has_validation = ["validation_cost" in history for history in ensemble.histories]
    assert has_validation == [True, True, False, True]


def test_halving_by_costs_that_do_not_compare():
    message = "^validation_cost: the networks were evaluated on different examples"
    with pytest.warns(UserWarning, match=message) as caught:
        bpfast.fit_many(networks(), X, Y, epochs=2, keep=0.5, every=1, validation=0.3, seed=0)
    assert caught[0].filename == __file__


def test_progress(capsys):
    """Over all networks: 4 epochs of 4 × 120 examples."""
    bpfast.fit_many(networks(), X, Y, epochs=4, progress=True, seed=0)
    assert "1.92k/1.92k" in capsys.readouterr().err


def test_the_state_of_early_stopping():
    stops = [bpfast.EarlyStopping(3) for _ in range(4)]
    ensemble = bpfast.fit_many(
        networks(), X, Y, validation=0.3, epochs=40, learning_rate=0.1, early_stopping=stops, seed=3
    )
    for stop, history in zip(stops, ensemble.histories, strict=True):
        costs = history.validation_cost
        assert stop.state == {"best": costs.min(), "best_epoch": int(costs.argmin()) + 1}
