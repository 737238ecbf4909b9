"""`demon`: ΔC is the cost with another bias, δ Δz its first order, by the reference in Python."""

import numpy as np
import pytest
from scipy import sparse

import bpfast
from bpfast import reference
from bpfast.inside import demon
from tests.helpers.refuses import refuses

CASES = [
    ("sigmoid", "sigmoid", "quadratic"),
    ("tanh", "softmax", "log_likelihood"),
    ("relu", "sigmoid", "cross_entropy"),
    ("gelu", "identity", "huber"),
    ("silu", "softmax", "quadratic"),
]


def case(hidden="tanh", output="sigmoid", cost="quadratic", dtype="float64"):
    net = bpfast.Network([3, 4, 2], hidden=hidden, output=output, cost=cost, dtype=dtype, seed=1)
    rng = np.random.default_rng(2)
    y = rng.random((6, 2))
    return net, rng.standard_normal((6, 3)), y / y.sum(axis=1, keepdims=True)


def reference_cost(net, x, y, layer, neuron, dz, weight=None):
    """The cost with Δz added to a bias, which is to z of all examples."""
    biases = [np.array(b) for b in net.biases]
    biases[layer - 2][neuron] += dz
    config = net.config
    names = {key: config[key] for key in ("hidden", "output", "cost")}
    return reference.cost(net.weights, biases, x, y, sample_weight=weight, **names)


@pytest.mark.parametrize(("hidden", "output", "cost"), CASES)
def test_every_neuron_against_the_reference(hidden, output, cost):
    net, x, y = case(hidden, output, cost)
    weight = np.array([1, 2, 0, 3, 1, 0.5])
    dz = [-0.7, 1e-4, 0.3]
    found = demon(net, x, y, dz=dz, sample_weight=weight)
    assert found.layer.tolist() == [2] * 4 + [3] * 2
    assert found.neuron.tolist() == [0, 1, 2, 3, 0, 1]
    config = net.config
    names = {key: config[key] for key in ("hidden", "output", "cost")}
    deltas = reference.errors(net.weights, net.biases, x, y, sample_weight=weight, **names)
    before = reference.cost(net.weights, net.biases, x, y, sample_weight=weight, **names)
    for row, (layer, neuron) in enumerate(zip(found.layer, found.neuron, strict=True)):
        delta = sum(example[neuron] for example in deltas[layer - 2])
        assert found.delta[row] == pytest.approx(delta, rel=1e-12)
        for k, change in enumerate(dz):
            after = reference_cost(net, x, y, layer, neuron, change, weight)
            # The difference of two costs of about 1: their rounding.
            assert found.true[row, k] == pytest.approx(after - before, abs=1e-14)
            assert found.predicted[row, k] == pytest.approx(delta * change, rel=1e-12)


def test_they_differ_in_second_order():
    net, x, y = case()
    found = demon(net, x, y, 2, 1, [2e-3, 1e-3])
    (wide, narrow) = found.difference[0]
    assert wide / narrow == pytest.approx(4, rel=0.02)  # of third order: 0.3 %


def test_a_sum_is_the_weight_times_the_mean():
    net, x, y = case()
    weight = np.arange(6.0)
    mean, total = (
        demon(net, x, y, 3, 0, 0.5, sample_weight=weight, reduction=reduction)
        for reduction in ("mean", "sum")
    )
    assert total.true == pytest.approx(15 * mean.true, rel=1e-12)
    assert total.predicted == pytest.approx(15 * mean.predicted, rel=1e-12)
    assert total.delta == pytest.approx(15 * mean.delta, rel=1e-12)


def test_labels_sparse_x_and_float32_give_the_same():
    net, x, _ = case("tanh", "softmax", "log_likelihood")
    labels = np.array([0, 1, 1, 0, 1, 0])
    expected = demon(net, x, np.eye(2)[labels], 2)
    assert (demon(net, x, labels, 2).true == expected.true).all()
    assert (demon(net, sparse.csr_array(x), labels, 2).true == expected.true).all()
    single = demon(net.astype("float32"), x, labels, 2)
    assert single.true.dtype == np.float64
    # The parameters are rounded to 7 digits.
    assert single.true == pytest.approx(expected.true, abs=1e-6)


def test_a_callable_cost():
    def cost(a, y):
        return ((a - y) ** 4).sum(axis=1), 4 * (a - y) ** 3

    net, x, y = case(cost=cost)
    found = demon(net, x, y, 2, 0, 1e-5)
    # They differ to second order in Δz = 1e-5.
    assert found.true == pytest.approx(found.predicted, rel=1e-4)


def test_nothing_is_changed():
    net, x, y = case()
    before = net.params.copy(), x.copy(), y.copy()
    demon(net, x, y)
    assert (net.params == before[0]).all()
    assert (x == before[1]).all()
    assert (y == before[2]).all()


def test_it_reads_as_a_table():
    net, x, y = case()
    one, layer = demon(net, x, y, 2, 3, [-0.1, 0.1]), demon(net, x, y, 2)
    assert str(one).splitlines()[0].startswith("The demon at layer 2, neuron 3: δ = ")
    assert str(one).splitlines()[1].split() == ["Δz", "ΔC", "δ", "Δz", "difference"]
    assert len(str(layer).splitlines()) == 3 + 4
    assert repr(layer) == "<The demon at 4 neurons, 21 Δz>"
    assert one._repr_html_().count("<tr>") == 3
    long = demon(net, x, y, 2, 3, np.linspace(-1, 1, 101))
    assert len(str(long).splitlines()) == 3 + 21
    assert "…" in str(long)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"layer": 1}, ValueError, r"^layer: expected a layer from 2 to 3, where layer 1 is the i"),
        ({"layer": 4}, ValueError, r"^layer: expected a layer from 2 to 3.*, got 4$"),
        ({"layer": -1}, ValueError, r"^layer: .*, got -1$"),
        ({"layer": 2.0}, TypeError, r"^layer: expected an integer, got float$"),
        ({"layer": True}, TypeError, r"^layer: expected an integer, got bool$"),
        ({"layer": 2, "neuron": 4}, ValueError, r"^neuron: expected a neuron of layer 2, from 0"),
        ({"layer": 3, "neuron": -1}, ValueError, r"^neuron: .* from 0 to 1, got -1$"),
        ({"layer": 3, "neuron": "a"}, TypeError, r"^neuron: expected an integer, got str$"),
        ({"neuron": 1}, ValueError, r"^layer: expected the layer of neuron 1, got None$"),
        ({"dz": [[1.0]]}, ValueError, r"^dz: expected a number or shape \(k,\)"),
        ({"dz": []}, ValueError, r"^dz: .*, got \(0,\)$"),
        ({"dz": [np.nan]}, ValueError, r"^dz: expected finite numbers, got nan$"),
        ({"dz": "a"}, TypeError, r"^dz: expected real numbers"),
        ({"reduction": "none"}, ValueError, r"^reduction: unknown name 'none'; valid: 'mean'"),
        ({"reduction": np.zeros((2, 2))}, TypeError, r"^reduction: expected a str, got ndarray$"),
        ({"sample_weight": [1]}, ValueError, r"^sample_weight: "),
        ({"y": np.zeros((6, 3))}, ValueError, r"^y: expected shape \(6, 2\)"),
        ({"x": np.zeros((6, 2))}, ValueError, r"^x: "),
        ({"x": np.zeros((0, 3)), "y": np.zeros((0, 2))}, ValueError, r"^x: "),
        ({"net": "net"}, TypeError, r"^net: expected a Network, got str$"),
        ({"net": bpfast.Network}, TypeError, r"^net: expected a Network, got the class Network$"),
    ],
)  # fmt: skip
def test_bad_input(arguments, kind, message):
    net, x, y = case()
    given = {"net": net, "x": x, "y": y} | arguments
    with refuses(kind, message, net, x, y):
        demon(**given)


@pytest.mark.parametrize("cost", ["quadratic", "cross_entropy"])
def test_a_cost_that_is_not_finite_has_no_change(cost):
    net, x, y = case(hidden="relu", cost=cost)
    net.weights[0][:] = 1e308
    x[:3], x[3] = 0, np.array([10, 10, 10])  # z = inf in the example 3
    net.weights[1][:] = [[1, -1, 1, -1], [1, 1, 1, 1]]  # inf - inf
    with refuses(
        ValueError, r"^x\[3\]: expected an example with a finite cost before the change, got nan$"
    ):
        demon(net, x, y)


def test_a_large_change_may_make_the_cost_infinite():
    net = bpfast.Network.from_parameters([[[1.0]]], [[0.0]], output="identity")
    with np.errstate(all="raise"):
        found = demon(net, [[1.0]], [[0.0]], 2, 0, [1e200, 1e-200])
    assert found.true[0, 0] == np.inf
    assert found.predicted.tolist() == [[1e200, 1e-200]]
