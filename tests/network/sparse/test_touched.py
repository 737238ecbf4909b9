"""The gradient of a sparse batch by the inputs that it touches."""

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import close

sparse = pytest.importorskip("scipy.sparse")

OPTIONS = {"hidden": "tanh", "output": "softmax", "cost": "log_likelihood"}


def batch(n=12, width=500, density=0.01):
    """A network with many inputs, and a batch that touches few of them."""
    net = bpfast.Network([width, 7, 3], seed=0, **OPTIONS)
    rng = np.random.default_rng(1)
    x = sparse.random_array((n, width), density=density, rng=rng, format="csr")
    return net, x, rng.integers(0, 3, n)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil"])
def test_it_is_the_dense_gradient_at_the_inputs_touched(form):
    net, x, y = batch()
    weight = np.arange(1.0, 13.0)
    expected = net.backprop(x, y, sample_weight=weight)
    inputs, g = net.backprop_touched(x.asformat(form), y, sample_weight=weight)
    assert np.array_equal(inputs, np.unique(x.tocsr().indices))
    assert close(g.cost, expected.cost, "float64")
    assert close(g.weights[0], expected.weights[0][:, inputs], "float64")
    assert not np.delete(expected.weights[0], inputs, axis=1).any()
    for got, whole in (
        (g.weights[1], expected.weights[1]),
        *zip(g.biases, expected.biases, strict=True),
    ):
        assert close(got, whole, "float64")


def test_a_step_changes_only_the_touched_inputs():
    net, x, y = batch()
    before = net.weights[0].copy()
    inputs, g = net.backprop_touched(x, y)
    net.weights[0][:, inputs] -= 0.5 * g.weights[0]
    changed = np.flatnonzero((net.weights[0] != before).any(axis=0))
    assert np.isin(changed, inputs).all()
    assert changed.size


def test_duplicates_and_explicit_zeros_are_touched():
    net = bpfast.Network([9, 2, 3], seed=0, **OPTIONS)
    rows = sparse.csr_array(([1.0, 2.0, 0.0], [4, 4, 7], [0, 3]), shape=(1, 9))
    inputs, g = net.backprop_touched(rows, [1])
    assert inputs.tolist() == [4, 7]
    expected = net.backprop(rows.toarray(), [1])
    assert close(g.weights[0], expected.weights[0][:, inputs], "float64")


def test_an_empty_x_leaves_the_gradient_of_the_other_layers():
    net, _, y = batch()
    inputs, g = net.backprop_touched(sparse.csr_array((12, 500)), y)
    expected = net.backprop(np.zeros((12, 500)), y)
    assert not g.weights[0].any()
    assert len(inputs) == g.weights[0].shape[1]
    assert close(g.weights[1], expected.weights[1], "float64")


def test_a_custom_cost_runs_once():
    calls = []

    def cost(a, y):
        calls.append(len(a))
        return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

    net = bpfast.Network([500, 3], output="identity", cost=cost, seed=0)
    for stored in ([], [1.0]):
        x = sparse.csr_array((stored, ([7] * len(stored), [400] * len(stored))), shape=(12, 500))
        net.backprop_touched(x, np.ones((12, 3)))
    assert calls == [12, 12]


def test_bad_input():
    net, x, y = batch()
    with refuses(TypeError, "x: expected a SciPy sparse matrix, got ndarray", net):
        net.backprop_touched(x.toarray(), y)
    with refuses(ValueError, r"x: expected shape \(12, 500\), got \(12, 499\)", net):
        net.backprop_touched(x[:, :499], y)
    with refuses(ValueError, r"x: expected shape \(12, 500\), got \(12, 499\)", net):
        net.backprop_touched(sparse.csr_array((12, 499)), y)
    with refuses(ValueError, "x: expected one example or more, got an empty batch", net):
        net.backprop_touched(x[:0], y[:0])
    with refuses(ValueError, "y: expected shape", net):
        net.backprop_touched(x, y[:-1])
    x.indices[0] = 500
    with refuses(ValueError, "x: expected indices of at least 0 and below 500, got 500$", net):
        net.backprop_touched(x, y)


@pytest.mark.parametrize(
    ("name", "value", "kind", "message"),
    [
        ("indptr", lambda a: a.astype(float), TypeError, "indptr that are integers, got dtype flo"),
        ("indptr", lambda a: -a, ValueError, "an indptr that starts at 0 and never decreases, got"),
        ("indptr", lambda a: a[:-1], ValueError, r"an indptr of 12 \+ 1 numbers, got 12$"),
        ("indptr", lambda a: 2 * a, ValueError, "indices for [0-9]+ stored numbers, got"),
        ("indices", lambda a: a + 0.5, TypeError, "indices that are integers, got dtype float64$"),
        ("indices", lambda a: a - 500, ValueError, "indices of at least 0 and below 500, got -"),
        ("data", lambda a: a[:-1], ValueError, "data for [0-9]+ stored numbers, got"),
        ("data", lambda a: a[None], ValueError, "data of 1 dimensions, got shape"),
    ],
)
def test_arrays_that_do_not_go_together(name, value, kind, message):
    net, x, y = batch()
    setattr(x, name, value(getattr(x, name)))
    with refuses(kind, f"^x: expected {message}", net):
        net.backprop_touched(x, y)


def test_room_for_more_elements_is_not_read():
    net, x, y = batch()
    wanted = net.backprop_touched(x, y)
    x.data, x.indices = np.append(x.data, np.nan), np.append(x.indices, 10**6).astype(np.int32)
    inputs, g = net.backprop_touched(x, y)
    assert np.array_equal(inputs, wanted.inputs)
    assert g.flat.tobytes() == wanted.gradient.flat.tobytes()
