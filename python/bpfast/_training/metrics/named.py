"""Metrics of a network's outputs, computed after each epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from bpfast import metrics as public
from bpfast._training.metrics.accuracy import ACCURACIES
from bpfast._training.metrics.of_sklearn import SklearnMetric, of_outputs_first
from bpfast._typing import Metric, MetricName
from bpfast._validation.iterables import is_iterable
from bpfast._validation.names import unknown_name
from bpfast._validation.numbers import number
from bpfast.history._history import History
from bpfast.history._state import REQUIRED_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Any: mypy infers objects as the values of a dict that has names and functions.
Metrics: TypeAlias = Iterable[MetricName | Metric] | Mapping[str, Any]


PUBLIC: dict[str, Metric] = {name: getattr(public, name) for name in public.__all__}
# Accuracies are placeholders: `for_targets` chooses the function from y.
NAMED: dict[str, Metric] = PUBLIC | {function.__name__: function for function in ACCURACIES}
METRICS = tuple(sorted(NAMED))

# Names of other libraries.
METRIC_SYNONYMS = {
    "acc": "accuracy",
    "accuracyscore": "accuracy",
    "categoricalaccuracy": "accuracy",
    "sparsecategoricalaccuracy": "accuracy",
    "exactmatch": "subset_accuracy",
    "exactmatchratio": "subset_accuracy",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "r2score": "r2",
}

# The column of a lambda, which has no name.
UNNAMED_COLUMN = "metric"
# The columns of a history that are not metrics, without those of the validation examples.
RESERVED_COLUMNS = ("epoch", *REQUIRED_COLUMNS)


def parse(metrics: MetricName | Metric | Metrics) -> dict[str, Metric]:
    """The metrics by name: the key of the mapping, the name in NAMED, or that of the callable.

    A lambda is "metric", the second one "metric_2".

    Raises
    ------
    ValueError
        A name is unknown, occurs twice, or is that of another column or attribute of a history.
    TypeError
        A metric is neither a name nor a callable, or a column is not text.
    """
    if isinstance(metrics, str) or callable(metrics):
        metrics = (metrics,)
    if not is_iterable(metrics):
        got = type(metrics).__name__
        raise TypeError(f"metrics: expected names or callables, got {got}")
    found: dict[str, Metric] = {}
    for argument, column, metric in _listed(metrics):
        if isinstance(metric, str):
            if metric not in NAMED:
                raise unknown_name(argument, metric, NAMED, synonyms=METRIC_SYNONYMS)
            name, function = metric, NAMED[metric]
        elif callable(metric):
            name = _name_of(metric)
            is_ours = metric is PUBLIC.get(name)
            function = NAMED[name] if is_ours else of_outputs_first(argument, metric)
            if name == UNNAMED_COLUMN and column is None:
                name = _free(name, found)
        else:
            got = type(metric).__name__
            raise TypeError(f"{argument}: expected a name or a callable, got {got}")
        name = name if column is None else column
        if name in RESERVED_COLUMNS or name.startswith("validation_"):
            raise ValueError(f"{argument}: expected a name that no column has, got {name!r}")
        if name in dir(History):  # history.name is that attribute
            expected = "a name that no attribute of History has"
            raise ValueError(f"{argument}: expected {expected}, got {name!r}")
        if name in found:
            raise ValueError(f"{argument}: expected a name that occurs once, got {name!r} again")
        found[name] = function
    return found


def _name_of(metric: Any) -> str:
    """The name of a function, also of one with arguments bound by `functools.partial`."""
    while isinstance(metric, partial):
        metric = metric.func
    name = str(getattr(metric, "__name__", type(metric).__name__))
    return name if name.isidentifier() else UNNAMED_COLUMN


def _free(name: str, taken: Mapping[str, object]) -> str:
    """`name`, or the first of name_2, name_3, … that is not taken."""
    names = (name, *(f"{name}_{k}" for k in range(2, len(taken) + 3)))
    return next(free for free in names if free not in taken)


def _listed(metrics: Metrics) -> Iterator[tuple[str, str | None, Any]]:
    """For each metric: the argument's name for errors, its column if given, and the metric."""
    if not isinstance(metrics, Mapping):
        for k, metric in enumerate(metrics):
            yield f"metrics[{k}]", None, metric
        return
    for column, metric in list(metrics.items()):
        if not isinstance(column, str):
            got = type(column).__name__
            raise TypeError(f"metrics: expected columns that are text, got {got}")
        if not column:
            raise ValueError("metrics: expected columns with a name, got ''")
        yield f"metrics[{column!r}]", column, metric


def metric_values(
    metrics: Mapping[str, Metric], a: NDArray[Any], y: NDArray[Any], prefix: str = ""
) -> dict[str, float]:
    """The value of each metric, by its name with `prefix`.

    Raises
    ------
    ValueError
        A metric of NAMED or of `sklearn.metrics` is not defined for this y.
    TypeError
        A metric did not return a number.
    """
    found = {}
    for name, metric in metrics.items():
        try:
            # The user's own get copies: others come after them, and may write to what they got.
            value = metric(a, y) if _is_known(metric) else metric(a.copy(), y.copy())
        except (ValueError, TypeError) as error:
            if _is_known(metric):
                kind = ValueError if isinstance(error, ValueError) else TypeError
                raise kind(f"metrics: {name}: {error}") from None
            raise
        found[prefix + name] = number(f"metrics: {name}", value)
    return found


def _is_known(metric: Any) -> bool:
    """Whether a metric is one of bpfast or of scikit-learn, and not the user's own."""
    own = getattr(metric, "func", metric)  # an accuracy is a partial function
    return isinstance(own, SklearnMetric) or any(own is named for named in NAMED.values())
