"""Where a warning points to."""

from __future__ import annotations

import inspect


def stack_level() -> int:
    """The `stacklevel` of the first frame that is not of bpfast, for a warning by the caller."""
    frame = inspect.currentframe()
    level = 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith("bpfast."):
        frame, level = frame.f_back, level + 1
    return level
