"""Eigenvalues of a matrix of second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._blas import prepare_blas, prepare_scipy_blas
from bpfast._optional import optional

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bpfast._derivatives.curvature.operator import Curvature
    from bpfast._typing import Float64Array

# Up to this number of parameters the matrix is formed, column by column: this needs no SciPy, and
# finds eigenvalues that are close to each other too. For a 10-90-1 network (1081 parameters) on
# 1,000 examples it took 3 s on two cores; Lanczos' method took 0.2 s.
MAX_DENSE_PARAMETERS = 1000
# As SciPy's eigsh calls them.
WHICH = {"largest": "LA", "smallest": "SA", "magnitude": "LM"}


def eigenvalues(matrix: Curvature, count: int, which: str) -> NDArray[np.float64]:
    """The `count` eigenvalues that `which` names, descending, or by size for "magnitude".

    Raises
    ------
    ValueError
        A product is not finite.
    RuntimeError
        Lanczos' method does not converge.
    ImportError
        SciPy is needed and not installed.
    """
    prepare_blas()
    size = matrix.shape[0]
    if not np.isfinite(matrix.matvec(np.ones(size, matrix.dtype))).all():
        raise ValueError("x: expected examples with finite second derivatives, got others")
    if 4 * count >= size or size <= MAX_DENSE_PARAMETERS:
        columns = [matrix.matvec(column) for column in np.eye(size, dtype=matrix.dtype)]
        values = np.linalg.eigvalsh(np.array(columns, np.float64))
    else:
        values = _lanczos(matrix, count, WHICH[which])
    order = np.argsort(-np.abs(values) if which == "magnitude" else -values)
    chosen = order[-count:] if which == "smallest" else order[:count]
    result: NDArray[np.float64] = values[chosen]
    return result


def largest_eigenvalue(
    product: Callable[[Float64Array], Float64Array],
    size: int,
    *,
    tolerance: float,
    iterations: tuple[int, int],
) -> float:
    """The largest eigenvalue of a matrix, to a few percent, from its products; without SciPy.

    Lanczos' method with three vectors. Rounding then adds copies of eigenvalues that have been
    found, and leaves the largest one as it is. It stops when an iteration, not one of the fewest,
    adds less than `tolerance`; with many close eigenvalues the next ones add several times as much.
    """
    prepare_blas()
    fewest, most = iterations
    v: Float64Array = np.random.default_rng(0).standard_normal(size)
    v /= np.linalg.norm(v)
    before = np.zeros_like(v)
    diagonal: list[float] = []
    beside: list[float] = []
    largest = 0.0
    for k in range(min(most, size)):
        image = product(v)
        if k:
            image -= beside[-1] * before
        diagonal.append(float(v @ image))
        image -= diagonal[-1] * v
        tridiagonal = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        if not np.isfinite(tridiagonal).all():
            break
        last, largest = largest, float(np.linalg.eigvalsh(tridiagonal)[-1])
        length = float(np.linalg.norm(image))
        if length <= 1e-12 * max(abs(largest), 1e-300):
            break
        if k >= fewest and abs(largest - last) <= tolerance * abs(largest):
            break
        beside.append(length)
        before, v = v, image / length
    return largest


def _lanczos(matrix: Curvature, count: int, which: str) -> NDArray[np.float64]:
    linalg = optional("scipy.sparse.linalg", "eigenvalues", package="scipy")
    size = matrix.shape[0]
    prepare_scipy_blas()
    start = np.random.default_rng(0).standard_normal(size)
    if not matrix.matvec(start.astype(matrix.dtype)).any():
        return np.zeros(count)
    options: dict[str, Any] = {
        "which": which,
        "v0": start,
        "ncv": min(size, max(4 * count + 1, 40)),
        "maxiter": 50,
        "tol": 10 * np.finfo(matrix.dtype).eps,
        "return_eigenvectors": False,
    }
    try:
        values: NDArray[np.float64] = linalg.eigsh(matrix.linear_operator(), count, **options)
    except linalg.ArpackNoConvergence as error:
        found = len(error.eigenvalues)
        raise RuntimeError(
            f"k: expected {count} eigenvalues that stand apart from the rest, got {found} that "
            "converged"
        ) from error
    return values
