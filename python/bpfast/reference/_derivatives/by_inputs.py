"""Derivatives by the inputs x: of the cost, and of each output."""

from collections.abc import Iterable, Sequence

from bpfast.reference import _checks as check
from bpfast.reference._arrays import Array, Matrix
from bpfast.reference._backward_pass import errors_of
from bpfast.reference._checks import Cost
from bpfast.reference._derivatives.directions import nabla_x, tangents
from bpfast.reference._derivatives.second_derivatives import output_tangent
from bpfast.reference._equations import cost_and_bp1
from bpfast.reference._forward_pass import trace_of


def input_gradient(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    y: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: Array | None = None,
    reduction: str = "mean",
) -> Matrix:
    """∂C/∂x_k = Σ_j w^2_jk δ^2_j, each row with the factor 1/n; ``reduction="sum"`` without it.

    Source: Nielsen, ch. 2, (BP1) and (BP2).

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
        s, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        C = Σ_x s_x C_x / Σ_x s_x, or C = Σ_x s_x C_x.

    Returns
    -------
    list of list of float, shape (n, n_1)

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> input_gradient([[[3, 4]]], [[0]], [[1, 1]], [[5]], output="identity")  # a - y = 2
    [[6.0, 8.0]]
    """
    network = check.network(weights, biases, hidden, output)
    z, _ = trace_of(network, x)
    _, delta = cost_and_bp1(z[-1], y, output, cost, sample_weight, reduction)
    return nabla_x(network, errors_of(network, z, delta)[0])


def jacobian(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    *,
    at: str = "a",
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
) -> list[Matrix]:
    """∂a^L_j/∂x_k of each example, by a forward pass of the derivatives along each x_k.

    Source: Baydin et al., *Automatic Differentiation in Machine Learning: a Survey*, 2018.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    at : {"a", "z"}, default "a"
        "z": ∂z^L_j/∂x_k.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.

    Returns
    -------
    list, shape (n, n_L, n_1)

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> jacobian([[[1, 2], [3, 4]]], [[0, 0]], [[0, 0]], output="identity")
    [[[1.0, 2.0], [3.0, 4.0]]]
    """
    network = check.network(weights, biases, hidden, output)
    at = check.name("at", at, ("a", "z"))
    z, a = trace_of(network, x)
    columns = []
    for k in range(len(a[0][0])):
        unit = [[float(i == k) for i in range(len(a_x))] for a_x in a[0]]
        dz, _ = tangents(network, z, a, None, unit)
        rows = zip(z[-1], a[-1], dz[-1], strict=True)
        columns.append(dz[-1] if at == "z" else [output_tangent(output, *row) for row in rows])
    # From (n_1, n, n_L) to (n, n_L, n_1).
    return [[list(row) for row in zip(*of_x, strict=True)] for of_x in zip(*columns, strict=True)]
