"""The largest eigenvalue of the Gauss–Newton matrix, and the ceiling that it sets."""

import numpy as np
import pytest

import bpfast
from bpfast.inside import _quantities as quantities
from bpfast.inside._batch import batch_of

CASES = [
    ("tanh", "identity", "quadratic"),
    ("sigmoid", "sigmoid", "quadratic"),
    ("gelu", "softmax", "log_likelihood"),
    ("relu", "sigmoid", "cross_entropy"),
]


def batch(hidden, output, cost, sizes=(3, 4, 2)):
    net = bpfast.Network(list(sizes), hidden=hidden, output=output, cost=cost, seed=5)
    rng = np.random.default_rng(6)
    y = rng.random((9, 2))
    y /= y.sum(axis=1, keepdims=True)
    return batch_of(net, rng.standard_normal((9, sizes[0])), y, rng.random(9))


def dense(multiply, size):
    return np.column_stack([multiply(column).copy() for column in np.eye(size)])


def test_without_hidden_layers_it_is_the_hessian():
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((20, 4)), rng.random((20, 1))
    net = bpfast.Network([4, 1], output="identity", seed=0)
    design = np.hstack([x, np.ones((20, 1))])
    eigenvalue = np.linalg.eigvalsh(design.T @ design / 20)[-1]
    found = quantities.largest_ggn_eigenvalue(batch_of(net, x, y))
    # A few steps of Lanczos' method, which ends at a change of 0.2 %.
    assert found == pytest.approx(eigenvalue, rel=1e-6)


@pytest.mark.parametrize(("hidden", "output", "cost"), CASES)
def test_the_largest_eigenvalue(hidden, output, cost):
    found = batch(hidden, output, cost, sizes=(3, 12, 2))
    options = {"sample_weight": found.weight}
    matrix = dense(
        lambda v: found.net.ggn_vp(found.x, found.y, v, **options).flat, found.net.params.size
    )
    expected = np.linalg.eigvalsh((matrix + matrix.T) / 2)[-1]
    assert quantities.largest_ggn_eigenvalue(found) == pytest.approx(expected, rel=0.02)


def test_the_largest_of_many_close_eigenvalues():
    rng = np.random.default_rng(10)
    for features, n in ((200, 150), (100, 100)):
        x, y = rng.standard_normal((n, features)), rng.random((n, 1))
        net = bpfast.Network([features, 1], output="identity", seed=0)
        design = np.hstack([x, np.ones((n, 1))])
        expected = np.linalg.eigvalsh(design.T @ design / n)[-1]
        found = quantities.largest_ggn_eigenvalue(batch_of(net, x, y))
        assert found == pytest.approx(expected, rel=0.01)


def test_the_ceiling_of_sgd_is_where_it_begins_to_diverge():
    rng = np.random.default_rng(8)
    x, y = rng.standard_normal((30, 3)), rng.random((30, 1))
    for momentum, nesterov in ((0.0, False), (0.8, False), (0.8, True)):
        for ceiling, grows in ((0.95, False), (1.05, True)):
            net = bpfast.Network([3, 1], output="identity", seed=1)
            start = bpfast.SGD(1.0, momentum=momentum, nesterov=nesterov)
            report = bpfast.inside.explain(net, x, y, optimizer=start)
            rate = ceiling / report._facts.step.ceiling
            optimizer = bpfast.SGD(rate, momentum=momentum, nesterov=nesterov)
            for _ in range(600):
                optimizer.step(net.params, net.backprop(x, y))
            assert (net.cost(x, y) > 1e3) == grows, (momentum, nesterov, ceiling)


def test_a_callable_cost_has_no_ceiling():
    def cost(a, y):
        return ((a - y) ** 2).sum(axis=1) / 2, a - y

    found = batch("tanh", "identity", cost)
    assert np.isnan(quantities.largest_ggn_eigenvalue(found))
