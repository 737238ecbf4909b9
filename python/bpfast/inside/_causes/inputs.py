"""Causes in x."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpfast.inside._causes.limits import (
    CONSTANT_FEATURES,
    CONSTANT_POWER,
    LARGE_INPUT,
    LOUD_FEATURES,
    LOUD_SHARE,
    QUIET_FEATURE,
    QUIET_POWER,
    QUIET_SHARE,
    UNCENTRED_MEAN,
)
from bpfast.inside._finding import Finding
from bpfast.inside._scaled import norm, rms, scale_of

if TYPE_CHECKING:
    from bpfast.inside._facts import Facts

# A number that is out of range is shown as the largest one.
LARGEST = float(np.finfo(np.float64).max)
SCALING = "scale each feature to mean 0 and standard deviation 1"


def constant_features(facts: Facts) -> Finding | None:
    """Features with the same value in all examples act as further biases and tell nothing.

    Features that are always 0 have no effect: they count if x is not sparse, or if all are.
    """
    if len(facts.batch.x) < 2:
        return None
    each = facts.feature_rms
    constant = facts.feature_std == 0
    varying = ~constant
    is_dense = not varying.any() or float(np.mean(facts.batch.x[:, varying] == 0)) < 1 / 4
    counted = constant if is_dense else constant & (each > 0)
    power = np.square(each / scale_of(each))
    share = float(power[constant].sum() / power.sum()) if power.any() else 1.0
    most = float(counted.mean())
    if varying.any() and most <= CONSTANT_FEATURES and share <= CONSTANT_POWER:
        return None
    return Finding(
        "constant_features",
        f"{int(counted.sum())} of {counted.size} features have the same value in all examples; "
        "their weights learn what the bias learns",
        "BP4",
        {"share of features": most, "share of the power of x": share},
        "leave these features out, or look for the mistake that made them constant",
        layer=1,
        neurons=np.flatnonzero(counted),
    )


def uneven_features(facts: Facts) -> Finding | None:
    """A tenth of the features have nearly all the power: no rate suits them and the others."""
    sizes = np.where(facts.feature_std > 0, facts.feature_rms, 0.0)
    count = max(int(sizes.size * LOUD_FEATURES), 1)
    order = np.argsort(-sizes, kind="stable")
    power, rest = np.square(sizes / scale_of(sizes)), sizes[order[count:]]
    total = float(power.sum())
    if not rest.any() or power[order[:count]].sum() < LOUD_SHARE * total:
        return None
    scale = scale_of(rest)
    typical = float(np.sqrt(np.median(np.square(rest[rest > 0] / scale))) * scale)
    loud = order[:count][sizes[order[:count]] > np.sqrt(10) * typical]
    largest = float(sizes[order[0]])
    return Finding(
        "uneven_features",
        f"{loud.size} of {power.size} features are {largest / typical:.3g} times "
        "as large as the others; a rate that is stable for them is too small for the others",
        "BP4",
        {
            "largest RMS": largest,
            "median RMS of the others": typical,
            "share of the power of x": float(power[loud].sum() / total),
        },
        SCALING,
        layer=1,
        neurons=loud,
    )


def uncentred_features(facts: Facts) -> Finding | None:
    """The mean of x is far larger than what differs between examples."""
    varying = facts.feature_std > 0
    if not varying.any():
        return None
    mean, std = float(rms(facts.feature_mean[varying])), float(rms(facts.feature_std[varying]))
    if mean <= UNCENTRED_MEAN * std or std > LARGE_INPUT:
        return None
    ratios = np.where(varying, np.abs(facts.feature_mean), 0) / np.where(
        varying, facts.feature_std, 1
    )
    order = np.argsort(-ratios, kind="stable")
    return Finding(
        "uncentred_features",
        f"the mean of the features is {mean / std:.3g} standard deviations from 0, so the weights "
        "of a neuron move together and cannot follow what differs between examples",
        "BP4",
        {"RMS of the means": mean, "RMS of the standard deviations": std},
        "subtract the mean of each feature",
        layer=1,
        neurons=order[ratios[order] > UNCENTRED_MEAN],
    )


def unscaled_features(facts: Facts) -> Finding | None:
    """Inputs far above 1 saturate neurons, and lower the largest stable rate by their square."""
    varying = facts.feature_std > 0
    if not varying.any():
        return None
    size = float(rms(facts.feature_rms[varying]))
    if size <= LARGE_INPUT:
        return None
    order = np.argsort(-facts.feature_rms, kind="stable")
    largest = np.argsort(-np.abs(facts.batch.x).max(axis=1), kind="stable")[:5]
    return Finding(
        "unscaled_features",
        f"the features have an RMS of {size:.3g} instead of about 1, so z is too large by this "
        f"factor, and the largest stable rate too small by about {min(size * size, LARGEST):.3g}",
        "forward, BP4",
        {"RMS of x": size, "largest": float(np.abs(facts.batch.x).max())},
        SCALING,
        layer=1,
        neurons=order[facts.feature_rms[order] > LARGE_INPUT],
        examples=largest,
    )


def quiet_inputs(facts: Facts) -> Finding | None:
    """Weights from quiet inputs learn slowly: ∂C/∂w = a δ."""
    norms = norm(facts.batch.x, axis=1)
    size = float(facts.batch.rms(norms))
    if size == 0:
        return None
    power = size * size
    if power >= QUIET_POWER:
        return _quiet_features(facts)
    order = np.argsort(facts.feature_rms, kind="stable")
    quiet = np.argsort(norms, kind="stable")[:5]
    return Finding(
        "quiet_inputs",
        f"the examples have a norm of {size:.3g}: a step moves z of layer 2 through the "
        f"weights by {power:.3g} of what it moves z through the bias",
        "BP4",
        {"RMS of x": float(rms(facts.feature_rms)), "‖x‖": size},
        SCALING,
        layer=1,
        neurons=order,
        examples=quiet,
    )


def _quiet_features(facts: Facts) -> Finding | None:
    """Some features are quiet beside the others.

    Compared is their size where they are not 0, since features of sparse x are often 0.
    """
    x = facts.batch.x
    counts = np.count_nonzero(x, axis=0)
    sizes = norm(x, axis=0) / np.sqrt(np.maximum(counts, 1))
    varying = facts.feature_std > 0
    if not varying.any():
        return None
    loud = float(np.quantile(sizes[varying], 1 - LOUD_FEATURES))
    quiet = np.flatnonzero(varying & (sizes < QUIET_FEATURE * loud))
    if quiet.size <= QUIET_SHARE * np.count_nonzero(varying):
        return None
    quiet = quiet[np.argsort(sizes[quiet], kind="stable")]
    return Finding(
        "quiet_inputs",
        f"{quiet.size} of {sizes.size} features are {loud / np.median(sizes[quiet]):.3g} times as "
        "small as the loudest ones: their weights have as much smaller gradients",
        "BP4",
        {"RMS of the quiet ones": float(np.median(sizes[quiet])), "RMS of the loudest": loud},
        SCALING,
        layer=1,
        neurons=quiet,
    )


CHECKS = (constant_features, uneven_features, uncentred_features, unscaled_features, quiet_inputs)
