"""Products with matrices of second derivatives."""

from collections.abc import Iterable, Sequence

from bpfast.reference import _checks as check
from bpfast.reference._activations import prime, second
from bpfast.reference._arithmetic import dot
from bpfast.reference._arrays import Array, Matrix, Vector
from bpfast.reference._backward_pass import bias_gradients, errors_of
from bpfast.reference._checks import Cost, Network
from bpfast.reference._derivatives.directions import tangents
from bpfast.reference._derivatives.per_example import gradients_of_examples, numbers, weighted_sum
from bpfast.reference._derivatives.second_derivatives import gauss_newton_product, hessian_product
from bpfast.reference._equations import bp4, costs_and_nabla
from bpfast.reference._forward_pass import Trace, trace_of


def hvp(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    y: Array,
    v_weights: Iterable[Array],
    v_biases: Iterable[Array | None],
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: str = "quadratic",
    sample_weight: Array | None = None,
    reduction: str = "mean",
) -> tuple[list[Matrix], list[Vector | None]]:
    """Hessian-vector product H v, H = ∂²C/∂p² over all weights and biases p, by the R-operator.

    It is the derivative along v of each step of a forward and a backward pass. With the error
    before σ', e^l_k = Σ_j w^{l+1}_jk δ^{l+1}_j:
    δ̇^l_k = ė^l_k σ'(z^l_k) + e^l_k σ''(z^l_k) ż^l_k, ė^l_k = Σ_j (w_jk δ̇_j + v_jk δ_j), and
    (H v)_jk = Σ_x (δ̇^l_j a^{l-1}_k + δ^l_j ȧ^{l-1}_k).

    Source: Pearlmutter, *Fast Exact Multiplication by the Hessian*, 1994.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    y : array, shape (n, n_L), or n ints
        The targets. Class labels only with cross_entropy and log_likelihood.
    v_weights, v_biases : sequence of array
        The vector: a matrix for each W^l and a vector for each b^l, in their shapes.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.
    cost : str, default "quadratic"
        One of ``COSTS``.
    sample_weight : array, shape (n,), optional
        s, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        C = Σ_x s_x C_x / Σ_x s_x, or C = Σ_x s_x C_x.

    Returns
    -------
    list, list
        The parts of H v, in the shapes of weights and biases.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> hvp([[[0]]], [[0]], [[3]], [[0]], [[[1]]], [[0]], output="identity")  # C = (3 w + b)² / 2
    ([[[9.0]]], [[3.0]])
    """
    check.named("cost", cost)
    network = check.network(weights, biases, hidden, output)
    z, a = trace = trace_of(network, x)
    factors, rows, delta = _output(network, trace, y, cost, sample_weight, reduction)
    v = _vector(network, v_weights, v_biases)
    dz, da = tangents(network, z, a, v, [[0.0] * len(a_x) for a_x in a[0]])
    deltas = errors_of(network, z, delta)
    ddeltas = [
        [
            [f_x * h_j for h_j in hessian_product(output, cost, z_x, a_x, y_x, dz_x)]
            for f_x, z_x, a_x, y_x, dz_x in zip(factors, z[-1], a[-1], rows, dz[-1], strict=True)
        ]
    ]
    for k in range(len(z) - 1, 0, -1):
        w, v_w = list(zip(*network.weights[k], strict=True)), list(zip(*v.weights[k], strict=True))
        slope, bend = prime(network.activations[k - 1]), second(network.activations[k - 1])
        layer: Matrix = []
        for delta_x, ddelta_x, z_x, dz_x in zip(
            deltas[k], ddeltas[0], z[k - 1], dz[k - 1], strict=True
        ):
            row = []
            for w_k, v_k, z_k, dz_k in zip(w, v_w, z_x, dz_x, strict=True):
                e = dot(w_k, delta_x)
                de = dot([*w_k, *v_k], [*ddelta_x, *delta_x])
                row.append(de * slope(z_k) + e * bend(z_k) * dz_k)
            layer.append(row)
        ddeltas.insert(0, layer)
    pairs = list(zip(deltas, ddeltas, a[:-1], da, strict=True))
    # Σ_x (δ̇_j a_k + δ_j ȧ_k) is BP4 of twice as many rows.
    return (
        [bp4([*ddelta, *delta], [*a_l, *da_l]) for delta, ddelta, a_l, da_l in pairs],
        check.none_if_absent(bias_gradients(network, ddeltas)),
    )


def ggn_vp(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    y: Array,
    v_weights: Iterable[Array],
    v_biases: Iterable[Array | None],
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: str = "quadratic",
    sample_weight: Array | None = None,
    reduction: str = "mean",
) -> tuple[list[Matrix], list[Vector | None]]:
    """Product with the generalised Gauss-Newton matrix: G v, G = mean of Jᵀ H J.

    J = ∂z^L/∂p and H = ∂²C_x/∂z² for cross_entropy over sigmoid and for log_likelihood and poisson
    over softmax. For all others J = ∂a^L/∂p and H = ∂²C_x/∂a².

    Source: Schraudolph, *Fast Curvature Matrix-Vector Products for Second-Order Gradient Descent*,
    2002.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    y : array, shape (n, n_L), or n ints
        The targets. Class labels only with cross_entropy and log_likelihood.
    v_weights, v_biases : sequence of array
        The vector: a matrix for each W^l and a vector for each b^l, in their shapes.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.
    cost : str, default "quadratic"
        One of ``COSTS``.
    sample_weight : array, shape (n,), optional
        s, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        C = Σ_x s_x C_x / Σ_x s_x, or C = Σ_x s_x C_x.

    Returns
    -------
    list, list
        The parts of G v, in the shapes of weights and biases.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> ggn_vp([[[0]]], [[0]], [[3]], [[0]], [[[1]]], [[0]], output="identity")
    ([[[9.0]]], [[3.0]])
    """
    check.named("cost", cost)
    network = check.network(weights, biases, hidden, output)
    z, a = trace = trace_of(network, x)
    factors, rows, _ = _output(network, trace, y, cost, sample_weight, reduction)
    v = _vector(network, v_weights, v_biases)
    dz, _ = tangents(network, z, a, v, [[0.0] * len(a_x) for a_x in a[0]])
    delta = [
        [f_x * h_j for h_j in gauss_newton_product(output, cost, z_x, a_x, y_x, dz_x)]
        for f_x, z_x, a_x, y_x, dz_x in zip(factors, z[-1], a[-1], rows, dz[-1], strict=True)
    ]
    deltas = errors_of(network, z, delta)
    products_w = [bp4(delta, a_in) for delta, a_in in zip(deltas, a[:-1], strict=True)]
    return products_w, check.none_if_absent(bias_gradients(network, deltas))


def empirical_fisher_vp(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    y: Array,
    v_weights: Iterable[Array],
    v_biases: Iterable[Array | None],
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: Array | None = None,
    reduction: str = "mean",
) -> tuple[list[Matrix], list[Vector | None]]:
    """Product with the empirical Fisher matrix: F v = mean of ∂C_x (∂C_x · v).

    Source: Kunstner, Balles and Hennig, *Limitations of the Empirical Fisher Approximation*, 2019.

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    y : array, shape (n, n_L), or n ints
        The targets. Class labels only with cross_entropy and log_likelihood.
    v_weights, v_biases : sequence of array
        The vector: a matrix for each W^l and a vector for each b^l, in their shapes.
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
        F = Σ_x s_x ∂C_x ∂C_xᵀ / Σ_x s_x, or without the divisor.

    Returns
    -------
    list, list
        The parts of F v, in the shapes of weights and biases.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> empirical_fisher_vp([[[0]]], [[0]], [[3]], [[2]], [[[1]]], [[0]], output="identity")
    ([[[36.0]]], [[12.0]])
    """
    network = check.network(weights, biases, hidden, output)
    found = gradients_of_examples(network, x, y, cost)
    s, divisor = check.shares(len(found), sample_weight, reduction)
    v = numbers(_vector(network, v_weights, v_biases)[:2])
    products = [dot(numbers(gradient), v) for gradient in found]
    factors = [s_x / divisor * product for s_x, product in zip(s, products, strict=True)]
    products_w, products_b = weighted_sum(factors, found)
    return products_w, check.none_if_absent(products_b)


def _vector(network: Network, v_weights: object, v_biases: object) -> Network:
    return Network(
        check.same_shapes("v_weights", v_weights, network.weights),
        check.same_shapes("v_biases", v_biases, network.biases),
        network.activations,
    )


def _output(
    network: Network,
    trace: Trace,
    y: Array,
    cost: str,
    sample_weight: Array | None,
    reduction: str,
) -> tuple[Vector, Matrix, Matrix]:
    """The factor of each C_x in C, y as a matrix, and δ^L."""
    output, z, a = network.activations[-1], trace.z[-1], trace.a[-1]
    check.output_and_cost(output, cost)
    s, divisor = check.shares(len(z), sample_weight, reduction)
    factors = [s_x / divisor for s_x in s]
    _, nabla_z = costs_and_nabla(z, a, y, output, cost)
    delta = [[f_x * d for d in row] for f_x, row in zip(factors, nabla_z, strict=True)]
    return factors, check.targets(y, len(z), len(z[0]), cost), delta
