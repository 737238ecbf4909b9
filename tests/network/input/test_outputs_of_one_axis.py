"""y of one axis: the targets of a single output, and labels, also as floating-point numbers."""

import numpy as np
import pytest
from scipy import sparse

import bpfast
from bpfast import reference
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 3))
Y, LABELS = RNG.random(12), np.arange(12) % 3

ONE = {
    "quadratic": {"output": "identity"},
    "huber": {"output": "tanh", "cost": "huber"},
    "absolute": {"output": "relu", "cost": "absolute"},
    "poisson": {"output": "softplus", "cost": "poisson"},
    "cross_entropy": {"output": "sigmoid", "cost": "cross_entropy"},
}
CLASSES = {
    "log_likelihood": {"output": "softmax", "cost": "log_likelihood"},
    "cross_entropy of softmax": {"output": "softmax", "cost": "cross_entropy"},
    "cross_entropy": {"output": "sigmoid", "cost": "cross_entropy"},
}
CALLS = {
    "cost": lambda net, y: net.cost(X, y),
    "costs": lambda net, y: net.cost(X, y, reduction="none"),
    "errors": lambda net, y: np.concatenate(net.errors(X, y), axis=1),
    "backprop": lambda net, y: net.backprop(X, y).flat,
    "backprop of a trace": lambda net, y: net.backprop(net.trace(X), y).flat,
    "sparse backprop": lambda net, y: net.backprop(sparse.csr_array(X), y).flat,
    "functions": lambda net, y: bpfast.backprop(
        net.weights, net.biases, X, y, **{k: net.config[k] for k in ("hidden", "output", "cost")}
    )[1][0],
    "input_gradient": lambda net, y: net.input_gradient(X, y),
    "hvp": lambda net, y: net.hvp(X, y, np.ones(net.params.size)).flat,
    "per_example_norms": lambda net, y: net.per_example_norms(X, y),
    "evaluate": lambda net, y: list(net.evaluate(X, y, metrics=["mean_squared_error"]).values()),
    "fit": lambda net, y: (net.copy().fit(X, y, epochs=2, seed=0).cost, net.params),
    "fit with validation": lambda net, y: (
        net.copy()
        .fit(X, y, epochs=2, seed=0, validation=(X, y), metrics="mean_absolute_error")
        .validation_mean_absolute_error
    ),
    "fit in batches": lambda net, y: net.copy().fit([(X, y)], epochs=2, seed=0).cost,
    "partial_fit": lambda net, y: net.copy().partial_fit(X, y),
    "check_gradients": lambda net, y: bpfast.testing.check_gradients(net, X, y).parameters.error,
    "inside.demon": lambda net, y: bpfast.inside.demon(net, X, y, 2, 0, [0.01]).predicted,
}


def bits(value):
    parts = value if isinstance(value, tuple) else (value,)
    return [np.asarray(part).tobytes() for part in parts]


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_targets_of_one_output(call, name, dtype):
    net = bpfast.Network([3, 4, 1], dtype=dtype, seed=0, **ONE[name])
    y = Y.astype(dtype)
    expected = bits(CALLS[call](net, y[:, None]))
    for given in (y, y.tolist(), np.repeat(y, 2)[::2]):
        assert bits(CALLS[call](net, given)) == expected


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("call", sorted(CALLS.keys() - {"evaluate", "fit with validation"}))
def test_labels_as_floating_point_numbers(call, name):
    net = bpfast.Network([3, 4, 3], seed=0, **CLASSES[name])
    expected = bits(CALLS[call](net, LABELS))
    for given in (LABELS.astype(float), LABELS.astype("f2"), LABELS.astype(float).tolist()):
        assert bits(CALLS[call](net, given)) == expected


def test_accuracy_and_class_weights_of_float_labels():
    net = bpfast.Network([3, 4, 3], seed=0, **CLASSES["log_likelihood"])
    options = {"epochs": 3, "seed": 0, "metrics": "accuracy", "class_weight": "balanced"}
    histories = [net.copy().fit(X, y, **options) for y in (LABELS, LABELS.astype(float))]
    assert histories[0].accuracy.tolist() == histories[1].accuracy.tolist()
    assert histories[0].cost.tolist() == histories[1].cost.tolist()


def test_integers_of_one_output():
    """With cross_entropy they are the labels 0 and 1, with other costs numbers as they are."""
    net = bpfast.Network([3, 1], output="identity", seed=0)
    y = np.arange(12) - 5
    assert net.cost(X, y) == net.cost(X, y[:, None])
    assert net.cost(X, y > 0) == net.cost(X, (y > 0).astype(float))


def test_own_metrics_get_a_column():
    """a - y of shapes (n, 1) and (n,) would be (n, n)."""
    net, shapes = bpfast.Network([3, 1], output="identity", seed=0), []
    net.fit(X, Y, epochs=1, metrics={"own": lambda a, y: shapes.append((a.shape, y.shape)) or 0.0})
    assert set(shapes) == {((12, 1), (12, 1))}


@pytest.mark.parametrize("name", ONE)
def test_the_reference_takes_them_too(name):
    net = bpfast.Network([3, 4, 1], seed=0, **ONE[name])
    arguments = {k: net.config[k] for k in ("hidden", "output", "cost")}
    of = [w.tolist() for w in net.weights], [b.tolist() for b in net.biases], X.tolist()
    column = reference.backprop(*of, Y[:, None].tolist(), **arguments)
    assert reference.backprop(*of, Y.tolist(), **arguments) == column


def test_the_reference_takes_float_labels_too():
    net = bpfast.Network([3, 4, 3], seed=0, **CLASSES["log_likelihood"])
    arguments = {k: net.config[k] for k in ("hidden", "output", "cost")}
    of = [w.tolist() for w in net.weights], [b.tolist() for b in net.biases], X.tolist()
    labels = LABELS.tolist()
    assert reference.cost(*of, [float(y) for y in labels], **arguments) == reference.cost(
        *of, labels, **arguments
    )


def test_y_of_a_callable_cost_is_its_own():
    shapes = []

    def cost(a, y):
        shapes.append(y.shape)
        return ((a[:, 0] - y) ** 2), 2 * (a - y[:, None])

    bpfast.Network([3, 1], output="identity", cost=cost, seed=0).backprop(X, Y)
    assert set(shapes) == {(12,)}


def test_one_example_of_one_axis_gets_a_hint():
    net = bpfast.Network([3, 1], seed=0)
    hint = r"^x: expected 2 dimensions, got shape \(3,\); one example is x\[None, :\]"
    calls = [net, net.trace, net.jacobian, lambda x: net.fit(x, [1.0])]
    for call in (*calls, lambda x: net.backprop(x, [1.0])):
        with refuses(ValueError, hint, net):
            call(X[0])
