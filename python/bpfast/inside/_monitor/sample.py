"""The sample of the examples that a monitor looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.inputs import checked_x, rows_of
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.arrays.sparse import is_sparse
from bpfast._validation.seed import generator
from bpfast._validation.target_shape import rows_error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import _Inputs as Inputs

# The examples from which causes are concluded.
MAX_EXPLAINED = 500


class Sample:
    """Copies of some examples, so that they stay as they are. Examples of weight 0 are left out.

    Attributes
    ----------
    x, y : ndarray
        The examples from which causes are concluded.
    weight : ndarray or None
        Their weights.
    count : int
        The first ones, on which records are made.

    Raises
    ------
    ValueError
        x and y have different numbers of rows, or a seed or a shape is wrong.
    TypeError
        An argument has the wrong type.
    """

    def __init__(
        self, x: Inputs, y: ArrayLike, sample_weight: ArrayLike | None, count: int, seed: Any
    ) -> None:
        rng = generator(seed)
        rows = checked_x(x)
        targets = as_array("y", y)
        if rows.ndim != 2 or not rows.shape[0]:
            raise ValueError(f"x: expected shape (n, n_1) with one or more, got {rows.shape}")
        if targets.ndim == 0 or len(targets) != rows.shape[0]:
            raise rows_error(rows.shape[0], targets.shape)
        weight = None
        if sample_weight is not None:
            weight = as_array("sample_weight", sample_weight)
            if weight.shape != (rows.shape[0],):
                expected = f"shape ({rows.shape[0]},)"
                raise ValueError(f"sample_weight: expected {expected}, got {weight.shape}")
            if weight.dtype.kind not in "biuf":
                raise no_numbers("sample_weight", sample_weight, weight)
            if len(bad := np.flatnonzero(~np.isfinite(weight))):
                got = f"{weight[bad[0]]}"
                raise ValueError(f"sample_weight[{bad[0]}]: expected finite numbers, got {got}")
        order = rng.permutation(rows.shape[0])
        if weight is not None and (weight != 0).any():
            order = order[weight[order] != 0]
        order = order[: max(MAX_EXPLAINED, count)]
        chosen: Any = rows_of(rows, order)
        self.x: NDArray[Any] = chosen.toarray() if is_sparse(chosen) else np.array(chosen)
        self.y: NDArray[Any] = rows_of(targets, order)
        self.weight: NDArray[Any] | None = None if weight is None else weight[order]
        self.count = min(count, len(order))
        self._order = order

    @property
    def rows(self) -> NDArray[Any]:
        """The given rows that the examples are."""
        return self._order

    def first(self, count: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
        """The first examples, their targets and their weights."""
        weight = None if self.weight is None else self.weight[:count]
        return self.x[:count], self.y[:count], weight
