"""Calls give the same numbers whatever `numpy.seterr` of the program says of underflow."""

import numpy as np
import pytest

import bpfast
from bpfast import distributed, inside, metrics, testing

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 3)), RNG.random((12, 2))
SCALES = (1e-310, 1e-200, 1e-160)


def net():
    return bpfast.Network([3, 4, 2], hidden="relu", output="identity", seed=0)


def curvature(matrix, x, y):
    return net().curvature(x, y, matrix=matrix)


def trained(train, x, y, **options):
    mine = net()
    train(mine, x, y, **options)
    return mine.params


def report_of(x, y):
    report = inside.explain(net(), x, y)
    return [str(report), report._repr_html_(), str(report.to_dict()), str(report.layer_medians)]


CALLS = {
    "noise_scale": lambda x, y: net().gradient_statistics(x, y).noise_scale,
    "signal_to_noise": lambda x, y: net().gradient_statistics(x, y).signal_to_noise,
    "check_gradients": lambda x, y: testing.check_gradients(net(), x, y).parameters.failed,
    "diagonal": lambda x, y: curvature("hessian", x, y).diagonal(3, seed=0),
    "trace": lambda x, y: curvature("hessian", x, y).trace(3, seed=0),
    "exact trace": lambda x, y: curvature("ggn", x, y).trace(),
    "eigenvalues": lambda x, y: curvature("ggn", x, y).eigenvalues(2),
    "linear_operator": lambda x, y: curvature("ggn", x, y).linear_operator() @ np.ones(26),
    "least_squares": lambda x, y: trained(bpfast.least_squares, x, y, gradient_tolerance=0),
    "fit": lambda x, y: trained(bpfast.Network.fit, x, y, seed=0, epochs=2),
    "distributed.fit": lambda x, y: trained(distributed.fit, x, y, seed=0, epochs=2),
    "L-BFGS in shards": lambda x, y: trained(distributed.fit, x, y, method="lbfgs", epochs=2),
    "local steps": lambda x, y: trained(
        distributed.fit, x, y, method="local", average_every=1, epochs=1, seed=0, shard_rows=4
    ),
    "scipy_minimize": lambda x, y: trained(bpfast.scipy_minimize, x, y, l2=1e-300, tolerance=1e-3),
    "cross_validate": lambda x, y: bpfast.cross_validate(net(), x, y, 2, seed=0, epochs=2).outputs,
    "explain": report_of,
    "demon": lambda x, y: str(inside.demon(net(), x, y)),
    "mean_squared_error": lambda x, y: metrics.mean_squared_error(y, y[::-1]),
    "mean_absolute_error": lambda x, y: metrics.mean_absolute_error(y, y[::-1]),
    "r2": lambda x, y: metrics.r2(y, y[::-1]),
}


@pytest.mark.filterwarnings("ignore:y. expected targets of about 1:UserWarning")
@pytest.mark.parametrize("small", ["x", "x and y"])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", CALLS)
def test_underflow_is_no_error(name, scale, small):
    pytest.importorskip("scipy")
    x, y = X * scale, Y * scale if small == "x and y" else Y
    expected = CALLS[name](x, y)
    with np.errstate(under="raise"):
        np.testing.assert_array_equal(CALLS[name](x, y), expected)
        with pytest.raises(FloatingPointError):  # the state of the program is as before
            np.square(np.array([1e-200]))


def test_code_of_the_user_keeps_its_error_state():
    states = []

    def note(*_):
        states.append(np.geterr()["under"])
        return 0.0

    with np.errstate(under="raise"):
        bpfast.least_squares(net(), X, Y, max_iterations=2, callback=note)
        for train in (bpfast.Network.fit, distributed.fit):
            options = {"callbacks": [note], "metrics": {"note": note}, "validation": (X, Y)}
            trained(train, X, Y, epochs=1, **options)
    assert set(states) == {"raise"}


@pytest.mark.parametrize("large", [1e200, 1e308])
def test_an_infinite_error_is_no_warning(large):
    outputs, y = np.array([[large], [large]]), np.array([[-large], [large]])
    with np.errstate(all="raise"):
        assert metrics.mean_squared_error(outputs, y) == np.inf
        assert metrics.mean_absolute_error(outputs, y) == (large if large < 1e300 else np.inf)


def test_conversions_to_float32_underflow():
    single = bpfast.Network([2, 1], output="identity", dtype="float32", seed=0)
    other = single.copy()
    with np.errstate(under="raise"):
        small = single(np.array([[1e-300, 1.0]]))
        single.partial_fit(np.array([[1e-300, 1.0]]), np.array([[1e-300]]))
    assert small == other(np.array([[0.0, 1.0]]))
    other.partial_fit(np.array([[0.0, 1.0]]), np.array([[0.0]]))
    assert (single.params == other.params).all()
