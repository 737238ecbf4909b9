"""A history in JSON types, and its validated reading from an untrusted file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bpfast._validation.entries import entry_names
from bpfast._validation.numbers import integer, number

# The columns of every history in addition to epoch.
REQUIRED_COLUMNS = ("cost", "seconds", "learning_rate")
# In a state only if the history has one.
RESTORED = "restored_epoch"
# JSON has no NaN and no infinity.
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def as_json(columns: Mapping[str, list[float]]) -> dict[str, list[float | str]]:
    """The columns with NaN and infinity as text.

    Examples
    --------
    >>> as_json({"cost": [0.5, math.inf]})
    {'cost': [0.5, 'inf']}
    """
    return {name: [as_text(value) for value in values] for name, values in columns.items()}


def as_text(value: float) -> float | str:
    """NaN and infinity as text, other numbers unchanged."""
    return value if math.isfinite(value) else str(value)


def from_text(value: Any) -> Any:
    """The inverse of `as_text`."""
    return NOT_FINITE.get(value, value) if isinstance(value, str) else value


def parse_state(state: Any) -> tuple[Any, Any, dict[str, list[float]], int | None]:
    """Seed, reason, columns and restored epoch of a state. The first two are not checked.

    Raises
    ------
    ValueError, TypeError
        It is not the state of a history.
    """
    names = {"seed", "stopped", "columns"}
    if not isinstance(state, Mapping) or set(state) - {RESTORED} != names:
        raise ValueError(
            f"expected a mapping with seed, stopped, columns, got {entry_names(state)}"
        )
    columns = state["columns"]
    if not isinstance(columns, Mapping) or not set(REQUIRED_COLUMNS) <= set(columns):
        expected = f"a mapping with {', '.join(REQUIRED_COLUMNS)}"
        raise ValueError(f"columns: expected {expected}, got {entry_names(columns)}")
    found = {
        column_name("columns", name): _column(name, values)
        for name, values in list(columns.items())  # a value may change the dict
    }
    if "epoch" in found:
        expected, got = "no epoch, which is counted", ", ".join(found)
        raise ValueError(f"columns: expected {expected}, got {got}")
    lengths = {len(values) for values in found.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns: expected one length, got {sorted(lengths)}")
    restored = state.get(RESTORED)
    if restored is not None:
        restored = integer(RESTORED, restored, 1)
        if restored > max(lengths):
            raise ValueError(f"{RESTORED}: expected one of {max(lengths)} epochs, got {restored}")
    return state["seed"], state["stopped"], found, restored


def column_name(argument: str, name: Any) -> str:
    """Check that `name`, found in `argument`, is a string."""
    if not isinstance(name, str):
        raise TypeError(f"{argument}: expected names that are text, got {type(name).__name__}")
    return name


def _column(name: str, values: Any) -> list[float]:
    if not isinstance(values, list | tuple):
        raise TypeError(f"{name}: expected a list, got {type(values).__name__}")
    return [number(f"{name}[{k}]", from_text(value)) for k, value in enumerate(values)]
