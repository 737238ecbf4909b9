"""Warns of a y that is outside the range of the network's outputs."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._activations import range_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._network import Network

# The costs that are minimal at outputs equal to y.
COSTS = ("quadratic", "huber", "absolute")
# The distance that is accepted: 0 and 1 with noise are no mistake.
MARGIN = 0.5


def warn_of_output_range(
    net: Network, y: NDArray[Any], weight: ArrayLike | None, level: int
) -> None:
    """Warn if some of y is far outside the range of the outputs.

    `level` is the number of calls between the user's line and this function. The text has no values
    of y, so that Python shows the warning only once if training is called in a loop.
    """
    config = net.config
    bounds = range_of(config["output"])
    if not np.isfinite(bounds).all() or config["cost"] not in COSTS or y.ndim != 2:
        return
    least, most = bounds[0] - MARGIN, bounds[1] + MARGIN
    if y.dtype.kind not in "iuf" or not (y.min() < least or y.max() > most):
        return
    counts = np.broadcast_to(True if weight is None else np.asarray(weight) > 0, len(y))
    if not ((y < least) | (y > most))[counts].any():
        return
    hint = "a regression has output='identity'"
    if (np.abs(y) == 1).all():
        hint = "classes are 0 and 1 there, y = (y + 1) / 2, or -1 and 1 with output='tanh'"
    expected = f"numbers from {bounds[0]:g} to {bounds[1]:g}, as the {config['output']} outputs are"
    text = f"y: expected {expected}, got some that they never come to; {hint}"
    warnings.warn(text, UserWarning, stacklevel=level + 1)
