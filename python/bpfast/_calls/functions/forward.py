"""`forward` and `trace` of lists of weights and biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._core import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Trace, Views
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import Activation, HiddenActivation


def forward(
    weights: Sequence[ArrayLike] | Views,
    biases: Sequence[ArrayLike | None] | Views | None,
    x: Inputs,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
) -> NDArray[Any]:
    """a^L of a network given by its weights and biases.

    For l = 2 … L, z^l = a^(l-1) (W^l)ᵀ + b^l and a^l = σ_l(z^l); a^1 = x.

    Parameters
    ----------
    weights, biases : sequence of array_like
        W^2, …, W^L, each (n_l, n_(l-1)), and b^2, …, b^L, each (n_l,), or None for a layer without
        biases; None in place of the sequence: no layer has any. If all are float32, the call
        computes in float32, else in float64.
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row, converted to that dtype. For a sparse matrix or array only the
        stored elements are computed with.
    hidden : str or list of str, default "sigmoid"
        σ of the hidden layers: one name for all, or a list with one name for each. Any of
        `bpfast.ACTIVATIONS` except softmax. leaky_relu and elu may have a parameter, the slope or
        alpha: ``"leaky_relu(0.2)"``, ``"elu(0.5)"``.
    output : str, default "sigmoid"
        σ of the output layer. One of `bpfast.ACTIVATIONS`, with or without parameter.

    Returns
    -------
    ndarray, (n, n_L)

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, or a name is unknown.
    TypeError
        An argument is not of real numbers, or a name is not a string.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, equation 25.

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
    biases: Sequence[ArrayLike | None] | Views | None,
    x: Inputs,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] = "sigmoid",
    output: Activation = "sigmoid",
) -> Trace:
    """z^l and a^l of every layer of a network given by its weights and biases.

    For l = 2 … L, z^l = a^(l-1) (W^l)ᵀ + b^l and a^l = σ_l(z^l); a^1 = x.

    Parameters
    ----------
    weights, biases : sequence of array_like
        W^2, …, W^L, each (n_l, n_(l-1)), and b^2, …, b^L, each (n_l,), or None for a layer without
        biases; None in place of the sequence: no layer has any. If all are float32, the call
        computes in float32, else in float64.
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row, converted to that dtype. For a sparse matrix or array only the
        stored elements are computed with.
    hidden : str or list of str, default "sigmoid"
        σ of the hidden layers: one name for all, or a list with one name for each. Any of
        `bpfast.ACTIVATIONS` except softmax. leaky_relu and elu may have a parameter, the slope or
        alpha: ``"leaky_relu(0.2)"``, ``"elu(0.5)"``.
    output : str, default "sigmoid"
        σ of the output layer. One of `bpfast.ACTIVATIONS`, with or without parameter.

    Returns
    -------
    Trace
        ``z[k]`` is z^(k+2) and ``a[k]`` is a^(k+1), each (n, n_l); ``a[0]`` is a dense copy of x.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, or a name is unknown.
    TypeError
        An argument is not of real numbers, or a name is not a string.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, equation 25.

    Examples
    --------
    >>> import bpfast
    >>> z, a = bpfast.trace([[[2.0]]], [[1.0]], [[3.0]], output="relu")
    >>> z, a
    ([array([[7.]])], [array([[3.]]), array([[7.]])])
    """
    net = Network.from_parameters(weights, biases, hidden=hidden, output=output)
    return net.trace(x)
