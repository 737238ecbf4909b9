"""bpfast.testing.check_gradients finds wrong gradients and errors: each check those it is for."""

import numpy as np
import pytest

import bpfast
from bpfast.testing import check_gradients
from tests.helpers.cases.checked_networks import ONLY, Broken, problem, scale

# A fault, and what the message must name.
GRADIENT_FAULTS = {
    "scaled": (lambda g: scale(g.flat, 1.01), "analytic"),
    "one weight off by 1 %": (lambda g: scale(g.weights[0], 1.01, (2, 1)), r"weights\[0\]\[2, 1\]"),
    "one weight of the output": (
        lambda g: scale(g.weights[1], 0.99, (3, 4)),
        r"weights\[1\]\[3, 4\]",
    ),
    "the sign of one bias": (lambda g: scale(g.biases[0], -1, 4), r"biases\[0\]\[4\]"),
    "one entry is NaN": (lambda g: scale(g.biases[1], np.nan, 0), r"biases\[1\]\[0\]"),
    "two biases exchanged": (
        lambda g: g.biases[1].__setitem__(slice(2), g.biases[1][1::-1].copy()),
        r"biases\[1\]\[[01]\]",
    ),
}


ERROR_FAULTS = {
    "scaled": (lambda d: [scale(array, 1.01) for array in d], "z of layer"),
    "one δ off by 1 %": (
        lambda d: scale(d[0], 1.01, (5, 2)),
        "z of layer 2, neuron 2, example 5",
    ),
    "the sign of one δ of the output": (
        lambda d: scale(d[1], -1, (0, 3)),
        "z of layer 3, neuron 3, example 0",
    ),
    "one δ is infinite": (
        lambda d: d[1].__setitem__((4, 1), np.inf),
        "z of layer 3, neuron 1, example 4",
    ),
    "two examples exchanged": (
        lambda d: d[0].__setitem__(slice(2), d[0][1::-1].copy()),
        "z of layer 2, neuron [0-4], example [01]",
    ),
}


@pytest.mark.parametrize(
    ("check", "dtype"),
    [
        ("directions", np.float64),  # float32 is too coarse to see one entry of many
        ("parameters", np.float64),
        ("parameters", np.float32),
    ],
)
@pytest.mark.parametrize("fault", GRADIENT_FAULTS)
def test_a_wrong_gradient_is_caught_by_directions_and_by_parameters(fault, check, dtype):
    spoil, named = GRADIENT_FAULTS[fault]
    net, x, y = problem(hidden="tanh", dtype=dtype)
    check_gradients(net, x, y, **ONLY[check])
    with pytest.raises(AssertionError, match=named if check == "parameters" else "^direction "):
        check_gradients(Broken(net, spoil), x, y, **ONLY[check])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("fault", ERROR_FAULTS)
def test_a_wrong_error_is_caught_only_by_weighted_inputs(fault, dtype):
    spoil, named = ERROR_FAULTS[fault]
    net, x, y = problem(hidden="tanh", dtype=dtype)
    faulty = Broken(net, errors=spoil)
    with pytest.raises(AssertionError, match=named):
        check_gradients(faulty, x, y, **ONLY["weighted_inputs"])
    check_gradients(faulty, x, y, weighted_inputs=0)  # the gradient itself is right


def test_a_missing_sample_weight_and_a_wrong_mean_are_caught():
    net, x, y = problem()
    weights = np.array([1.0, 2, 3, 4, 5, 6])

    class Forgets(Broken):
        def backprop(self, x, y, **kwargs):
            return self.net.backprop(x, y, **(kwargs | {"sample_weight": None}))

        def errors(self, x, y, **kwargs):
            return self.net.errors(x, y, **(kwargs | {"reduction": "sum"}))

    for only in ONLY.values():
        with pytest.raises(AssertionError, match="numeric"):
            check_gradients(Forgets(net), x, y, sample_weight=weights, **only)


def test_the_message_gives_the_worst_entry_and_both_values():
    net, x, y = problem()
    right = float(net.backprop(x, y).weights[0][2, 1])

    def spoil(g):
        scale(g.flat, 1.001)
        g.weights[0][2, 1] = 100

    with pytest.raises(AssertionError) as caught:
        check_gradients(Broken(net, spoil), x, y, **ONLY["parameters"])
    first, *rest = str(caught.value).splitlines()
    assert first == f"weights[0][2, 1]: analytic 100, numeric {right:.10g}"
    assert rest[0] == "gradients of a float64 network, tolerance 1e-08"
    assert "44 checked, 44 wrong, 0 skipped" in rest[2]


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_directions_whose_scale_has_no_square(size):
    """Squares of the gradient underflow or overflow; its norm does not."""

    def total(a, y):
        return a.sum(axis=1), np.ones_like(a)

    options = {"output": "identity", "cost": total}
    net = bpfast.Network.from_parameters([[[1 / size]]], [[0.0]], **options)
    x, y = np.array([[size], [2 * size]]), np.zeros((2, 1))
    with np.errstate(over="raise"):
        check_gradients(net, x, y, **ONLY["directions"])
        wrong = Broken(net, lambda g: scale(g.flat, 1.01))
        with pytest.raises(AssertionError, match=r"^direction "):
            check_gradients(wrong, x, y, **ONLY["directions"])
