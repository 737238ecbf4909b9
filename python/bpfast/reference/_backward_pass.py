"""The cost of a network, and backpropagation through it."""

from collections.abc import Iterable, Sequence
from typing import Any

from bpfast.reference import _checks as check
from bpfast.reference._arrays import Array, Matrix, Vector
from bpfast.reference._checks import Cost, Network
from bpfast.reference._equations import bp2, bp3, bp4, cost_and_bp1, costs_and_nabla
from bpfast.reference._formulas import activate
from bpfast.reference._forward_pass import trace_of


def cost(
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
) -> Any:
    """C = Σ_x s_x C_x / Σ_x s_x, or Σ_x s_x C_x; C_x = ½ ‖y - a^L‖² for the quadratic cost.

    Source: Nielsen, ch. 2, (26), for the quadratic cost; ch. 3 for cross-entropy and
    log-likelihood.

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
    reduction : {"mean", "sum", "none"}, default "mean"
        Σ_x s_x C_x / Σ_x s_x, Σ_x s_x C_x, or s_x C_x of each example.

    Returns
    -------
    float, or list of n floats

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> cost([[[1]]], [[0]], [[1], [2]], [[0], [0]], output="identity")
    1.25
    >>> cost([[[1]]], [[0]], [[1], [2]], [[0], [0]], output="identity", reduction="none")
    [0.5, 2.0]
    """
    z, _ = trace_of(check.network(weights, biases, hidden, output), x)
    if check.name("reduction", reduction, check.REDUCTIONS_OF_COST) == "none":
        check.output_and_cost(output, cost)
        s, _ = check.shares(len(z[-1]), sample_weight, "sum")
        c, _ = costs_and_nabla(z[-1], [activate(z_x, output) for z_x in z[-1]], y, output, cost)
        return [s_x * c_x for s_x, c_x in zip(s, c, strict=True)]
    return cost_and_bp1(z[-1], y, output, cost, sample_weight, reduction)[0]


def errors(
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
) -> list[Matrix]:
    """The errors δ^l = ∂C/∂z^l, each row with the factor 1/n; ``reduction="sum"`` without it.

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
    reduction : {"mean", "sum", "none"}, default "mean"
        C = Σ_x s_x C_x / Σ_x s_x, or C = Σ_x s_x C_x. "none": as "sum", the error of each example.

    Returns
    -------
    list
        δ^2 … δ^L, shape (n, n_l) each.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> errors([[[2]], [[-1]]], [[0], [1]], [[3]], [[0]], hidden="relu", output="identity")
    [[[5.0]], [[-5.0]]]
    """
    if check.name("reduction", reduction, check.REDUCTIONS_OF_COST) == "none":
        reduction = "sum"
    network = check.network(weights, biases, hidden, output)
    z, _ = trace_of(network, x)
    _, delta = cost_and_bp1(z[-1], y, output, cost, sample_weight, reduction)
    return errors_of(network, z, delta)


def backprop(
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
) -> tuple[float, list[Matrix], list[Vector | None]]:
    """C, ∂C/∂W^l and ∂C/∂b^l by BP1 to BP4; C is the cost of the whole batch.

    Source: Nielsen, ch. 2, (BP1) to (BP4).

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
    cost : float
        C.
    nabla_w, nabla_b : list
        ∂C/∂W^2 … ∂C/∂W^L and ∂C/∂b^2 … ∂C/∂b^L, in the shapes of weights and biases.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> backprop([[[2]], [[-1]]], [[0], [1]], [[3]], [[0]], hidden="relu", output="identity")
    (12.5, [[[15.0]], [[-30.0]]], [[5.0], [-5.0]])
    """
    network = check.network(weights, biases, hidden, output)
    z, a = trace_of(network, x)
    c, delta = cost_and_bp1(z[-1], y, output, cost, sample_weight, reduction)
    deltas = errors_of(network, z, delta)
    nabla_w = [bp4(delta, a_in) for delta, a_in in zip(deltas, a[:-1], strict=True)]
    return c, nabla_w, check.none_if_absent(bias_gradients(network, deltas))


def errors_of(network: Network, z: list[Matrix], delta: Matrix) -> list[Matrix]:
    """δ^2 … δ^L from δ^L, by BP2."""
    weights, _, activations = network
    deltas = [delta]
    for k in range(len(z) - 1, 0, -1):
        deltas.insert(0, bp2(deltas[0], weights[k], z[k - 1], activation=activations[k - 1]))
    return deltas


def bias_gradients(network: Network, deltas: list[Matrix]) -> list[Vector]:
    """∂C/∂b^l by BP3, empty for a layer without biases."""
    return [bp3(delta) if b else [] for delta, b in zip(deltas, network.biases, strict=True)]
