"""What is measured of a network's answers after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bpfast._numbers import number

Metric: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], Any]


def labels(y: NDArray[Any]) -> NDArray[Any]:
    """The class of each example: a label itself, the largest of several outputs, one above 1/2."""
    if y.ndim == 1:
        return y
    return y.argmax(axis=1) if y.shape[1] > 1 else (y[:, 0] > 0.5).astype(np.int64)


def accuracy(a: NDArray[Any], y: NDArray[Any]) -> float:
    """The share of examples whose class is right."""
    return float(np.mean(labels(a) == labels(y)))


def mean_squared_error(a: NDArray[Any], y: NDArray[Any]) -> float:
    """The mean of (a - y)² over all outputs of all examples."""
    return float(np.mean(np.square(_residual(a, y))))


def mean_absolute_error(a: NDArray[Any], y: NDArray[Any]) -> float:
    """The mean of |a - y|."""
    return float(np.mean(np.abs(_residual(a, y))))


def r2(a: NDArray[Any], y: NDArray[Any]) -> float:
    """1 - Σ (a - y)² / Σ (y - ȳ)², the mean of it over the outputs."""
    y = _outputs(a, y)
    residual = np.square(_residual(a, y)).sum(axis=0)
    total = np.square(y - np.mean(y, axis=0, dtype=np.float64)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(1 - residual / total))


def _residual(a: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    residual: NDArray[np.float64] = np.subtract(a, _outputs(a, y), dtype=np.float64)
    return residual


def _outputs(a: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """The outputs wanted: y, or 1 at the label and 0 elsewhere."""
    if y.shape == a.shape:
        return y
    if y.shape == a.shape[:1]:
        if a.shape[1] == 1:
            return y[:, np.newaxis]
        if y.dtype.kind in "bui":
            return np.asarray(y[:, np.newaxis] == np.arange(a.shape[1]), a.dtype)
    raise ValueError(f"expected y of shape {a.shape}, or labels, got {y.shape}")


NAMED: dict[str, Metric] = {
    function.__name__: function
    for function in (accuracy, mean_squared_error, mean_absolute_error, r2)
}

# The columns of a history that are no metrics; those of the validation examples have a prefix.
TAKEN = ("epoch", "cost", "seconds", "learning_rate")


def parse(metrics: str | Iterable[str | Metric]) -> dict[str, Metric]:
    """The metrics by name: those of NAMED, and callables by their own.

    Raises
    ------
    ValueError
        An unknown name, two of one name, or that of another column.
    TypeError
        Neither a name nor a callable.
    """
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    if not isinstance(metrics, Iterable):
        got = type(metrics).__name__
        raise TypeError(f"metrics: expected names or callables, got {got}")
    found: dict[str, Metric] = {}
    for k, metric in enumerate(metrics):
        if isinstance(metric, str):
            if metric not in NAMED:
                known = "', '".join(NAMED)
                raise ValueError(f"metrics[{k}]: unknown name '{metric}'; valid: '{known}'")
            name, function = metric, NAMED[metric]
        elif callable(metric):
            name, function = getattr(metric, "__name__", type(metric).__name__), metric
        else:
            got = type(metric).__name__
            raise TypeError(f"metrics[{k}]: expected a name or a callable, got {got}")
        if name in TAKEN or name.startswith("validation_"):
            raise ValueError(f"metrics[{k}]: expected a name that no column has, got {name!r}")
        if name in found:
            raise ValueError(f"metrics[{k}]: expected a name of its own, got {name!r} once more")
        found[name] = function
    return found


def measure(
    metrics: Mapping[str, Metric], a: NDArray[Any], y: NDArray[Any], prefix: str = ""
) -> dict[str, float]:
    """The value of each metric, its name behind `prefix`.

    Raises
    ------
    ValueError
        One of NAMED cannot be had of this y.
    TypeError
        A metric gave no number.
    """
    found = {}
    for name, metric in metrics.items():
        try:
            value = metric(a, y)
        except ValueError as error:
            if NAMED.get(name) is metric:
                raise ValueError(f"metrics: {name}: {error}") from None
            raise
        found[prefix + name] = number(f"metrics: {name}", value)
    return found
