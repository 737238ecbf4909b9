"""How much each example counts: sample weights and class weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._metrics import labels
from bpfast._numbers import not_negative, shown, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def of_examples(sample_weight: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """The weights of `n` examples, if there are any.

    Raises
    ------
    ValueError
        Weights that do not fit, are negative, not finite or all zero.
    TypeError
        No numbers.
    """
    if sample_weight is None:
        return None
    try:
        given = np.asarray(sample_weight)
    except ValueError as error:
        raise ValueError(f"sample_weight: {error}") from None
    if given.dtype.kind not in "buif":
        raise TypeError(f"sample_weight: expected real numbers, got dtype {given.dtype}")
    if given.shape != (n,):
        raise ValueError(f"sample_weight: expected shape ({n},), got {given.shape}")
    weights = given.astype(np.float64)
    good = (weights >= 0) & (weights < math.inf)
    if not good.all():
        k = int(good.argmin())
        got = shown(float(weights[k]))
        raise ValueError(f"sample_weight[{k}]: expected a finite weight, 0 or above, got {got}")
    _refuse_zero("sample_weight", weights)
    return weights


def with_classes(
    weights: NDArray[np.float64] | None,
    class_weight: Mapping[int, float] | str,
    y: NDArray[Any],
    outputs: int,
) -> NDArray[np.float64]:
    """The weights of the examples, if they have some, times those of their classes.

    Raises
    ------
    ValueError
        A class or a weight out of range, another name, or y that tells no classes.
    TypeError
        Weights of another type.
    """
    of_class = _of_classes(class_weight, _classes(y), max(outputs, 2))
    product = of_class if weights is None else weights * of_class
    _refuse_zero("class_weight", product)
    if y.ndim == 2 and not ((y == 0) | (y == 1)).all():
        row = int(((y != 0) & (y != 1)).any(axis=1).argmax())
        expected = "labels, or outputs that are 0 or 1, as y"
        raise ValueError(f"class_weight: expected {expected}, got {y[row].tolist()} in row {row}")
    return product


def _refuse_zero(argument: str, weights: NDArray[np.float64]) -> None:
    if not weights.any():
        expected = "a weight above 0 for at least one example"
        raise ValueError(f"{argument}: expected {expected}, got all zero")


def _classes(y: NDArray[Any]) -> NDArray[Any]:
    if y.ndim not in (1, 2) or y.dtype.kind not in "buif" or (y.ndim == 1 and y.dtype.kind == "f"):
        got = f"shape {y.shape} of dtype {y.dtype}"
        raise ValueError(f"class_weight: expected labels or outputs for classes as y, got {got}")
    return labels(y)


def _of_classes(
    weights: Mapping[int, float] | str, classes: NDArray[Any], count: int
) -> NDArray[np.float64]:
    """The weight of each example's class; 1 for a class without one."""
    found, index, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if isinstance(weights, str):
        if weights != "balanced":
            raise ValueError(f"class_weight: expected 'balanced' or a dict, got '{weights}'")
        return np.asarray(len(classes) / (len(found) * counts))[index]
    if not isinstance(weights, Mapping):
        got = type(weights).__name__
        raise TypeError(f"class_weight: expected 'balanced' or a dict, got {got}")
    numbers: dict[int, float] = {}
    for key, weight in weights.items():
        label = whole("class_weight", key, 0)
        if label >= count:
            raise ValueError(f"class_weight: expected classes from 0 to {count - 1}, got {label}")
        numbers[label] = not_negative(f"class_weight[{label}]", weight)
    return np.array([numbers.get(int(label), 1.0) for label in found])[index]
