"""The metrics of `fit` and `evaluate` as functions ``metric(outputs, y)``.

`outputs` is a^L, (n, n_L), or (n,) for one output; `y` is (n, n_L), or class labels of shape (n,).
``metrics=bpfast.metrics.r2`` and ``metrics="r2"`` are the same. `bpfast.METRICS` lists the names.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.metrics import accuracy as _accuracy
from bpfast._training.metrics import regression as _regression
from bpfast._validation.arrays.array_likes import as_array as _as_array
from bpfast._validation.arrays.no_numbers import no_numbers as _no_numbers
from bpfast._validation.numbers import number as _number
from bpfast._validation.target_shape import outputs_error as _outputs_error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__: list[str] = [
    "accuracy",
    "binary_accuracy",
    "mean_absolute_error",
    "mean_squared_error",
    "r2",
    "subset_accuracy",
]


def __dir__() -> list[str]:
    return __all__


def accuracy(outputs: ArrayLike, y: ArrayLike) -> float:
    """The fraction of examples that are right: by class if y has one class per example.

    Parameters
    ----------
    outputs : array_like, (n, n_L) or (n,)
        The outputs of a network, as `Network.forward` returns them.
    y : array_like, (n, n_L) or (n,)
        Class labels, or a row per example. If each row has one class (exactly one number above 1/2,
        or numbers that add up to 1), an example is right if its largest output is the output of its
        class; a single output means class 1 above 1/2. Otherwise, if y is 0 and 1, or -1 and 1, an
        example is right if all its outputs are on the correct side: `subset_accuracy`.

    Returns
    -------
    float
        From 0 to 1; NaN if an output is NaN.

    Raises
    ------
    ValueError
        Shapes do not match, there are no rows, labels are out of range, y is of a regression, or
        it has NaN.
    TypeError
        An argument is not of real numbers.

    Notes
    -----
    `fit` and `evaluate` also know the output activation. With softmax outputs, both classes of a
    row such as (0.5, 0.5, 0) count as correct; here such a row is an error.

    Examples
    --------
    >>> import bpfast
    >>> outputs = [[0.8, 0.1, 0.1], [0.2, 0.3, 0.5]]
    >>> bpfast.metrics.accuracy(outputs, [0, 1])
    0.5
    >>> bpfast.metrics.accuracy(outputs, [[1, 0, 0], [0, 0, 1]])
    1.0
    """
    a, targets = _checked(outputs, y)
    _accuracy.refuse_nan(targets)
    if targets.ndim == 1:
        _accuracy.refuse_no_labels(targets, a.shape[1])
        return _accuracy.accuracy(a, targets)
    low = _accuracy.low_of(targets, "identity")
    if _accuracy.have_one_class(targets, "identity" if low else "sigmoid", low, None):
        return _accuracy.accuracy(a, targets)
    return _accuracy.subset_accuracy(a, targets, (low + 1) / 2)


def subset_accuracy(outputs: ArrayLike, y: ArrayLike, *, threshold: float | None = None) -> float:
    """The fraction of examples with all outputs on the correct side of a threshold.

    Parameters
    ----------
    outputs : array_like, (n, n_L) or (n,)
        The outputs of a network, as `Network.forward` returns them.
    y : array_like, (n, n_L) or (n,)
        0 and 1, or -1 and 1; or class labels, which stand for rows of 0 with a single 1.
    threshold : float, optional
        Outputs of the network above it count as 1. Default: 1/2, or 0 if y is -1 and 1.

    Returns
    -------
    float
        From 0 to 1; NaN if an output is NaN.

    Raises
    ------
    ValueError
        Shapes do not match, there are no rows, labels are out of range, y has other numbers or
        NaN, or the threshold is NaN.
    TypeError
        An argument is not of real numbers.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.metrics.subset_accuracy([[0.9, 0.8], [0.1, 0.7]], [[1, 1], [1, 1]])
    0.5
    """
    return _accuracy.subset_accuracy(*_on_or_off(outputs, y, threshold))


def binary_accuracy(outputs: ArrayLike, y: ArrayLike, *, threshold: float | None = None) -> float:
    """The fraction of all outputs that are on the correct side of a threshold.

    Parameters
    ----------
    outputs : array_like, (n, n_L) or (n,)
        The outputs of a network, as `Network.forward` returns them.
    y : array_like, (n, n_L) or (n,)
        0 and 1, or -1 and 1; or class labels, which stand for rows of 0 with a single 1.
    threshold : float, optional
        Outputs of the network above it count as 1. Default: 1/2, or 0 if y is -1 and 1.

    Returns
    -------
    float
        From 0 to 1; NaN if an output is NaN.

    Raises
    ------
    ValueError
        Shapes do not match, there are no rows, labels are out of range, y has other numbers or
        NaN, or the threshold is NaN.
    TypeError
        An argument is not of real numbers.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.metrics.binary_accuracy([[0.9, 0.8], [0.1, 0.7]], [[1, 1], [1, 1]])
    0.75
    """
    return _accuracy.binary_accuracy(*_on_or_off(outputs, y, threshold))


def mean_squared_error(outputs: ArrayLike, y: ArrayLike) -> float:
    """The mean of (a - y)² over all outputs of all examples, in float64.

    Parameters
    ----------
    outputs : array_like, (n, n_L) or (n,)
        The outputs of a network, as `Network.forward` returns them.
    y : array_like, (n, n_L) or (n,)
        The targets, or class labels, which stand for rows of 0 with a single 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Shapes do not match, there are no rows, or labels are out of range.
    TypeError
        An argument is not of real numbers.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.metrics.mean_squared_error([[1.0], [3.0]], [[1.0], [1.0]])
    2.0
    """
    return _regression.mean_square(_residual(*_checked(outputs, y)))


def mean_absolute_error(outputs: ArrayLike, y: ArrayLike) -> float:
    """The mean of abs(a - y) over all outputs of all examples, in float64.

    Parameters
    ----------
    outputs : array_like, (n, n_L) or (n,)
        The outputs of a network, as `Network.forward` returns them.
    y : array_like, (n, n_L) or (n,)
        The targets, or class labels, which stand for rows of 0 with a single 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Shapes do not match, there are no rows, or labels are out of range.
    TypeError
        An argument is not of real numbers.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.metrics.mean_absolute_error([[1.0], [3.0]], [[1.0], [1.0]])
    1.0
    """
    return _regression.mean_size(_residual(*_checked(outputs, y)))


def r2(outputs: ArrayLike, y: ArrayLike) -> float:
    """The coefficient of determination 1 - Σ (a - y)² / Σ (y - ȳ)², averaged over the outputs.

    Parameters
    ----------
    outputs : array_like, (n, n_L) or (n,)
        The outputs of a network, as `Network.forward` returns them.
    y : array_like, (n, n_L) or (n,)
        The targets, or class labels, which stand for rows of 0 with a single 1.

    Returns
    -------
    float
        At most 1. NaN or -inf if y of an output is the same in all examples.

    Raises
    ------
    ValueError
        Shapes do not match, there are no rows, or labels are out of range.
    TypeError
        An argument is not of real numbers.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.metrics.r2([[1.0], [2.0], [2.0]], [[1.0], [2.0], [3.0]])
    0.5
    """
    a, targets = _checked(outputs, y)
    return _regression.r2(_residual(a, targets), _accuracy.outputs(a, targets))


def _residual(a: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    targets = _accuracy.outputs(a, y)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        residual: NDArray[np.float64] = np.subtract(a, targets, dtype=np.float64)
    return residual


def _checked(outputs: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both as arrays: outputs of shape (n, n_L), and y of a matching shape."""
    a, targets = _as_array("outputs", outputs), _as_array("y", y)
    for name, given, array in (("outputs", outputs, a), ("y", y, targets)):
        if array.dtype.kind not in "biuf":
            raise _no_numbers(name, given, array)
    a = a[:, np.newaxis] if a.ndim == 1 else a
    if a.ndim != 2 or 0 in a.shape:
        raise ValueError(f"outputs: expected shape (n, n_L) with one or more, got {a.shape}")
    if targets.shape != a.shape and not _accuracy.are_labels(a, targets):
        raise _outputs_error(a.shape, targets.shape)
    return a, targets


def _on_or_off(
    outputs: ArrayLike, y: ArrayLike, threshold: float | None
) -> tuple[NDArray[Any], NDArray[Any], float, float | None]:
    """Both as arrays, the middle of the two values that y has, and the threshold; all checked."""
    a, targets = _checked(outputs, y)
    _accuracy.refuse_nan(targets)
    low = _accuracy.low_of(targets, "identity")
    if threshold is not None and math.isnan(threshold := _number("threshold", threshold)):
        raise ValueError("threshold: expected a number, got nan")
    if targets.ndim == 1:
        _accuracy.refuse_no_labels(targets, a.shape[1])
    _accuracy.refuse_between(targets, low)
    return a, targets, (low + 1) / 2, threshold
