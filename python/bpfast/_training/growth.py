"""Warns of a cost that grows and stays finite."""

from __future__ import annotations

import math
import warnings

from bpfast._validation.caller import stack_level

# The growth since the first step that is no fluctuation.
WARNED_GROWTH = 1e6


class Growth:
    """The cost of the first step, and whether a later one has grown far beyond it.

    A training whose numbers overflow ends with an error. One that oscillates ever wider may not
    come so far, and its result is useless too.
    """

    def __init__(self) -> None:
        self._start: float | None = None
        self._has_warned = False

    @property
    def has_begun(self) -> bool:
        """Whether the cost of the first step is known."""
        return self._start is not None

    def begin(self, cost: float) -> None:
        """Keep the cost of the first step; that of others is ignored."""
        if self._start is None:
            self._start = cost

    def warn(self, cost: float) -> None:
        """Warn, once, if the cost of an epoch is far above that of the first step."""
        start = self._start
        if (
            self._has_warned
            or start is None
            or not 0 < WARNED_GROWTH * abs(start) < cost < math.inf
        ):
            return
        self._has_warned = True
        warnings.warn(
            f"cost: has grown to more than {WARNED_GROWTH:,.0f} times that of the first step; "
            "try a lower learning rate, clip_norm=1.0, or x and y scaled to about 1",
            UserWarning,
            stacklevel=stack_level(),
        )
