"""The arguments of `taylor` and `backprop_taylor`, and what a cost of derivatives returns."""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from bpfast.reference._activations import SMOOTH
from bpfast.reference._arrays import (
    Matrix,
    Vector,
    array,
    matrix,
    plain,
    refuse_masked,
    shape_of,
    show,
)
from bpfast.reference._checks import Network


class Taylor(NamedTuple):
    """Outputs, (n, n_L), and their derivatives, (k, n, n_L) each; ``second`` may be None."""

    value: Matrix
    first: list[Matrix]
    second: list[Matrix] | None


Nabla = tuple[Matrix, list[Matrix], list[Matrix]]


def call_cost(
    cost: Callable[[Taylor], Any], outputs: Taylor, shape: tuple[int, int, int], order: int
) -> tuple[Vector, Nabla]:
    """C_x and its derivatives by the outputs, which a cost returns for copies of them."""
    names = ("nabla_value", "nabla_first", "nabla_second")[: order + 1]
    pair = f"a pair (C_x, ({', '.join(names)}))"
    _, n, n_out = shape
    copies = Taylor(
        [row[:] for row in outputs.value],
        [[row[:] for row in rows] for rows in outputs.first],
        outputs.second and [[row[:] for row in rows] for rows in outputs.second],
    )
    costs, given = _entries("cost", pair, cost(copies), 2)
    if order == 1 and isinstance(given, tuple | list) and len(given) == 3 and given[2] is None:
        given = given[:2]
    given = _entries("cost: nabla", pair.partition("C_x, ")[2][:-1], given, order + 1)
    shapes = [(n, n_out), shape, shape]
    parts = [
        zeros(expected) if part is None else array(f"cost: {name}", part, expected)
        for name, part, expected in zip(names, given, shapes, strict=False)
    ]
    value, first, second = [*parts, zeros(shape)][:3]
    return array("cost: C_x", costs, (n,)), (value, first, second)


def _entries(argument: str, expected: str, value: Any, count: int) -> Sequence[Any]:
    if not isinstance(value, tuple | list):
        raise TypeError(f"{argument}: expected {expected}, got {type(value).__name__}")
    if len(value) != count:
        raise ValueError(f"{argument}: expected {expected}, got {len(value)} values")
    return value


def zeros(shape: tuple[int, ...]) -> Any:
    return [zeros(shape[1:]) for _ in range(shape[0])] if shape else 0.0


def checked(
    network: Network, x: Any, directions: Any, order: Any
) -> tuple[Matrix, list[Matrix], int]:
    """The examples, the directions of each example, and the order."""
    n_1 = len(network.weights[0][0])
    xs = matrix("x", x, "n", n_1)
    if isinstance(order, bool) or not hasattr(type(order), "__index__"):
        raise TypeError(f"order: expected an integer, got {type(order).__name__}")
    order = operator.index(order)
    if order not in (1, 2):
        raise ValueError(f"order: expected 1 or 2, got {order}")
    vs = _directions(directions, len(xs), n_1)
    last = len(network.activations) - 1
    for i, activation in enumerate(network.activations):
        if activation not in SMOOTH:
            argument = "output" if i == last else f"hidden[{i}]"
            names = "', '".join(SMOOTH)
            raise ValueError(
                f"{argument}: expected a smooth activation for derivatives by x, one of "
                f"'{names}', got '{activation}'"
            )
    return xs, vs, order


def _directions(value: Any, n: int, n_1: int) -> list[Matrix]:
    """The k directions of each example."""
    refuse_masked("directions", value)
    nested = plain("directions", value)
    if isinstance(nested, list) and nested and not isinstance(nested[0], list):
        nested, value = [nested], [value]
    if isinstance(value, list | tuple):
        shapes = [shape_of("directions", v, v) for v in nested]
        if {len(shape) for shape in shapes} == {1, 2}:
            whole = next(shape for shape in shapes if len(shape) == 2)
            nested = [
                [v for _ in range(whole[0])] if shape == whole[1:] else v
                for v, shape in zip(nested, shapes, strict=True)
            ]
            value = nested
    shape = shape_of("directions", value, nested)
    if len(shape) not in (2, 3):
        expected = "shape (n_1,), (k, n_1) or (k, n, n_1)"
        raise ValueError(f"directions: expected {expected}, got {show(shape)}")
    expected_shape = (shape[0], n_1) if len(shape) == 2 else (shape[0], n, n_1)
    if shape != expected_shape:
        raise ValueError(f"directions: expected shape {show(expected_shape)}, got {show(shape)}")
    if shape[0] == 0:
        raise ValueError("directions: expected one direction or more, got none")
    if shape == (n, n_1) and n > n_1 * (n_1 + 1) / 2:
        raise ValueError(
            f"directions: expected shape (1, {n}, {n_1}) for one direction of each example, "
            f"directions[None], got ({n}, {n_1}), which is {n} directions of all examples"
        )
    checked = array("directions", nested, shape)
    _refuse_infinite(checked, ())
    if len(shape) == 2:
        return [checked for _ in range(n)]
    return [[along[i] for along in checked] for i in range(n)]


def _refuse_infinite(value: Any, place: tuple[int, ...]) -> None:
    if isinstance(value, list):
        for i, entry in enumerate(value):
            _refuse_infinite(entry, (*place, i))
    elif not math.isfinite(value):
        where = ", ".join(map(str, place))
        raise ValueError(f"directions[{where}]: expected a finite number, got {value}")
