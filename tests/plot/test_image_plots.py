"""`plot.weights` and `plot.saliency`: the numbers of each image."""

import numpy as np
import pytest

import bpfast
from bpfast import plot
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import rounded

RNG = np.random.default_rng(3)
X = RNG.random(12)


def network(inputs=12, **options):
    return bpfast.Network([inputs, 30, 3], cost="cross_entropy", seed=0, **options)


def pixels(image):
    return np.asarray(image.get_array())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights(dtype):
    net = network(dtype=dtype)
    net.weights[0][7, 5] = -9
    ax = plot.weights(net, (3, 4), [7, 0, np.int64(29)])
    assert len(ax.images) == 3
    for image, neuron in zip(ax.images, (7, 0, 29), strict=True):
        assert np.array_equal(pixels(image), net.weights[0][neuron].reshape(3, 4))
        # One scale for all, with 0 in the middle.
        assert (image.norm.vmin, image.norm.vmax) == (-9, 9)
    assert [text.get_text() for text in ax.texts] == [f"$j$ = {neuron}" for neuron in (7, 0, 29)]
    (scale,) = ax.figure.axes[1:]
    assert scale.get_ylabel() == "weight $w^2_{jk}$ of pixel $k$"


def test_images_do_not_overlap():
    ax = plot.weights(network(), (3, 4))
    assert len(ax.images) == 25  # the first of 30
    boxes = [image.get_extent() for image in ax.images]  # left, right, bottom, top; y points down
    for k, (left, right, bottom, top) in enumerate(boxes):
        assert (right - left, bottom - top) == rounded((4, 3))
        for other in boxes[:k]:
            assert left >= other[1] or right <= other[0] or top >= other[2] or bottom <= other[3]
    assert boxes[5][3] > boxes[0][2]  # room for the text of the second row
    (low, high), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert low <= min(box[0] for box in boxes)
    assert high >= max(box[1] for box in boxes)
    assert top <= min(box[3] for box in boxes)
    assert bottom >= max(box[2] for box in boxes)


@pytest.mark.parametrize("colorbar", [True, False])
@pytest.mark.parametrize("shape", [(8, 8), (32, 2), (1, 64)])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 25])
def test_nothing_is_cut_off(count, shape, colorbar):
    """The title was wider than the figure of one image."""
    figure = plot.weights(network(64), shape, range(count), colorbar=colorbar).figure
    figure.draw_without_rendering()
    drawn, size = figure.get_tightbbox(), figure.get_size_inches()
    assert (drawn.min >= -0.01).all()  # inches
    assert (drawn.max <= size + 0.01).all()


def test_one_neuron_and_a_square_by_default():
    net = network(16)
    net.weights[0][:] = abs(net.weights[0])
    ax = plot.weights(net, neurons=4, colorbar=False)
    (image,) = ax.images
    assert np.array_equal(pixels(image), net.weights[0][4].reshape(4, 4))
    assert image.norm.vmin == -image.norm.vmax  # also if no weight is negative
    assert len(ax.figure.axes) == 1


@pytest.mark.parametrize("signed", [False, True])
def test_saliency(signed):
    net = network()
    ax = plot.saliency(net, X, 2, (3, 4), signed=signed)
    (image,) = ax.images
    expected = net.input_gradient([X], [2], reduction="sum").reshape(3, 4)
    assert np.array_equal(pixels(image), expected if signed else abs(expected))
    most = abs(expected).max()
    assert (image.norm.vmin, image.norm.vmax) == (-most if signed else 0, most)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("column (pixel)", "row (pixel)")
    assert "∂C_x/∂x_k" in ax.figure.axes[1].get_ylabel()
    # The outline of x at half of its range, twice.
    levels = [contour.levels.tolist() for contour in ax.collections]
    assert levels == [[rounded((X.min() + X.max()) / 2)]] * 2


def test_saliency_of_one_target_row_and_of_a_column_of_pixels():
    net = bpfast.Network([12, 3], seed=0)
    ax = plot.saliency(net, X[np.newaxis], [[0, 1, 0]], (12, 1))
    expected = net.input_gradient([X], [[0, 1, 0]], reduction="sum")
    assert np.array_equal(pixels(ax.images[0]).ravel(), abs(expected[0]))


@pytest.mark.parametrize("x", [np.ones(12), np.full(12, np.nan)])
def test_an_example_without_an_outline(x):
    ax = plot.saliency(network(), x, 0, (3, 4))  # a warning would be an error
    assert not ax.collections
    assert ax._repr_png_()


NET = network()
BAD = [
    ((NET,), {}, ValueError, "^shape: expected the height and width of the image, as 12 inputs"),
    ((NET, (3, 5)), {}, ValueError, r"^shape: expected \(height, width\) with a product of 12, "),
    ((NET, (12,)), {}, ValueError, r"^shape: .*, got \(12,\)$"),
    ((NET, (3, 2, 2)), {}, ValueError, r"^shape: .*, got \(3, 2, 2\)$"),
    ((NET, (-3, -4)), {}, ValueError, "^shape: expected a positive integer, got -3$"),
    ((NET, (3.0, 4.0)), {}, TypeError, "^shape: expected an integer, got float$"),
    ((NET, 12), {}, TypeError, r"^shape: expected \(height, width\), got int$"),
    ((NET, "34"), {}, TypeError, r"^shape: expected \(height, width\), got str$"),
    ((NET, (3, 4), [30]), {}, ValueError, "^neurons: expected a neuron of layer 2, from 0 to 29"),
    ((NET, (3, 4), -1), {}, ValueError, "^neurons: .*, got -1$"),
    ((NET, (3, 4), []), {}, ValueError, "^neurons: expected one or more, got none$"),
    ((NET, (3, 4), 1.5), {}, TypeError, "^neurons: expected an integer, got float$"),
    ((NET, (3, 4), [True]), {}, TypeError, "^neurons: expected an integer, got bool$"),
    ((NET, (3, 4), "0"), {}, TypeError, "^neurons: expected integers, got str$"),
    ((NET, (3, 4)), {"colorbar": 1}, TypeError, "^colorbar: expected True or False, got int$"),
    ((3,), {}, TypeError, "^net: expected a Network, got int$"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "options", "kind", "message"), BAD)
def test_bad_weights(arguments, options, kind, message):
    with refuses(kind, message):
        plot.weights(*arguments, **options)


@pytest.mark.parametrize(
    ("arguments", "options", "kind", "message"),
    [
        ((NET, X, 0), {}, ValueError, "^shape: "),
        ((NET, X, 0, (3, 5)), {}, ValueError, "^shape: "),
        ((NET, X[:9], 0, (3, 4)), {}, ValueError, "^x: expected one example"),
        ((NET, X, 3, (3, 4)), {}, ValueError, r"^y\[0\]: expected a label"),
        ((NET, X, "seven", (3, 4)), {}, TypeError, "^y: "),
        ((NET, X, 0, (3, 4)), {"signed": "yes"}, TypeError, "^signed: expected True or False"),
        ((None, X, 0), {}, TypeError, "^net: expected a Network, got NoneType$"),
    ],
)
def test_bad_saliency(arguments, options, kind, message):
    with refuses(kind, message):
        plot.saliency(*arguments, **options)
