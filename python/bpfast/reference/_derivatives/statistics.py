"""Mean and variance of the gradient over the examples."""

from collections.abc import Iterable, Sequence

from bpfast.reference import _checks as check
from bpfast.reference._arithmetic import dot, exact_sum
from bpfast.reference._arrays import Array, Matrix, Vector
from bpfast.reference._checks import Cost
from bpfast.reference._derivatives.per_example import (
    combined,
    divided,
    gradients_of_examples,
    weighted_sum,
)


def gradient_statistics(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    y: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: Cost = "quadratic",
) -> tuple[list[Matrix], list[Vector | None], list[Matrix], list[Vector | None]]:
    """The mean of ∂C_x over the examples, and the variance of each parameter's, divisor n - 1.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 2.
    y : array, shape (n, n_L), or n ints
        The targets. Class labels only with cross_entropy and log_likelihood.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.
    cost : str or callable, default "quadratic"
        One of ``COSTS``, or ``cost(a, y)``, which returns C_x, (n,), and ∇_a C_x, (n, n_L). With
        ``cost.takes_z = True`` it gets z^L and returns ∂C_x/∂z^L.

    Returns
    -------
    mean_w, mean_b, variance_w, variance_b : list
        In the shapes of weights and biases.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> gradient_statistics([[[0]]], [[0]], [[0], [0]], [[1], [3]], output="identity")
    ([[[0.0]]], [[-2.0]], [[[0.0]]], [[2.0]])
    """
    network = check.network(weights, biases, hidden, output)
    found = gradients_of_examples(network, x, y, cost)
    n = len(found)
    if n < 2:
        raise ValueError(f"x: expected at least two examples, got {n}")
    mean = divided(weighted_sum([1.0] * n, found), n)

    def variance(*values: float) -> float:
        middle = exact_sum(values) / n
        differences = [value - middle for value in values]
        return dot(differences, differences) / (n - 1)

    (mean_w, mean_b), (variance_w, variance_b) = mean, combined(variance, found)
    absent = check.none_if_absent
    return mean_w, absent(mean_b), variance_w, absent(variance_b)
