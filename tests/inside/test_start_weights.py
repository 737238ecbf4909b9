"""Start weights that suit sigmoid and other layers: what is named, suggested and helps."""

import numpy as np
import pytest

import bpfast
from benches.planted.case import scaled
from benches.planted.problems import digits
from bpfast.inside import explain
from bpfast.inside._start import started

X, LABELS = digits(300, 5, side=7)
SUGGESTED = "init='xavier', with the weights out of sigmoid layers multiplied by 4"


def network(layers, times):
    net = bpfast.Network([49, *[30] * layers, 10], hidden="sigmoid", cost="cross_entropy", seed=0)
    return scaled(net, times)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("optimizer", [bpfast.SGD(0.5), bpfast.Adam(0.01)])
def test_sigmoid_networks_with_large_weights(layers, optimizer):
    """The suggestion helps where weights are 30 times too large, and never makes it much worse."""
    assert explain(network(layers, 3), X, LABELS, optimizer=optimizer).findings == ()
    report = explain(network(layers, 10), X, LABELS, optimizer=optimizer)
    if report.main is not None:  # about half of the gates are closed
        assert report.main.kind == "saturated_hidden"
        assert report.check().ratio > 0.4
    report = explain(network(layers, 30), X, LABELS, optimizer=optimizer)
    assert report.main.kind == "saturated_hidden"
    assert report.main.because == "weights"
    assert SUGGESTED in report.main.suggestion
    check = report.check()
    assert check.change == f"initial weights {SUGGESTED}, biases 0"
    assert check.confirmed


def test_closed_gates_are_told_with_large_weights():
    """A part of the gates is closed, which is no cause of its own."""
    net = bpfast.Network(
        [49, 30, 30, 10], hidden="tanh", cost="cross_entropy", init="xavier", seed=0
    )
    net.weights[0] *= 6
    net.weights[2] *= 30
    main = explain(net, X, LABELS).main
    assert (main.kind, main.layer) == ("large_weights", 4)
    share = np.mean(1 - net.trace(X).a[1] ** 2 < 0.1)
    assert 0.25 < share < 0.5
    told = f"at {share:.0%} of the neurons and examples of layer 2 σ' is below a tenth"
    assert told in main.cause
    assert main.suggestion == "start with smaller weights: init='xavier'"


@pytest.mark.parametrize(
    ("hidden", "gains"),
    [
        (["sigmoid", "sigmoid"], [1, 4, 4]), (["hard_sigmoid", "tanh"], [1, 6, 1]),
        (["tanh", "sigmoid"], [1, 1, 4]), (["sigmoid", "relu"], [2**0.5, 4 * 2**0.5, 2**0.5]),
        (["selu", "selu"], [1, 1, 1]), (["tanh", "tanh"], [1, 1, 1]),
    ],
)  # fmt: skip
def test_the_gain_of_start_weights(hidden, gains):
    net = bpfast.Network([300, 300, 300, 300], hidden=hidden, init="zeros")
    new = started(net, np.random.default_rng(0))
    found = [np.sqrt(np.mean(weights**2) * 300) for weights in new.weights]
    assert found == pytest.approx(gains, rel=0.02)  # 90,000 numbers
    assert not any(biases.any() for biases in new.biases)
    assert new.config == net.config | {"cost": new.config["cost"]}


@pytest.mark.parametrize("hidden", ["sigmoid", "hard_sigmoid", "tanh"])
def test_the_start_weights_keep_the_size_of_errors(hidden):
    """Through six layers, where xavier alone loses a factor of 4 (sigmoid) or 6 in each."""
    net = bpfast.Network([49, *[100] * 6, 10], hidden=hidden, cost="cross_entropy", seed=0)
    new = started(net, np.random.default_rng(1))
    norms = [np.sqrt(np.mean(np.square(delta).sum(axis=1))) for delta in new.errors(
        X, LABELS, reduction="sum")]  # fmt: skip
    assert 0.03 < norms[0] / norms[-1] < 30


def test_start_weights_of_hard_sigmoid_are_no_cause():
    """A third of its gates is closed by such weights, in small layers half; the others are open."""
    x = np.random.default_rng(0).standard_normal((300, 12))
    labels = x[:, :3].argmax(axis=1)
    shares = []
    for seed in range(20):
        net = bpfast.Network(
            [12, 40, 20, 10, 3], hidden="hard_sigmoid", output="softmax", cost="log_likelihood"
        )
        new = started(net, np.random.default_rng(seed))
        assert explain(new, x, labels, optimizer=bpfast.Adam(0.01)).findings == ()
        shares.append(max(np.mean(np.abs(z) >= 3) for z in new.trace(x).z[:-1]))
    assert max(shares) > 0.5
    new.weights[1] *= 30
    new.weights[2] *= 30
    assert explain(new, x, labels).main.kind == "saturated_hidden"
