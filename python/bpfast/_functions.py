"""The functional form: the same calls on plain lists of weights and biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from bpfast import _calls
from bpfast._core import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Trace, Views
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import Activation, Cost, HiddenActivation, Reduction


def forward(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike] | Views,
    x: Inputs,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
) -> NDArray[Any]:
    """a^L of a network given by its weights and biases.

    Parameters
    ----------
    weights, biases : sequence of array_like
        W^2, …, W^L, each (n_l, n_(l-1)), and b^2, …, b^L, each (n_l,). All float32: the call
        computes in float32, else in float64.
    x : array_like or SciPy sparse, (n, n_1)
        Converted to that dtype; sparse as for `Network.forward`.
    hidden, output : str
        As for `Network`.

    Returns
    -------
    ndarray, (n, n_L)

    Raises
    ------
    ValueError, TypeError
        As for `Network.from_parameters` and `Network.forward`.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.forward([[[2.0]]], [[1.0]], [[3.0]], output="identity")
    array([[7.]])
    """
    net = Network.from_parameters(weights, biases, hidden=hidden, output=output)
    return net.forward(x)


def trace(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike] | Views,
    x: Inputs,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
) -> Trace:
    """z^l and a^l of every layer of a network given by its weights and biases.

    Parameters
    ----------
    weights, biases, x, hidden, output
        As for `forward`.

    Returns
    -------
    Trace
        As of `Network.trace`.

    Raises
    ------
    ValueError, TypeError
        As for `forward`.

    Examples
    --------
    >>> import bpfast
    >>> z, a = bpfast.trace([[[2.0]]], [[1.0]], [[3.0]], output="relu")
    >>> z, a
    ([array([[7.]])], [array([[3.]]), array([[7.]])])
    """
    net = Network.from_parameters(weights, biases, hidden=hidden, output=output)
    return net.trace(x)


@overload
def cost(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike] | Views,
    x: Inputs,
    y: ArrayLike,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> float: ...
@overload
def cost(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike] | Views,
    x: Inputs,
    y: ArrayLike,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: ArrayLike | None = None,
    reduction: Literal["none"],
) -> NDArray[np.float64]: ...
def cost(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike] | Views,
    x: Inputs,
    y: ArrayLike,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: ArrayLike | None = None,
    reduction: Reduction | Literal["none"] = "mean",
) -> float | NDArray[np.float64]:
    """C, the cost of a batch, for a network given by its weights and biases.

    Parameters
    ----------
    weights, biases, x, hidden, output
        As for `forward`.
    y, sample_weight, reduction
        As for `Network.cost`.
    cost : str or callable
        As for `Network`.

    Returns
    -------
    float or ndarray of float64, (n,)
        An array, s_x C_x of each example, with ``reduction="none"``.

    Raises
    ------
    ValueError, TypeError
        As for `forward` and `Network.cost`.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.cost([[[2.0]]], [[1.0]], [[3.0]], [[5.0]], output="identity")
    2.0
    """
    net = Network.from_parameters(weights, biases, hidden=hidden, output=output, cost=cost)
    return _calls.cost(net, x, y, sample_weight=sample_weight, reduction=reduction)


def errors(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike] | Views,
    x: Inputs,
    y: ArrayLike,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> list[NDArray[Any]]:
    """The errors δ^l = ∂C/∂z^l, each row with the factor 1/n; ``reduction="sum"`` without it.

    Of a network given by its weights and biases, by BP1 and BP2. With ``reduction="sum"`` row x of
    δ^l is s_x ∂C_x/∂z^l: the error of that example alone.

    Parameters
    ----------
    weights, biases, x, y, hidden, output, cost, sample_weight
        As for `cost`.
    reduction : {"mean", "sum"}, default "mean"
        As for `Network.errors`.

    Returns
    -------
    list of ndarray
        δ^2, …, δ^L, each (n, n_l).

    Raises
    ------
    ValueError, TypeError
        As for `cost`.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.errors([[[2.0]]], [[1.0]], [[3.0]], [[5.0]], output="identity")
    [array([[2.]])]
    """
    net = Network.from_parameters(weights, biases, hidden=hidden, output=output, cost=cost)
    return _calls.errors(net, x, y, sample_weight=sample_weight, reduction=reduction)


def backprop(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike] | Views,
    x: Inputs,
    y: ArrayLike,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
    cost: Cost = "quadratic",
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> tuple[float, list[NDArray[Any]], list[NDArray[Any]]]:
    """C and its gradient for a network given by its weights and biases (BP1 to BP4).

    Parameters
    ----------
    weights, biases, x, y, hidden, output, cost, sample_weight
        As for `cost`.
    reduction : {"mean", "sum"}, default "mean"
        As for `Network.backprop`.

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
    ValueError, TypeError
        As for `cost`.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.backprop([[[2.0]]], [[1.0]], [[3.0]], [[5.0]], output="identity")
    (2.0, [array([[6.]])], [array([2.])])
    """
    net = Network.from_parameters(weights, biases, hidden=hidden, output=output, cost=cost)
    g = _calls.backprop(net, x, y, sample_weight=sample_weight, reduction=reduction)
    return g.cost, list(g.weights), list(g.biases)
