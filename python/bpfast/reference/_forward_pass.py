"""The forward pass through a network."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bpfast.reference import _checks as check
from bpfast.reference._arithmetic import dot
from bpfast.reference._arrays import Array, Matrix, matrix
from bpfast.reference._checks import Network
from bpfast.reference._formulas import activate


class Trace(NamedTuple):
    """A forward pass: ``z`` has z^2 … z^L and ``a`` has a^1 … a^L, each of shape (n, n_l)."""

    z: list[Matrix]
    a: list[Matrix]


def forward(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
) -> Matrix:
    """a^L = σ_L(… W^3 σ_2(W^2 x + b^2) + b^3 …), the outputs of the network.

    Source: Nielsen, ch. 2, (25).

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.

    Returns
    -------
    list of list of float, shape (n, n_L)

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> forward([[[1, -1]]], [[0.5]], [[3, 1], [0, 1]], output="relu")
    [[2.5], [0.0]]
    """
    return trace(weights, biases, x, hidden=hidden, output=output).a[-1]


def trace(
    weights: Iterable[Array],
    biases: Iterable[Array | None] | None,
    x: Array,
    *,
    hidden: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
) -> Trace:
    """z^l_j = Σ_k w^l_jk a^{l-1}_k + b^l_j and a^l = σ_l(z^l) for every layer; a^1 = x.

    Source: Nielsen, ch. 2, (25).

    Parameters
    ----------
    weights, biases : sequence of array
        W^2 … W^L, each (n_l, n_{l-1}), and b^2 … b^L, each (n_l,): nested lists, or objects with
        ``tolist()``.
    x : array, shape (n, n_1)
        The examples, one per row; n ≥ 1.
    hidden : str or list of str, default "sigmoid"
        One of ``ACTIVATIONS`` other than softmax, for all hidden layers or one per layer.
    output : str, default "sigmoid"
        One of ``ACTIVATIONS``.

    Returns
    -------
    Trace
        ``z``: z^2 … z^L. ``a``: a^1 … a^L. Shape (n, n_l) each.

    Raises
    ------
    ValueError
        A wrong shape, length, name or number.
    TypeError
        A wrong type or dtype.

    Examples
    --------
    >>> trace([[[2]], [[-1]]], [[0], [1]], [[3]], hidden="relu", output="identity")
    Trace(z=[[[6.0]], [[-5.0]]], a=[[[3.0]], [[6.0]], [[-5.0]]])
    """
    return trace_of(check.network(weights, biases, hidden, output), x)


def trace_of(network: Network, x: Array) -> Trace:
    """z^l and a^l of every layer."""
    n_1 = len(network.weights[0][0])
    z: list[Matrix] = []
    a = [matrix("x", x, "n", n_1)]
    for w, b, activation in zip(*network, strict=True):
        z.append(
            [
                [dot(w_j, a_x, b_j) for w_j, b_j in zip(w, b or [0.0] * len(w), strict=True)]
                for a_x in a[-1]
            ]
        )
        a.append([activate(z_x, activation) for z_x in z[-1]])
    return Trace(z, a)
