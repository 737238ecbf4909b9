"""`explain` for x of any size: the same finding, and no number out of range unseen."""

import warnings

import numpy as np
import pytest

import bpfast
from bpfast.inside import Monitor, explain
from bpfast.inside._report.rows import _ratio
from bpfast.inside._scaled import norm, rms, scale_of

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 4))
CASES = {
    "classes": ({"hidden": "sigmoid", "cost": "cross_entropy"}, (X[:, :1] * X[:, 1:2] > 0) * 1.0),
    "softmax": (
        {"hidden": "tanh", "output": "softmax", "cost": "log_likelihood"},
        (X[:, 0] * X[:, 1] > 0).astype(int),
    ),
    "regression": ({"hidden": "relu", "output": "identity"}, X[:, :1] ** 2),
}
SCALES = {"float64": (1e200, 1e300, 1e-160, 1e-300), "float32": (1e30, 1e38, 1e-30, 1e-44)}
PAIRS = [(dtype, scale) for dtype, scales in SCALES.items() for scale in scales]
STEPS = [{}, {"optimizer": "adam"}, {"optimizer": "sgd", "learning_rate": 0.1}]


def report_of(case, dtype, scale, **step):
    options, y = CASES[case]
    outputs = 2 if case == "softmax" else 1
    net = bpfast.Network([4, 6, outputs], dtype=dtype, seed=0, **options)
    with np.errstate(under="ignore", over="ignore"):
        x = (scale * np.clip(X, -3, 3)).astype(dtype)
    return explain(net, x, y, **step)


@pytest.mark.parametrize(("dtype", "scale"), PAIRS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("step", STEPS, ids=["no step", "adam", "sgd"])
def test_x_of_any_size(case, dtype, scale, step):
    report = report_of(case, dtype, scale, **step)
    expected = "unscaled_features" if scale > 1 else "quiet_inputs"
    assert report.main.kind == expected
    for finding in report.findings:
        assert np.isfinite(list(finding.evidence.values())).all(), finding
        assert "nan" not in finding.cause
        assert "inf " not in finding.cause
    for row in report.rows:
        factors = row.arrives, row.gate, row.inputs, row.cancellation, row.output, row.relative
        assert np.isfinite(factors).all(), row
        assert 0 <= row.cancellation <= 1 + 1e-12
        assert not np.isnan(row.gradient)
    assert str(report)
    assert report._repr_html_()


@pytest.mark.parametrize(("dtype", "scale"), [("float64", 1e200), ("float32", 1e30)])
@pytest.mark.parametrize("case", CASES)
def test_checks_of_a_large_x(case, dtype, scale):
    check = report_of(case, dtype, scale, optimizer="adam").check(steps=30)
    assert check.kind == "unscaled_features"
    assert not np.isnan(check.cost_after).any()
    assert str(check)


@pytest.mark.parametrize("power", [600, -600])
@pytest.mark.parametrize("case", CASES)
def test_factors_scale_with_x(case, power):
    """A power of 2 in x, and its inverse in the weights, changes nothing but the inputs."""
    options, y = CASES[case]
    outputs = 2 if case == "softmax" else 1
    net = bpfast.Network([4, 6, outputs], seed=0, **options)
    other = net.copy()
    other.weights[0][...] = np.ldexp(np.array(net.weights[0]), -power)
    rows, others = explain(net, X, y).rows, explain(other, np.ldexp(X, power), y).rows
    for row, twin in zip(rows, others, strict=True):
        assert (row.arrives, row.gate, row.cancellation) == (
            twin.arrives, twin.gate, twin.cancellation,
        )  # fmt: skip
        times = power if row.layer == 2 else 0
        assert np.ldexp(row.inputs, times) == twin.inputs
        assert np.ldexp(row.gradient, times) == twin.gradient
        assert row.examples.tolist() == twin.examples.tolist()


@pytest.mark.parametrize("scale", [1e160, 1e200, 1e-200, 1e-300])
@pytest.mark.parametrize("step", STEPS, ids=["no step", "adam", "sgd"])
def test_y_of_any_size(scale, step):
    """Its cost may be infinite, as that of the best constant: the examples are not learned."""
    net = bpfast.Network([4, 6, 1], hidden="tanh", output="identity", seed=0)
    report = explain(net, X, X[:, :1] * scale, **step)
    assert report.main.kind == "target_scale"
    assert np.isfinite(list(report.main.evidence.values())).all()
    assert report.rows
    assert "learned" not in str(report)
    check = report.check(steps=20)
    assert not np.isnan([check.cost_before, check.cost_after]).any()
    assert "nan" not in str(check)


@pytest.mark.parametrize("scale", [1e160, 1e200, 1e300])
@pytest.mark.parametrize("step", STEPS, ids=["no step", "adam", "sgd"])
def test_weights_of_any_size(scale, step):
    """Where errors are out of range, they are large, and did not vanish."""
    net = bpfast.Network([4, 6, 1], hidden="relu", output="identity", seed=0)
    net.params[...] *= scale
    report = explain(net, X, X[:, :1], **step)
    assert [finding.kind for finding in report.findings] == ["large_weights"]
    assert not np.isnan(list(report.main.evidence.values())).any()
    assert "nan" not in str(report.main)
    assert report.rows


def test_numbers_that_float32_cannot_hold():
    net = bpfast.Network([4, 6, 1], dtype="float32", output="identity", seed=0)
    large = np.where(np.arange(80)[:, None] == 3, 1e300, X)
    message = r"^{}\[3, 0\]: expected numbers that float32 can hold, got 1e\+300$"
    with pytest.raises(ValueError, match=message.format("x")):
        explain(net, large, X[:, :1])
    with pytest.raises(ValueError, match=message.format("y")):
        explain(net, X, large[:, :1])


def test_features_of_which_one_is_huge():
    x = X * np.array([1, 1, 1e250, 1])
    net = bpfast.Network([4, 6, 1], hidden="tanh", seed=0)
    main = explain(net, x, X[:, :1]).main
    assert main.kind == "uneven_features"
    assert main.neurons.tolist() == [2]
    assert np.isfinite(list(main.evidence.values())).all()


@pytest.mark.parametrize("scale", [1.0, 1e300, 1e-300, 5e-324])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_roots_of_squares(scale, axis):
    values = X * scale
    with np.errstate(over="ignore", under="ignore"):
        exact = np.array(values, np.longdouble)
        of_norm = np.sqrt(np.square(exact).sum(axis=axis)).astype(float)
        of_mean = np.sqrt(np.square(exact).mean(axis=axis)).astype(float)
    assert norm(values, axis) == pytest.approx(of_norm, rel=1e-14, abs=5e-324)
    assert rms(values, axis) == pytest.approx(of_mean, rel=1e-14, abs=5e-324)


def test_scales_of_special_values():
    for values in ([], [0.0], [np.inf, 1.0], [np.nan, 1.0]):
        assert scale_of(np.array(values)) == 1
    assert norm(np.array([np.inf, 1.0])) == np.inf
    assert np.isnan(rms(np.array([np.nan, 1.0])))


@pytest.mark.parametrize("power", [640, -640, 1000, -1000])
@pytest.mark.parametrize("case", CASES)
def test_records_of_a_monitor(case, power):
    """x times a power of 2, the first weights divided by it, and the last biases kept."""
    options, y = CASES[case]
    outputs = 2 if case == "softmax" else 1
    net = bpfast.Network([4, 6, outputs], seed=0, biases=[False, True], **options)
    other = net.copy()
    other.weights[0][...] = np.ldexp(np.array(net.weights[0]), -power)
    monitor = Monitor(X, y, sample=80, warn=False)
    twin = Monitor(np.ldexp(X, power), y, sample=80, warn=False)
    for each, one in ((monitor, net), (twin, other)):
        each.record(one)
        one.params[...] *= 1.5
        each.record(one)
    for name in ("cost", "speed_2", "speed_3", "saturation_2"):
        assert monitor[name].tolist() == twin[name].tolist(), name
    for name in ("gradient_norm", "signal_to_noise", "cosine"):
        assert np.isfinite(twin[name][1]), name
    if power > 0:  # of the last layer nothing is left beside the first
        first = net.backprop(np.ldexp(X, 0), y)
        assert twin.gradient_norm[1] == pytest.approx(
            np.ldexp(np.linalg.norm(first.weights[0]), power), rel=1e-10
        )
    assert (twin.signal_to_noise > 0).all()
    assert np.abs(twin.cosine[1]) <= 1 + 1e-12


def test_a_factor_far_above_the_median_of_its_layer():
    """It is infinite times as large, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _ratio(np.float64(1e300), np.float64(1e-300)) == np.inf
        assert _ratio(np.float64(3), np.float64(2)) == 1.5
