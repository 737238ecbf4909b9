"""The class of each example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def labels(y: NDArray[Any]) -> NDArray[Any]:
    """The class of each example: its label, the index of the largest output, or whether a > 1/2."""
    if y.ndim == 1:
        return y
    return y.argmax(axis=1) if y.shape[1] > 1 else (y[:, 0] > 0.5).astype(np.int64)
