"""The root of a cost's curvature at the output: columns S with S Sᵀ = H of each example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def roots(cost: str, output: str, a: NDArray[Any], y: Any) -> Iterator[tuple[Array, bool]]:
    """Each column of S, (n, n_L), and whether H = S Sᵀ is by z^L and not by a^L.

    H is the matrix of `Network.ggn_vp`.
    """
    a = a.astype(np.float64)
    y = _values(y, a.shape)
    width = a.shape[1]
    if output == "softmax" and cost in ("log_likelihood", "poisson", "cross_entropy"):
        # J e_c = a_c (e_c - a); H = Σ y (diag a - a aᵀ), or J diag(∂²C/∂a²) J.
        if cost == "cross_entropy":
            odds = a / np.maximum(1 - a, np.finfo(np.float64).tiny)
            sizes = np.sqrt(y + np.where(y == 1, 0, (1 - y) * odds**2))
        else:
            sizes = np.sqrt(a * y.sum(axis=1, keepdims=True))
        for c in range(width):
            column = -a * sizes[:, c : c + 1]
            column[:, c] += sizes[:, c]
            yield column, True
        return
    sizes, by_z = _of_neurons(cost, output, a, y)
    for c in range(width):
        column = np.zeros_like(a)
        column[:, c] = sizes[:, c]
        yield column, by_z


def _of_neurons(cost: str, output: str, a: Array, y: Array) -> tuple[Array, bool]:
    """The root of a diagonal H, (n, n_L), and whether it is by z^L."""
    match cost, output:
        case "cross_entropy", _:
            return np.sqrt(a * (1 - a)), True
        case "poisson", "sigmoid":
            return np.sqrt(y) * (1 - a), True
        case "poisson", _:  # softplus
            with np.errstate(invalid="ignore"):
                ratio = np.where(a == 0, 1, -np.expm1(-a) / a)
            return np.sqrt(y) * ratio, True
        case "huber", _:
            return (np.abs(a - y) <= 1).astype(np.float64), False
        case "absolute", _:
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
