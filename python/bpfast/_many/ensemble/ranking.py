"""The order of networks by a column of their histories."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from bpfast._validation.caller import stack_level
from bpfast.history._mode import mode_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfast._network import Network
    from bpfast.history._history import History


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


def column_of(histories: Sequence[History], metric: str) -> str:
    """The column to rank by; by default the cost of the validation, if all have one.

    Histories without an epoch do not count, as only the first epoch adds columns.

    Raises
    ------
    ValueError
        A history does not have the column.
    TypeError
        `metric` is no name.
    """
    if metric and not isinstance(metric, str):
        raise TypeError(f"metric: expected the name of a column, got {type(metric).__name__}")
    if metric:
        for k, history in enumerate(histories):
            if len(history) and metric not in history:
                known = ", ".join(history.names)
                expected = "a column of each history"
                raise ValueError(
                    f"metric: expected {expected}, got {metric!r}; nets[{k}] has {known}"
                )
        return metric
    with_rows = [history for history in histories if len(history)]
    has_validation = all("validation_cost" in history for history in with_rows)
    return "validation_cost" if with_rows and has_validation else "cost"


def ranked(histories: Sequence[History], column: str, mode: str | None) -> list[int]:
    """The places of the histories, the best first and NaN last; equal ones in their order."""
    sign = 1.0 if mode_of(column, mode) == "min" else -1.0
    values = [sign * final_value(history, column) for history in histories]
    keys = [math.inf if math.isnan(value) else value for value in values]
    return sorted(range(len(keys)), key=keys.__getitem__)


def ranking(
    nets: Sequence[Network],
    histories: Sequence[History | None],
    validation_sets: Sequence[Any],
    metric: str,
    mode: str | None,
) -> list[int]:
    """The places of the networks, the best first, as `Ensemble.ranking` describes."""
    found = with_histories(histories)
    column = column_of(found, metric)
    places = ranked(found, column, mode)
    warn_of_comparison(nets, column, validation_sets)
    return places


def refuse_all_nan(histories: Sequence[History | None], metric: str, best: int) -> None:
    """Raise ValueError if the value of the best network is NaN, and so those of all."""
    found = with_histories(histories)
    column = column_of(found, metric)
    if math.isnan(final_value(found[best], column)):
        raise ValueError(f"nets: expected one whose {column} is a number, got NaN for all")


def best_place(histories: Sequence[History | None], column: str) -> int | None:
    """The place of the best one.

    None if one lacks the column, if low or high may be better, or if all are NaN.
    """
    found = [history for history in histories if history is not None]
    with_column = [history for history in found if not len(history) or column in history]
    if len(with_column) < len(histories):
        return None
    try:
        place = ranked(found, column, None)[0]
    except ValueError:
        return None
    return None if math.isnan(final_value(found[place], column)) else place


def warn_of_comparison(
    nets: Sequence[Network], column: str, validation_sets: Sequence[Any] | None
) -> None:
    """Warn if the values of a column do not compare the networks.

    `validation_sets` has an entry for each network, equal where the validation examples are.
    """
    costs = {getattr(net.config["cost"], "__qualname__", net.config["cost"]) for net in nets}
    text = ""
    if column.startswith("validation_") and len(set(validation_sets or ())) > 1:
        text = (
            "the networks were evaluated on different examples, so the values differ by chance "
            "too; validation=(x, y), or the same validation_rows for all, makes them comparable"
        )
    elif column in ("cost", "validation_cost") and len(costs) > 1:
        text = f"the networks have different costs, {', '.join(sorted(costs))}; compare by a metric"
    if text:
        warnings.warn(f"{column}: {text}", UserWarning, stacklevel=stack_level())
