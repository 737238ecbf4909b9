"""Least squares by the Levenberg-Marquardt method."""

import _thread
import os
import threading

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import bpfast
from bpfast._minimizers import levenberg_marquardt as module
from tests.helpers.child import run
from tests.helpers.processes.ctrl_c import ctrl_c_raises
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X = np.linspace(-3, 3, 200)[:, np.newaxis]
# Sums of Jᵀ J in another order, solved and added to the parameters a few times.
AFTER_STEPS = 1e-6


def network(sizes=(1, 12, 1), seed=0, **options):
    options = {"hidden": "tanh", "output": "identity"} | options
    return bpfast.Network(list(sizes), seed=seed, **options)


@pytest.mark.parametrize("seed", range(3))
def test_it_fits_a_sine_better_than_lbfgs(seed):
    net = network((1, 16, 1), seed)
    twin = net.copy()
    found = bpfast.least_squares(net, X, np.sin(2 * X), max_iterations=100)
    other = bpfast.scipy_minimize(twin, X, np.sin(2 * X), max_iterations=1000, tolerance=1e-12)
    assert found.cost == net.cost(X, np.sin(2 * X)) < 1e-6
    assert found.cost < other.fun


def minpack(net, x, y, steps):
    """The cost that SciPy's method "lm" finds from the parameters of the network."""
    net, root = net.copy(), np.sqrt(len(x))

    def residuals(params):
        net.params[:] = params
        return (net(x) - y).ravel() / root

    def jacobian(params):
        net.params[:] = params
        return net.per_example_gradients(x, net(x) - 1).flat / root  # a - y = 1: ∂a/∂p

    start, limits = net.params.copy(), {"xtol": 1e-12, "ftol": 1e-10, "gtol": 1e-10}
    options = {"method": "lm", "max_nfev": steps, **limits}
    return scipy.optimize.least_squares(residuals, start, jacobian, **options).cost


def test_its_minima_are_as_good_as_those_of_scipy():
    """Damping by the present diagonal of G saturates neurons: the median was 20 times SciPy's."""
    ours, scipys = [], []
    for seed in range(15):
        x = np.random.default_rng(seed).standard_normal((40, 2))
        y = np.sin(x.sum(axis=1, keepdims=True))
        net = network((2, 3, 1), seed)
        scipys.append(minpack(net, x, y, 150))
        ours.append(bpfast.least_squares(net, x, y, max_iterations=150).cost)
    # Rounding may lead a start to another minimum. The medians, 7e-8 and 8e-4, keep their order
    # also if three starts of each end elsewhere.
    assert np.median(ours) < np.median(scipys)


def test_a_step_shortened_by_damping_is_not_taken_for_convergence():
    """Each step lowers the cost by less than 1e-10 of it until λ has fallen."""
    found = bpfast.least_squares(network(), X, np.sin(X), damping=1e12)
    assert found.cost < 1e-6


def test_a_linear_network_needs_one_step_or_two():
    x, w = RNG.standard_normal((50, 4)), RNG.standard_normal((4, 2))
    net = network((4, 2))
    weights = RNG.random(50)
    y = x @ w + RNG.standard_normal((50, 2))
    found = bpfast.least_squares(net, x, y, sample_weight=weights, damping=1e-12)
    root = np.sqrt(weights)[:, np.newaxis]
    design = np.column_stack([x, np.ones(50)])
    exact = np.linalg.lstsq(root * design, root * y, rcond=None)[0]
    assert found.success
    assert found.iterations <= 3
    # The cost is quadratic about its minimum, so it ends where half the digits agree.
    np.testing.assert_allclose(net.weights[0], exact[:4].T, rtol=0, atol=1e-7)
    np.testing.assert_allclose(net.biases[0], exact[4], rtol=0, atol=1e-7)


def test_sparse_and_float32():
    x = scipy.sparse.random_array((80, 6), density=0.4, format="csr", rng=RNG)
    y = x @ RNG.standard_normal((6, 1))
    dense, sparse = network((6, 4, 1)), network((6, 4, 1))
    first = bpfast.least_squares(dense, x.toarray(), y, max_iterations=5)
    second = bpfast.least_squares(sparse, x, y, max_iterations=5)
    assert np.isclose(first.cost, second.cost, rtol=AFTER_STEPS, atol=0)
    single = network((6, 4, 1), dtype="float32")
    start = single.cost(x, y)
    assert bpfast.least_squares(single, x, y).cost < 0.1 * start


def test_degenerate_problems_end():
    net = network()
    found = bpfast.least_squares(net, X, np.zeros_like(X), gradient_tolerance=0, cost_tolerance=0)
    assert found.cost < 1e-10
    few = network((1, 20, 1))
    assert bpfast.least_squares(few, X[:3], np.sin(X[:3])).cost < 1e-8  # n < P
    assert not bpfast.least_squares(network(), X, np.sin(X), max_iterations=1).success


def test_an_exception_leaves_the_best_parameters():
    net, costs = network(), []

    def callback(iteration, cost):
        costs.append(cost)
        if iteration == 3:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        bpfast.least_squares(net, X, np.sin(X), callback=callback)
    assert net.cost(X, np.sin(X)) == costs[-1] == min(costs)


def test_a_callback_may_stop_it_but_not_change_parameters():
    def stop(iteration, cost):
        raise StopIteration

    found = bpfast.least_squares(network(), X, np.sin(X), callback=stop)
    assert (found.iterations, found.success) == (1, False)
    net = network()
    with pytest.raises(ValueError, match=r"^callback: expected to leave net.params unchanged"):
        bpfast.least_squares(net, X, np.sin(X), callback=lambda *_: net.params.fill(np.nan))


@pytest.mark.parametrize(
    ("net", "options", "error", "message"),
    [
        (network(output="sigmoid", cost="cross_entropy"), {}, ValueError, "^net: .*'quadratic'"),
        (network((1, 5000, 1)), {}, ValueError, "^net: expected at most 5000 parameters"),
        ("net", {}, TypeError, "^net: expected a Network, got str"),
        (network(), {"damping": 0}, ValueError, "^damping: "),
        (network(), {"max_iterations": 0}, ValueError, "^max_iterations: "),
        (network(), {"gradient_tolerance": -1}, ValueError, "^gradient_tolerance: "),
        (network(), {"sample_weight": -np.ones(200)}, ValueError, r"^sample_weight\[0\]: "),
    ],
)
def test_bad_input(net, options, error, message):
    with pytest.raises(error, match=message):
        bpfast.least_squares(net, X, np.sin(X), **options)


def test_a_trace_is_refused():
    net = network()
    with pytest.raises(TypeError, match=r"^x: expected the examples, got a Trace; its a\[0\] has"):
        bpfast.least_squares(net, net.trace(X), np.sin(X))


def test_more_memory_than_there_is(monkeypatch):
    monkeypatch.setattr(module, "MATRICES", 10**10)
    with pytest.raises(MemoryError, match=r"^net: expected a network for whose 37 "):
        bpfast.least_squares(network(), X, np.sin(X))


def test_ctrl_c_ends_a_solution_that_takes_long(monkeypatch):
    """LAPACK looks for no signals: the main thread does."""
    ended = threading.Event()

    def solution(damped, slope):
        threading.Timer(0.1, _thread.interrupt_main).start()
        ended.wait()

    monkeypatch.setattr(module, "_solution", solution)
    net = network((1, 170, 1))
    params = net.params.copy()
    try:
        with ctrl_c_raises(), pytest.raises(KeyboardInterrupt):
            bpfast.least_squares(net, X, np.sin(X))
    finally:
        ended.set()
    np.testing.assert_array_equal(net.params, params)


def test_errors_of_the_other_thread_are_raised(monkeypatch):
    def solution(damped, slope):
        raise MemoryError("none left")

    monkeypatch.setattr(module, "_solution", solution)
    with pytest.raises(MemoryError, match=r"^none left$"):
        bpfast.least_squares(network((1, 170, 1)), X, np.sin(X))


def test_many_parameters_are_fitted_like_few(monkeypatch):
    monkeypatch.setattr(module, "MIN_INTERRUPTIBLE_PARAMETERS", 1)
    monkeypatch.setattr(module, "MAX_PRODUCT_WORK", 1)  # an example at a time
    nets = [network(), network()]
    first = bpfast.least_squares(nets[0], X, np.sin(X), max_iterations=3)
    monkeypatch.undo()
    second = bpfast.least_squares(nets[1], X, np.sin(X), max_iterations=3)
    assert np.isclose(first.cost, second.cost, rtol=AFTER_STEPS, atol=0)


def test_a_callback_that_resizes_the_weights():
    weights = np.ones(len(X))
    with refuses(ValueError, r"^sample_weight: expected shape \(200,\), got \(200, 7\)$"):
        bpfast.least_squares(
            network(), X, np.sin(X), sample_weight=weights,
            callback=lambda *_: weights.resize((200, 7), refcheck=False),
        )  # fmt: skip


def test_a_callback_that_resizes_a_sparse_x():
    x = scipy.sparse.csr_array(X)
    with refuses(ValueError, "^x: "):
        bpfast.least_squares(
            network(), x, np.sin(X),
            callback=lambda *_: x.indptr.resize((3,), refcheck=False),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("owner", "name", "error"),
    [
        (_thread, "start_new_thread", MemoryError),
        (_thread, "start_new_thread", RuntimeError),
        (threading, "Lock", RuntimeError),  # CPython's, if a lock cannot be allocated
    ],
)
def test_without_memory_for_a_thread(monkeypatch, owner, name, error):
    nets = [network((1, 170, 1)), network((1, 170, 1))]
    first = bpfast.least_squares(nets[0], X, np.sin(X), max_iterations=2)

    def refuse(*_):
        raise error("no thread")

    monkeypatch.setattr(owner, name, refuse)
    second = bpfast.least_squares(nets[1], X, np.sin(X), max_iterations=2)
    assert (nets[0].params == nets[1].params).all()
    assert first == second


def test_a_thread_that_does_not_start(monkeypatch):
    """As one that has no memory to start, which ends without a word."""
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: 1)
    monkeypatch.setattr(module, "THREAD_START_POLLS", 1)
    found = bpfast.least_squares(network((1, 170, 1)), X, np.sin(X), max_iterations=1)
    assert found.iterations == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_while_a_step_is_solved():
    """The child of a signal handler does not have the thread that solves."""
    parent, child, code = run("forks_in_a_solution")
    assert (parent, code) == ("done", 0)
    assert child.startswith("RuntimeError: a forked child cannot go on with a step")


@pytest.mark.parametrize("minimize", [bpfast.least_squares, bpfast.scipy_minimize])
@pytest.mark.parametrize("argument", ["x", "y"])
def test_numbers_that_are_not_finite_are_named(minimize, argument):
    x, net = np.linspace(-1, 1, 20)[:, np.newaxis], network((1, 3, 1))
    given = {"x": x, "y": np.sin(x)}
    given[argument] = given[argument].copy()
    given[argument][7] = np.nan
    with refuses(ValueError, rf"^{argument}\[7\]: expected finite numbers, got nan$", net):
        minimize(net, **given)
