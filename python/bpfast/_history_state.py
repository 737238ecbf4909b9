"""A history in types that JSON has, and back, from a file that may be anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from bpfast._numbers import number

# The columns of every history; the epoch is counted.
ALWAYS = ("cost", "seconds", "learning_rate")
# What the names of columns end in whose low values, or high values, are good.
LOW, HIGH = ("cost", "error"), ("accuracy", "r2")
# JSON has no such numbers.
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def mode_of(name: str, mode: str | None) -> Literal["min", "max"]:
    """Whether low or high is good in a column, by its name where `mode` is None.

    Raises
    ------
    ValueError
        The name does not tell it, or `mode` is another word.
    """
    if mode == "min" or (mode is None and name.endswith(LOW)):
        return "min"
    if mode == "max" or (mode is None and name.endswith(HIGH)):
        return "max"
    near = meant(name)
    is_known = mode is None and near != name and near.endswith((*LOW, *HIGH))
    hint = f"; did you mean {near!r}?" if is_known else ""
    raise ValueError(f"mode: expected 'min' or 'max' for {name!r}, got {mode!r}{hint}")


def meant(name: str) -> str:
    """The column that other libraries call `name`: Keras has val_loss for validation_cost.

    Examples
    --------
    >>> meant("val_loss"), meant("val_accuracy"), meant("cost")
    ('validation_cost', 'validation_accuracy', 'cost')
    """
    start, end = "", name
    for prefix in ("val_", "valid_", "validation_"):
        if name.startswith(prefix):
            start, end = "validation_", name.removeprefix(prefix)
    return start + {"loss": "cost", "acc": "accuracy"}.get(end, end)


def written(columns: Mapping[str, list[float]]) -> dict[str, list[float | str]]:
    """Copy columns, with NaN and infinities as text.

    Examples
    --------
    >>> written({"cost": [0.5, math.inf]})
    {'cost': [0.5, 'inf']}
    """
    return {name: [as_text(value) for value in values] for name, values in columns.items()}


def as_text(value: float) -> float | str:
    """NaN and infinities as text, other numbers as they are."""
    return value if math.isfinite(value) else str(value)


def from_text(value: Any) -> Any:
    """What `as_text` was given."""
    return NOT_FINITE.get(value, value) if isinstance(value, str) else value


def read(state: Any) -> tuple[Any, Any, dict[str, list[float]]]:
    """Read seed, reason and columns from a state. The first two are not checked.

    Raises
    ------
    ValueError, TypeError
        It is no state of a history.
    """
    if not isinstance(state, Mapping) or set(state) != {"seed", "stopped", "columns"}:
        raise ValueError("expected a mapping with seed, stopped, columns")
    columns = state["columns"]
    if not isinstance(columns, Mapping) or not set(ALWAYS) <= set(columns):
        raise ValueError(f"columns: expected a mapping with {', '.join(ALWAYS)}")
    found = {column_name("columns", name): _column(name, columns[name]) for name in columns}
    if "epoch" in found:
        raise ValueError("columns: expected no epoch, which is counted")
    lengths = {len(values) for values in found.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns: expected one length, got {sorted(lengths)}")
    return state["seed"], state["stopped"], found


def column_name(argument: str, name: Any) -> str:
    """Check that `name`, found in `argument`, is text."""
    if not isinstance(name, str):
        raise TypeError(f"{argument}: expected names that are text, got {type(name).__name__}")
    return name


def _column(name: str, values: Any) -> list[float]:
    if not isinstance(values, list | tuple):
        raise TypeError(f"{name}: expected a list, got {type(values).__name__}")
    return [number(f"{name}[{k}]", from_text(value)) for k, value in enumerate(values)]
