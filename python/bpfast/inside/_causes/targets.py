"""Causes in y: its range and scale, and examples that contradict or outweigh each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpfast._activations import range_of
from bpfast._costs import RESIDUAL
from bpfast._validation.arrays.inputs import rows_of
from bpfast.inside._causes.limits import (
    CONTRADICTION,
    KERNEL_WIDTHS,
    LARGE_TARGET,
    MAX_COMPARED,
    MAX_OUTPUTS_AT_ONCE,
    MIN_COMPARED,
    MIN_DEVIATIONS,
    MIN_PER_CLASS,
    OUTSIDE_MARGIN,
    OUTSIDE_SHARE,
    RARE_CLASS,
    SHUFFLES,
    SMALL_TARGET,
)
from bpfast.inside._finding import Finding
from bpfast.inside._scaled import norm, rms, scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._typing import FloatArray
    from bpfast.inside._facts import Facts


def target_range(facts: Facts) -> Finding | None:
    """Targets that the outputs never reach drive them into saturation."""
    y, output = facts.batch.targets, facts.batch.net.config["output"]
    if y is None or facts.cost_name not in RESIDUAL:
        return None
    low, high = range_of(output)
    if not np.isfinite(low):
        return None
    margin = OUTSIDE_MARGIN * min(high - low, 1.0)
    outside = (y < low - margin) | (y > high + margin)
    share = float(outside.mean(axis=0).max())
    if share <= OUTSIDE_SHARE:
        return None
    bounds = f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} and above"
    distance = np.maximum(low - y, y - high).max(axis=1)
    return Finding(
        "target_range",
        f"{outside.mean():.0%} of y is outside the range of {output} outputs, {bounds}; the "
        "outputs saturate and the error remains",
        "BP1",
        {"smallest y": float(y.min()), "largest y": float(y.max()), "share outside": share},
        f"scale y to {bounds}, or use output='identity' for a regression",
        layer=len(facts.layers) + 1,
        neurons=np.flatnonzero(outside.mean(axis=0) > OUTSIDE_SHARE),
        examples=np.argsort(-distance, kind="stable")[:5],
    )


def target_scale(facts: Facts) -> Finding | None:
    """Targets far from 1: the output must grow, or shrink, to their scale first."""
    y, output = facts.batch.targets, facts.batch.net.config["output"]
    if y is None or facts.cost_name not in RESIDUAL or np.isfinite(range_of(output)[1]):
        return None
    each = facts.batch.rms(y)
    size = float(rms(each))
    if SMALL_TARGET <= size <= LARGE_TARGET or size == 0:
        return None
    is_large = size > 1
    is_bounded = np.isfinite(range_of(output)[0])
    change = "grow" if is_large else "shrink"
    return Finding(
        "target_scale",
        f"y has an RMS of {size:.3g}, and the outputs start near 1: they must {change} by that "
        f"first, and errors, gradients and steps are {'large' if is_large else 'small'} with y",
        "BP1",
        {"RMS of y": size, "RMS of the outputs": float(rms(facts.layers[-1].a))},
        f"{'divide y by its RMS' if is_bounded else 'scale y to mean 0 and standard deviation 1'}, "
        "and scale the outputs back",
        layer=len(facts.layers) + 1,
        neurons=np.argsort(-each if is_large else each, kind="stable"),
    )  # fmt: skip


def contradicting_examples(facts: Facts) -> Finding | None:
    """Examples of equal x and different y: their gradients cancel, and what is left is no signal.

    The share of the variation of y that is between examples of equal x can never be learned.
    """
    targets, weight = facts.batch.targets, facts.batch.weight
    if targets is None:
        return None
    x = np.ascontiguousarray(facts.batch.x + 0.0)  # -0 is 0
    rows = x.view(np.dtype((np.void, x.dtype.itemsize * x.shape[1]))).ravel()
    _, group, counts = np.unique(rows, return_inverse=True, return_counts=True)
    group = group.ravel()
    if counts.max() == 1 or counts.size == 1:
        return None
    y = targets / scale_of(targets)  # only parts of its variation count
    total = float(weight @ np.square(y - facts.batch.mean(y)).sum(axis=1))
    sums = np.zeros((counts.size, y.shape[1]))
    np.add.at(sums, group, y * weight[:, np.newaxis])
    means = sums / np.bincount(group, weights=weight)[:, np.newaxis]
    mixed = _is_mixed(targets, group)[group]
    distance = np.where(mixed, np.square(y - means[group]).sum(axis=1), 0.0)
    share = float(weight @ distance) / total if total else 0.0
    if share <= CONTRADICTION:
        return None
    bad = np.flatnonzero(mixed)
    signal = float(np.median(facts.layers[-1].factors["cancellation"]))
    return Finding(
        "contradicting_examples",
        f"{bad.size} examples have the x of another one and a different y: their gradients cancel, "
        f"and {share:.0%} of the variation of y cannot be learned from x",
        "BP3, BP4",
        {
            "examples": float(bad.size),
            "share of the variation": share,
            "|mean| / RMS of the gradients of the last layer": signal,
        },
        "correct or remove these examples, or add a feature that tells them apart",
        examples=bad[np.argsort(group[bad], kind="stable")],
    )


def _is_mixed(y: FloatArray, group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the examples of a group differ in y, exactly: a mean of equal y may be rounded."""
    first = np.empty(group.max() + 1, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]  # the last assignment stays
    mixed = np.zeros(len(first), dtype=bool)
    mixed[group[(y != y[first[group]]).any(axis=1)]] = True
    return mixed


def unrelated_targets(facts: Facts) -> Finding | None:
    """Examples of similar x have no more similar y than with y shuffled.

    Compared is Σ_xx' K(x, x') (y - ȳ)·(y' - ȳ) with a Gaussian kernel K of three widths, the
    Hilbert–Schmidt independence criterion (Gretton et al. 2005).
    """
    y = facts.batch.targets
    if y is None or len(y) < MIN_COMPARED:
        return None
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(y))[:MAX_COMPARED])
    x, y = standardized(facts.batch.x[rows]), standardized(y[rows])
    if not x.size or not y.size:
        return None
    squares = np.square(x).sum(axis=1)
    distances = np.maximum(squares[:, np.newaxis] + squares - 2 * x @ x.T, 0)
    if not (distances > 0).any():  # all are equal up to rounding
        return None
    middle = float(np.median(distances[distances > 0]))
    kernels = np.stack([np.exp(-distances / (2 * middle * width**2)) for width in KERNEL_WIDTHS])
    kernels[:, range(len(y)), range(len(y))] = 0
    orders = [np.arange(len(y)), *(rng.permutation(len(y)) for _ in range(SHUFFLES))]
    found = similarities(kernels, y, orders)
    true, shuffled = found[:, 0], found[:, 1:]
    distance, spread = np.abs(true - shuffled.mean(axis=1)), shuffled.std(axis=1)
    counted = spread > 1e-12 * len(y)
    most = float((distance[counted] / spread[counted]).max(initial=0.0))
    if most >= MIN_DEVIATIONS:
        return None
    signal = float(np.median(facts.layers[-1].factors["cancellation"]))
    return Finding(
        "unrelated_targets",
        "examples of similar x have no more similar y than if y is shuffled: the gradients of the "
        "examples cancel down to noise",
        "BP3, BP4",
        {
            "distance from shuffled y, in standard deviations": most,
            "|mean| / RMS of the gradients of the last layer": signal,
        },
        "check that the rows of x and y belong together and that the labels are right; "
        "otherwise more examples or other features are needed",
    )


def similarities(kernels: FloatArray, y: FloatArray, orders: list[NDArray[np.int64]]) -> FloatArray:
    """Σ_xx' K(x, x') y_p(x)·y_p(x') for each kernel K and each order p of the rows of y."""
    if y.shape[1] <= MAX_OUTPUTS_AT_ONCE:  # a matrix product
        rows = np.hstack([rows_of(y, order) for order in orders])
        sums = [((kernel @ rows) * rows).sum(axis=0) for kernel in kernels]
        found = np.array(sums).reshape(len(kernels), len(orders), -1).sum(axis=2)
    else:
        alike, flat = y @ y.T, kernels.reshape(len(kernels), -1)
        found = np.stack([flat @ rows_of(alike, k).take(k, axis=1).ravel() for k in orders], axis=1)
    similar: FloatArray = found
    return similar


def class_imbalance(facts: Facts) -> Finding | None:
    """The gradient of a rare class is outweighed by that of the others."""
    y = facts.batch.targets
    classes = None if y is None else classes_of(y)
    if classes is None:
        return None
    count = int(classes.max()) + 1
    share = np.bincount(classes, weights=facts.batch.weight, minlength=count)
    rarest = int(np.argmin(np.where(share > 0, share, np.inf)))
    present = int(np.count_nonzero(share))
    if share[rarest] * present > RARE_CLASS * (1 + 1e-9) or len(classes) < MIN_PER_CLASS * present:
        return None
    last = facts.layers[-1]
    sizes = norm(last.delta, axis=1)
    rare = np.flatnonzero(classes == rarest)
    power = facts.batch.weight * sizes
    return Finding(
        "class_imbalance",
        f"class {rarest} has {share[rarest]:.1%} of the examples; its errors are "
        f"{power[rare].sum() / power.sum():.1%} of all, and those of the others outweigh them",
        "BP3, BP4",
        {"share of the class": float(share[rarest]), "examples of the class": float(rare.size)},
        "use class_weight='balanced' in fit, or sample_weight",
        layer=len(facts.layers) + 1,
        examples=rare[np.argsort(-sizes[rare], kind="stable")],
    )


def classes_of(y: FloatArray) -> NDArray[np.int64] | None:
    """The class of each example, if each has one of at least two; else None."""
    if y.shape[1] == 1:
        values = np.unique(y)
        if values.size != 2 or tuple(values) not in ((0.0, 1.0), (-1.0, 1.0)):
            return None
        high: NDArray[np.int64] = (y[:, 0] == values[1]).astype(np.int64)
        return high
    is_one = np.isin(y, (0.0, 1.0)).all() and (y.sum(axis=1) == 1).all()
    classes: NDArray[np.int64] = y.argmax(axis=1)
    return classes if is_one and classes.min() < classes.max() else None


def standardized(values: FloatArray) -> FloatArray:
    """The columns that vary, with mean 0 and standard deviation 1."""
    values = values / scale_of(values, axis=0)
    centred = values - values.mean(axis=0)
    std = centred.std(axis=0)
    varying = std > 1e-12 * (np.abs(values).max(axis=0) + 1e-300)
    standard: FloatArray = centred[:, varying] / std[varying]
    return standard


RANGE_CHECKS = (target_range, target_scale)
EXAMPLE_CHECKS = (contradicting_examples, class_imbalance, unrelated_targets)
