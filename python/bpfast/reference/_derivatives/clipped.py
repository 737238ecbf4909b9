"""The sum of clipped gradients, without noise."""

import math
from collections.abc import Iterable, Sequence

from bpfast.reference import _checks as check
from bpfast.reference._arrays import Array, Matrix, Vector, plain
from bpfast.reference._checks import Cost
from bpfast.reference._derivatives.per_example import (
    divided,
    gradients_of_examples,
    numbers,
    weighted_sum,
    zeros,
)


def clipped_backprop(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    y: Array,
    max_norm: float,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: Cost = "quadratic",
    reduction: str = "mean",
    expected_batch_size: float | None = None,
) -> tuple[list[Matrix], list[Vector | None]]:
    """Σ_x ∂C_x min(1, c / ‖∂C_x‖), divided by the batch size; without noise.

    Source: Abadi et al., *Deep Learning with Differential Privacy*, 2016.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1, or n ≥ 0 with ``expected_batch_size``.
    y : array, shape (n, n_L), or n ints
        The targets. Class labels only with cross_entropy and log_likelihood.
    max_norm : float
        c, above 0.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.
    cost : str or callable, default "quadratic"
        One of ``COSTS``, or ``cost(a, y)``, which returns C_x, (n,), and ∇_a C_x, (n, n_L). With
        ``cost.takes_z = True`` it gets z^L and returns ∂C_x/∂z^L.
    reduction : {"mean", "sum"}, default "mean"
        "sum": not divided by the batch size.
    expected_batch_size : float, optional
        The divisor for "mean". Default: n.

    Returns
    -------
    nabla_w, nabla_b : list
        In the shapes of weights and biases.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> clipped_backprop(
    ...     [[[0]]], [[0]], [[0], [0]], [[1], [9]], 2, output="identity", reduction="sum"
    ... )
    ([[[0.0]]], [[-3.0]])
    """
    c = check.positive("max_norm", max_norm)
    check.name("reduction", reduction, check.REDUCTIONS)
    divisor = None
    if expected_batch_size is not None:
        divisor = check.positive("expected_batch_size", expected_batch_size)
    network = check.network(weights, biases, hidden, output)
    if divisor is not None and plain("x", x) == plain("y", y) == []:  # a sample may be empty
        found = [zeros(network)]
    else:
        found = gradients_of_examples(network, x, y, cost)
    factors = []
    for gradient in found:
        norm = math.hypot(*numbers(gradient))
        if not math.isfinite(norm):
            factors.append(math.nan)  # c / inf would drop the example
        else:
            factors.append(c / norm if norm > c else 1.0)
    total = weighted_sum(factors, found)
    nabla_w, nabla_b = divided(total, (divisor or len(found)) if reduction == "mean" else 1.0)
    return nabla_w, check.none_if_absent(nabla_b)
