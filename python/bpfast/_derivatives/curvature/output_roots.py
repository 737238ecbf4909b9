"""The root of a cost's curvature at the output: columns S with S Sᵀ = H of each example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def roots(
    cost: str, output: str, z: NDArray[Any] | None, a: NDArray[Any], y: Any
) -> Iterator[tuple[Array, bool]]:
    """Each column of S, (n, n_L), and whether H = S Sᵀ is by z^L and not by a^L.

    H is the matrix of `Network.ggn_vp`. z^L is there where cost and output are one formula; from it
    come a and 1 - a with all their digits.
    """
    a = a.astype(np.float64)
    y = _values(y, a.shape)
    width = a.shape[1]
    if output == "softmax" and z is not None:
        # H = Σ y (diag a - a aᵀ), or J diag(∂²C/∂a²) J with J e_c = a_c (e_c - a). Column c is
        # sides_c in row c, and -sides_c a_j / (1 - a_c) in row j.
        z = z.astype(np.float64)
        a, rest = _softmax(z)
        top = z.argmax(axis=1)
        among_others = z.copy()
        among_others[np.arange(len(z)), top] = -np.inf
        among_others = _softmax(among_others)[0]  # a / (1 - a_top), also where 1 - a_top underflows
        if cost == "cross_entropy":
            sides = np.sqrt(y * rest**2 + (1 - y) * a**2)
        else:
            sides = np.sqrt(a * y.sum(axis=1, keepdims=True)) * rest
        for c in range(width):
            # Only the largest a is above 1/2.
            shares = a / np.maximum(rest[:, c : c + 1], 0.5)
            shares = np.where((top == c)[:, np.newaxis], among_others, shares)
            column = -shares * sides[:, c : c + 1]
            column[:, c] = sides[:, c]
            yield column, True
        return
    sizes, by_z = _of_neurons(cost, output, None if z is None else z.astype(np.float64), a, y)
    for c in range(width):
        column = np.zeros_like(a)
        column[:, c] = sizes[:, c]
        yield column, by_z


def _softmax(z: Array) -> tuple[Array, Array]:
    """a and 1 - a; that of the largest is the sum of the others."""
    exp = np.exp(z - z.max(axis=1, keepdims=True))
    total = exp.sum(axis=1, keepdims=True)
    rest = 1 - exp / total
    rows, top = np.arange(len(z)), z.argmax(axis=1)
    others = exp.copy()
    others[rows, top] = 0
    rest[rows, top] = others.sum(axis=1) / total[:, 0]
    return exp / total, rest


def _of_neurons(cost: str, output: str, z: Array | None, a: Array, y: Array) -> tuple[Array, bool]:
    """The root of a diagonal H, (n, n_L), and whether it is by z^L."""
    if z is not None and output == "sigmoid":
        small = np.exp(-np.abs(z))
        a = np.where(z < 0, small, 1) / (1 + small)
        rest = np.where(z < 0, 1, small) / (1 + small)
        return (np.sqrt(a * rest) if cost == "cross_entropy" else np.sqrt(y) * rest), True
    match cost:
        case "poisson":  # over softplus
            with np.errstate(invalid="ignore", divide="ignore"):
                ratio = np.where(a == 0, 1, -np.expm1(-a) / a)
            return np.sqrt(y) * ratio, True
        case "huber":
            return (np.abs(a - y) <= 1).astype(np.float64), False
        case "absolute":
            return np.zeros_like(a), False
    return np.ones_like(a), False


def _values(y: Any, shape: tuple[int, ...]) -> Array:
    """y, (n, n_L); class labels become 1 for the class and 0 for the others."""
    y = np.asarray(y)
    if y.ndim == 2:
        rows: Array = y.astype(np.float64)
        return rows
    values = np.zeros(shape)
    if shape[1] == 1:
        values[:, 0] = y
    else:
        values[np.arange(shape[0]), y.astype(np.int64)] = 1
    return values
