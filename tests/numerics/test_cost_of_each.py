"""`reduction="none"`: the cost of each example, s_x C_x."""

import numpy as np
import pytest

import bpfast
from bpfast import reference
from tests.helpers.refuses import refuses

N = 700  # several chunks and threads
# float32 rounds a^L and z^L at 6e-8 each; C_x is added up in float64.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
PAIRS = [
    (cost, output)
    for cost in bpfast.COSTS
    for output in ("sigmoid", "softmax", "softplus", "identity")
    if output in {"cross_entropy": ("sigmoid", "softmax"), "log_likelihood": ("softmax",),
                  "poisson": ("sigmoid", "softmax", "softplus")}.get(cost, (output,))
]  # fmt: skip


def data(n=N):
    rng = np.random.default_rng(0)
    y = rng.dirichlet(np.ones(3), n)
    return rng.normal(size=(n, 4)), y, rng.uniform(size=n)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("cost", "output"), PAIRS)
def test_costs_agree_with_the_reference_and_add_up(cost, output, dtype):
    net = bpfast.Network([4, 5, 3], output=output, cost=cost, dtype=dtype, seed=1)
    x, y, s = (array[:20].astype(dtype) for array in data())
    for weights in (None, s):
        found = net.cost(x, y, sample_weight=weights, reduction="none")
        assert found.shape == (20,)
        assert found.dtype == np.float64
        parts = [[w.tolist() for w in net.weights], [b.tolist() for b in net.biases], x, y]
        named = {"output": output, "cost": cost, "sample_weight": weights, "reduction": "none"}
        expected = reference.cost(*parts, **named)
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype] * max(expected))
        np.testing.assert_array_equal(bpfast.cost(net.weights, net.biases, x, y, **named), found)
        total = net.cost(x, y, sample_weight=weights, reduction="sum")
        np.testing.assert_allclose(found.sum(), total, rtol=1e-14)


def test_labels_and_the_same_bits_alone_at_any_number_of_threads_and_sparse():
    sparse = pytest.importorskip("scipy.sparse")
    net = bpfast.Network([4, 30, 3], output="softmax", cost="log_likelihood", seed=1)
    x, y, _ = data()
    labels = y.argmax(axis=1)
    with bpfast.num_threads(1):
        expected = net.cost(x, labels, reduction="none")
    with bpfast.num_threads(2):
        np.testing.assert_array_equal(net.cost(x, labels, reduction="none"), expected)
    np.testing.assert_array_equal(
        net.cost(np.asfortranarray(x), labels, reduction="none"), expected
    )
    for k in (0, 300, N - 1):
        assert net.cost(x[k : k + 1], labels[k : k + 1], reduction="none") == expected[k]
        assert net.cost(x[k : k + 1], labels[k : k + 1]) == expected[k]
    found = net.cost(sparse.csr_array(x), labels, reduction="none")
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_a_cost_that_is_a_callable():
    def quartic(a, y):
        return ((a - y) ** 4).sum(axis=1), 4 * (a - y) ** 3

    net = bpfast.Network([4, 3], cost=quartic, seed=0)
    x, y, s = data(6)
    costs = quartic(net(x), y)[0]
    np.testing.assert_array_equal(net.cost(x, y, reduction="none"), costs)
    np.testing.assert_array_equal(net.cost(x, y, sample_weight=s, reduction="none"), s * costs)
    parts = [net.weights, net.biases, x, y]
    found = bpfast.cost(*parts, output="sigmoid", cost=quartic, reduction="none")
    np.testing.assert_array_equal(found, costs)


def test_weights_may_be_zero_or_negative_but_not_of_another_length():
    net = bpfast.Network([4, 3], seed=0)
    x, y, _ = data(2)
    assert net.cost(x, y, sample_weight=[0, 0], reduction="none").tolist() == [0, 0]
    first, second = net.cost(x, y, reduction="none")
    assert net.cost(x, y, sample_weight=[1, -1], reduction="none").tolist() == [first, -second]
    with refuses(ValueError, r"^sample_weight\[1\]: expected a finite weight", x, y):
        net.cost(x, y, sample_weight=[1, np.nan], reduction="none")
    with refuses(ValueError, r"^sample_weight: expected shape \(2,\)", x, y):
        net.cost(x, y, sample_weight=[1], reduction="none")


def test_the_mean_of_one_nan_example_alone_is_nan():
    net = bpfast.Network([4, 3], seed=0)
    x, y, _ = data(3)
    x[1, 0] = np.nan
    assert np.isnan(net.cost(x, y, reduction="none")).tolist() == [False, True, False]


def test_none_is_the_error_of_each_example():
    net = bpfast.Network([4, 3], seed=0)
    x, y, _ = data(5)
    weights = [1, 2, 3, 4, 5]
    found = net.errors(x, y, sample_weight=weights, reduction="none")
    alone = [net.errors(x[k : k + 1], y[k : k + 1])[0][0] * weights[k] for k in range(5)]
    assert np.allclose(found[0], alone, rtol=1e-12)
    parts = (net.weights, net.biases, x, y)
    theirs = reference.errors(*parts, sample_weight=weights, reduction="none")
    assert np.allclose(found[0], theirs[0], rtol=1e-12)


@pytest.mark.parametrize("name", ["backprop", "bp1"])
@pytest.mark.parametrize("cost", ["quadratic", lambda a, y: pytest.fail("called")])
def test_none_is_only_for_cost_and_errors(name, cost):
    """The same words from all others, before a callable is called."""
    message = "^reduction: expected 'mean' or 'sum', got 'none', which cost and errors alone take$"
    z, y = np.zeros((2, 1)), np.ones((2, 1))
    parts = {"z": z} if name == "bp1" else {"weights": [[[1.0]]], "biases": [[0.0]], "x": z}
    for module in (bpfast, reference):
        with refuses(ValueError, message, z, y):
            getattr(module, name)(**parts, y=y, cost=cost, reduction="none")


@pytest.mark.parametrize("module", [bpfast, reference])
def test_an_unknown_reduction_of_a_cost_lists_all_three(module):
    message = "^reduction: unknown name 'each'; valid: 'mean', 'sum', 'none'$"
    with pytest.raises(ValueError, match=message):
        module.cost([[[1.0]]], [[0.0]], [[1.0]], [[1.0]], reduction="each")
