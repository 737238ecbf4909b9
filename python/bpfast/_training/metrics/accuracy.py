"""Accuracy: the fraction of examples or outputs that are right, and which y it accepts."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast._training.metrics.labels import labels
from bpfast._training.metrics.of_sklearn import SklearnMetric
from bpfast._validation.naming import naming
from bpfast._validation.numbers import format_number
from bpfast._validation.target_shape import outputs_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from bpfast._core import Network
    from bpfast._typing import Metric

# The outputs that are probabilities; y may then contain probabilities too.
PROBABILITIES = ("sigmoid", "softmax")
# The largest difference from 1 of the sum of a row, for numbers rounded to two digits.
SUM_TOLERANCE = 0.05
# The number of rows of y that are checked at a time, because y may be a memory map.
ROWS_AT_ONCE = 1 << 16
# The most outputs of an example that a message shows.
MAX_OUTPUTS_SHOWN = 10
REGRESSION_HINT = "mean_squared_error and r2 measure a regression"


class Kind(NamedTuple):
    """What y has for each example: one class, or several outputs that are each off or on."""

    low: float  # an output that is off, 0 or -1; one that is on is 1
    one_class: bool | None = None  # None if it does not matter

    @property
    def middle(self) -> float:
        """Halfway between off and on."""
        return (self.low + 1) / 2


def outputs(a: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """The target outputs: y, or 1 at the label and 0 elsewhere.

    Raises
    ------
    ValueError
        y has neither the shape of `a` nor that of labels, or a label is no output.
    """
    if y.shape == a.shape:
        return y
    if not are_labels(a, y):
        raise outputs_error(a.shape, y.shape)
    classes = a.shape[1]
    if classes == 1:
        return y[:, np.newaxis]
    row = _first(y, lambda rows: ~((rows >= 0) & (rows < classes)))
    if row is not None:
        got = f"{format_number(float(y[row]))} in row {row}"
        raise ValueError(f"y: expected labels from 0 to {classes - 1}, got {got}")
    targets = np.zeros((len(y), classes), a.dtype)
    targets[np.arange(len(y)), y.astype(np.intp)] = 1
    return targets


def are_labels(a: NDArray[Any], y: NDArray[Any]) -> bool:
    """Whether y is of shape (n,), and of integers if there are several outputs, in any dtype."""
    if y.shape != a.shape[:1]:
        return False
    return a.shape[1] == 1 or _first(y, _are_fractions) is None


def format_row(y: NDArray[Any], row: int, names: NDArray[Any] | None = None) -> str:
    """A row of y for an error message, truncated if it is long, with its number or name."""
    numbers = [format_number(float(number)) for number in y[row, :MAX_OUTPUTS_SHOWN]]
    more = ", …" if y.shape[1] > MAX_OUTPUTS_SHOWN else ""
    return f"[{', '.join(numbers)}{more}] in row {row if names is None else names[row]}"


def accuracy(a: NDArray[Any], y: NDArray[Any]) -> float:
    """The fraction of examples whose class is right, or one of several most likely classes.

    Like all accuracies, NaN if a number is NaN, which has no class.
    """
    if _has_nan(a) or _has_nan(y):
        return math.nan
    found = labels(a)
    if y.ndim == 1 or y.shape[1] == 1:
        return float(np.mean(found == labels(y)))
    return float(np.mean(y[np.arange(len(y)), found] == y.max(axis=1)))


def subset_accuracy(
    a: NDArray[Any], y: NDArray[Any], middle: float = 0.5, threshold: float | None = None
) -> float:
    """The fraction of examples with all outputs on the correct side of the threshold.

    `middle` is between the two values of y; the threshold of the outputs is another one if given.
    """
    right = _are_right(a, y, middle, threshold)
    return math.nan if right is None else float(np.mean(right.all(axis=1)))


def binary_accuracy(
    a: NDArray[Any], y: NDArray[Any], middle: float = 0.5, threshold: float | None = None
) -> float:
    """The fraction of all outputs that are on the correct side, as in `subset_accuracy`."""
    right = _are_right(a, y, middle, threshold)
    return math.nan if right is None else float(np.mean(right))


def _are_right(
    a: NDArray[Any], y: NDArray[Any], middle: float, threshold: float | None
) -> NDArray[np.bool_] | None:
    """Which outputs are on the correct side; None if a number is NaN."""
    if _has_nan(a) or _has_nan(y):
        return None
    are_on = a > (middle if threshold is None else threshold)
    right: NDArray[np.bool_] = are_on == (outputs(a, y) > middle)
    return right


def _has_nan(numbers: NDArray[Any]) -> bool:
    return bool((numbers != numbers).any())


def for_targets(
    metrics: Mapping[str, Metric], y: NDArray[Any], net: Network, like: Kind | None = None
) -> tuple[dict[str, Metric], Kind | None]:
    """Decide from all of y what accuracy means. Returns the metrics with it, and the kind of y.

    The functions of `sklearn.metrics` that compare classes get those that an accuracy compares.
    The kind is None if no metric is an accuracy or one of them. With `like`, the kind of the
    training y, this y must be of the same kind. A y that the network's cost does not accept is left
    to the error of the cost.

    Raises
    ------
    ValueError, TypeError
        Accuracy is not defined for this y.
    """
    asked = [name for name in metrics if _compares_classes(metrics[name])]
    width, is_custom = net.sizes[-1], not isinstance(net.config["cost"], str)
    fits = y.dtype.kind in "biuf" and (y.ndim == 1 or y.shape[1:] == (width,))
    found = dict(metrics)
    for name, scores in metrics.items():
        if isinstance(scores, SklearnMetric) and net.config["output"] == "softmax":
            found[name] = replace(scores, one_class=True)
    if not asked or not (fits or is_custom):
        return found, None
    kind = like or Kind(low_of(y, net.config["output"]) if fits else 0.0)
    for name in asked:
        metric: Any = metrics[name]
        with naming(f"metrics: {metric.__name__}"):
            if not fits:
                _refuse_other(y, width)
            # A built-in cost checks its labels; a callable cost may accept others.
            if y.ndim == 1:
                refuse_no_labels(y, width if is_custom else None)
            if metric is accuracy or isinstance(metric, SklearnMetric):
                one = have_one_class(y, net.config["output"], kind.low, kind.one_class)
                kind = Kind(kind.low, one)
            else:
                refuse_between(y, kind.low)
        if isinstance(metric, SklearnMetric):
            found[name] = replace(metric, one_class=one, middle=kind.middle)
        elif metric is not accuracy or not one:
            function = subset_accuracy if metric is accuracy else metric
            found[name] = partial(function, middle=kind.middle)
    return found, kind


def _compares_classes(metric: Any) -> bool:
    if isinstance(metric, SklearnMetric):
        return metric.is_of_classes
    return any(metric is one for one in ACCURACIES)


def low_of(y: NDArray[Any], output: str) -> float:
    """The value of an output that is off: -1 if y has several outputs and only -1 and 1, else 0."""
    if y.ndim == 1 or y.shape[1] == 1 or output in PROBABILITIES or not _are_signs(y):
        return 0.0
    return 0.0 if _first(y, lambda rows: (rows == -1).any(axis=1)) is None else -1.0


def _are_signs(y: NDArray[Any]) -> bool:
    """Whether all of y is -1 or 1."""
    return _first(y, lambda rows: ((rows != -1) & (rows != 1)).any(axis=1)) is None


def have_one_class(y: NDArray[Any], output: str, low: float, is_single_class: bool | None) -> bool:
    """Whether each example has one class. If `is_single_class` is given, it must agree."""
    reason = "as the y that is trained with"
    if y.ndim == 1:
        if is_single_class is False:
            raise ValueError(f"y: expected outputs, {reason}, got labels")
        return True
    if output in PROBABILITIES:
        _refuse_where(y, lambda rows: (rows < 0) | (rows > 1), "outputs from 0 to 1")
    else:
        refuse_between(y, low)
    row = None if y.shape[1] == 1 else _first(y, lambda rows: ~_have_one_class(rows, low, output))
    if row is None and is_single_class is not False:
        return True
    if row is not None and (is_single_class or output == "softmax"):
        why = (
            f"{reason}, or metrics='subset_accuracy'" if is_single_class else "for softmax outputs"
        )
        raise ValueError(f"y: expected one class in each row, {why}, got {format_row(y, row)}")
    are_between = _first(y, lambda rows: _are_fractions(rows).any(axis=1)) is not None
    if row is not None and are_between:
        expected = "outputs that are 0 or 1, or one class in each row"
        raise ValueError(f"y: expected {expected}, got {format_row(y, row)}")
    refuse_between(y, low)
    return False


def _have_one_class(y: NDArray[Any], low: float, output: str) -> NDArray[np.bool_]:
    """Which rows have one class: a single output that is on, or a single most likely one.

    (1/2, 1/2, 0) has one only with softmax, where it must be probabilities.
    """
    one: NDArray[np.bool_] = np.count_nonzero(y > 0.5, axis=1) == 1
    if low == 0:
        are_shares = np.abs(y.sum(axis=1, dtype=np.float64) - 1) <= SUM_TOLERANCE
        if output != "softmax":
            are_shares &= np.count_nonzero(y == y.max(axis=1, keepdims=True), axis=1) == 1
        one |= are_shares
    one |= (y != y).any(axis=1)  # NaN: another error
    return one


def _refuse_other(y: NDArray[Any], width: int) -> None:
    if y.dtype.kind not in "biuf":
        raise TypeError(f"y: expected real numbers, got dtype {y.dtype}")
    raise outputs_error((len(y), width), y.shape)


def _are_fractions(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Which numbers are no integers; NaN and infinity have errors of their own."""
    fractions: NDArray[np.bool_] = (np.floor(rows) != rows) & (rows == rows)
    return fractions


def refuse_no_labels(y: NDArray[Any], classes: int | None) -> None:
    """Raise ValueError for a number that is no label, or not one of the `classes` if given."""
    expected = "labels"
    row = _first(y, _are_fractions)
    if row is None and classes is not None:
        most = max(classes, 2) - 1
        expected = f"labels from 0 to {most}"
        row = _first(y, lambda rows: (rows < 0) | (rows > most))
    if row is not None:
        got = f"{format_number(float(y[row]))} in row {row}"
        raise ValueError(f"y: expected {expected}, got {got}; {REGRESSION_HINT}")


def refuse_nan(y: NDArray[Any]) -> None:
    """Raise ValueError for NaN, which `fit` refuses in the same words."""
    row = _first(y, lambda rows: (rows != rows).reshape(len(rows), -1).any(axis=1))
    if row is not None:
        raise ValueError(f"y[{row}]: expected finite numbers, got nan")


def refuse_between(y: NDArray[Any], low: float) -> None:
    """Raise ValueError for outputs that are neither off nor on; labels are accepted."""
    if y.ndim == 2:
        _refuse_where(y, lambda rows: (rows != low) & (rows != 1), f"outputs that are {low:g} or 1")


def _refuse_where(
    y: NDArray[Any], wrong: Callable[[NDArray[Any]], NDArray[np.bool_]], expected: str
) -> None:
    row = _first(y, lambda rows: (wrong(rows) & (rows == rows)).any(axis=1))  # NaN: another error
    if row is None:
        return
    column = int((wrong(y[row]) & (y[row] == y[row])).argmax())
    hint = REGRESSION_HINT
    if _are_signs(y):
        what = "the classes of a single output" if y.shape[1] == 1 else "classes"
        hint = f"{what} are 0 and 1: y = (y + 1) / 2"
    got = f"{format_number(float(y[row, column]))} in row {row}"
    raise ValueError(f"y: expected labels, or {expected}, got {got}; {hint}")


def _first(y: NDArray[Any], are_wrong: Callable[[NDArray[Any]], Any]) -> int | None:
    """The first row that is wrong, or None."""
    for start in range(0, len(y), ROWS_AT_ONCE):
        wrong = are_wrong(y[start : start + ROWS_AT_ONCE])
        if wrong.any():
            return start + int(wrong.argmax())
    return None


ACCURACIES = (accuracy, subset_accuracy, binary_accuracy)
