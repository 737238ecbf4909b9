"""SciPy's minimisers on the flat vector of a network."""

import subprocess
import sys

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

pytest.importorskip("scipy.optimize")

METHODS = ["L-BFGS-B", "BFGS", "CG", "Newton-CG", "TNC", "SLSQP", "trust-constr"]


def curve(dtype="float64"):
    """A small network, and a curve for it to follow."""
    net = bpfast.Network([1, 10, 1], hidden="tanh", output="identity", dtype=dtype, seed=0)
    x = np.linspace(-2, 2, 60)[:, None]
    return net, x, np.sin(2 * x)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_fits_the_curve(method):
    net, x, y = curve()
    start = net.cost(x, y)
    found = bpfast.scipy_minimize(net, x, y, method=method, max_iterations=150)
    assert found.fun == net.cost(x, y)
    assert found.fun < start / 50


def test_a_linear_fit_is_exact():
    net = bpfast.Network([2, 1], output="identity", seed=0)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 2))
    weight = rng.random(30)
    y = x @ [[1.5], [-0.5]] + 0.25 + rng.standard_normal((30, 1))
    bpfast.scipy_minimize(net, x, y, sample_weight=weight, l2=0.1, tolerance=1e-12)
    # The normal equations of Σ s (a - y)²/2 / Σ s + l2/2 Σ w².
    a = np.hstack([x, np.ones((30, 1))])
    s = weight / weight.sum()
    expected = np.linalg.solve(a.T @ (a * s[:, None]) + np.diag([0.1, 0.1, 0]), a.T @ (y[:, 0] * s))
    # L-BFGS-B stops where the gradient is about 1e-8 of the cost.
    np.testing.assert_allclose(net.params, expected, rtol=1e-5)


def test_float32_is_less_accurate():
    net, x, y = curve("float32")
    start = net.cost(x, y)
    bpfast.scipy_minimize(net, x, y, max_iterations=100)
    assert net.params.dtype == np.float32
    assert net.cost(x, y) < start / 10


def test_an_exception_leaves_the_last_iteration():
    net, x, y = curve()
    seen = []

    def callback(params):
        seen.append(params.copy())
        if len(seen) == 3:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        bpfast.scipy_minimize(net, x, y, callback=callback)
    assert np.array_equal(net.params, seen[-1])


@pytest.mark.parametrize(
    ("method", "dtype"), [*((method, "float64") for method in METHODS), ("TNC", "float32")]
)
def test_a_callback_can_end_it(method, dtype):
    net, x, y = curve(dtype)
    seen = []

    def callback(params):
        seen.append(params.copy())
        if len(seen) == 2:
            raise StopIteration

    found = bpfast.scipy_minimize(net, x, y, method=method, callback=callback)
    assert len(seen) == 2
    assert "StopIteration" in found.message
    assert not found.success
    assert found.nit >= 1
    assert found.nfev >= 2
    assert found.x.dtype == np.float64
    assert np.array_equal(net.params, found.x.astype(dtype))
    assert found.fun == net.cost(x, y)


def test_other_exceptions_propagate():
    """A StopIteration of the cost is a defect of the cost."""
    net, x, y = curve()
    calls = []

    def cost(a, y):
        calls.append(a)
        if len(calls) == 3:
            raise StopIteration
        return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

    net = bpfast.Network([1, 2, 1], cost=cost, output="identity", seed=0)
    with pytest.raises(StopIteration):
        bpfast.scipy_minimize(net, x, y, method="TNC")


def test_bad_input():
    net, x, y = curve()
    cases = [
        (ValueError, "method: .*'dogleg'", {"method": "dogleg"}),
        (TypeError, "method: ", {"method": 3}),
        (ValueError, "method: unknown name 'bgfs'; did you mean 'bfgs'", {"method": "bgfs"}),
        (ValueError, "l2: ", {"l2": -1}),
        (ValueError, "max_iterations: ", {"max_iterations": 0}),
        (ValueError, "sample_weight: ", {"sample_weight": [1.0]}),
    ]
    for kind, message, options in cases:
        with refuses(kind, message, net):
            bpfast.scipy_minimize(net, x, y, **options)
    with refuses(ValueError, "x: expected shape", net):
        bpfast.scipy_minimize(net, np.ones((3, 2)), np.ones((3, 1)))
    with refuses(ValueError, "finite", net):
        bpfast.scipy_minimize(net, x * np.nan, y)


def test_scipy_is_imported_only_when_asked():
    program = "import sys, bpfast; print('scipy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
