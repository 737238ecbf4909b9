"""The four equations, BP1 to BP4, one function each."""

from bpfast.reference import _checks as check
from bpfast.reference._activations import prime
from bpfast.reference._arithmetic import dot, exact_sum, weighted_mean
from bpfast.reference._arrays import Array, Matrix, Vector, matrix
from bpfast.reference._checks import Cost
from bpfast.reference._formulas import activate, bp1_of, named_cost


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
    z : array, shape (n, n_L)
        z^L.
    y : array, shape (n, n_L), or n ints
        The targets. Class labels only with cross_entropy and log_likelihood.
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
    list of list of float, shape (n, n_L)
        δ^L. With "mean", row x has the factor 1/n, or s_x / Σ_x s_x.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> bp1([[0.0]], [[1.0]])  # (a - y) σ'(z) = (½ - 1) · ¼
    [[-0.125]]
    """
    return cost_and_bp1(z, y, output, cost, sample_weight, reduction)[1]


def bp2(delta: Array, weights: Array, z: Array, *, activation: str = "sigmoid") -> Matrix:
    """δ^l_k = Σ_j w^{l+1}_jk δ^{l+1}_j σ'(z^l_k), that is, δ^l = (δ^{l+1} W^{l+1}) ⊙ σ'(z^l).

    Source: Nielsen, ch. 2, (BP2).

    Parameters
    ----------
    delta : array, shape (n, n_{l+1})
        δ^{l+1}.
    weights : array, shape (n_{l+1}, n_l)
        W^{l+1}.
    z : array, shape (n, n_l)
        z^l.
    activation : str, default "sigmoid"
        The name of σ_l, any except softmax.

    Returns
    -------
    list of list of float, shape (n, n_l)
        δ^l.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> bp2([[1.0, 2.0]], [[3.0], [4.0]], [[0.0]])  # (3 · 1 + 4 · 2) · ¼
    [[2.75]]
    """
    slope = prime(check.elementwise_name("activation", activation))
    delta = matrix("delta", delta, "n", "n_l+1")
    weights = matrix("weights", weights, len(delta[0]), "n_l")
    z = matrix("z", z, len(delta), len(weights[0]))
    columns = list(zip(*weights, strict=True))
    return [
        [dot(w_k, delta_x) * slope(z_k) for w_k, z_k in zip(columns, z_x, strict=True)]
        for delta_x, z_x in zip(delta, z, strict=True)
    ]


def bp3(delta: Array) -> Vector:
    """∂C/∂b^l_j = Σ_x δ^l_j.

    Source: Nielsen, ch. 2, (BP3), summed over the batch.

    Parameters
    ----------
    delta : array, shape (n, n_l)
        δ^l.

    Returns
    -------
    list of float, shape (n_l,)
        ∂C/∂b^l.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

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
    delta : array, shape (n, n_l)
        δ^l.
    a : array, shape (n, n_{l-1})
        a^{l-1}.

    Returns
    -------
    list of list of float, shape (n_l, n_{l-1})
        ∂C/∂W^l.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

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


def cost_and_bp1(
    z: Array, y: Array, output: str, cost: Cost, sample_weight: Array | None, reduction: str
) -> tuple[float, Matrix]:
    """C and δ^L from z^L."""
    check.output_and_cost(output, cost)
    z = matrix("z", z, "n", "n_L")
    s, divisor = check.shares(len(z), sample_weight, reduction)
    a = [activate(z_x, output) for z_x in z]
    c, nabla_z = costs_and_nabla(z, a, y, output, cost)
    delta = [[s_x / divisor * d for d in row] for s_x, row in zip(s, nabla_z, strict=True)]
    return weighted_mean(s, c, divisor), delta


def costs_and_nabla(
    z: Matrix, a: Matrix, y: Array, output: str, cost: Cost
) -> tuple[Vector, Matrix]:
    """C_x and ∂C_x/∂z^L of each example."""
    if isinstance(cost, str):
        y = check.targets(y, len(z), len(z[0]), cost)
        pairs = [named_cost(cost, output, *rows) for rows in zip(z, a, y, strict=True)]
        return [c_x for c_x, _ in pairs], [nabla_x for _, nabla_x in pairs]
    if getattr(cost, "takes_z", False):
        return check.custom(cost, z, y)
    c, nabla_a = check.custom(cost, a, y)
    return c, [bp1_of(output, *rows) for rows in zip(z, a, nabla_a, strict=True)]
