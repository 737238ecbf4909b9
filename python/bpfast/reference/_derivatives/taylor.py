"""Derivatives by x along directions, and the gradient of a cost of them, for one example at a time.

Along x + t v every number of the network is a function of t. Its value and its first and second
derivative by t at t = 0 are written f, f1 and f2; f1 and f2 are lists with an entry per direction.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from bpfast.reference import _checks as check
from bpfast.reference._activations import SMOOTH
from bpfast.reference._arithmetic import dot, exact_sum, weighted_mean
from bpfast.reference._arrays import (
    Array,
    Matrix,
    Vector,
)
from bpfast.reference._checks import Network
from bpfast.reference._derivatives.taylor_arguments import Nabla, Taylor, call_cost, checked
from bpfast.reference._formulas import activate


class _Layer(NamedTuple):
    """The input a of a layer, its z, and their derivatives along each direction."""

    a: Vector
    a1: Matrix
    a2: Matrix
    z: Vector
    z1: Matrix
    z2: Matrix


def taylor(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    directions: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    order: int = 2,
) -> Taylor:
    """a^L and its first and second derivative along each direction v: by t at t = 0 in x + t v.

    z1^l = W^l a1^{l-1}, z2^l = W^l a2^{l-1}, a1^l = σ'(z^l) z1^l,
    a2^l = σ''(z^l) (z1^l)² + σ'(z^l) z2^l, from a1^1 = v and a2^1 = 0.

    Source: Griewank and Walther, *Evaluating Derivatives*, ch. 13.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    directions : array, shape (k, n_1), (k, n, n_1) or (n_1,), or a list of directions
        k directions, each the same for all examples, (n_1,), or one per example, (n, n_1).
    hidden : str or list of str, default "sigmoid"
        A smooth activation: identity, sigmoid, tanh, gelu, gelu_tanh, silu, mish, softplus or sin;
        or one per layer.
    output : str, default "sigmoid"
        A smooth activation.
    order : {2, 1}, default 2
        1: the first derivatives only.

    Returns
    -------
    Taylor
        ``value``, (n, n_L), ``first`` and ``second``, (k, n, n_L); ``second`` is None with order 1.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> taylor([[[2]]], [[0]], [[0]], [[1]], output="tanh")
    Taylor(value=[[0.0]], first=[[[2.0]]], second=[[[0.0]]])
    """
    network = check.network(weights, biases, hidden, output)
    xs, vs, order = checked(network, x, directions, order)
    return _outputs([_forward(network, *example)[1] for example in zip(xs, vs, strict=True)], order)


def backprop_taylor(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    directions: Array,
    cost: Callable[[Taylor], Any],
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    order: int = 2,
    sample_weight: Array | None = None,
    reduction: str = "mean",
) -> tuple[float, list[Matrix], list[Vector | None]]:
    """C, ∂C/∂W^l and ∂C/∂b^l for a cost of the outputs and their derivatives by x.

    With d, d1 and d2 the derivatives of C by z, z1 and z2, and g = (W^{l+1})ᵀ d^{l+1}, likewise g1
    and g2, the derivatives by a, a1 and a2: d2 = σ' g2, d1 = σ' g1 + 2 σ'' z1 g2, and
    d = σ' g + Σ_v (σ'' z1 g1 + (σ''' z1² + σ'' z2) g2).

    Source: the derivative of :func:`taylor` by the chain rule.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    directions : array, shape (k, n_1), (k, n, n_1) or (n_1,), or a list of directions
        k directions, each the same for all examples, (n_1,), or one per example, (n, n_1).
    cost : callable
        ``cost(taylor)`` returns C_x, (n,), and its derivatives by ``taylor.value``, ``first`` and
        ``second``, each in its shape, or None for 0.
    hidden : str or list of str, default "sigmoid"
        A smooth activation: identity, sigmoid, tanh, gelu, gelu_tanh, silu, mish, softplus or sin;
        or one per layer.
    output : str, default "sigmoid"
        A smooth activation.
    order : {2, 1}, default 2
        1: the first derivatives only.
    sample_weight : array, shape (n,), optional
        s, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        Σ_x s_x C_x / Σ_x s_x, or Σ_x s_x C_x.

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
    The cost u' of u = w x + b:

    >>> backprop_taylor([[[2]]], [[0]], [[0]], [[1]], lambda t: ([t.first[0][0][0]],
    ...                 (None, [[[1]]])), output="identity", order=1)
    (2.0, [[[1.0]]], [[0.0]])
    """
    network = check.network(weights, biases, hidden, output)
    xs, vs, order = checked(network, x, directions, order)
    if not callable(cost):
        raise TypeError(f"cost: expected a callable, got {type(cost).__name__}")
    s, divisor = check.shares(len(xs), sample_weight, reduction)
    passes = [_forward(network, *example) for example in zip(xs, vs, strict=True)]
    outputs = _outputs([ends for _, ends in passes], order)
    shape = (len(vs[0]), len(xs), len(network.weights[-1]))
    costs, nabla = call_cost(cost, outputs, shape, order)
    grads = [
        _backward(network, layers, _of_example(nabla, i, s[i] / divisor))
        for i, (layers, _) in enumerate(passes)
    ]
    total = weighted_mean(s, costs, divisor)
    nabla_w = [
        [[exact_sum(terms) for terms in zip(*rows, strict=True)] for rows in zip(*ws, strict=True)]
        for ws in zip(*(w for w, _ in grads), strict=True)
    ]
    nabla_b = [
        [exact_sum(terms) for terms in zip(*bs, strict=True)]
        for bs in zip(*(b for _, b in grads), strict=True)
    ]
    return total, nabla_w, check.none_if_absent(nabla_b)


def _forward(network: Network, x: Vector, v: Matrix) -> tuple[list[_Layer], _Layer]:
    """Every layer of one example, and its outputs as the input of a layer without neurons."""
    layers: list[_Layer] = []
    a, a1, a2 = x, v, [[0.0] * len(x) for _ in v]
    for w, b, activation in zip(*network, strict=True):
        z = [dot(w_j, a, b_j) for w_j, b_j in zip(w, b or [0.0] * len(w), strict=True)]
        z1 = [[dot(w_j, along) for w_j in w] for along in a1]
        z2 = [[dot(w_j, along) for w_j in w] for along in a2]
        layers.append(_Layer(a, a1, a2, z, z1, z2))
        s = [SMOOTH[activation](z_j) for z_j in z]
        a = activate(z, activation)
        a1 = [[s_j[0] * q for s_j, q in zip(s, along, strict=True)] for along in z1]
        a2 = [
            [s_j[1] * q * q + s_j[0] * r for s_j, q, r in zip(s, *along, strict=True)]
            for along in zip(z1, z2, strict=True)
        ]
    return layers, _Layer(a, a1, a2, [], [], [])


def _backward(
    network: Network, layers: list[_Layer], nabla: tuple[Vector, Matrix, Matrix]
) -> tuple[list[Matrix], list[Vector]]:
    """The gradient of one example's cost by weights and biases, from that by its outputs."""
    nabla_w: list[Matrix] = []
    nabla_b: list[Vector] = []
    g, g1, g2 = nabla
    for layer, w, b, activation in reversed(list(zip(layers, *network, strict=True))):
        s = [SMOOTH[activation](z_j) for z_j in layer.z]
        d, d1, d2 = [], [[0.0] * len(w) for _ in g1], [[0.0] * len(w) for _ in g2]
        for j, (first, second, third) in enumerate(s):
            terms = [first * g[j]]
            for i in range(len(g1)):
                q, r = layer.z1[i][j], layer.z2[i][j]
                d1[i][j] = first * g1[i][j] + 2.0 * second * q * g2[i][j]
                d2[i][j] = first * g2[i][j]
                terms += [second * q * g1[i][j], (third * q * q + second * r) * g2[i][j]]
            d.append(exact_sum(terms))
        inputs = [layer.a, *layer.a1, *layer.a2]
        errors = [d, *d1, *d2]
        nabla_w.insert(
            0,
            [
                [dot([e[j] for e in errors], [a[k] for a in inputs]) for k in range(len(layer.a))]
                for j in range(len(w))
            ],
        )
        nabla_b.insert(0, d if b else [])
        columns = list(zip(*w, strict=True))
        g = [dot(column, d) for column in columns]
        g1 = [[dot(column, along) for column in columns] for along in d1]
        g2 = [[dot(column, along) for column in columns] for along in d2]
    return nabla_w, nabla_b


def _outputs(ends: list[_Layer], order: int) -> Taylor:
    """The outputs of all examples, direction by direction."""
    k = range(len(ends[0].a1))
    first = [[end.a1[i] for end in ends] for i in k]
    second = [[end.a2[i] for end in ends] for i in k] if order == 2 else None
    return Taylor([end.a for end in ends], first, second)


def _of_example(nabla: Nabla, x: int, factor: float) -> tuple[Vector, Matrix, Matrix]:
    """The derivatives of one example's cost by its outputs, times its factor in C."""
    value, first, second = nabla
    scaled = [[[factor * g for g in along[x]] for along in part] for part in (first, second)]
    return [factor * g for g in value[x]], scaled[0], scaled[1]
