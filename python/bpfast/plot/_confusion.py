"""The confusion matrix of a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.metrics import accuracy
from bpfast._training.metrics.labels import labels as labels_of
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.iterables import is_iterable
from bpfast._validation.network import check_network
from bpfast._validation.numbers import flag
from bpfast._validation.target_shape import outputs_error
from bpfast.plot._figure import SEQUENTIAL, axes_for, color_scale, plain, text_color

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import _Inputs as Inputs
    from bpfast._network import Network

# With more classes the cells are too small for numbers.
MAX_CLASSES_WITH_NUMBERS = 20


def confusion(
    net: Network,
    x: Inputs,
    y: ArrayLike,
    labels: Sequence[object] | None = None,
    *,
    ax: Axes | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw the confusion matrix: how many examples of a class it assigns to each class.

    Parameters
    ----------
    net : Network
        The network. The predicted class is that of the largest output; with a single output it is 1
        if the output is above 1/2, else 0.
    x : array_like or SciPy sparse, (n, n_1)
        The examples.
    y : array_like, (n,) or (n, n_L)
        Integer class labels, or rows with one class.
    labels : sequence, optional
        The names of the classes. Default: 0, 1, 2, …
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: new Axes in a new figure.
    colorbar : bool, default True
        Whether to draw the colour scale.

    Returns
    -------
    matplotlib.axes.Axes
        A row per true class, a column per predicted class. The colour is the fraction of the true
        class, and up to 20 classes have the number of examples as text.

    Raises
    ------
    ValueError
        x does not fit, y does not have one class for each example, or the number of labels is not
        that of classes.
    TypeError
        An argument has the wrong type.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([2, 2], output="softmax", cost="log_likelihood", init="zeros")
    >>> net.weights[0][:] = [[1, 0], [0, 1]]
    >>> ax = bpfast.plot.confusion(net, [[1, 0], [0, 1], [2, 1]], [0, 1, 1], ["left", "right"])
    >>> [text.get_text() for text in ax.texts]  # row by row
    ['1', '0', '1', '1']
    """
    check_network(net, "net")
    with_scale = flag("colorbar", colorbar)
    a: NDArray[Any] = np.asarray(net.forward(x))
    if not np.isfinite(a).all():
        row = int(np.flatnonzero(~np.isfinite(a).all(axis=1))[0])
        raise ValueError(f"x: expected finite outputs, got {accuracy.format_row(a, row)}")
    classes = max(a.shape[1], 2)
    names = [plain(name) for name in _names(labels, classes)]
    true, predicted = _classes(net, y, a), labels_of(a)
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (true, predicted), 1)
    sums = counts.sum(axis=1, keepdims=True)
    fractions = np.divide(counts, sums, out=np.zeros(counts.shape), where=sums > 0)
    side = min(max(0.42 * classes, 2.6), 9.0)
    axes = axes_for(ax, side + 1.9, side + 1.0)
    image = axes.imshow(fractions, cmap=SEQUENTIAL, vmin=0, vmax=1)
    for i, j in np.ndindex(counts.shape) if classes <= MAX_CLASSES_WITH_NUMBERS else ():
        color = text_color(image.to_rgba(fractions[i, j]))
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", color=color, fontsize=8)
    if classes <= MAX_CLASSES_WITH_NUMBERS or labels is not None:
        is_long = max(map(len, names)) > 2
        axes.set_xticks(range(classes), names, rotation=45 if is_long else 0,
                        ha="right" if is_long else "center")  # fmt: skip
        axes.set_yticks(range(classes), names)
    axes.set(xlabel="predicted class", ylabel="true class")
    share = np.trace(counts) / len(a)
    axes.set_title(f"{share:.2%} of {len(a):,} example{'s' * (len(a) != 1)} are right", fontsize=10)
    if with_scale:
        color_scale(axes, image, "fraction of the true class")
    return axes


def _classes(net: Network, y: Any, a: NDArray[Any]) -> NDArray[np.int64]:
    """The class of each example of y, checked."""
    array = as_array("y", y)
    if array.dtype.kind not in "biuf":
        raise no_numbers("y", y, array)
    if array.shape not in (a.shape, a.shape[:1]):
        raise outputs_error(a.shape, array.shape)
    if not np.isfinite(array).all():
        raise ValueError("y: expected finite numbers, got NaN or infinity")
    output = net.config["output"]
    if array.ndim == 1:
        accuracy.refuse_no_labels(array, a.shape[1])
        has_one = True
    else:
        low = accuracy.low_of(array, output)
        has_one = accuracy.have_one_class(array, output, low, None)
    if not has_one:
        raise ValueError("y: expected one class in each row, got several or none")
    found: NDArray[np.int64] = labels_of(array).astype(np.int64)
    return found


def _names(labels: Any, classes: int) -> list[str]:
    """The names of the classes as text."""
    if labels is None:
        return [str(k) for k in range(classes)]
    if not is_iterable(labels) or isinstance(labels, str | bytes):
        raise TypeError(f"labels: expected a sequence of names, got {type(labels).__name__}")
    names = [str(label) for label in labels]
    if len(names) != classes:
        raise ValueError(f"labels: expected {classes}, one for each class, got {len(names)}")
    return names


confusion.__module__ = "bpfast.plot"  # the public module
