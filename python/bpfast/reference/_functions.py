"""The functions of :mod:`bpfast.reference`: one for each equation."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bpfast.reference import _checks as check
from bpfast.reference._arrays import Array, Matrix, Vector, matrix
from bpfast.reference._checks import Cost, Network
from bpfast.reference._formulas import PRIME, activate, bp1_of, dot, exact_sum, named_cost


class Trace(NamedTuple):
    """All of a forward pass: ``z`` holds z^2 … z^L and ``a`` holds a^1 … a^L, each (n, n_l)."""

    z: list[Matrix]
    a: list[Matrix]


# The network


def forward(
    weights: Iterable[Array],
    biases: Iterable[Array],
    x: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
) -> Matrix:
    """a^L = σ_L(… W^3 σ_2(W^2 x + b^2) + b^3 …), the answers of the network.

    Source: Nielsen, ch. 2, (25).

    Returns
    -------
    list of list of float, shape (n, n_L)

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> forward([[[1, -1]]], [[0.5]], [[3, 1], [0, 1]], output="relu")
    [[2.5], [0.0]]
    """
    return trace(weights, biases, x, hidden=hidden, output=output).a[-1]


def trace(
    weights: Iterable[Array],
    biases: Iterable[Array],
    x: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
) -> Trace:
    """z^l_j = Σ_k w^l_jk a^{l-1}_k + b^l_j and a^l = σ_l(z^l) for every layer; a^1 = x.

    Source: Nielsen, ch. 2, (25).

    Returns
    -------
    Trace
        ``z``: z^2 … z^L. ``a``: a^1 … a^L. Shape (n, n_l) each.

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> trace([[[2]], [[-1]]], [[0], [1]], [[3]], hidden="relu", output="identity")
    Trace(z=[[[6.0]], [[-5.0]]], a=[[[3.0]], [[6.0]], [[-5.0]]])
    """
    return _trace(check.network(weights, biases, hidden, output), x)


def cost(
    weights: Iterable[Array],
    biases: Iterable[Array],
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

    With ``reduction="none"``: s_x C_x of each example.

    Source: Nielsen, ch. 2, (26), for the quadratic cost; ch. 3 for the other two he has.

    Returns
    -------
    float, or list of n floats

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> cost([[[1]]], [[0]], [[1], [2]], [[0], [0]], output="identity")
    1.25
    >>> cost([[[1]]], [[0]], [[1], [2]], [[0], [0]], output="identity", reduction="none")
    [0.5, 2.0]
    """
    z, _ = _trace(check.network(weights, biases, hidden, output), x)
    if check.name("reduction", reduction, check.REDUCTIONS_OF_COST) == "none":
        check.output_and_cost(output, cost)
        s, _ = check.shares(len(z[-1]), sample_weight, "sum")
        c, _ = _costs_and_nabla(z[-1], [activate(z_x, output) for z_x in z[-1]], y, output, cost)
        return [s_x * c_x for s_x, c_x in zip(s, c, strict=True)]
    return _cost_and_bp1(z[-1], y, output, cost, sample_weight, reduction)[0]


def errors(
    weights: Iterable[Array],
    biases: Iterable[Array],
    x: Array,
    y: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: Array | None = None,
    reduction: str = "mean",
) -> list[Matrix]:
    """δ^l = ∂C/∂z^l for l = 2 … L by BP1 and BP2; C is the cost of the whole batch.

    Source: Nielsen, ch. 2, (BP1) and (BP2).

    Returns
    -------
    list
        δ^2 … δ^L, shape (n, n_l) each.

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> errors([[[2]], [[-1]]], [[0], [1]], [[3]], [[0]], hidden="relu", output="identity")
    [[[5.0]], [[-5.0]]]
    """
    network = check.network(weights, biases, hidden, output)
    z, _ = _trace(network, x)
    _, delta = _cost_and_bp1(z[-1], y, output, cost, sample_weight, reduction)
    return _errors(network, z, delta)


def backprop(
    weights: Iterable[Array],
    biases: Iterable[Array],
    x: Array,
    y: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: Array | None = None,
    reduction: str = "mean",
) -> tuple[float, list[Matrix], list[Vector]]:
    """C, ∂C/∂W^l and ∂C/∂b^l by BP1-BP4; C is the cost of the whole batch.

    Source: Nielsen, ch. 2, (BP1) to (BP4).

    Returns
    -------
    cost : float
    nabla_w, nabla_b : list
        ∂C/∂W^2 … ∂C/∂W^L and ∂C/∂b^2 … ∂C/∂b^L, in the shapes of weights and biases.

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> backprop([[[2]], [[-1]]], [[0], [1]], [[3]], [[0]], hidden="relu", output="identity")
    (12.5, [[[15.0]], [[-30.0]]], [[5.0], [-5.0]])
    """
    network = check.network(weights, biases, hidden, output)
    z, a = _trace(network, x)
    c, delta = _cost_and_bp1(z[-1], y, output, cost, sample_weight, reduction)
    deltas = _errors(network, z, delta)
    nabla_w = [bp4(delta, a_in) for delta, a_in in zip(deltas, a[:-1], strict=True)]
    nabla_b = [bp3(delta) for delta in deltas]
    return c, nabla_w, nabla_b


def _trace(network: Network, x: Array) -> Trace:
    n_1 = len(network.weights[0][0])
    z: list[Matrix] = []
    a = [matrix("x", x, "n", n_1)]
    for w, b, activation in zip(*network, strict=True):
        z.append([[dot(w_j, a_x, b_j) for w_j, b_j in zip(w, b, strict=True)] for a_x in a[-1]])
        a.append([activate(z_x, activation) for z_x in z[-1]])
    return Trace(z, a)


def _errors(network: Network, z: list[Matrix], delta: Matrix) -> list[Matrix]:
    weights, _, activations = network
    deltas = [delta]
    for k in range(len(z) - 1, 0, -1):
        deltas.insert(0, bp2(deltas[0], weights[k], z[k - 1], activation=activations[k - 1]))
    return deltas


# The four equations


def bp1(
    z: Array,
    y: Array,
    *,
    output: str = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: Array | None = None,
    reduction: str = "mean",
) -> Matrix:
    """δ^L = ∇_a C ⊙ σ'(z^L); for softmax the Jacobian product δ_j = Σ_k ∂C/∂a_k ∂a_k/∂z_j.

    Source: Nielsen, ch. 2, (BP1).

    Parameters
    ----------
    z : z^L, shape (n, n_L)
    y, output, cost, sample_weight, reduction
        As at the head of the module.

    Returns
    -------
    δ^L, shape (n, n_L)
        With the factor 1/n, or s_x / Σ_x s_x, of the batch's cost in it.

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> bp1([[0.0]], [[1.0]])  # (a - y) σ'(z) = (½ - 1) · ¼
    [[-0.125]]
    """
    return _cost_and_bp1(z, y, output, cost, sample_weight, reduction)[1]


def bp2(delta: Array, weights: Array, z: Array, *, activation: str = "sigmoid") -> Matrix:
    """δ^l_k = Σ_j w^{l+1}_jk δ^{l+1}_j σ'(z^l_k), that is, δ^l = (δ^{l+1} W^{l+1}) ⊙ σ'(z^l).

    Source: Nielsen, ch. 2, (BP2).

    Parameters
    ----------
    delta : δ^{l+1}, shape (n, n_{l+1})
    weights : W^{l+1}, shape (n_{l+1}, n_l)
    z : z^l, shape (n, n_l)
    activation : name of σ_l, any but softmax

    Returns
    -------
    δ^l, shape (n, n_l)

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> bp2([[1.0, 2.0]], [[3.0], [4.0]], [[0.0]])  # (3 · 1 + 4 · 2) · ¼
    [[2.75]]
    """
    prime = PRIME[check.elementwise_name("activation", activation)]
    delta = matrix("delta", delta, "n", "n_l+1")
    weights = matrix("weights", weights, len(delta[0]), "n_l")
    z = matrix("z", z, len(delta), len(weights[0]))
    columns = list(zip(*weights, strict=True))
    return [
        [dot(w_k, delta_x) * prime(z_k) for w_k, z_k in zip(columns, z_x, strict=True)]
        for delta_x, z_x in zip(delta, z, strict=True)
    ]


def bp3(delta: Array) -> Vector:
    """∂C/∂b^l_j = Σ_x δ^l_j.

    Source: Nielsen, ch. 2, (BP3), summed over the batch.

    Parameters
    ----------
    delta : δ^l, shape (n, n_l)

    Returns
    -------
    ∂C/∂b^l, shape (n_l,)

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> bp3([[1.0, 2.0], [3.0, 4.0]])
    [4.0, 6.0]
    """
    delta = matrix("delta", delta, "n", "n_l")
    return [exact_sum(delta_j) for delta_j in zip(*delta, strict=True)]


def bp4(delta: Array, a: Array) -> Matrix:
    """∂C/∂w^l_jk = Σ_x a^{l-1}_k δ^l_j, that is, ∂C/∂W^l = (δ^l)ᵀ a^{l-1}.

    Source: Nielsen, ch. 2, (BP4), summed over the batch.

    Parameters
    ----------
    delta : δ^l, shape (n, n_l)
    a : a^{l-1}, shape (n, n_{l-1})

    Returns
    -------
    ∂C/∂W^l, shape (n_l, n_{l-1})

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> bp4([[1.0], [2.0]], [[3.0, 4.0], [5.0, 6.0]])  # 1 · 3 + 2 · 5, 1 · 4 + 2 · 6
    [[13.0, 16.0]]
    """
    delta = matrix("delta", delta, "n", "n_l")
    a = matrix("a", a, len(delta), "n_l-1")
    return [
        [dot(a_k, delta_j) for a_k in zip(*a, strict=True)] for delta_j in zip(*delta, strict=True)
    ]


def _cost_and_bp1(
    z: Array, y: Array, output: str, cost: Cost, sample_weight: Array | None, reduction: str
) -> tuple[float, Matrix]:
    """C and δ^L from z^L."""
    check.output_and_cost(output, cost)
    z = matrix("z", z, "n", "n_L")
    s, divisor = check.shares(len(z), sample_weight, reduction)
    a = [activate(z_x, output) for z_x in z]
    c, nabla_z = _costs_and_nabla(z, a, y, output, cost)
    delta = [[s_x / divisor * d for d in row] for s_x, row in zip(s, nabla_z, strict=True)]
    return dot(s, c) / divisor, delta


def _costs_and_nabla(
    z: Matrix, a: Matrix, y: Array, output: str, cost: Cost
) -> tuple[Vector, Matrix]:
    """C_x and ∂C_x/∂z^L of each example."""
    if isinstance(cost, str):
        y = check.targets(y, len(z), len(z[0]), cost)
        pairs = [named_cost(cost, output, *rows) for rows in zip(z, a, y, strict=True)]
        return [c_x for c_x, _ in pairs], [nabla_x for _, nabla_x in pairs]
    c, nabla_a = check.custom(cost, a, y)
    return c, [bp1_of(output, *rows) for rows in zip(z, a, nabla_a, strict=True)]
