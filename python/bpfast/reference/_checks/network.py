"""The parameters of a network: arrays that match, one list for each layer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bpfast.reference._arrays import Matrix, Vector, array, matrix
from bpfast.reference._checks.names import activation_name, elementwise_name


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
