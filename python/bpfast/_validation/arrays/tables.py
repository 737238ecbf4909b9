"""Tables and columns of polars and Arrow, which convert dates to numbers and None to NaN."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARIES = ("polars", "pyarrow")


def refuse_dates(argument: str, value: Any) -> None:
    """Raise TypeError if `value` is one of them that has dates, times or durations."""
    for name, column in _columns(value):
        if _is_temporal(column):
            dtype = getattr(column, "type", None) or column.dtype
            got = f"dtype {dtype}" if name is None else f"column {name!r} of dtype {dtype}"
            raise TypeError(f"{argument}: expected real numbers, got {got}")


def refuse_missing(argument: str, value: Any) -> None:
    """Raise ValueError if `value` is one of them that has missing values."""
    if count := sum(_count_missing(column) for _, column in _columns(value)):
        got = f"{count} missing; fill them in with .fill_null(value)"
        raise ValueError(f"{argument}: expected no missing values, got {got}")


def _columns(value: Any) -> Iterator[tuple[str | None, Any]]:
    """The columns with their names; none for a value of another library."""
    library = type(value).__module__.partition(".")[0]
    if library not in LIBRARIES:
        return
    if library == "polars" and hasattr(value, "get_columns"):
        yield from zip(value.columns, value.get_columns(), strict=True)
    elif library == "pyarrow" and hasattr(value, "column_names"):
        yield from zip(value.column_names, value.columns, strict=True)
    elif hasattr(value, "null_count"):
        yield None, value


def _is_temporal(column: Any) -> bool:
    if hasattr(column, "dtype"):
        return bool(column.dtype.is_temporal())
    return bool(sys.modules["pyarrow"].types.is_temporal(column.type))


def _count_missing(column: Any) -> int:
    count = column.null_count
    return int(count() if callable(count) else count)
