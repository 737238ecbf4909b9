"""Gradients of single examples, and their norms."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from bpfast.reference import _checks as check
from bpfast.reference._arithmetic import exact_sum
from bpfast.reference._arrays import Array, Matrix, Vector
from bpfast.reference._backward_pass import errors_of
from bpfast.reference._checks import Cost, Network
from bpfast.reference._equations import cost_and_bp1
from bpfast.reference._forward_pass import trace_of

# The gradients of all examples: for each, ∂C_x/∂W^l and ∂C_x/∂b^l of all layers.
Gradients = list[tuple[list[Matrix], list[Vector]]]


def per_example_gradients(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    y: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: Array | None = None,
) -> tuple[list[list[Matrix]], list[Matrix | None]]:
    """The gradient of each example: s_x ∂C_x/∂w^l_jk = δ^l_j a^{l-1}_k and s_x ∂C_x/∂b^l_j = δ^l_j.

    Source: Nielsen, ch. 2, (BP3) and (BP4) before the mean over the examples.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    y : array, shape (n, n_L), or n ints
        The targets. Class labels only with cross_entropy and log_likelihood.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.
    cost : str or callable, default "quadratic"
        One of ``COSTS``, or ``cost(a, y)``, which returns C_x, (n,), and ∇_a C_x, (n, n_L). With
        ``cost.takes_z = True`` it gets z^L and returns ∂C_x/∂z^L.
    sample_weight : array, shape (n,), optional
        s, finite. Default: 1 for each example.

    Returns
    -------
    nabla_w, nabla_b : list
        For each layer, shape (n, n_l, n_{l-1}) and (n, n_l).

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> per_example_gradients([[[0]]], [[0]], [[1], [2]], [[1], [3]], output="identity")
    ([[[[-1.0]], [[-6.0]]]], [[[-1.0], [-3.0]]])
    """
    network = check.network(weights, biases, hidden, output)
    found = gradients_of_examples(network, x, y, cost, sample_weight)
    layers = range(len(found[0][1]))
    return (
        [[nabla_w[k] for nabla_w, _ in found] for k in layers],
        [[nabla_b[k] for _, nabla_b in found] if found[0][1][k] else None for k in layers],
    )


def per_example_norms(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    y: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: Array | None = None,
    per_layer: bool = False,
) -> list[Any]:
    """‖s_x ∂C_x‖ of each example, from the gradients themselves.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    y : array, shape (n, n_L), or n ints
        The targets. Class labels only with cross_entropy and log_likelihood.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.
    cost : str or callable, default "quadratic"
        One of ``COSTS``, or ``cost(a, y)``, which returns C_x, (n,), and ∇_a C_x, (n, n_L). With
        ``cost.takes_z = True`` it gets z^L and returns ∂C_x/∂z^L.
    sample_weight : array, shape (n,), optional
        s, finite. Default: 1 for each example.
    per_layer : bool, default False
        Whether to return the norm of each layer's part.

    Returns
    -------
    list of float, shape (n,), or (n, L - 1) with ``per_layer``

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> per_example_norms([[[0]]], [[0]], [[0.75]], [[4]], output="identity")  # 4 √(0.75² + 1)
    [5.0]
    """
    if not isinstance(per_layer, bool):
        raise TypeError(f"per_layer: expected True or False, got {type(per_layer).__name__}")
    network = check.network(weights, biases, hidden, output)
    found = gradients_of_examples(network, x, y, cost, sample_weight)
    norms = [
        [math.hypot(*numbers([w]), *b) for w, b in zip(*gradient, strict=True)]
        for gradient in found
    ]
    return norms if per_layer else [math.hypot(*of_x) for of_x in norms]


def gradients_of_examples(
    network: Network, x: Array, y: Array, cost: Cost, sample_weight: Array | None = None
) -> Gradients:
    """s_x ∂C_x of each example: by BP4, ∂C_x/∂w_jk = δ_j a_k."""
    z, a = trace_of(network, x)
    _, delta = cost_and_bp1(z[-1], y, network.activations[-1], cost, sample_weight, "sum")
    deltas = errors_of(network, z, delta)
    return [
        (
            [
                [[delta_j * a_k for a_k in a_l[i]] for delta_j in delta_l[i]]
                for delta_l, a_l in zip(deltas, a[:-1], strict=True)
            ],
            [delta_l[i] if b else [] for delta_l, b in zip(deltas, network.biases, strict=True)],
        )
        for i in range(len(a[0]))
    ]


def zeros(network: Network) -> tuple[Any, Any]:
    """A gradient of zeros."""
    nabla_w = [[[0.0] * len(w_j) for w_j in w] for w in network.weights]
    nabla_b = [[0.0] * len(b) if b else [] for b in network.biases]
    return nabla_w, nabla_b


def numbers(nested: Any) -> Vector:
    """All numbers of nested lists in order."""
    if isinstance(nested, float):
        return [nested]
    return [number for entry in nested for number in numbers(entry)]


def combined(function: Any, gradients: Sequence[Any]) -> Any:
    """`function` of the numbers at each place of nested lists of the same shape."""
    if isinstance(gradients[0], float):
        return function(*gradients)
    return [combined(function, places) for places in zip(*gradients, strict=True)]


def weighted_sum(factors: Sequence[float], gradients: Gradients) -> tuple[Any, Any]:
    """Σ_x f_x ∂C_x, for weights and biases."""

    def total(*values: float) -> float:
        return exact_sum(f_x * value for f_x, value in zip(factors, values, strict=True))

    nabla_w, nabla_b = combined(total, gradients)
    return nabla_w, nabla_b


def divided(gradient: tuple[Any, Any], divisor: float) -> tuple[Any, Any]:
    """The gradient divided by a number."""
    nabla_w, nabla_b = combined(lambda value: value / divisor, [gradient])
    return nabla_w, nabla_b
