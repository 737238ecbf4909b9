"""`Monitor`: its columns against the calls that they are made of, and that it changes nothing."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse

import bpfast
from bpfast.inside import Monitor
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(2)
X = RNG.standard_normal((120, 3))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


def network(hidden="sigmoid", dtype="float64"):
    return bpfast.Network(
        [3, 7, 2], hidden=hidden, output="softmax", cost="log_likelihood", dtype=dtype, seed=0
    )


def train(net, monitor=(), **options):
    arguments = {"epochs": 3, "optimizer": "sgd", "learning_rate": 0.5, "seed": 0}
    return net.fit(X, LABELS, callbacks=monitor, **(arguments | options))


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "relu", "softplus", "leaky_relu"])
def test_columns(hidden):
    weight = RNG.random(120)
    monitor = Monitor(
        X, LABELS, sample_weight=weight, sample=120, seed=3, curvature=True, warn=False
    )
    seen = []
    net = network(hidden)
    net.biases[0][4] = -60  # off for every example, or saturated
    train(net, [monitor, lambda net, _: seen.append(net.copy())])
    assert len(monitor) == 3
    assert monitor.epoch.tolist() == [1, 2, 3]
    assert monitor.step.tolist() == [4, 8, 12]
    for k, then in enumerate(seen):
        share = weight / weight.sum()
        gradient = then.backprop(X, LABELS, sample_weight=weight)
        assert monitor.cost[k] == pytest.approx(gradient.cost, rel=1e-12)
        assert monitor.gradient_norm[k] == pytest.approx(np.linalg.norm(gradient.flat), rel=1e-10)
        deltas = then.errors(X, LABELS, reduction="sum")
        for l, delta in enumerate(deltas):  # noqa: E741 - the book's letter
            speed = np.sqrt(share @ np.square(delta).sum(axis=1))
            assert monitor[f"speed_{l + 2}"][k] == pytest.approx(speed, rel=1e-10)
        z, a = then.trace(X)
        gates = bpfast.bp2(np.ones((120, 1)), np.ones((1, 7)), z[0], activation=hidden)
        expected = {
            "sigmoid": share @ np.mean(gates < 0.025, axis=1),
            "tanh": share @ np.mean(gates < 0.1, axis=1),
            "relu": np.mean(gates.max(axis=0) == 0),
            "softplus": np.mean(gates.max(axis=0) <= 0.01),
            "leaky_relu": 0,
        }
        # The sample has another order.
        assert monitor.saturation_2[k] == pytest.approx(expected[hidden], abs=1e-12)
        assert monitor.saturation_3[k] == 0
        each = sum(
            share @ (np.square(d).sum(axis=1) * (np.square(a[l]).sum(axis=1) + 1))
            for l, d in enumerate(deltas)  # noqa: E741
        )
        norm = np.linalg.norm(gradient.flat)
        noise = np.sqrt(each - norm**2)
        assert monitor.signal_to_noise[k] == pytest.approx(norm / noise, rel=1e-8)
        if k:
            last = seen[k - 1].backprop(X, LABELS, sample_weight=weight).flat
            cosine = last @ gradient.flat / np.linalg.norm(last) / norm
            assert monitor.cosine[k] == pytest.approx(cosine, abs=1e-9)
            moved = np.linalg.norm(then.params - seen[k - 1].params)
            assert monitor.update_norm[k] == pytest.approx(moved, rel=1e-10)
        else:
            assert np.isnan([monitor.cosine[0], monitor.update_norm[0]]).all()
        options = {"optimizer": bpfast.SGD(1.0), "sample_weight": weight}
        step = bpfast.inside.explain(then, X, LABELS, **options)._facts.step
        assert monitor.curvature[k] == pytest.approx(step.largest_eigenvalue, rel=0.02)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": 7, "shuffle": True},
        {"optimizer": "adam", "learning_rate": 0.01, "dropout": 0.2},
        {"sparse": True},
        {"progress": False, "validation": 0.2},
    ],
)
@pytest.mark.parametrize("every_steps", [None, 1, 3])
def test_the_training_has_the_same_bits_with_it(options, every_steps):
    plain, watched = network(), network()
    expected = train(plain, **options)
    monitor = Monitor(X, LABELS, every_steps=every_steps, warn=False)
    found = train(watched, monitor, **options)
    assert (plain.params == watched.params).all()
    assert found.cost.tolist() == expected.cost.tolist()
    if every_steps:
        steps = watched.optimizer.steps
        assert monitor.step.tolist() == list(range(every_steps, steps + 1, every_steps))
        assert monitor.epoch.tolist() == [
            1 + (step - 1) // (steps // 3) for step in monitor.step.tolist()
        ]


def test_epochs_between_records():
    monitor = Monitor(X, LABELS, every=2, warn=False)
    train(network(), monitor, epochs=5)
    assert monitor.epoch.tolist() == [2, 4]


def test_batches_of_an_iterable():
    batches = [(X[k : k + 30], LABELS[k : k + 30]) for k in range(0, 120, 30)]
    monitor = Monitor(X, LABELS, every_steps=3, warn=False)
    network().fit(batches, epochs=3, callbacks=monitor, optimizer="sgd")
    assert monitor.step.tolist() == [3, 6, 9, 12]


def test_another_training_is_added_and_another_network_begins_anew():
    monitor = Monitor(X, LABELS, warn=False)
    net = network(dtype="float32")
    train(net, monitor)
    train(net, monitor)
    assert monitor.epoch.tolist() == [1, 2, 3, 1, 2, 3]
    assert np.isfinite(monitor.update_norm[3])
    train(network(), monitor, epochs=1)
    assert np.isnan(monitor.update_norm[6])
    deep = bpfast.Network([3, 4, 4, 2], output="softmax", cost="log_likelihood", seed=0)
    with refuses(ValueError, "^Monitor: net: expected a network of 3 layers, as before, got 4$"):
        train(deep, monitor)


def test_it_warns_once_in_one_line():
    net = network("tanh")
    net.biases[0][:] = 12
    monitor = Monitor(X, LABELS)
    with pytest.warns(UserWarning, match="^Monitor: saturated hidden neurons in layer 2") as caught:
        train(net, monitor, epochs=8)
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    assert caught[0].filename == __file__
    assert monitor.warned == "saturated_hidden"
    assert "warned of saturated_hidden" in repr(monitor)


def test_causes_are_looked_for_less_and_less(monkeypatch):
    class Nothing:
        main = None

    seen, history = [], []
    monkeypatch.setattr(
        "bpfast.inside._monitor.watch.explain",
        lambda *_, **__: seen.append(len(history)) or Nothing,
    )
    monitor = Monitor(X, LABELS)
    net = network()
    net.params[:] = 0  # nothing is learned
    train(net, [lambda *_: history.append(0), monitor], epochs=10)
    assert seen == [1, 2, 4, 8]


def test_it_does_not_warn_of_a_healthy_training():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monitor = Monitor(X, LABELS)
        train(network("tanh"), monitor, epochs=20)
    assert monitor.warned == ""


def test_it_is_a_mapping_of_columns():
    monitor = Monitor(X, LABELS, warn=False)
    assert monitor.keys() == ("epoch", "step")
    assert repr(monitor) == "Monitor(0 records)"
    train(network(), monitor)
    names = (
        "epoch", "step", "cost", "saturation_2", "saturation_3", "speed_2", "speed_3",
        "gradient_norm", "update_norm", "cosine", "signal_to_noise",
    )  # fmt: skip
    assert set(monitor.keys()) == set(names)
    assert dict(monitor).keys() == set(names)
    assert monitor.to_pandas().shape == (3, len(names) - 1)
    assert monitor.to_dict()["epoch"] == [1, 2, 3]
    assert not monitor.cost.flags.writeable
    assert "<caption>Monitor(3 records" in monitor._repr_html_()
    with pytest.raises(KeyError, match="expected one of epoch, step"):
        monitor["speed_9"]
    with pytest.raises(AttributeError, match="speed_9"):
        _ = monitor.speed_9


def test_copies_and_pickles_keep_the_records():
    monitor = Monitor(X, LABELS, warn=False)
    net = network()
    train(net, monitor)
    for twin in (copy.deepcopy(monitor), pickle.loads(pickle.dumps(monitor))):
        assert twin.to_dict()["cost"] == monitor.to_dict()["cost"]
        train(network(), twin, epochs=1)
        assert len(twin) == 4
    assert len(monitor) == 3


def test_sparse_x_and_a_sample_that_stays():
    dense, rows, x = network(), network(), X.copy()
    monitors = Monitor(x, LABELS, warn=False), Monitor(sparse.csr_array(X), LABELS, warn=False)
    x[:] = 0  # after it was copied
    train(dense, monitors[0])
    train(rows, monitors[1])
    for name in monitors[0]:
        np.testing.assert_array_equal(monitors[0][name], monitors[1][name])


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"x": X[0]}, ValueError, r"^x: expected shape \(n, n_1\) with one or more, got \(3,\)$"),
        ({"x": X[:0], "y": LABELS[:0]}, ValueError, r"^x: .*, got \(0, 3\)$"),
        ({"x": "text"}, TypeError, r"^x: expected real numbers"),
        ({"x": X.astype(str)}, TypeError, r"^x: expected real numbers"),
        ({"y": LABELS[:7]}, ValueError, r"^y: expected 120 rows, one per row of x, got"),
        ({"sample_weight": [1, 2]}, ValueError, r"^sample_weight: expected shape \(120,\), got"),
        ({"every": 0}, ValueError, r"^every: expected a positive integer, got 0$"),
        ({"every_steps": 1.5}, TypeError, r"^every_steps: expected an integer, got float$"),
        ({"every": 2, "every_steps": 5}, ValueError, r"^every: expected only without every_steps"),
        ({"sample": 0}, ValueError, r"^sample: expected a positive integer, got 0$"),
        ({"curvature": 1}, TypeError, r"^curvature: expected True or False, got int$"),
        ({"warn": None}, TypeError, r"^warn: expected True or False, got NoneType$"),
        ({"seed": -1}, ValueError, r"^seed: "),
    ],
)  # fmt: skip
def test_bad_input(arguments, kind, message):
    with refuses(kind, message):
        Monitor(**({"x": X, "y": LABELS} | arguments))


def test_a_record_before_a_training_and_in_a_loop():
    monitor, net = Monitor(X, LABELS, sample=120, warn=False), network()
    monitor.record(net)
    squares = np.square(net.errors(X, LABELS, reduction="sum")[0]).sum(axis=1)
    assert monitor.speed_2[0] == pytest.approx(np.sqrt(squares.mean()), rel=1e-12)
    train(net, monitor, epochs=2)
    for step in range(1, 3):
        net.params -= 0.5 * net.backprop(X, LABELS).flat
        monitor.record(net, epoch=3, step=step)
    assert monitor.epoch.tolist() == [0, 1, 2, 3, 3]
    assert monitor.step.tolist() == [0, net.optimizer.steps // 2, net.optimizer.steps, 1, 2]
    assert np.isnan(monitor.update_norm).tolist() == [True, False, False, False, False]
    monitor.record(net)
    assert monitor.step[-1] == net.optimizer.steps


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"net": None}, TypeError, "^net: expected a Network, got NoneType$"),
        ({"epoch": -1}, ValueError, "^epoch: expected an integer, 0 or above, got -1$"),
        ({"step": 1.5}, TypeError, "^step: expected an integer, got float$"),
        ({"net": bpfast.Network([4, 2], seed=0)}, ValueError, "^x: expected .* got "),
    ],
)
def test_a_bad_record_adds_nothing(arguments, kind, message):
    monitor = Monitor(X, LABELS)
    with refuses(kind, message):
        monitor.record(**({"net": network()} | arguments))
    assert len(monitor) == 0


def of_logits(a, y):
    return ((a - y) ** 2).sum(axis=1), 2 * (a - y)


@pytest.mark.parametrize("case", ["callable cost", "negative weights", "divergence"])
def test_it_stops_no_training(case):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 3)), rng.random((60, 1))
    weights = rng.standard_normal(60) if case == "negative weights" else None
    cost = of_logits if case == "callable cost" else "quadratic"
    net = bpfast.Network([3, 4, 1], hidden="relu", output="identity", cost=cost, seed=0)
    rate = 1e200 if case == "divergence" else 0.01
    monitor = bpfast.inside.Monitor(x, y, sample_weight=weights, warn=False)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "cost: has grown", UserWarning)
        history = net.fit(
            x, y, epochs=3, sample_weight=weights, callbacks=monitor, optimizer="sgd",
            learning_rate=rate, check_finite=False, seed=0,
        )  # fmt: skip
    assert len(history) == 3
    if case == "callable cost":
        assert np.isfinite(monitor["gradient_norm"]).all()
        assert len(monitor) == 3


WRONG = [
    ({"y": LABELS[:, np.newaxis] / 2.5}, r"y: expected shape \(120, 2\).*, got \(120, 1\)$"),
    ({"y": np.where(np.arange(120) == 70, 2, LABELS)}, r"y\[70\]: expected "),
    ({"x": np.where(np.arange(120)[:, np.newaxis] == 70, np.nan, X)}, r"x\[70, 0\]: expected fin"),
    ({"x": X[:, :2]}, r"x: expected shape \(120, 3\), got \(120, 2\)$"),
]


@pytest.mark.parametrize("every_steps", [None, 1])
@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_examples_that_do_not_fit_are_refused_before_the_first_step(
    arguments, message, every_steps
):
    """The training went on to its end without a record; each mistake is a ValueError at once."""
    net = network()
    monitor = Monitor(**({"x": X, "y": LABELS} | arguments), every_steps=every_steps)
    with refuses(ValueError, f"^Monitor: {message}", net.params):
        train(net, monitor)
    assert monitor.warned == ""
    with refuses(ValueError, rf"^nets\[1\]: Monitor: {message}"):
        bpfast.fit_many(
            [network(), net], X, LABELS, epochs=2, callbacks=[Monitor(X, LABELS), monitor]
        )


def test_another_number_of_layers_is_refused_before_the_first_step():
    monitor = Monitor(X, LABELS, warn=False)
    train(network(), monitor)
    net = bpfast.Network([3, 2], output="softmax", cost="log_likelihood", seed=0)
    with refuses(ValueError, "^Monitor: net: expected a network of .* layers", net.params):
        train(net, monitor)


def test_a_monitor_of_epochs_on_shards_is_checked_too():
    net = network()
    shards = bpfast.distributed.LocalShards([(X, LABELS)])
    with refuses(ValueError, "^Monitor: x: ", net.params):
        bpfast.distributed.fit(net, shards, epochs=2, callbacks=Monitor(X[:, :2], LABELS), seed=0)
