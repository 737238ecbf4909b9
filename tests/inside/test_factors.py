"""The factors of a gradient, against a loop per neuron and example in plain Python."""

import math

import numpy as np
import pytest

import bpfast
from bpfast import reference
from bpfast.inside import explain
from tests.helpers.tolerance import rounded

CASES = [
    ("sigmoid", "sigmoid", "quadratic"),
    ("tanh", "identity", "absolute"),
    ("relu", "softmax", "log_likelihood"),
    ("elu", "sigmoid", "cross_entropy"),
    ("leaky_relu", "softplus", "poisson"),
    ("tanh", "softmax", "poisson"),
    ("tanh", "sigmoid", "poisson"),
    ("tanh", "softmax", "cross_entropy"),
    ("softplus", "tanh", "huber"),
]
CANCELLING = ("log_likelihood", "cross_entropy", "poisson")  # except poisson over sigmoid


def case(hidden, output, cost):
    net = bpfast.Network([4, 5, 3, 2], hidden=hidden, output=output, cost=cost, seed=3)
    rng = np.random.default_rng(4)
    y = rng.random((7, 2))
    return net, rng.standard_normal((7, 4)), y / y.sum(axis=1, keepdims=True), rng.random(7)


def rms(values, weight):
    return math.sqrt(sum(w * v * v for w, v in zip(weight, values, strict=True)) / sum(weight))


@pytest.mark.parametrize(("hidden", "output", "cost"), CASES)
def test_against_loops(hidden, output, cost):
    net, x, y, weight = case(hidden, output, cost)
    report = explain(net, x, y, sample_weight=weight)
    names = {"hidden": hidden, "output": output, "cost": cost}
    trace = reference.trace(net.weights, net.biases, x, hidden=hidden, output=output)
    z, a = trace.z, trace.a
    deltas = reference.errors(net.weights, net.biases, x, y, reduction="sum", **names)
    examples = range(len(x))
    for row in report.rows:
        l, j = row.layer, row.neuron  # noqa: E741 - the book's letter
        delta = [deltas[l - 2][i][j] for i in examples]
        norms = [math.hypot(*a[l - 2][i]) for i in examples]
        if l < 4:
            above = net.weights[l - 1]
            arrived = [
                sum(above[k][j] * d for k, d in enumerate(deltas[l - 1][i])) for i in examples
            ]
        elif (cost, output) == ("poisson", "sigmoid"):
            arrived = [a[l - 1][i][j] - y[i][j] for i in examples]
        elif cost in CANCELLING:
            arrived = delta
        else:
            one = reference.bp1([[a[l - 1][i][k] for k in range(2)] for i in examples], y,
                                output="identity", cost=cost, reduction="sum")  # fmt: skip
            arrived = [one[i][j] for i in examples]
        n_in = len(a[l - 2][0])
        error = rms(delta, weight)
        each = rms([d * n for d, n in zip(delta, norms, strict=True)], weight)
        mean = [
            sum(weight[i] * delta[i] * a[l - 2][i][k] for i in examples) / sum(weight)
            for k in range(n_in)
        ]
        expected = {
            "arrives": rms(arrived, weight),
            "gate": error / rms(arrived, weight) if rms(arrived, weight) else 0,
            "inputs": each / error / math.sqrt(n_in) if error else 0,
            "cancellation": math.hypot(*mean) / each if each else 0,
            "gradient": math.hypot(*mean) / math.sqrt(n_in),
            "output": rms([a[l - 1][i][j] for i in examples], weight),
            "weight": math.hypot(*net.weights[l - 2][j]) / math.sqrt(n_in),
        }
        for name, value in expected.items():
            # Sums of seven terms, some of which cancel.
            assert getattr(row, name) == pytest.approx(value, rel=1e-10, abs=1e-15), (l, j, name)
    del z


@pytest.mark.parametrize(("hidden", "output", "cost"), CASES)
def test_their_product_is_the_gradient(hidden, output, cost):
    net, x, y, weight = case(hidden, output, cost)
    gradient = net.backprop(x, y, sample_weight=weight)
    for row in explain(net, x, y, sample_weight=weight).rows:
        expected = math.sqrt(np.mean(np.square(gradient.weights[row.layer - 2][row.neuron])))
        product = row.arrives * row.gate * row.inputs * row.cancellation
        assert product == pytest.approx(expected, rel=1e-10, abs=1e-15)
        assert row.gradient == pytest.approx(expected, rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("optimizer", [bpfast.SGD(0.3), bpfast.Adam(0.01), bpfast.RMSprop(0.1)])
def test_the_step_of_each_neuron(optimizer):
    net, x, y, weight = case(*CASES[0])
    report = explain(net, x, y, sample_weight=weight, optimizer=optimizer)
    after = net.copy()
    bpfast.optimizers.from_config(optimizer.config).step(
        after.params, net.backprop(x, y, sample_weight=weight)
    )
    assert optimizer.steps == 0
    for row in report.rows:
        k, j = row.layer - 2, row.neuron
        before = np.append(net.weights[k][j], net.biases[k][j])
        moved = np.append(after.weights[k][j], after.biases[k][j]) - before
        expected = np.linalg.norm(moved) / np.linalg.norm(before)
        assert row.step == pytest.approx(expected, rel=1e-9)


def test_a_float32_network_gets_rounded_examples():
    net, x, y, _ = case(*CASES[0])
    net = net.astype("float32")
    rounded = (values.astype("float32").astype("float64") for values in (x, y))
    expected, found = explain(net, *rounded).to_dict(), explain(net, x, y).to_dict()
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column)


def test_a_schedule_counts_with_its_present_rate():
    net, x, y, _ = case(*CASES[0])
    rate = explain(net, x, y, optimizer=bpfast.SGD(lambda _step: 0.3))._facts.step.rate
    assert rate == 0.3
    net.fit(x, y, epochs=4, optimizer=bpfast.SGD(bpfast.schedules.Step(1.0, every=2)), seed=0)
    assert net.optimizer.steps == 4
    assert explain(net, x, y)._facts.step.rate == float(net.optimizer.learning_rate(4))


def test_without_an_optimizer_there_is_no_step():
    net, x, y, _ = case(*CASES[0])
    assert all(math.isnan(row.step) for row in explain(net, x, y).rows)


def test_the_optimizer_of_the_last_training_is_judged():
    net, x, y, _ = case(*CASES[0])
    net.fit(x, y, epochs=1, optimizer=bpfast.SGD(1e-9, momentum=0.9), seed=0)
    report = explain(net, x, y)
    assert [finding.kind for finding in report.findings] == ["small_step"]
    assert report.findings[0].evidence["learning rate"] == 1e-9


def test_the_smallest_factor_has_words():
    net, x, y, _ = case("sigmoid", "sigmoid", "quadratic")
    net.biases[0][2] = 30  # saturated
    net.weights[1][:, 4] = 1e-6  # little error arrives at it
    rows = {(row.layer, row.neuron): row for row in explain(net, x, y).rows}
    assert rows[2, 2].smallest == "gate"
    assert rows[2, 2].words == "saturated: BP2"
    assert rows[2, 4].smallest == "arrives"
    assert rows[2, 4].words == "little error from above: BP2"
    assert rows[2, 4].relative < 1e-3
    # The examples in which most of what arrives is stopped.
    deltas = net.errors(x, y, reduction="sum")[1]
    arrived = np.abs(deltas @ net.weights[1])[:, 2]
    assert rows[2, 2].examples.tolist() == np.argsort(-arrived)[:5].tolist()


def test_a_dead_neuron_is_called_dead():
    net, x, y, _ = case("relu", "identity", "quadratic")
    net.biases[0][1] = -100
    (row,) = [row for row in explain(net, x, y).rows if (row.layer, row.neuron) == (2, 1)]
    assert (row.words, row.gate, row.gradient) == ("dead: BP2", 0, 0)


OUTPUTS = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus",
           "softmax"]  # fmt: skip
COSTS = ["quadratic", "cross_entropy", "log_likelihood", "huber", "absolute", "poisson"]


def pairs():
    for cost in COSTS:
        for output in OUTPUTS:
            try:
                bpfast.Network([1, 1], output=output, cost=cost)
            except ValueError:
                continue
            yield cost, output


@pytest.mark.parametrize(("cost", "output"), list(pairs()))
@pytest.mark.parametrize("size", [30.0, -30.0])
def test_the_gate_of_an_output_tells_whether_an_error_passes(cost, output, size):
    """Outputs with |z| = 30 that are wrong: where δ is not tiny, the gate is open."""
    net = bpfast.Network([2, 2], output=output, cost=cost, init="zeros")
    net.biases[0][:] = (size, -size)
    y = np.tile([0.25, 0.75], (4, 1))
    x = np.random.default_rng(0).standard_normal((4, 2))
    delta = np.abs(net.errors(x, y, reduction="sum")[0])
    for row in explain(net, x, y).rows:
        error = delta[:, row.neuron].max()
        passes = error > 0.1 * min(1.0, abs(float(net.forward(x)[0, row.neuron]) - 0.5))
        assert (row.gate > 0.05) == passes, (row, error)
        assert np.isfinite(row.arrives)
        assert row.arrives * row.gate == rounded(error)  # the same in all examples


def test_one_saturated_output_among_ten_is_named():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 6))
    labels = (x @ rng.standard_normal((6, 10))).argmax(axis=1)
    y = np.eye(10)[labels]
    for hidden in ([], [12]):
        net = bpfast.Network([6, *hidden, 10], hidden="tanh", seed=1)
        assert "saturated_output" not in [f.kind for f in explain(net, x, y).findings]
        net.biases[-1][3] = 9
        found = {f.kind: f for f in explain(net, x, y).findings}
        assert found["saturated_output"].neurons.tolist() == [3]
        assert found["saturated_output"].because == "biases"
        assert explain(net, x, y).check("saturated_output").confirmed
