"""Weights of examples: sample weights and class weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.metrics.accuracy import format_row
from bpfast._training.metrics.labels import labels
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.numbers import format_number, integer, not_negative

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def parse_sample_weight(
    sample_weight: ArrayLike | None, n: int, *, signed: bool = False
) -> NDArray[np.float64] | None:
    """The weights of `n` examples, or None; with `signed` they may be negative.

    Raises
    ------
    ValueError
        The shape is wrong, or a weight is negative or not finite.
    TypeError
        They are not numbers.
    """
    weights = as_weights(sample_weight, n)
    if weights is None:
        return None
    good = np.isfinite(weights) & (signed | (weights >= 0))
    if not good.all():
        k = int(good.argmin())
        expected = "a finite weight" if signed else "a finite weight, 0 or above"
        got = format_number(float(weights[k]))
        raise ValueError(f"sample_weight[{k}]: expected {expected}, got {got}")
    return weights


def as_weights(sample_weight: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """The weights of `n` examples, or None, which need not be finite.

    Raises
    ------
    ValueError
        The shape is wrong.
    TypeError
        They are not numbers.
    """
    if sample_weight is None:
        return None
    given = as_array("sample_weight", sample_weight)
    if given.dtype.kind not in "buif":
        raise no_numbers("sample_weight", sample_weight, given)
    if given.shape != (n,):
        raise ValueError(f"sample_weight: expected shape ({n},), got {given.shape}")
    return given.astype(np.float64)


def refuse_all_zero(
    argument: str, weights: NDArray[np.float64] | None, names: NDArray[Any] | None = None
) -> None:
    """Raise ValueError if no weight is above 0. `argument` is the argument that caused it.

    `names` has the row number of each example among the user's, if that is not its place.
    """
    if weights is None or (weights > 0).any():
        return
    expected = "a weight above 0 for at least one example"
    if not weights.any():
        raise ValueError(f"{argument}: expected {expected}, got all zero")
    k = int((weights < 0).argmax())
    got = format_number(float(weights[k]))
    row = k if names is None else int(names[k])
    if argument != "sample_weight":  # an index would be that of a class
        got = f"{got} for example {row} and none above 0"
        raise ValueError(f"{argument}: expected {expected}, got {got}")
    expected = "a finite weight, 0 or above, where no weight is above 0"
    raise ValueError(f"{argument}[{row}]: expected {expected}, got {got}")


def refuse_negative(weights: NDArray[np.float64] | None, names: NDArray[Any] | None = None) -> None:
    """Raise ValueError if a weight of a validation is negative: its cost is a mean.

    `names` has the row number of each example among the user's, if that is not its place.
    """
    if weights is not None and (weights < 0).any():
        k = int((weights < 0).argmax())
        expected = "a finite weight, 0 or above, of the examples for validation"
        got = format_number(float(weights[k]))
        row = k if names is None else int(names[k])
        raise ValueError(f"sample_weight[{row}]: expected {expected}, got {got}")


def refuse_infinite_sum(argument: str, weights: NDArray[np.float64] | None) -> None:
    """Raise ValueError if the sum of the weights is not finite. `argument` is the cause."""
    if weights is None:
        return
    with np.errstate(over="ignore", under="ignore"):
        total = float(weights.sum())
    if not math.isfinite(total):
        raise ValueError(f"{argument}: expected a finite sum, got {total}")


def scaled_to_mean_one(argument: str, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights divided by the mean of their absolute values.

    A step of n examples uses the gradient of Σ s_x C_x / n. With these weights as s it is an
    unbiased estimate of the gradient of Σ s_x C_x / Σ |s_x| over all examples, for any number of
    examples in a step. Multiplying all weights by a power of 2 changes no bit.

    Raises
    ------
    ValueError
        The sum of the weights is not finite; the message names `argument`.

    Examples
    --------
    >>> scaled_to_mean_one("sample_weight", np.array([1.0, 2.0, 6.0]))
    array([0.33333333, 0.66666667, 2.        ])
    """
    refuse_infinite_sum(argument, weights)
    largest = weights / np.abs(weights).max()  # so that the mean does not underflow to 0
    return np.asarray(largest / np.abs(largest).mean())


def times_class_weight(
    weights: NDArray[np.float64] | None,
    class_weight: Mapping[int, float] | str,
    y: NDArray[Any],
    outputs: int,
) -> NDArray[np.float64]:
    """The weights of the examples, 1 if None, times the weights of their classes, 1 if not given.

    Raises
    ------
    ValueError
        A product is not finite, a class or weight is out of range, the name is unknown, or y does
        not have one class per example.
    TypeError
        The class weights have the wrong type.
    """
    numbers = parse_class_weight(class_weight, outputs)
    found, index, counts = np.unique(_classes(y), return_inverse=True, return_counts=True)
    if numbers is None:
        numbers = balanced(dict(zip(map(int, found), counts.tolist(), strict=True)))
    by_class = np.array([numbers.get(int(label), 1.0) for label in found])
    of_class: NDArray[np.float64] = by_class[index]
    if weights is None:
        return of_class
    with np.errstate(over="ignore", under="ignore"):
        product = weights * of_class
    if not np.isfinite(product).all():
        k = int(np.isfinite(product).argmin())
        factors = format_number(float(of_class[k])), format_number(float(weights[k]))
        got = f"{product[k]} of {factors[0]} times {factors[1]}"
        raise ValueError(f"class_weight: expected a finite product with sample_weight, got {got}")
    return product


def check_classes(
    class_weight: Mapping[int, float] | str,
    y: NDArray[Any],
    outputs: int,
    names: NDArray[Any] | None = None,
) -> None:
    """Raise the errors that class weights may have.

    `names` has the row number of each example among the user's, if that is not its place.

    Raises
    ------
    ValueError
        A class or weight is out of range, the name is unknown, or y does not have one class per
        example.
    TypeError
        The class weights have the wrong type.
    """
    parse_class_weight(class_weight, outputs)
    _classes(y, names)


def count_classes(y: NDArray[Any]) -> dict[int, int]:
    """The number of examples of each class.

    Raises
    ------
    ValueError
        y does not have one class per example.

    Examples
    --------
    >>> count_classes(np.array([2, 0, 2]))
    {0: 1, 2: 2}
    """
    found, counts = np.unique(_classes(y), return_counts=True)
    return dict(zip(map(int, found), counts.tolist(), strict=True))


def balanced(counts: Mapping[int, float]) -> dict[int, float]:
    """The weights n / (classes · examples of the class), with which all classes weigh the same.

    `counts` are numbers of examples, or the sums of their weights.

    Examples
    --------
    >>> balanced({0: 1, 2: 2})
    {0: 1.5, 2: 0.75}
    """
    n = sum(counts.values())
    return {label: n / (len(counts) * count) for label, count in counts.items()}


def _classes(y: NDArray[Any], names: NDArray[Any] | None = None) -> NDArray[Any]:
    """The class of each example."""
    if y.ndim not in (1, 2) or y.dtype.kind not in "buif" or (y.ndim == 1 and y.dtype.kind == "f"):
        got = f"shape {y.shape} of dtype {y.dtype}"
        raise ValueError(f"class_weight: expected labels or outputs for classes as y, got {got}")
    if y.ndim == 2:
        wrong = ((y != 0) & (y != 1)).any(axis=1)
        expected, hint = "labels, or outputs that are 0 or 1, as y", ""
        if not wrong.any() and y.shape[1] > 1:
            wrong, expected = np.count_nonzero(y, axis=1) != 1, "one class in each row of y"
            hint = "; sample_weight takes a weight for each example"
        if wrong.any():
            row = int(wrong.argmax())
            got = format_row(y, row, names)
            raise ValueError(f"class_weight: expected {expected}, got {got}{hint}")
    return labels(y)


def parse_class_weight(weights: Mapping[int, float] | str, outputs: int) -> dict[int, float] | None:
    """The weights by class; None if they are to be balanced.

    Raises
    ------
    ValueError
        A class or weight is out of range, or the name is unknown.
    TypeError
        They have the wrong type.
    """
    if isinstance(weights, str):
        if weights != "balanced":
            raise ValueError(f"class_weight: expected 'balanced' or a dict, got '{weights}'")
        return None
    if not isinstance(weights, Mapping):
        got = type(weights).__name__
        raise TypeError(f"class_weight: expected 'balanced' or a dict, got {got}")
    numbers: dict[int, float] = {}
    last = max(outputs, 2) - 1
    for key, weight in list(weights.items()):  # a weight may change the dict
        label = integer(f"class_weight: key {key!r}", key, 0)
        if label > last:
            raise ValueError(f"class_weight: expected classes from 0 to {last}, got {label}")
        numbers[label] = not_negative(f"class_weight[{label}]", weight)
    return numbers
