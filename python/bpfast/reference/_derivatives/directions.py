"""Derivatives along directions: of outputs, `vjp`, and of inputs or parameters, `jvp`."""

from collections.abc import Iterable, Sequence

from bpfast.reference import _checks as check
from bpfast.reference._activations import prime
from bpfast.reference._arithmetic import dot
from bpfast.reference._arrays import Array, Matrix, Vector, matrix
from bpfast.reference._backward_pass import bias_gradients, errors_of
from bpfast.reference._checks import Network
from bpfast.reference._derivatives.second_derivatives import output_tangent
from bpfast.reference._equations import bp4
from bpfast.reference._formulas import bp1_of
from bpfast.reference._forward_pass import trace_of


def vjp(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    v: Array,
    *,
    at: str = "a",
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
) -> tuple[list[Matrix], list[Vector | None], Matrix]:
    """The gradient of any function C of the outputs, from v = ∂C/∂a^L, summed over the batch.

    δ^L = v ⊙ σ'(z^L), then BP2 to BP4, and ∂C/∂x = δ^2 W^2.

    Source: Nielsen, ch. 2, (BP1) to (BP4).

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    v : array, shape (n, n_L)
        ∂C/∂a^L, or ∂C/∂z^L.
    at : {"a", "z"}, default "a"
        "z": v is ∂C/∂z^L.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.

    Returns
    -------
    nabla_w, nabla_b : list
        ∂C/∂W^2 … ∂C/∂W^L and ∂C/∂b^2 … ∂C/∂b^L, in the shapes of weights and biases.
    nabla_x : list of list of float, shape (n, n_1)
        ∂C/∂x.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> vjp([[[3, 4]]], [[0]], [[1, 2]], [[10]], output="identity")
    ([[[10.0, 20.0]]], [[10.0]], [[30.0, 40.0]])
    """
    network = check.network(weights, biases, hidden, output)
    at = check.name("at", at, ("a", "z"))
    z, a = trace_of(network, x)
    delta = matrix("v", v, len(z[-1]), len(z[-1][0]))
    if at == "a":
        delta = [bp1_of(output, *rows) for rows in zip(z[-1], a[-1], delta, strict=True)]
    deltas = errors_of(network, z, delta)
    nabla_w = [bp4(delta, a_in) for delta, a_in in zip(deltas, a[:-1], strict=True)]
    nabla_b = check.none_if_absent(bias_gradients(network, deltas))
    return nabla_w, nabla_b, nabla_x(network, deltas[0])


def jvp(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    *,
    dx: Array | None = None,
    dweights: Iterable[Array] | None = None,
    dbiases: Iterable[Array | None] | None = None,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
) -> tuple[Matrix, Matrix]:
    """The outputs a^L and their derivative along a direction (ẋ, Ẇ, ḃ).

    ż^l_j = Σ_k (w^l_jk ȧ^{l-1}_k + ẇ^l_jk a^{l-1}_k) + ḃ^l_j and ȧ^l = σ'(z^l) ⊙ ż^l; ȧ^1 = ẋ.

    Source: Pearlmutter, *Fast Exact Multiplication by the Hessian*, 1994.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    dx : array, shape (n, n_1), optional
        ẋ. Default: 0.
    dweights, dbiases : sequence of array, optional
        Ẇ and ḃ, in the shapes of weights and biases. Default: 0.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.

    Returns
    -------
    list of list of float, and another, shape (n, n_L)
        a^L and ȧ^L.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> jvp([[[3, 4]]], [[0]], [[1, 2]], dx=[[0, 1]], output="identity")
    ([[11.0]], [[4.0]])
    """
    network = check.network(weights, biases, hidden, output)
    if dx is None and dweights is None and dbiases is None:
        raise ValueError("dx: expected a direction dx, dweights or dbiases, got None for all")
    z, a = trace_of(network, x)
    zero = [[0.0] * len(a_x) for a_x in a[0]]
    direction = Network(
        check.same_shapes("dweights", dweights, network.weights),
        check.same_shapes("dbiases", dbiases, network.biases),
        network.activations,
    )
    start = zero if dx is None else matrix("dx", dx, len(zero), len(zero[0]))
    dz, _ = tangents(network, z, a, direction, start)
    da = [output_tangent(output, *rows) for rows in zip(z[-1], a[-1], dz[-1], strict=True)]
    return a[-1], da


def tangents(
    network: Network, z: list[Matrix], a: list[Matrix], direction: Network | None, dx: Matrix
) -> tuple[list[Matrix], list[Matrix]]:
    """ż^2 … ż^L and ȧ^1 … ȧ^{L-1} along a direction (Ẇ, ḃ, ẋ)."""
    dz: list[Matrix] = []
    da = [dx]
    for k, (w, _, activation) in enumerate(zip(*network, strict=True)):
        dw, db = (direction.weights[k], direction.biases[k]) if direction else (None, [])
        db = db or [0.0] * len(w)
        layer: Matrix = []
        for a_x, da_x in zip(a[k], da[k], strict=True):
            row = []
            for j, w_j in enumerate(w):
                pairs = [*zip(w_j, da_x, strict=True)]
                if dw:
                    pairs += zip(dw[j], a_x, strict=True)
                row.append(dot([u for u, _ in pairs], [v for _, v in pairs], db[j]))
            layer.append(row)
        dz.append(layer)
        if k + 1 < len(network.weights):
            slope = prime(activation)
            da.append(
                [
                    [slope(z_j) * dz_j for z_j, dz_j in zip(z_x, dz_x, strict=True)]
                    for z_x, dz_x in zip(z[k], layer, strict=True)
                ]
            )
    return dz, da


def nabla_x(network: Network, delta: Matrix) -> Matrix:
    columns = list(zip(*network.weights[0], strict=True))
    return [[dot(w_k, delta_x) for w_k in columns] for delta_x in delta]
