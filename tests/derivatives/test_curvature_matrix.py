"""`Network.curvature`: products, diagonal, trace and eigenvalues of one matrix agree."""

import threading

import numpy as np
import pytest
import scipy.sparse

import bpfast
from tests.helpers.cases.random_networks import PAIRS
from tests.helpers.tolerance import RELATIVE

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((7, 3)), RNG.uniform(0.05, 0.95, (7, 3))
WEIGHTS = RNG.random(7)


def network(cost="quadratic", output="sigmoid", sizes=(3, 5, 3), **options):
    return bpfast.Network(list(sizes), hidden="tanh", output=output, cost=cost, seed=1, **options)


def formed(matrix):
    return np.array([matrix @ column for column in np.eye(matrix.shape[0])])


@pytest.mark.parametrize(("output", "cost"), PAIRS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_exact_diagonals(output, cost, reduction):
    net = network(cost, output)
    for name in ("ggn", "empirical_fisher"):
        matrix = net.curvature(X, Y, matrix=name, sample_weight=WEIGHTS, reduction=reduction)
        full = formed(matrix)
        size = np.abs(full).max()
        assert np.allclose(full, full.T, rtol=0, atol=1e-13 * size)
        assert np.allclose(matrix.diagonal(), np.diag(full), rtol=1e-11, atol=1e-13 * size)
        assert np.isclose(matrix.trace(), np.trace(full), rtol=1e-11, atol=1e-13 * size)


@pytest.mark.parametrize("gap", [0, 10, 40, 300])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("output", "cost"),
    [pair for pair in PAIRS if pair[1] in ("cross_entropy", "log_likelihood", "poisson")],
)
def test_a_diagonal_of_saturated_outputs(output, cost, dtype, gap):
    net = network(cost, output, sizes=(3, 3), dtype=dtype)
    net.biases[0][:] = [gap, 0.3, -0.2]
    y = np.array([[0.5, 0.3, 0.2], [0, 1, 0], [1, 0, 0]])
    for rows in ([0, 1, 2], [0], [1], [2]):
        matrix = net.curvature(X[rows], y[rows], matrix="ggn")
        expected, tiny = np.diag(formed(matrix)), np.finfo(dtype).tiny
        # Each element: of a saturated output, it is small beside the others.
        assert np.allclose(matrix.diagonal(), expected, rtol=10 * RELATIVE[dtype], atol=10 * tiny)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("small", [True, False])
def test_a_diagonal_of_errors_whose_squares_leave_the_range(dtype, small):
    """(δ a)² is in range, and δ² is not; √Σ_c δ_c² may not be either."""
    info = np.finfo(dtype)
    size = float(info.tiny) * 2**20 if small else float(info.max) * 0.75
    x, y = np.array([[1 / size], [2 / size]]), np.zeros((2, 2))
    net = bpfast.Network([1, 2, 2], hidden="identity", output="identity", dtype=dtype, init="zeros")
    net.weights[1] = [[size, 1], [size, 1]]
    # ∂²C/∂(w^2_j1)² = Σ_c Σ_x (w^3_cj x)², with w^3_c1 = size and w^3_c2 = 1.
    with np.errstate(over="ignore", under="ignore"):
        expected = (10 * np.array([1, x[0, 0]]) ** 2).astype(dtype)
        diagonal = net.curvature(x, y, matrix="ggn", reduction="sum").diagonal()
    assert np.allclose(diagonal[:2], expected, rtol=10 * RELATIVE[dtype], atol=0)


def test_targets_that_make_it_indefinite():
    y = np.array([[0.0, 1.0, 1.0], [1.0, -2.0, 0.0]])
    for output, cost in (("softmax", "log_likelihood"), ("sigmoid", "poisson")):
        matrix = network(cost, output).curvature(X[:2], y, matrix="ggn")
        with pytest.raises(ValueError, match=r"^y\[1, 1\]: expected .*, got -2.0$"):
            matrix.diagonal()


def test_labels_and_sparse_examples():
    net = network("log_likelihood", "softmax")
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    sparse = scipy.sparse.csr_array(X)
    for name in ("hessian", "ggn", "empirical_fisher"):
        dense = net.curvature(X, np.eye(3)[labels], matrix=name)
        other = net.curvature(sparse, labels, matrix=name)
        v = RNG.standard_normal(net.params.size)
        assert np.allclose(dense @ v, other @ v, rtol=1e-12, atol=1e-15)
    assert np.allclose(dense.diagonal(), other.diagonal(), rtol=1e-12)


def test_the_estimated_diagonal_of_a_hessian():
    matrix = network().curvature(X, Y)
    full = formed(matrix)
    found = matrix.diagonal(4000, seed=0)
    off = np.sqrt((full**2).sum(axis=1) - np.diag(full) ** 2)
    assert (np.abs(found - np.diag(full)) <= 5 * off / np.sqrt(4000) + 1e-12).all()
    assert (matrix.diagonal(3, seed=7) == matrix.diagonal(3, seed=7)).all()


@pytest.mark.parametrize("sizes", [(3, 5, 3), (3, 40, 40, 3)])
def test_eigenvalues(sizes):
    net = network(sizes=sizes)
    matrix = net.curvature(X, Y)
    values = np.linalg.eigvalsh(formed(matrix))[::-1]
    by_size = values[np.argsort(-np.abs(values))]
    for which, expected in (
        ("largest", values[:3]), ("smallest", values[-3:]), ("magnitude", by_size[:3]),
    ):  # fmt: skip
        found = matrix.eigenvalues(3, which=which)
        # The rounding of an eigenvalue is relative to the largest one.
        assert np.allclose(found, expected, rtol=0, atol=1e-11 * np.abs(by_size[0]))


def test_the_eigenvalues_of_a_zero_matrix():
    net = network("absolute", "identity", sizes=(3, 400))
    assert not net.curvature(X, np.zeros((7, 400)), matrix="ggn").eigenvalues(2).any()


def test_it_keeps_its_examples_and_its_parameters():
    net, x, y, weights = network(), X.copy(), Y.copy(), WEIGHTS.copy()
    matrix = net.curvature(x, y, matrix="empirical_fisher", sample_weight=weights)
    v = RNG.standard_normal(net.params.size)
    before = matrix @ v
    x *= 2
    y *= 3
    weights += 1
    assert (matrix @ v == before).all()
    net.params[0] += 1
    with pytest.raises(ValueError, match=r"^net: expected the parameters that net.curvature had"):
        matrix @ v


def test_several_threads_may_use_it():
    matrix = network().curvature(X, Y)
    v = RNG.standard_normal(matrix.shape[0])
    expected, wrong = matrix @ v, []

    def use():
        wrong.extend(1 for _ in range(50) if not (matrix @ v == expected).all())

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda net: net.curvature(X, Y, matrix="hessain"), ValueError, "matrix: .*'hessian'"),
        (lambda net: net.curvature(X[:3], Y), ValueError, "^y: "),
        (lambda net: net.curvature(X, Y).eigenvalues(0), ValueError, "^k: "),
        (lambda net: net.curvature(X, Y).eigenvalues(1000), ValueError, "^k: expected at most 38"),
        (lambda net: net.curvature(X, Y).eigenvalues(which="x"), ValueError, "^which: "),
        (lambda net: net.curvature(X, Y).diagonal(0), ValueError, "^samples: "),
        (lambda net: net.curvature(X, Y) @ np.ones(3), ValueError, "^v: expected shape"),
        (lambda net: net.curvature(X * np.nan, Y).eigenvalues(), ValueError, "^x: .*finite"),
        (lambda _: bpfast.Curvature(), TypeError, r"^Curvature: .*, got Curvature\(\)$"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(network())
