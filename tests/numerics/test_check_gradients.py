"""bpfast.testing.check_gradients passes right gradients; kinks, reports and arguments."""

import dataclasses

import numpy as np
import pytest

import bpfast
from bpfast.testing import check_gradients
from bpfast.testing._probes import Probes
from tests.helpers.cases.checked_networks import ONLY, Broken, problem, scale

HIDDEN = [name for name in bpfast.ACTIVATIONS if name != "softmax"]


PAIRS = [
    *(
        (output, cost)
        for output in bpfast.ACTIVATIONS
        for cost in ("quadratic", "huber", "absolute")
    ),
    ("sigmoid", "cross_entropy"),
    ("softmax", "cross_entropy"),
    ("softmax", "log_likelihood"),
    ("sigmoid", "poisson"),
    ("softmax", "poisson"),
    ("softplus", "poisson"),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_every_output_and_cost_passes(output, cost, dtype):
    net, x, y = problem(output=output, cost=cost, dtype=dtype)
    report = check_gradients(net, x, y)
    assert report.parameters.checked + report.parameters.skipped == net.params.size
    assert report.weighted_inputs.checked + report.weighted_inputs.skipped == 6 * (5 + 4)
    assert report.directions.checked + report.directions.skipped == 8
    assert not report.directions.failed + report.parameters.failed + report.weighted_inputs.failed
    # So few examples seldom have a kink within the narrowest step.
    assert report.parameters.skipped + report.weighted_inputs.skipped <= 10


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_hidden_activation_passes(hidden, dtype):
    net, x, y = problem((4, 6, 5, 3), hidden=[hidden, "tanh"], dtype=dtype, init="nielsen_large")
    assert check_gradients(net, x, y).parameters.checked > 60


@pytest.mark.parametrize("init", ["nielsen", "nielsen_large", "xavier", "he"])
@pytest.mark.parametrize("sizes", [(1, 1), (3, 2), (2, 1, 1, 1, 2), (20, 30, 10)])
def test_sizes_and_initialisations_pass(sizes, init):
    net, x, y = problem(sizes, hidden="sigmoid", init=init)
    check_gradients(net, x, y)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_labels_weights_and_reductions_pass(reduction, weighted, dtype):
    net, x, _ = problem(output="softmax", cost="log_likelihood", dtype=dtype)
    weights = np.array([0.5, 2, 0, 1, 3, 1]) if weighted else None
    labels = [0, 3, 1, 2, 2, 0]
    check_gradients(net, x, labels, sample_weight=weights, reduction=reduction)


@pytest.mark.parametrize("signs", [[-1] * 6, [1, -1, 1, -1, 1, -1]], ids=["negative", "mixed"])
def test_negative_weights_have_the_rounding_of_positive_ones(signs):
    net, x, y = problem(output="identity")
    net.biases[-1][:] = 1e4  # the rounding of z^L and of C is above all others
    expected = Probes(net, x, y, {"sample_weight": np.ones(6), "reduction": "sum"}, None)
    options = {"sample_weight": np.array(signs), "reduction": "sum"}
    assert Probes(net, x, y, options, None).rounding == expected.rounding > 0
    near = net(x) + 1e-6
    report = check_gradients(net, x, near, **options)
    assert report.parameters.checked > 0


def test_the_whole_of_a_larger_network_can_be_checked():
    net, x, y = problem((20, 30, 10))
    assert check_gradients(net, x, y, parameters=None).parameters.checked == net.params.size
    sampled = check_gradients(net, x, y, parameters=50, weighted_inputs=7, directions=3)
    assert (sampled.parameters.checked, sampled.weighted_inputs.checked) == (50, 7)
    assert sampled.directions.checked == 3


def test_every_layer_is_sampled():
    net, x, y = problem((30, 40, 2))
    faulty = Broken(net, lambda g: scale(g.biases[1], 2))  # 2 of 1,322 parameters
    with pytest.raises(AssertionError, match=r"biases\[1\]"):
        check_gradients(faulty, x, y, parameters=8, **ONLY["parameters"])


def test_a_trained_network_passes():
    """If a is close to y, δ is mostly rounding."""
    for dtype in (np.float32, np.float64):
        net, x, y = problem((3, 2), output="identity", dtype=dtype, n=2)
        for _ in range(2000):
            net.params -= 0.3 * net.backprop(x, y).flat
        check_gradients(net, x, y)


def test_a_negative_cost_passes():
    net, x, y = problem(output="softplus", cost="poisson")
    y = 100 * y
    net.biases[1][:] = 50
    assert net.cost(x, y) < -100
    assert check_gradients(net, x, y).parameters.skipped == 0


def pinball(a, y):
    """Tilted absolute error, for the 0.9 quantile."""
    r = y - a
    return np.maximum(0.9 * r, -0.1 * r).sum(axis=1), np.where(r > 0, -0.9, 0.1).astype(a.dtype)


def test_a_custom_cost_passes_and_its_wrong_gradient_is_caught():
    net, x, y = problem(output="identity", cost=pinball)
    check_gradients(net, x, y, sample_weight=np.arange(1.0, 7.0))

    def wrong(a, y):
        costs, nabla = pinball(a, y)
        return costs, 1.01 * nabla

    net, x, y = problem(output="identity", cost=wrong)
    for only in ONLY.values():
        with pytest.raises(AssertionError, match=r"analytic .* numeric"):
            check_gradients(net, x, y, **only)


def test_a_kink_is_skipped_and_counted_and_never_hides_a_fault():
    """z^2_0 = 0 for every example: relu has no slope along anything that moves it."""
    net, x, y = problem((3, 5, 4), hidden="relu", output="identity")
    net.weights[0][0] = 0
    net.biases[0][0] = 0
    report = check_gradients(net, x, y)
    assert report.parameters.skipped == 3 + 1  # its weights and its bias
    assert report.weighted_inputs.skipped == 6  # its z for each example
    assert report.directions.skipped == 8
    assert report.parameters.checked == net.params.size - 4
    for check in ("parameters", "weighted_inputs"):
        faulty = Broken(net, lambda g: scale(g.flat, 1.01), lambda d: scale(d[1], 1.01))
        with pytest.raises(AssertionError, match="analytic"):
            check_gradients(faulty, x, y, **ONLY[check])


def test_a_kink_of_curvature_is_skipped_too():
    net, x, y = problem((2, 3, 2), hidden="elu", output="identity", n=1)
    net.weights[0][0] = 0
    net.biases[0][0] = 1e-9  # elu'' jumps within every step
    net.weights[1][:, 0] = 3
    report = check_gradients(net, x, y)
    assert report.weighted_inputs.skipped == 1
    assert report.parameters.failed == 0


def test_more_skipped_than_checked_raises():
    net, x, _ = problem(output="identity", cost="absolute")
    with pytest.raises(AssertionError, match="more than half skipped"):
        check_gradients(net, x, net.forward(x))


def test_nothing_is_changed():
    net, x, y = problem(dtype=np.float32)
    before = [array.copy() for array in (net.params, x, y)]
    check_gradients(net, x, y)
    for old, new in zip(before, (net.params, x, y), strict=True):
        np.testing.assert_array_equal(old, new)
    x.flags.writeable = y.flags.writeable = False
    check_gradients(net, x, y.tolist())


def test_the_report_is_frozen_readable_and_repeatable():
    net, x, y = problem()
    report = check_gradients(net, x, y, seed=3)
    assert report == check_gradients(net, x, y, seed=np.random.default_rng(3))
    assert report != check_gradients(net, x, y, seed=4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.rtol = 1
    lines = str(report).splitlines()
    assert lines[0] == "gradients of a float64 network, tolerance 1e-08"
    for line, kind in zip(lines[1:], ("directions", "parameters", "weighted_inputs"), strict=True):
        assert line.startswith(f"  {kind}:")
        assert "checked, 0 wrong, 0 skipped; worst: " in line


def test_rtol_decides():
    net, x, y = problem()
    faulty = Broken(net, lambda g: scale(g.flat, 1.01), lambda d: [scale(a, 1.01) for a in d])
    assert check_gradients(faulty, x, y, rtol=0.1).rtol == 0.1
    with pytest.raises(AssertionError):
        check_gradients(faulty, x, y, rtol=1e-3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"directions": -1}, ValueError, "directions"),
        ({"parameters": -1}, ValueError, "parameters"),
        ({"weighted_inputs": 1.5}, TypeError, "integer"),
        ({"directions": 0, "parameters": 0, "weighted_inputs": 0}, ValueError, "expected some"),
        ({"rtol": 0}, ValueError, "rtol: expected a positive number, got 0"),
        ({"rtol": float("nan")}, ValueError, "rtol"),
        ({"reduction": "max"}, ValueError, "reduction"),
        ({"sample_weight": [1.0]}, ValueError, "sample_weight"),
        ({"y": np.zeros((6, 3))}, ValueError, "y: "),
        ({"x": np.full((6, 3), np.inf)}, ValueError, "expected finite z"),
        (
            {"x": np.full((6, 3), np.nan)},
            ValueError,
            "expected finite z and a finite cost, got the cost nan",
        ),
        (
            {"x": problem()[0].trace(problem()[1])},
            TypeError,
            "^x: expected the examples, got a Trace; its a.0. has the examples$",
        ),
        ({"net": bpfast.Network}, TypeError, "^net: expected a Network, got the class Network$"),
        ({"net": problem}, TypeError, "^net: expected a Network, got function$"),
    ],
)
def test_bad_arguments(options, error, message):
    net, x, y = problem()
    batch = {"net": net, "x": x, "y": y} | options
    with pytest.raises(error, match=message):
        check_gradients(**batch)
