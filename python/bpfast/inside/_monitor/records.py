"""The records of a monitor: rows of numbers under the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Rows = NDArray[np.float64]

# The names before the first record.
FIRST_NAMES = ("epoch", "step")


def columns(layers: int, *, cosine: bool, curvature: bool) -> tuple[str, ...]:
    """The names of the columns for a network of `layers` layers, the input included."""
    numbers = range(2, layers + 1)
    return (
        *FIRST_NAMES,
        "cost",
        *(f"saturation_{number}" for number in numbers),
        *(f"speed_{number}" for number in numbers),
        "gradient_norm",
        "update_norm",
        "signal_to_noise",
        *(["cosine"] if cosine else []),
        *(["curvature"] if curvature else []),
    )


class Records:
    """Rows of numbers in float64, many or one at a time."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = FIRST_NAMES
        self._blocks: list[Rows] = []

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    def add_rows(self, names: tuple[str, ...], rows: Rows) -> None:
        """Add rows, whose columns have these names."""
        if len(rows):
            self.names = names
            self._blocks.append(rows)

    def add(self, names: tuple[str, ...], row: Mapping[str, float]) -> None:
        """Add a row; a number that it lacks is NaN."""
        self.add_rows(names, np.array([[row.get(name, np.nan) for name in names]]))

    def column(self, name: str) -> NDArray[Any]:
        """A column, read-only."""
        dtype = np.int64 if name in FIRST_NAMES else np.float64
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        values: NDArray[Any] = np.empty(0, dtype)
        if self._blocks:
            values = self._blocks[0][:, self.names.index(name)].astype(dtype)
        values.flags.writeable = False
        return values

    def last(self) -> dict[str, float]:
        """The last row; there is one."""
        return dict(zip(self.names, self._blocks[-1][-1].tolist(), strict=True))
