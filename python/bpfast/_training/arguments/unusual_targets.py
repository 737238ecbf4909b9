"""Warns of a y that the network cannot reach, or from which it hardly learns."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._activations import range_of
from bpfast._costs import RESIDUAL
from bpfast._training.metrics.scale import scaled
from bpfast._validation.caller import stack_level

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._network import Network

# The distance from the range that is accepted as noise: the first where there are two bounds, else
# at most the first, as a part of the largest |y|.
RANGE_MARGIN, RANGE_MARGIN_SHARE = 0.5, 0.1
# The root mean square of the targets of an output that the default rates and initial weights suit,
# generously.
SMALLEST_SCALE, LARGEST_SCALE = 1e-2, 1e2


def warn_of_targets(net: Network, y: NDArray[Any], sample_weight: ArrayLike | None) -> None:
    """Warn of the first of three: outside the range of the outputs, no class, another scale.

    The text has no values of y, so that Python shows the warning only once if training is called in
    a loop.
    """
    cost, output = net.config["cost"], net.config["output"]
    if y.ndim == 1 and cost in RESIDUAL:  # of a single output
        y = y[:, np.newaxis]
    if cost not in (*RESIDUAL, "log_likelihood") or y.ndim != 2 or y.dtype.kind not in "iuf":
        return
    if sample_weight is not None:
        y = y[np.asarray(sample_weight) != 0]
    text = None
    if cost == "log_likelihood":
        if not y.any(axis=1).all():
            text = "a class in each row, got rows of zeros, which nothing is learned from"
    elif cost in RESIDUAL:
        text = _out_of_range(y, output) or _of_another_scale(y, output)
    if text is not None:
        warnings.warn(f"y: expected {text}", UserWarning, stacklevel=stack_level())


def _out_of_range(y: NDArray[Any], output: str) -> str | None:
    bounds = range_of(output)
    if bounds[0] == -math.inf or not y.size:
        return None
    has_two, margin = bounds[1] < math.inf, RANGE_MARGIN
    if not has_two:
        margin = min(margin, RANGE_MARGIN_SHARE * float(np.abs(y).max()))
    if not (y.min() < bounds[0] - margin or y.max() > bounds[1] + margin):
        return None
    hint = "use output='identity' for a regression"
    if has_two and (np.abs(y) == 1).all():
        hint = "classes are 0 and 1 there, y = (y + 1) / 2, or -1 and 1 with output='tanh'"
    numbers = f"from {bounds[0]:g} to {bounds[1]:g}" if has_two else f"of {bounds[0]:g} or above"
    what = f"numbers {numbers}, as the {output} outputs are"
    return f"{what}, got some far outside; {hint}"


def _of_another_scale(y: NDArray[Any], output: str) -> str | None:
    if range_of(output)[1] < math.inf or not y.size:
        return None
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        scales = np.sqrt(np.mean(np.square(y, dtype=np.float64), axis=0))
        if not (scales.all() and np.isfinite(scales).all()):  # of squares out of range, perhaps
            numbers, shift = scaled(np.asarray(y, np.float64))
            scales = np.ldexp(np.sqrt(np.mean(np.square(numbers), axis=0)), shift)
    is_far = (scales > LARGEST_SCALE) | ((scales > 0) & (scales < SMALLEST_SCALE))
    if not (is_far & np.isfinite(scales)).any():
        return None
    scaled_y = "(y - y.mean(axis=0)) / y.std(axis=0)"
    if range_of(output)[0] > -math.inf:  # a mean of 0 would be out of their range
        scaled_y = "y / np.abs(y).max(axis=0)"
    return (
        "targets of about 1, got an output with targets of another scale, for which a training is "
        f"slow or diverges; train with {scaled_y}, and scale the outputs back"
    )
