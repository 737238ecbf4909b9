"""`plot.confusion`: the counts as text, the fractions as colours."""

import numpy as np
import pytest
from scipy import sparse

import bpfast
from bpfast import plot
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import rounded


def network(classes=3, **options):
    """Its class is the index of the largest x."""
    options = {"output": "softmax", "cost": "log_likelihood"} | options
    net = bpfast.Network([classes, classes], init="zeros", **options)
    net.weights[0][:] = np.eye(classes)
    return net


X = np.eye(3)[[0, 0, 1, 1, 1, 2]]
TRUE = np.array([0, 1, 1, 1, 0, 0])
COUNTS = [[1, 1, 1], [1, 2, 0], [0, 0, 0]]


def counts(ax, classes=3):
    return np.array([int(text.get_text()) for text in ax.texts]).reshape(classes, classes).tolist()


@pytest.mark.parametrize(
    "y",
    [TRUE, TRUE.tolist(), TRUE.astype(float), np.eye(3)[TRUE], np.eye(3)[TRUE] == 1,
     0.9 * np.eye(3)[TRUE] + 0.1 / 3],
)  # fmt: skip
def test_counts_and_fractions(y):
    ax = plot.confusion(network(), X, y)
    assert counts(ax) == COUNTS
    third = 1 / 3
    expected = [[third, third, third], [third, 2 * third, 0], [0, 0, 0]]  # no example is of class 2
    assert np.asarray(ax.images[0].get_array()) == rounded(np.array(expected))
    assert ax.images[0].get_clim() == (0, 1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert ax.get_title() == "50.00% of 6 examples are right"
    assert ax.figure.axes[1].get_ylabel() == "fraction of the true class"
    # The text of row i is in row i.
    assert [text.get_position() for text in ax.texts][:4] == [(0, 0), (1, 0), (2, 0), (0, 1)]


def test_the_title_is_the_accuracy():
    rng = np.random.default_rng(0)
    net = bpfast.Network([4, 5], output="softmax", cost="log_likelihood", seed=0)
    x, y = rng.standard_normal((200, 4)), rng.integers(0, 5, 200)
    right = net.evaluate(x, y, metrics="accuracy")["accuracy"]
    assert plot.confusion(net, x, y).get_title() == f"{right:.2%} of 200 examples are right"


@pytest.mark.parametrize("y", [[0, 1, 1, 0], [[0], [1], [1], [0]], [False, True, True, False]])
def test_a_single_output_has_two_classes(y):
    net = bpfast.Network([1, 1], cost="cross_entropy", init="zeros")
    net.weights[0][:] = 1
    ax = plot.confusion(net, [[-1], [1], [-2], [-3]], y, ["no", "yes"])
    assert counts(ax, 2) == [[2, 0], [1, 1]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["no", "yes"]


def test_classes_of_signs():
    net = network(output="tanh", cost="quadratic")
    assert counts(plot.confusion(net, X, 2 * np.eye(3)[TRUE] - 1)) == COUNTS


def test_sparse_x_and_names():
    ax = plot.confusion(network(), sparse.csr_array(X), TRUE, np.array(["cat", "dog", "emu"]))
    assert counts(ax) == COUNTS
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["cat", "dog", "emu"]


def test_many_classes_have_no_text():
    ax = plot.confusion(network(21), np.eye(21), np.arange(21), colorbar=False)
    assert not ax.texts
    assert np.array_equal(ax.images[0].get_array(), np.eye(21))
    assert len(ax.figure.axes) == 1


BAD = [
    ((network(), X, TRUE[:5]), ValueError, r"^y: expected shape \(6, 3\), or labels, got"),
    ((network(), X, TRUE + 2), ValueError, "^y: expected labels from 0 to 2, got 3 in row 1"),
    ((network(), X, TRUE + 0.5), ValueError, "^y: expected labels, got 0.5 in row 0"),
    ((network(), X, np.full(6, np.nan)), ValueError, "^y: expected finite numbers, got NaN or inf"),
    ((network(), X, np.ones((6, 3))), ValueError, "^y: expected one class in each row, for"),
    ((network(output="sigmoid", cost="cross_entropy"), X, np.ones((6, 3))), ValueError,
     "^y: expected one class in each row, got several or none$"),
    ((network(), X, ["a"] * 6), TypeError, "^y: expected real numbers, got dtype <U1"),
    ((network(), X[:, :2], TRUE), ValueError, "^x: "),
    ((network(), X * np.nan, TRUE), ValueError, r"^x: expected finite outputs, got \[nan, nan"),
    ((network(), X, TRUE, ["a", "b"]), ValueError, "^labels: expected 3, one for each.*, got 2$"),
    ((network(), X, TRUE, "abc"), TypeError, "^labels: expected a sequence of names, got str$"),
    ((network(), X, TRUE, 3), TypeError, "^labels: expected a sequence of names, got int$"),
    (("net", X, TRUE), TypeError, "^net: expected a Network, got str$"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "kind", "message"), BAD)
def test_bad_input(arguments, kind, message):
    with refuses(kind, message):
        plot.confusion(*arguments)
