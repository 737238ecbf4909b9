"""Products of the Gauss–Newton matrix, and its largest eigenvalue."""

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
    return np.column_stack([multiply(column) for column in np.eye(size)])


def jacobian(found):
    """∂z^L/∂θ of each example, by central differences; (n, n_L, P)."""
    net = found.net
    theta, h = np.array(net.params), 1e-6
    columns = []
    for k in range(theta.size):
        moved = []
        for sign in (1, -1):
            params = theta.copy()
            params[k] += sign * h
            net.params = params
            moved.append(net.trace(found.x).z[-1].copy())
        columns.append((moved[0] - moved[1]) / (2 * h))
    net.params = theta
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize(("hidden", "output", "cost"), CASES)
def test_the_matrix_by_differences(hidden, output, cost):
    found = batch(hidden, output, cost)
    j = jacobian(found)
    z = found.net.trace(found.x).z[-1]
    expected = np.zeros((found.net.params.size,) * 2)
    for i, weight in enumerate(found.weight):
        for k in range(2):
            d = np.zeros_like(z)
            d[:, k] = 1
            h = quantities.output_curvature(found, z, d)[i]
            expected += weight * np.outer(j[i].T @ h, j[i][k])
    got = dense(quantities.GaussNewton(found), found.net.params.size)
    # Differences of differences: about 1e-9 each.
    assert got == pytest.approx(expected, abs=1e-7)
    assert got == pytest.approx(got.T, abs=1e-9)


def test_without_hidden_layers_it_is_the_hessian():
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((20, 4)), rng.random((20, 1))
    net = bpfast.Network([4, 1], output="identity", seed=0)
    design = np.hstack([x, np.ones((20, 1))])
    eigenvalue = np.linalg.eigvalsh(design.T @ design / 20)[-1]
    found = quantities.largest_eigenvalue(batch_of(net, x, y))
    assert found == pytest.approx(eigenvalue, rel=1e-6)


@pytest.mark.parametrize(("hidden", "output", "cost"), CASES)
def test_the_largest_eigenvalue(hidden, output, cost):
    found = batch(hidden, output, cost, sizes=(3, 12, 2))
    matrix = dense(quantities.GaussNewton(found), found.net.params.size)
    expected = np.linalg.eigvalsh((matrix + matrix.T) / 2)[-1]
    assert quantities.largest_eigenvalue(found) == pytest.approx(expected, rel=0.02)


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
