"""Inputs as images: the weights of the first layer, and the saliency of an example."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from bpfast._validation.network import check_network
from bpfast._validation.numbers import flag
from bpfast.plot._arguments import image_shape, neurons_of, one_example, one_target
from bpfast.plot._figure import axes_for, color_scale, scale_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bpfast._core import _Inputs as Inputs
    from bpfast._network import Network

# The most images by default.
MAX_IMAGES = 25
# The height of the text above an image, in inches, and the side of a square image without it.
TEXT_HEIGHT, IMAGE_SIDE, SINGLE_IMAGE_SIDE = 0.19, 1.0, 3.2
# The smallest figure of weights: as wide as its title and, on either side of it, the colour scale.
MIN_WIDTH, MIN_HEIGHT = 4.4, 1.9
# Pixels are squares, unless the image would be longer than this.
MAX_ASPECT = 2.5


def weights(
    net: Network,
    shape: tuple[int, int] | None = None,
    neurons: int | Sequence[int] | None = None,
    *,
    ax: Axes | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw the incoming weights of neurons of the first hidden layer as images.

    All images share one colour scale around 0: dark is negative, grey 0 and light positive.

    Parameters
    ----------
    net : Network
        The network. Its inputs are the pixels of an image, row by row.
    shape : (int, int), optional
        Height and width of the image, such as (28, 28). Default: a square.
    neurons : int or sequence of int, optional
        The neurons of layer 2, counted from 0. Default: the first 25.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: new Axes in a new figure.
    colorbar : bool, default True
        Whether to draw the colour scale.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax.images`` has the image of each neuron.

    Raises
    ------
    ValueError
        The shape does not have n_1 pixels, or there is no such neuron.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([784, 30, 10], seed=0)
    >>> ax = bpfast.plot.weights(net, (28, 28), neurons=[0, 3, 7])
    >>> len(ax.images)
    3
    >>> bool((ax.images[1].get_array() == net.weights[0][3].reshape(28, 28)).all())
    True
    """
    check_network(net, "net")
    height, width = image_shape(net, shape)
    chosen = neurons_of(net, neurons, 2, MAX_IMAGES)
    with_scale = flag("colorbar", colorbar)
    # float64, because matplotlib subtracts the limits, which may overflow float32.
    values = np.array(net.weights[0], dtype=np.float64)[chosen]
    columns = math.ceil(math.sqrt(len(chosen)))
    rows = math.ceil(len(chosen) / columns)
    wide, tall, aspect = _size(height, width, IMAGE_SIDE)
    gap, space = height * TEXT_HEIGHT / tall, 0.1 * width
    across, down = columns * 1.1 * wide + 1.2, rows * (tall + TEXT_HEIGHT) + 0.4
    axes = axes_for(ax, max(across, MIN_WIDTH), max(down, MIN_HEIGHT))
    cmap, norm = scale_for(values, signed=True)
    for index, neuron in enumerate(chosen):
        row, column = divmod(index, columns)
        left, top = column * (width + space), row * (height + gap)
        image = axes.imshow(
            values[index].reshape(height, width),
            cmap=cmap, norm=norm, extent=(left, left + width, top + height, top),
            interpolation="nearest", aspect=aspect,
        )  # fmt: skip
        axes.text(left, top - gap / 8, f"$j$ = {neuron}", ha="left", va="bottom", fontsize=7)
    axes.set_xlim(0, columns * (width + space))
    axes.set_ylim(rows * (height + gap) - gap, -gap)
    axes.set_axis_off()
    axes.set_title("weights of layer 2, one image per neuron $j$", fontsize=10)
    if with_scale:
        color_scale(axes, image, "weight $w^2_{jk}$ of pixel $k$")
    return axes


def saliency(
    net: Network,
    x: Inputs,
    y: ArrayLike,
    shape: tuple[int, int] | None = None,
    *,
    signed: bool = False,
    ax: Axes | None = None,
    colorbar: bool = True,
) -> Axes:
    r"""Draw the derivative of an example's cost by each pixel, over the outline of the example.

    .. math:: \left| \partial C_x / \partial x_k \right|

    The outline is the contour of the image halfway between its lowest and highest pixel.

    Parameters
    ----------
    net : Network
        The network. Its inputs are the pixels of an image, row by row.
    x : array_like or SciPy sparse, (n_1,) or (1, n_1)
        The example.
    y : array_like, (), (n_L,) or (1, n_L)
        Its target. With cross_entropy and log_likelihood also an integer class label.
    shape : (int, int), optional
        Height and width of the image, such as (28, 28). Default: a square.
    signed : bool, default False
        Whether to draw ∂C/∂x_k itself: dark is negative, grey 0 and light positive.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: new Axes in a new figure.
    colorbar : bool, default True
        Whether to draw the colour scale.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax.images[0]`` has the derivatives.

    Raises
    ------
    ValueError
        x is not one example, y does not fit, or the shape does not have n_1 pixels.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    See Also
    --------
    bpfast.Network.input_gradient : The derivatives as an array.

    References
    ----------
    Simonyan, Vedaldi and Zisserman, *Deep Inside Convolutional Networks*, 2014.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> net = bpfast.Network([784, 30, 10], cost="cross_entropy", seed=0)
    >>> x = np.random.default_rng(0).random(784)
    >>> ax = bpfast.plot.saliency(net, x, 3)
    >>> found = net.input_gradient([x], [3], reduction="sum")
    >>> bool((ax.images[0].get_array() == abs(found).reshape(28, 28)).all())
    True
    """
    check_network(net, "net")
    height, width = image_shape(net, shape)
    is_signed, with_scale = flag("signed", signed), flag("colorbar", colorbar)
    row = one_example(net, x)
    gradient: Any = net.input_gradient(row, one_target(net, y), reduction="sum")
    values = gradient.reshape(height, width).astype(np.float64)
    values = values if is_signed else np.abs(values)
    wide, tall, aspect = _size(height, width, SINGLE_IMAGE_SIDE)
    axes = axes_for(ax, wide + 1.7, tall + 0.8)
    cmap, norm = scale_for(values, signed=is_signed)
    image = axes.imshow(values, cmap=cmap, norm=norm, interpolation="nearest", aspect=aspect)
    pixels = row.reshape(height, width).astype(np.float64)
    low, high = pixels.min(), pixels.max()
    if min(height, width) > 1 and np.isfinite([low, high]).all() and high > low:
        # White with a black edge is visible on every colour.
        for color, linewidth in (("black", 2.0), ("white", 0.9)):
            axes.contour(pixels, [low + (high - low) / 2], colors=color, linewidths=linewidth)
    axes.set(xlabel="column (pixel)", ylabel="row (pixel)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))
    title = "$∂C_x/∂x_k$" if is_signed else "$|∂C_x/∂x_k|$"
    axes.set_title(f"saliency {title}", fontsize=10)
    if with_scale:
        color_scale(axes, image, f"{title} (cost per unit of $x$)")
    return axes


def _size(height: int, width: int, side: float) -> tuple[float, float, float]:
    """Width and height in inches of an image that is as large as a square.

    And the aspect of its pixels, the height of one divided by its width.
    """
    ratio = height / width
    shown = min(max(ratio, 1 / MAX_ASPECT), MAX_ASPECT)
    return side / math.sqrt(shown), side * math.sqrt(shown), shown / ratio


for _function in (weights, saliency):
    _function.__module__ = "bpfast.plot"  # the public module
