"""Validation that the plots share: networks, single examples, neurons, shapes of images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.arrays.sparse import as_dense, is_sparse
from bpfast._validation.iterables import is_iterable
from bpfast._validation.network import parse_neuron
from bpfast._validation.numbers import integer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network


def instance_of(argument: str, value: Any, class_: type) -> None:
    """Raise TypeError unless `value` is an instance of the class."""
    if not isinstance(value, class_):
        got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        article = "an" if class_.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{argument}: expected {article} {class_.__name__}, got {got}")


def one_example(net: Network, x: Any) -> NDArray[Any]:
    """The example x as one row, (1, n_1), in the dtype of the network."""
    rows = as_dense(x, net.dtype) if is_sparse(x) else as_array("x", x)
    if rows.dtype.kind not in "biuf":
        raise no_numbers("x", x, rows)
    n_inputs = net.sizes[0]
    if rows.shape not in ((n_inputs,), (1, n_inputs)):
        expected = f"one example, of shape ({n_inputs},) or (1, {n_inputs})"
        raise ValueError(f"x: expected {expected}, got {rows.shape}")
    with np.errstate(over="ignore", under="ignore"):  # to infinity, as in the calls of the network
        return rows.reshape(1, n_inputs).astype(net.dtype)


def one_target(net: Network, y: Any) -> NDArray[Any]:
    """The target of one example with a leading axis, as `Network.errors` takes it."""
    array = as_array("y", y)
    if array.size == net.sizes[-1] == 1 and not callable(net.config["cost"]):
        return array.reshape(1, 1)
    has_axis = array.ndim > 0 and len(array) == 1
    return array if has_axis else array[np.newaxis]


def image_shape(net: Network, shape: Any) -> tuple[int, int]:
    """Height and width of the image that the inputs are; a square by default."""
    n_inputs = net.sizes[0]
    if shape is None:
        side = math.isqrt(n_inputs)
        if side * side != n_inputs:
            expected = f"the height and width of the image, as {n_inputs} inputs are no square"
            raise ValueError(f"shape: expected {expected}, got None")
        return side, side
    if not is_iterable(shape) or isinstance(shape, str | bytes | dict | set):
        raise TypeError(f"shape: expected (height, width), got {type(shape).__name__}")
    sides = [integer("shape", side, 1) for side in shape]
    if len(sides) != 2 or sides[0] * sides[1] != n_inputs:
        expected = f"(height, width) with a product of {n_inputs}, the number of inputs"
        got = f"({', '.join(map(str, sides))}{',' * (len(sides) == 1)})"
        raise ValueError(f"shape: expected {expected}, got {got}")
    return sides[0], sides[1]


def neurons_of(net: Network, neurons: Any, layer: int, most: int) -> list[int]:
    """The chosen neurons of a layer, counted from 0; the first `most` by default."""
    if neurons is None:
        return list(range(min(net.sizes[layer - 1], most)))
    if isinstance(neurons, str | bytes):
        raise TypeError(f"neurons: expected integers, got {type(neurons).__name__}")
    given = neurons if is_iterable(neurons) else [neurons]
    chosen = [parse_neuron(net, layer, each, "neurons") for each in given]
    if not chosen:
        raise ValueError("neurons: expected one or more, got none")
    return chosen
