"""Validation in :mod:`bpfast.reference`: arguments become nested lists of floats, or raise.

Each error names its argument. A wrong shape, length, name or number is a ValueError, a wrong type
or dtype a TypeError.
"""

import contextlib
import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple, TypeAlias

from bpfast.reference._arrays import (
    Matrix,
    Vector,
    array,
    matrix,
    plain,
    refuse_masked,
    refuse_ragged,
    shape_of,
    show,
)

Cost: TypeAlias = str | Callable[[Any, Any], tuple[Any, Any]]

ACTIVATIONS = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "gelu_tanh",
    "silu",
    "mish",
    "softplus",
    "hard_sigmoid",
    "hard_swish",
    "sin",
    "softmax",
)
# The parameters of activations, and their defaults; they must be numbers that float32 holds.
PARAMETERS = {"leaky_relu": ("slope", 0.01), "elu": ("alpha", 1.0)}
MIN_FLOAT32, MAX_FLOAT32 = 2.0**-126, 2.0**128 - 2.0**104
COSTS = ("quadratic", "cross_entropy", "log_likelihood", "huber", "absolute", "poisson")
REDUCTIONS = ("mean", "sum")
REDUCTIONS_OF_COST = (*REDUCTIONS, "none")

# The outputs whose whole range the cost is defined on.
OUTPUTS = {
    "cross_entropy": ("sigmoid", "softmax"),
    "log_likelihood": ("softmax",),
    "poisson": ("sigmoid", "softplus", "softmax"),
}


def name(argument: str, value: object, valid: Sequence[str]) -> str:
    """One of the valid names."""
    if not isinstance(value, str):
        raise TypeError(f"{argument}: expected a name, got {type(value).__name__}")
    if value not in valid:
        import difflib  # its import takes 3 ms

        near = difflib.get_close_matches(value.lower(), valid, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        names = ", ".join(f"'{known}'" for known in valid)
        raise ValueError(f"{argument}: unknown name '{value}'; {hint}valid: {names}")
    return value


def activation_name(argument: str, value: object, valid: Sequence[str] = ACTIVATIONS) -> str:
    """The name of an activation, with its parameter in parentheses unless that is the default."""
    if not isinstance(value, str) or "(" not in value:
        return name(argument, value, valid)
    before, _, inside = value.partition("(")
    known = name(argument, before.rstrip(), valid)
    if known not in PARAMETERS:
        raise ValueError(f"{argument}: expected '{known}', which has no parameter, got '{value}'")
    key, default = PARAMETERS[known]
    inside = inside.rstrip()
    given, equals, number = (inside[:-1] if inside.endswith(")") else "").partition("=")
    if not equals:
        given, number = key, given
    try:
        parameter = float(number if "_" not in number else "")
    except ValueError:
        expected = f"a number in parentheses, as in '{known}({key}=0.2)'"
        raise ValueError(f"{argument}: expected {expected}, got '{value}'") from None
    if given.strip() != key:
        expected = f"'{known}({key}={number.strip()})'"
        raise ValueError(f"{argument}: expected {expected}, got '{value}'")
    if not MIN_FLOAT32 <= parameter <= MAX_FLOAT32:
        expected = f"a positive {key} in the range of float32 ('relu' is the one with 0)"
        raise ValueError(f"{argument}: expected {expected}, got '{value}'")
    return known if parameter == default else f"{known}({parameter!r})"


def elementwise_name(argument: str, value: object) -> str:
    """The name of an activation for a hidden layer: any except softmax."""
    if isinstance(value, str) and value == "softmax":
        raise ValueError(
            f"{argument}: expected an activation that acts on each neuron by itself, "
            "got 'softmax', which goes with the output alone"
        )
    return activation_name(argument, value, [known for known in ACTIVATIONS if known != "softmax"])


def output_and_cost(output: object, cost: object) -> None:
    """Check the output activation, and that the cost is defined for its values."""
    output = activation_name("output", output)
    if callable(cost):
        return
    outputs = OUTPUTS.get(name("cost", cost, COSTS))
    if outputs and output not in outputs:
        allowed = " or ".join(f"'{known}'" for known in outputs)
        raise ValueError(f"output: expected {allowed} with cost '{cost}', got '{output}'")


class Network(NamedTuple):
    """W^2 … W^L, b^2 … b^L and the names of σ_2 … σ_L; b^l is empty if the layer has no biases."""

    weights: list[Matrix]
    biases: list[Vector]
    activations: list[str]


def network(weights: object, biases: object, hidden: object, output: object) -> Network:
    """A network whose arrays match; b^l determines the number of neurons of layer l, if given."""
    ws = layers("weights", weights)
    bs = [None] * len(ws) if biases is None else layers("biases", biases)
    if not ws:
        raise ValueError("weights: expected an array for each layer after the input, got none")
    if len(ws) != len(bs):
        raise ValueError(f"biases: expected as many as weights, {len(ws)}, got {len(bs)}")
    vectors: list[Vector] = [
        [] if b is None else array(f"biases[{i}]", b, ("n_l",)) for i, b in enumerate(bs)
    ]
    columns: int | str = "n_1"
    for i, b in enumerate(vectors):
        ws[i] = matrix(f"weights[{i}]", ws[i], len(b) or "n_l", columns)
        columns = len(ws[i])
    names = [*_hidden(hidden, len(ws) - 1), activation_name("output", output)]
    if output == "softmax" and len(ws[-1]) == 1:
        raise ValueError(
            "output: expected 'sigmoid' (with cost 'cross_entropy' for two classes) for one "
            "neuron, got 'softmax', which is always 1 there"
        )
    return Network(ws, vectors, names)


def same_shapes(argument: str, value: object, like: Sequence[Any]) -> list[Any]:
    """A list of arrays of the shapes of `like`; zeros for None."""
    given = layers(argument, value) if value is not None else [0.0] * len(like)
    if len(given) != len(like):
        raise ValueError(f"{argument}: expected {len(like)} arrays, got {len(given)}")
    shapes = [(len(w), len(w[0])) if w and isinstance(w[0], list) else (len(w),) for w in like]
    if value is None:
        return [[0.0] * s[0] if len(s) == 1 else [[0.0] * s[1]] * s[0] for s in shapes]
    return [
        [] if entry is None and shape == (0,) else array(f"{argument}[{k}]", entry, shape)
        for k, (entry, shape) in enumerate(zip(given, shapes, strict=True))
    ]


def none_if_absent(biases: Sequence[Vector]) -> list[Vector | None]:
    """The vectors, with None for a layer without biases."""
    return [b or None for b in biases]


def positive(argument: str, value: object) -> float:
    """A number above 0."""
    number = value if isinstance(value, Sequence) else plain(argument, value)
    if not isinstance(number, int | float):
        raise TypeError(f"{argument}: expected a number, got {type(value).__name__}")
    if not number > 0:
        raise ValueError(f"{argument}: expected a number above 0, got {number}")
    try:
        return float(number)
    except OverflowError:
        expected = "a number that float64 can represent"
        raise ValueError(f"{argument}: expected {expected}, got a larger one") from None


def named(argument: str, cost: object) -> None:
    """Refuse a callable cost, whose second derivatives are unknown."""
    if callable(cost):
        expected = "a cost by name, whose second derivatives are known"
        raise ValueError(f"{argument}: expected {expected}, got a callable")


def layers(argument: str, value: Any) -> list[Any]:
    """The arrays of the layers, also of an iterator."""
    try:
        return list(value.tolist() if isinstance(value, memoryview) else value)
    except TypeError:
        got = type(value).__name__
        raise TypeError(f"{argument}: expected a sequence of arrays, got {got}") from None


def _hidden(hidden: Any, count: int) -> list[str]:
    if isinstance(hidden, str):
        return [elementwise_name("hidden", hidden)] * count
    if not isinstance(hidden, Sequence):
        raise TypeError(f"hidden: expected a name or a list, got {type(hidden).__name__}")
    if len(hidden) != count:
        raise ValueError(
            f"hidden: expected {count} activations, one per hidden layer, got {len(hidden)}"
        )
    return [elementwise_name(f"hidden[{i}]", entry) for i, entry in enumerate(hidden)]


def targets(y: object, n: int, width: int, cost: Cost) -> Matrix:
    """y of shape (n, n_L). A class label becomes a row with a 1 at the label."""
    refuse_masked("y", y)
    nested = plain("y", y)
    got = shape_of("y", y, nested)
    takes_labels = cost in ("cross_entropy", "log_likelihood")
    if len(got) != 1:
        if takes_labels and got == (n, 1) != (n, width) and _are_whole([x[0] for x in nested]):
            expected = f"y: expected shape {show((n, width))}, got {show(got)}"
            raise ValueError(f"{expected}; labels have one axis: y.ravel()")
        return matrix("y", y if 0 in got else nested, n, width)
    if width == 1 and len(nested) == n and not (takes_labels and _are_labels(y, nested)):
        return [[float(entry)] for entry in nested]  # the targets of the single output
    if not takes_labels or (width == 1 and not _are_labels(y, nested)):
        raise ValueError(_one_axis_error(nested, n, width))
    if len(nested) != n:
        raise ValueError(f"y: expected shape {show((n,))}, got {show(got)}")
    largest = max(width, 2) - 1
    for x, label in enumerate(nested):
        if not (0 <= label <= largest and label == int(label)):
            shown = repr(label).removesuffix(".0")
            raise ValueError(f"y[{x}]: expected a label from 0 to {largest}, got {shown}")
    if width == 1:
        return [[float(label)] for label in nested]
    return [[float(j == label) for j in range(width)] for label in nested]


def _are_labels(y: object, entries: Sequence[object]) -> bool:
    """Whether these entries of y are integers."""
    if not entries:  # the dtype decides; that of an empty list is floating
        return getattr(getattr(y, "dtype", None), "kind", "f") in "biu"
    return all(isinstance(entry, int) for entry in entries)


def _are_whole(entries: Sequence[float]) -> bool:
    return all(isinstance(entry, int) or entry.is_integer() for entry in entries)


def _one_axis_error(nested: Sequence[float], n: int, width: int) -> str:
    """The error for a one-dimensional y that is not accepted."""
    expected, got = f"y: expected shape {show((n, width))}", f"got {show((len(nested),))}"
    if _are_whole(nested) and width > 1:
        takers = "class labels go with 'cross_entropy' and 'log_likelihood'"
        return f"{expected} ({takers}), {got}"
    return f"{expected}, {got}"


def shares(n: int, sample_weight: object, reduction: object) -> tuple[Vector, float]:
    """s_x of each example, and the divisor of Σ s_x C_x: Σ s_x for the mean, 1 for the sum."""
    if isinstance(reduction, str) and reduction == "none":
        got = "'none', which cost and errors alone take"
        raise ValueError(f"reduction: expected 'mean' or 'sum', got {got}")
    name("reduction", reduction, REDUCTIONS)
    weights: Vector = [1.0] * n
    if sample_weight is not None:
        weights = array("sample_weight", sample_weight, (n,))
    for x, weight in enumerate(weights):
        if not math.isfinite(weight) or (weight < 0.0 and reduction == "mean"):
            expected = "a finite weight, 0 or above" if reduction == "mean" else "a finite weight"
            raise ValueError(f"sample_weight[{x}]: expected {expected}, got {weight}")
    try:
        total = math.fsum(weights)
    except OverflowError:
        raise ValueError("sample_weight: expected a finite sum, got inf") from None
    if reduction == "mean" and total == 0.0:
        raise ValueError(
            "sample_weight: expected a weight above 0 for at least one example, got all zero"
        )
    return weights, total if reduction == "mean" else 1.0


def custom(cost: Callable[[Any, Any], Any], a: Matrix, y: Any) -> tuple[Vector, Matrix]:
    """C_x of shape (n,) and ∇_a C_x of shape (n, n_L) from a callable cost, called with copies.

    y must have n entries of any kind and one shape.
    """
    refuse_masked("y", y)
    refuse_ragged("y", y)
    given, y = y, y.tolist() if hasattr(y, "tolist") else y
    if not isinstance(y, Sequence) or len(y) != len(a):
        got = f"{len(y)}" if isinstance(y, Sequence) else type(y).__name__
        raise ValueError(f"y: expected {len(a)} entries, got {got}")
    if y is given:
        with contextlib.suppress(Exception):  # an object that cannot be copied is passed itself
            y = deepcopy(y)
    result = cost([row[:] for row in a], y)
    if not isinstance(result, tuple | list):
        got = type(result).__name__
        raise TypeError(f"cost(a, y): expected a pair (C_x, nabla_a C_x), got {got}")
    if len(result) != 2:
        raise ValueError(
            f"cost(a, y): expected a pair (C_x, nabla_a C_x), got {len(result)} values"
        )
    costs: Vector = array("cost(a, y)[0]", result[0], (len(a),))
    return costs, matrix("cost(a, y)[1]", result[1], len(a), len(a[0]))
