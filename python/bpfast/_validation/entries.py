"""What came in place of a mapping with certain entries, for errors."""

from __future__ import annotations

from collections.abc import Mapping

MAX_SHOWN = 12


def entry_names(value: object) -> str:
    """The names of the entries of a mapping, or the type of something else.

    Examples
    --------
    >>> entry_names({"b": 1, "a": 2}), entry_names({}), entry_names([1])
    ('a, b', 'no entries', 'list')
    """
    if not isinstance(value, Mapping):
        return type(value).__name__
    names = sorted(map(str, value))
    more = [f"and {len(names) - MAX_SHOWN} more"] if len(names) > MAX_SHOWN else []
    return ", ".join(names[:MAX_SHOWN] + more) or "no entries"
