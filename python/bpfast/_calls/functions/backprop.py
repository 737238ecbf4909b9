"""`errors` and `backprop` of lists of weights and biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from bpfast._calls import methods
from bpfast._core import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Views
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import Activation, Cost, HiddenActivation, Reduction


def errors(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike | None] | Views | None,
    x: Inputs,
    y: ArrayLike,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: ArrayLike | None = None,
    reduction: Reduction | Literal["none"] = "mean",
) -> list[NDArray[Any]]:
    """The errors δ^l = ∂C/∂z^l, each row with the factor 1/n; ``reduction="sum"`` without it.

    BP1 and BP2, for a network given by its weights and biases. With ``reduction="sum"`` row x of
    δ^l is s_x ∂C_x/∂z^l: the error of that example alone.

    Parameters
    ----------
    weights, biases : sequence of array_like
        W^2, …, W^L, each (n_l, n_(l-1)), and b^2, …, b^L, each (n_l,), or None for a layer without
        biases; None in place of the sequence: no layer has any. If all are float32, the call
        computes in float32, else in float64.
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row, converted to that dtype. For a sparse matrix or array only the
        stored elements are computed with.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    hidden : str or list of str, default "sigmoid"
        σ of the hidden layers: one name for all, or a list with one name for each. Any of
        `bpfast.ACTIVATIONS` except softmax. leaky_relu and elu may have a parameter, the slope or
        alpha: ``"leaky_relu(0.2)"``, ``"elu(0.5)"``.
    output : str, default "sigmoid"
        σ of the output layer. One of `bpfast.ACTIVATIONS`, with or without parameter.
    cost : str or callable, default "quadratic"
        One of `bpfast.COSTS`, or ``cost(a, y) -> (C_x, nabla_a)`` with C_x of shape (n,) and
        nabla_a = ∇_a C_x of shape (n, n_L).
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum", "none"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.
        "none": the rows are those of "sum", s_x ∂C_x/∂z^l of each example.

    Returns
    -------
    list of ndarray
        δ^2, …, δ^L, each (n, n_l).

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, a name is unknown, the output does not go with the cost,
        labels are out of range or the cost takes none, or weights are not finite or, with "mean",
        negative or all zero.
    TypeError
        An argument is not of real numbers, or a name is not a string.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, equations BP1 and BP2.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.errors([[[2.0]]], [[1.0]], [[3.0]], [[5.0]], output="identity")
    [array([[2.]])]
    """
    net = Network.from_parameters(weights, biases, hidden=hidden, output=output, cost=cost)
    return methods.errors(net, x, y, sample_weight=sample_weight, reduction=reduction)


def backprop(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike | None] | Views | None,
    x: Inputs,
    y: ArrayLike,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> tuple[float, list[NDArray[Any]], list[NDArray[Any]]]:
    """C and its gradient (BP1 to BP4) for a network given by its weights and biases.

    ∂C/∂b^l = Σ_x δ^l and ∂C/∂W^l = (δ^l)ᵀ a^(l-1).

    Parameters
    ----------
    weights, biases : sequence of array_like
        W^2, …, W^L, each (n_l, n_(l-1)), and b^2, …, b^L, each (n_l,), or None for a layer without
        biases; None in place of the sequence: no layer has any. If all are float32, the call
        computes in float32, else in float64.
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row, converted to that dtype. For a sparse matrix or array only the
        stored elements are computed with.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    hidden : str or list of str, default "sigmoid"
        σ of the hidden layers: one name for all, or a list with one name for each. Any of
        `bpfast.ACTIVATIONS` except softmax. leaky_relu and elu may have a parameter, the slope or
        alpha: ``"leaky_relu(0.2)"``, ``"elu(0.5)"``.
    output : str, default "sigmoid"
        σ of the output layer. One of `bpfast.ACTIVATIONS`, with or without parameter.
    cost : str or callable, default "quadratic"
        One of `bpfast.COSTS`, or ``cost(a, y) -> (C_x, nabla_a)`` with C_x of shape (n,) and
        nabla_a = ∇_a C_x of shape (n, n_L).
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.

    Returns
    -------
    cost : float
        C.
    nabla_w : list of ndarray
        ∂C/∂W^l for l = 2, …, L, each (n_l, n_(l-1)).
    nabla_b : list of ndarray
        ∂C/∂b^l for l = 2, …, L, each (n_l,).

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, a name is unknown, the output does not go with the cost,
        labels are out of range or the cost takes none, or weights are not finite or, with "mean",
        negative or all zero.
    TypeError
        An argument is not of real numbers, or a name is not a string.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, equations BP1 to BP4.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.backprop([[[2.0]]], [[1.0]], [[3.0]], [[5.0]], output="identity")
    (2.0, [array([[6.]])], [array([2.])])
    """
    net = Network.from_parameters(weights, biases, hidden=hidden, output=output, cost=cost)
    g = methods.backprop(net, x, y, sample_weight=sample_weight, reduction=reduction)
    return g.cost, list(g.weights), list(g.biases)
