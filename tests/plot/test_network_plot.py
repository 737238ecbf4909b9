"""`plot.network`: the numbers that neurons show, and the weights that are drawn."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from scipy import sparse

import bpfast
from bpfast import plot
from tests.helpers.refuses import refuses

X = np.array([0.5, -1.0, 2.0])


def network(sizes=(3, 4, 2), **options):
    return bpfast.Network(list(sizes), **({"hidden": "tanh", "seed": 1} | options))


def neurons(ax):
    """The collections of neurons: those with numbers, and the white ones."""
    found = [each for each in ax.collections if isinstance(each, PatchCollection)]
    return [each for each in found if each.get_array() is not None], found


def lines(ax):
    return [each for each in ax.collections if isinstance(each, LineCollection)]


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("x", [X, X[np.newaxis], X.tolist(), sparse.csr_array(X[np.newaxis])])
def test_activations(x):
    net = network()
    ax = plot.network(net, x)
    (numbers,), _ = neurons(ax)
    expected = np.concatenate([a[0] for a in net.trace([X]).a])
    assert np.array_equal(numbers.get_array(), expected)
    # There are negative ones: 0 is the middle of the scale.
    assert numbers.norm.vmin == -numbers.norm.vmax == -2
    assert ax.figure.axes[1].get_ylabel() == "activation $a$"


def test_activations_of_sigmoid_start_at_0():
    (numbers,), _ = neurons(plot.network(network(hidden="sigmoid"), [0, 0.2, 0.1]))
    assert numbers.norm.vmin == 0
    assert numbers.norm.vmax == numbers.get_array().max()


@pytest.mark.parametrize(
    ("cost", "y", "target"),
    [
        ("quadratic", [1, 0], [[1, 0]]),
        ("quadratic", [[1, 0]], [[1, 0]]),
        ("cross_entropy", 1, [1]),
        ("cross_entropy", np.int64(1), [1]),
        ("cross_entropy", [1], [1]),
    ],
)
def test_errors(cost, y, target):
    net = network(cost=cost)
    ax = plot.network(net, X, y, "error")
    (numbers,), both = neurons(ax)
    expected = np.concatenate([d[0] for d in net.errors([X], target, reduction="sum")])
    assert np.array_equal(numbers.get_array(), expected)
    assert numbers.norm.vmin == -numbers.norm.vmax
    assert numbers.norm.vmax == abs(expected).max()
    white = [len(each.get_paths()) for each in both if each is not numbers]
    assert white == [3]  # inputs have no errors


@pytest.mark.parametrize("y", [0.3, [0.3], [[0.3]]])
def test_the_target_of_a_single_output(y):
    net = network((3, 1), hidden=[])
    net.biases[0][:] = 5  # a > y: the error is positive
    (numbers,), _ = neurons(plot.network(net, X, y, "error"))
    assert numbers.get_array().tolist() == net.errors([X], [[0.3]])[0][0].tolist()
    assert numbers.norm.vmin == -numbers.norm.vmax  # 0 is in the middle for a single sign too


def test_a_large_number_in_float32():
    net = network(dtype="float32")
    ax = plot.network(net, [1e300, 0, 0])
    assert "inf" in texts(ax)
    assert ax._repr_png_()


def test_all_neurons_of_a_wide_layer():
    ax = plot.network(network((300, 2)), most=300)
    assert ax.figure.get_size_inches()[1] == 30
    assert len(texts(ax)) == 2  # the others would be too small


def test_a_callable_cost():
    net = network(cost=lambda a, y: (((a - y) ** 2).sum(axis=1), 2 * (a - y)))
    (numbers,), _ = neurons(plot.network(net, X, [1, 0], "error"))
    twice = network()
    expected = np.concatenate([2 * d[0] for d in twice.errors([X], [[1, 0]])])
    assert np.asarray(numbers.get_array()) == pytest.approx(expected, rel=1e-12)


def test_without_an_example_all_neurons_are_white():
    ax = plot.network(network())
    numbers, (white,) = neurons(ax)
    assert not numbers
    assert len(white.get_paths()) == 9
    assert len(ax.figure.axes) == 1  # and there is no colour scale
    labels = [text for text in texts(ax) if "layer" in text]
    assert labels == ["layer 1\n3 inputs", "layer 2\n4 tanh", "layer 3\n2 sigmoid"]


def test_a_wide_layer_shows_its_first_and_last_neurons():
    net = network((9, 5, 2))
    x = np.arange(9.0)
    ax = plot.network(net, x, most=5)
    (numbers,), _ = neurons(ax)
    shown = [0, 1, 2, 7, 8]
    assert numbers.get_array()[:5].tolist() == shown
    assert len(numbers.get_array()) == 5 + 5 + 2
    assert [line.get_xdata().tolist() for line in ax.get_lines()] == [[0, 0, 0]]  # dots
    indices = [text for text in texts(ax) if text in map(str, range(9))]
    assert [each for each in indices if each in "78"] == ["7", "8"]


def test_weights_by_sign_and_size():
    net = network((2, 2, 1))
    net.weights[0][:] = [[4, -2], [0, 1]]
    net.weights[1][:] = [[np.nan, -3]]
    positive, negative = lines(plot.network(net))
    assert len(positive.get_segments()) == 2  # 4 and 1; 0 and NaN are not drawn
    assert len(negative.get_segments()) == 2
    widths = positive.get_linewidths()
    assert widths[0] > 2 * widths[1]
    # -2 is half of its layer's largest, -3 is the largest of its own.
    assert negative.get_linewidths()[1] == widths[0]
    assert widths[1] < negative.get_linewidths()[0] < widths[0]
    assert positive.get_linestyle() != negative.get_linestyle()
    # From neuron k of the layer before to neuron j: -2 goes from input 1, below, to neuron 0.
    (start, end) = negative.get_segments()[0]
    assert start[1] < end[1]
    assert start[0] < end[0]


def test_numbers_as_text():
    net = network((1, 1), hidden=[], output="identity", init="zeros")
    for bias, text in [(0.5, "0.50"), (-2e-5, "-2e-5"), (1234, "1234"), (np.nan, "nan"), (0, "0")]:
        net.biases[0][:] = bias
        assert text in texts(plot.network(net, [7.25]))
    assert "7.25" in texts(plot.network(net, [7.25]))


def test_small_axes_have_no_text_in_the_neurons():
    small = Figure(figsize=(1, 1)).subplots()
    ax = plot.network(network(), X, ax=small, colorbar=False)
    assert ax is small
    assert len(texts(ax)) == 3  # the names of the layers


BAD = [
    ((network(), X, None, 3), {}, TypeError, "^what: expected a str, got int$"),
    ((network(), X, [1, 0], "delta"), {}, ValueError, "^what: unknown name 'delta'"),
    ((network(), None, [1, 0]), {}, ValueError, "^x: expected an example, got None$"),
    ((network(), None, None, "error"), {}, ValueError, "^x: expected an example, got None$"),
    ((network(), X, None, "error"), {}, ValueError, "^y: expected the target of x, which errors"),
    ((network(), X[:2]), {}, ValueError, r"^x: expected one example, of shape \(3,\) or \(1, 3\)"),
    ((network(), [X, X]), {}, ValueError, r"^x: expected one example, .*, got \(2, 3\)$"),
    ((network(), ["a", "b", "c"]), {}, TypeError, "^x: expected real numbers, got dtype <U1"),
    ((network(), X, [1, 0, 0], "error"), {}, ValueError, "^y: "),
    ((network(), X, 1, "error"), {}, ValueError, "^y: "),  # quadratic takes no labels
    ((network(), X), {"most": 1}, ValueError, "^most: expected an integer, 2 or above, got 1$"),
    ((network(), X), {"most": 2.5}, TypeError, "^most: expected an integer, got float$"),
    ((network(), X), {"colorbar": "no"}, TypeError, "^colorbar: expected True or False, got str$"),
    ((bpfast.Network, X), {}, TypeError, "^net: expected a Network, got the class Network$"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "options", "kind", "message"), BAD)
def test_bad_input(arguments, options, kind, message):
    with refuses(kind, message):
        plot.network(*arguments, **options)
