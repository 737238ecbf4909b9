"""How much each example counts: sample weights and class weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpfast._metrics import labels
from bpfast._numbers import not_negative


def combine(
    sample_weight: ArrayLike | None,
    class_weight: Mapping[int, float] | str | None,
    y: NDArray[Any],
) -> NDArray[np.float64] | None:
    """The product of both weights of each example; None where there are none.

    Raises
    ------
    ValueError
        Weights that do not fit, are negative, not finite or all zero; another name.
    TypeError
        Weights of another type.
    """
    given = None
    if sample_weight is not None:
        given = np.asarray(sample_weight)
        if given.dtype.kind not in "buif":
            raise TypeError(f"sample_weight: expected real numbers, got dtype {given.dtype}")
        if given.shape != (len(y),):
            raise ValueError(f"sample_weight: expected shape ({len(y)},), got {given.shape}")
        given = given.astype(np.float64)
    if class_weight is not None:
        of_class = _of_classes(class_weight, _classes(y))
        given = of_class if given is None else given * of_class
    if given is not None and not given.any():
        raise ValueError("sample_weight: expected a weight above 0 for one example, got all zero")
    return given


def _classes(y: NDArray[Any]) -> NDArray[Any]:
    if y.ndim not in (1, 2) or y.dtype.kind not in "buif" or (y.ndim == 1 and y.dtype.kind == "f"):
        got = f"shape {y.shape} of dtype {y.dtype}"
        raise ValueError(f"class_weight: expected labels or outputs for classes as y, got {got}")
    return labels(y)


def _of_classes(weights: Mapping[int, float] | str, classes: NDArray[Any]) -> NDArray[np.float64]:
    """The weight of each example's class; 1 for a class without one."""
    found, index, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if isinstance(weights, str):
        if weights != "balanced":
            raise ValueError(f"class_weight: expected 'balanced' or a dict, got '{weights}'")
        return np.asarray(len(classes) / (len(found) * counts))[index]
    if not isinstance(weights, Mapping):
        got = type(weights).__name__
        raise TypeError(f"class_weight: expected 'balanced' or a dict, got {got}")
    numbers = {key: not_negative(f"class_weight[{key!r}]", weights[key]) for key in weights}
    unknown = [key for key in numbers if key not in found]
    if unknown:
        raise ValueError(f"class_weight: expected classes that y has, got {unknown[0]!r}")
    return np.array([numbers.get(int(label), 1.0) for label in found])[index]
