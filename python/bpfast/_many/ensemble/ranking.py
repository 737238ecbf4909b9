"""`Ensemble.best` and `Ensemble.ranking`: the order of networks by a column of their histories."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Literal

from bpfast._validation.caller import stack_level
from bpfast.history._mode import default_column, mode_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from bpfast._many.ensemble.ensemble import Ensemble
    from bpfast._network import Network
    from bpfast.history._history import History


def best(
    self: Ensemble, column: str | None = None, *, mode: Literal["min", "max"] | None = None
) -> Network:
    """The network with the best value of a column of its history.

    The value is that of the epoch whose parameters the network has: the best one after early
    stopping, else the last.

    Parameters
    ----------
    column : str, optional
        The column. Default: ``validation_cost`` if all histories have it, else ``cost``.
    mode : {"min", "max"}, optional
        Whether low or high is better. Default: "min" for the cost and errors, "max" for
        accuracies and r2, by the names of `fit` and of functions of ``sklearn.metrics`` such as
        ``f1_score``. Other names need it.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        A network has no history, or no such column; the value is NaN for all networks; or the
        mode is missing or unknown.

    Warns
    -----
    UserWarning
        `fit_many` has evaluated the networks on different examples, or their costs are
        different functions, so the values do not compare them.

    Examples
    --------
    >>> import bpfast
    >>> nets = [bpfast.Network([1, 1], output="identity", seed=seed) for seed in range(3)]
    >>> ensemble = bpfast.fit_many(nets, [[0.0], [1.0]], [0.0, 1.0], epochs=5, seed=0)
    >>> costs = [history.cost[-1] for history in ensemble.histories]
    >>> ensemble.best() is nets[costs.index(min(costs))]
    True
    """
    index = ranking(self, column, mode=mode)[0]
    histories = with_histories(self.histories)
    name = column_of(histories, column)
    if math.isnan(final_value(histories[index], name)):
        raise ValueError(f"nets: expected one whose {name} is a number, got NaN for all")
    return self._nets[index]


def ranking(
    self: Ensemble, column: str | None = None, *, mode: Literal["min", "max"] | None = None
) -> list[int]:
    """The indices of the networks, the best first, by a column of their histories.

    The value is that of the epoch whose parameters the network has: the best one after early
    stopping, else the last. NaN and infinite values are last, and so is a network that diverged in
    its first epoch.

    Parameters
    ----------
    column : str, optional
        The column. Default: ``validation_cost`` if all histories have it, else ``cost``.
    mode : {"min", "max"}, optional
        Whether low or high is better. Default: "min" for the cost and errors, "max" for
        accuracies and r2, by the names of `fit` and of functions of ``sklearn.metrics`` such as
        ``f1_score``. Other names need it.

    Returns
    -------
    list of int

    Raises
    ------
    ValueError
        A network has no history, or no such column; or the mode is missing or unknown.

    Warns
    -----
    UserWarning
        `fit_many` has evaluated the networks on different examples, or their costs are
        different functions, so the values do not compare them.

    Examples
    --------
    >>> import bpfast
    >>> histories = [bpfast.History() for _ in range(3)]
    >>> for history, accuracy in zip(histories, (0.7, 0.9, 0.8)):
    ...     history.append({"cost": 1, "seconds": 1, "learning_rate": 1, "accuracy": accuracy})
    >>> nets = [bpfast.Network([1, 1], seed=seed) for seed in range(3)]
    >>> bpfast.Ensemble(nets, histories).ranking("accuracy")
    [1, 2, 0]
    """
    histories = with_histories(self.histories)
    name = column_of(histories, column)
    indices = ranked(histories, name, mode)
    warn_of_comparison(self._nets, name, self._validation_sets)
    return indices


def final_value(history: History, column: str) -> float:
    """The value of the epoch whose parameters the network has, which is the last by default.

    NaN if there is no whole epoch.

    Examples
    --------
    >>> import bpfast
    >>> history = bpfast.History()
    >>> for cost in (0.2, 0.1, 0.3):
    ...     history.append({"cost": cost, "seconds": 1, "learning_rate": 1})
    >>> final_value(history, "cost")
    0.3
    """
    if not len(history):
        return math.nan
    epoch = history.restored_epoch or len(history)
    return float(history[column][epoch - 1])


def with_histories(histories: Sequence[History | None]) -> list[History]:
    """The histories, if every network has one. That of a network that diverged may be empty.

    Raises
    ------
    ValueError
        A network has none.
    """
    found: list[History] = []
    for k, history in enumerate(histories):
        if history is None:
            raise ValueError(f"nets[{k}]: expected a network with a history, got none")
        found.append(history)
    return found


def column_of(histories: Sequence[History], column: str | None) -> str:
    """The column to rank by; by default the cost of the validation, if all have one.

    Histories without an epoch do not count, as only the first epoch adds columns.

    Raises
    ------
    ValueError
        A history does not have the column.
    TypeError
        `column` is no name.
    """
    with_rows = [history for history in histories if len(history)]
    if column is None:
        names = set.intersection(*(set(history) for history in with_rows)) if with_rows else ()
        return default_column(names)
    if not isinstance(column, str):
        raise TypeError(f"column: expected the name of a column, got {type(column).__name__}")
    for k, history in enumerate(histories):
        if len(history) and column not in history:
            known = ", ".join(history.names)
            expected = "a column of each history"
            raise ValueError(f"column: expected {expected}, got {column!r}; nets[{k}] has {known}")
    return column


def ranked(histories: Sequence[History], column: str, mode: str | None) -> list[int]:
    """The indices of the histories, the best first; equal ones in their order.

    Values that are not finite, such as a cost of -inf, which is an overflow, are last.
    """
    sign = 1.0 if mode_of(column, mode) == "min" else -1.0
    values = [sign * final_value(history, column) for history in histories]
    keys = [value if math.isfinite(value) else math.inf for value in values]
    return sorted(range(len(keys)), key=keys.__getitem__)


def best_index(histories: Sequence[History | None], column: str) -> int | None:
    """The index of the best one.

    None if one lacks the column, if low or high may be better, or if all are NaN.
    """
    found = [history for history in histories if history is not None]
    with_column = [history for history in found if not len(history) or column in history]
    if len(with_column) < len(histories):
        return None
    try:
        index = ranked(found, column, None)[0]
    except ValueError:
        return None
    return None if math.isnan(final_value(found[index], column)) else index


def warn_of_comparison(
    nets: Sequence[Network], column: str, validation_sets: Sequence[Any] | None
) -> None:
    """Warn if the values of a column do not compare the networks.

    `validation_sets` has an entry for each network, equal where the validation examples are.
    """
    costs = dict(_identity_and_name(net.config["cost"]) for net in nets)
    text = ""
    if column.startswith("validation_") and len(set(validation_sets or ())) > 1:
        text = (
            "the networks were evaluated on different examples, so the values differ by chance "
            "too; validation=(x, y), or the same validation_rows for all, makes them comparable"
        )
    elif column in ("cost", "validation_cost") and len(costs) > 1:
        names = ", ".join(sorted(costs.values()))
        text = f"the networks have different costs, {names}; compare by a metric"
    if text:
        warnings.warn(f"{column}: {text}", UserWarning, stacklevel=stack_level())


def _identity_and_name(cost: Any) -> tuple[Hashable, str]:
    """What is equal for equal cost functions, and the name of a cost for the warning."""
    if isinstance(cost, str):
        return cost, cost
    name = str(getattr(cost, "__qualname__", type(cost).__qualname__))
    code = getattr(cost, "__code__", None)
    # A function that is defined again, as in a loop, is the same unless it has variables around it.
    is_plain = code is not None and not (cost.__closure__ or cost.__defaults__)
    return code if is_plain else id(cost), name
