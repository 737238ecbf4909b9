"""Names of other libraries, and arguments that do not go together, in fit."""

import re

import numpy as np
import pytest

import bpfast
from tests.helpers.messages import READ_ONLY
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)


N = 12


X, Y, S = RNG.standard_normal((N, 3)), RNG.random((N, 2)), RNG.random(N)


@pytest.fixture
def net():
    return bpfast.Network([3, 4, 5, 2], seed=0)


ELSEWHERE = [
    ("lr", "'learning_rate'"),
    ("learning_rate_init", "'learning_rate'"),
    ("batchsize", "'batch_size'"),
    ("mini_batch_size", "'batch_size'"),
    ("random_state", "'seed'"),
    ("lmbda", "'l2'"),
]
OF_FIT = [
    ("max_iter", "'epochs'"),
    ("n_iter_no_change", "'early_stopping'"),
    ("min_delta", r"early_stopping=bpfast.EarlyStopping\(min_delta=...\)"),
    ("tol", r"early_stopping=bpfast.EarlyStopping\(min_delta=...\)"),
    ("activation", r"Network\(..., hidden=...\)"),
    ("hidden_layer_sizes", r"Network\(\[n_in, ..., n_out\]\)"),
    ("nesterovs_momentum", r"optimizer=bpfast.SGD\(momentum=0.9, nesterov=True\)"),
]


@pytest.mark.parametrize(("name", "meant"), OF_FIT)
def test_an_argument_of_scikit_learn(net, name, meant):
    with refuses(TypeError, rf"^fit: unknown argument '{name}'; did you mean {meant}\?$", net):
        net.fit(X, Y, **{name: 1})


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("name", "meant"), ELSEWHERE)
def test_an_argument_of_other_libraries(net, method, name, meant):
    before = net.history
    with refuses(TypeError, rf"^{method}: unknown argument '{name}'; did you mean {meant}\?$", net):
        getattr(net, method)(X, Y, **{name: 0.1})
    assert net.history is before


def test_an_argument_by_position(net):
    message = "^fit: expected all but x, y by name, as in epochs=…, got 4 by position$"
    with refuses(TypeError, message, net):
        net.fit(X, Y, 10, 32)
    with refuses(TypeError, "^fit.*missing 1 required positional argument: 'x'$", net):
        net.fit()


def test_a_column_of_other_libraries_to_stop_early_by(net):
    for monitor, mode, meant in (
        ("val_loss", "min", "validation_cost"),
        ("val_cost", "min", "validation_cost"),
        ("val_accuracy", "max", "validation_accuracy"),
        ("loss", "min", "cost"),
    ):
        stop = bpfast.EarlyStopping(3, monitor, mode)
        with refuses(ValueError, f"^early_stopping: .*, got '{monitor}'; did you mean '{meant}'"):
            stop.column(["cost", "seconds", "validation_cost", "validation_accuracy"])
        if meant != "cost":
            needed = "the argument validation"
            if meant == "validation_accuracy":
                needed = "metrics='accuracy' and validation"
            message = f"got '{monitor}'; {meant} needs {needed}$"
            with refuses(ValueError, message, net):
                net.fit(X, Y, early_stopping=stop)
    message = (
        "^mode: expected .*, as 'val_loss' has no known direction, got None; did you mean 'valid"
    )
    with refuses(ValueError, message):
        bpfast.EarlyStopping(3, "val_loss")
    # A column may be called so.
    net.fit(X, Y, metrics={"val_x": "r2"}, early_stopping=bpfast.EarlyStopping(3, "val_x", "max"))


def test_metrics_need_distinct_names(net):
    def validation_cost(a, y):
        return 0.0

    def cost(a, y):
        return 0.0

    for metric in (cost, validation_cost):
        message = rf"^metrics\[0\]: expected a name that no column has, got '{metric.__name__}'$"
        with refuses(ValueError, message, net):
            net.fit(X, Y, metrics=metric)


@pytest.mark.parametrize("name", [name for name in dir(bpfast.History) if name[0] != "_"])
def test_a_metric_must_not_have_the_name_of_a_history_attribute(net, name):
    def metric(a, y):
        return 0.0

    metric.__name__ = name
    for metrics, argument in (({name: "r2"}, repr(name)), (metric, 0)):
        message = f"metrics[{argument}]: expected a name that no attribute of History has, got "
        with refuses(ValueError, f"^{re.escape(message)}'{name}'$", net):
            net.fit(X, Y, metrics=metrics)


def test_labels_must_be_classes_of_the_network():
    net = bpfast.Network([3, 2], output="softmax", cost="log_likelihood", seed=0)
    with refuses(ValueError, r"^y\[3\]: expected a label from 0 to 1, got 2$", net):
        net.fit(X, [0, 1, 0, 2] * 3)
    with refuses(ValueError, r"^validation: y\[0\]: expected a label from 0 to 1, got -1$", net):
        net.fit(X, [0] * N, validation=(X, [-1] * N))
    with refuses(
        ValueError, "^class_weight: expected labels or outputs for classes as y, got", net
    ):
        net.fit(X, Y[:, 0], class_weight="balanced")


def test_an_iterable_refuses_arguments_of_arrays(net):
    batches = [(X, Y)]
    for name, value in (("class_weight", "balanced"), ("sample_weight", S)):
        with refuses(ValueError, f"^{name}: expected as the third part of each batch", net):
            net.fit(batches, **{name: value})
    with refuses(
        ValueError, r"^validation: expected \(x, y\) where x is an iterable, got a f", net
    ):
        net.fit(batches, validation=0.5)
    arrays = (("batch_size", 32), ("shuffle", True), ("sparse", True))
    for x in (batches, iter(batches), lambda: batches):
        for name, value in arrays:
            message = f"^{name}: expected only with arrays, got {value} with an iterable"
            with refuses(ValueError, message, net):
                net.fit(x, **{name: value})
        twin = net.copy()
        twin.fit(x, epochs=1, shuffle=False, sparse=False)  # which says what is done anyway
    for x in ("text", 3, X):
        with refuses(TypeError, "^y: expected with x of type", net):
            net.fit(x)


def test_an_iterable_of_batches_refuses_y(net):
    def batches():
        yield X, Y

    class Loader:
        def __iter__(self):
            return batches()

    for x in (batches(), batches, Loader(), [(X, Y)], ((X, Y, S),), iter([(X, Y)])):
        got = f"with x of type {type(x).__name__}, whose batches are"
        with refuses(TypeError, rf"^y: expected none {got} \(x, y\) themselves$", net):
            net.fit(x, Y)
    with refuses(TypeError, "^x: expected real numbers, got generator$", net):
        net.partial_fit(batches(), Y)
    for x in (X.tolist(), list(X), tuple(map(tuple, X)), [list(row) for row in X]):
        twin = net.copy()
        twin.fit(x, Y, epochs=1, seed=0)
        assert twin.history is not None


def test_an_optimizer_belongs_to_one_network(net):
    optimizer = bpfast.Adam()
    net.fit(X, Y, epochs=1, optimizer=optimizer)
    other = bpfast.Network([3, 4, 5, 2], seed=0)
    state = repr(optimizer.state)
    message = (
        "^optimizer: expected one with steps of this network alone, got one that has done 1 of"
    )
    for method in ("fit", "partial_fit"):
        with refuses(ValueError, message, net, other):
            getattr(other, method)(X, Y, optimizer=optimizer)
    assert repr(optimizer.state) == state
    other.fit(X, Y, epochs=1, optimizer=optimizer.__copy__())
    optimizer.reset()
    other.fit(X, Y, epochs=1, optimizer=optimizer)
    wide = bpfast.Adam()
    wide.step(np.ones(3), np.ones(3))
    with refuses(ValueError, r"^optimizer: params: expected shape \(3,\) as in the steps", net):
        net.fit(X, Y, optimizer=wide)


def test_x_must_not_share_memory_with_the_parameters():
    """A step would read what it writes."""
    net = bpfast.Network([3, 4], seed=0)
    x = net.params[:15].reshape(5, 3)
    for given in ((x, np.ones((5, 4))), (np.ones((4, 3)), net.params.reshape(4, 4))):
        with refuses(
            ValueError,
            "^[xy]: expected an array that does not overlap params, got one that sha",
            net,
        ):
            net.fit(*given)
    batches = [(x, np.ones((5, 4)))]
    with refuses(
        ValueError, "^batch 0 of epoch 1: x: expected an array that does not overlap params", net
    ):
        net.fit(batches)


def test_parameters_that_cannot_be_written(net):
    net.weights[0].flags.writeable = False
    with refuses(ValueError, f"^{READ_ONLY.format('params')}$", net):
        net.fit(X, Y)


def test_class_labels_must_be_integers(net):
    """Outputs of a regression would get the weights of whichever is the largest."""
    for weights in ("balanced", {0: 2.0}):
        for y in (Y, 2.0 * np.eye(2)[[0, 1] * 6]):
            message = r"^class_weight: expected labels, or outputs that are 0 or 1, as y, got \["
            with refuses(ValueError, message, net):
                net.fit(X, y, class_weight=weights)
    net.fit(X, np.eye(2)[[0, 1] * 6], class_weight="balanced", epochs=1)


def test_all_zero_weights_on_one_side_of_the_split(net):
    for seed in range(3):
        held = bpfast._core.permutation(seed, 0, N)[:3]
        for rows, side in ((held, "held out"), (np.setdiff1d(range(N), held), "trained on")):
            weights = np.ones(N)
            weights[rows] = 0
            message = f"^validation: expected a fraction that .* on both sides, got none.* {side}$"
            with refuses(ValueError, message, net):
                net.fit(X, Y, validation=0.25, sample_weight=weights, seed=seed)
