"""Causes in the weights: what they do to activations and errors from layer to layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpfast._activations import SATURATING
from bpfast.inside import _quantities as quantities
from bpfast.inside._causes.limits import (
    CLOSED_SHARE_OF_LARGE_WEIGHTS,
    DISTINCT_SHARE,
    EXPLODED,
    LARGE_GAIN,
    SMALL_GAIN,
    VANISHED,
)
from bpfast.inside._finding import Finding
from bpfast.inside._scaled import norm, rms
from bpfast.inside._start import factors_around, relative_gain, start_for

if TYPE_CHECKING:
    from bpfast.inside._facts import Facts


def symmetric_neurons(facts: Facts) -> Finding | None:
    """Neurons with equal weights in and out have equal gradients, and stay equal."""
    for layer, above in zip(facts.layers, facts.layers[1:], strict=False):
        alike = np.hstack([layer.weights, layer.biases[:, np.newaxis], above.weights.T])
        count = len(alike)
        distinct = len(np.unique(alike, axis=0))
        if count > 1 and distinct <= DISTINCT_SHARE * count:
            zero = not alike.any()
            return Finding(
                "symmetric_neurons",
                f"{count} neurons have {distinct} different sets of weights"
                + (", all zero: no error reaches them" if zero else "")
                + "; equal neurons have equal gradients and stay equal",
                "BP2",
                {"neurons": float(count), "different ones": float(distinct)},
                f"start from random weights: {start_for(facts.net)}",
                layer=layer.number,
                neurons=np.arange(count),
            )
    return None


def large_weights(facts: Facts) -> Finding | None:
    """Weights that multiply activations, errors and curvature from layer to layer."""
    layers, weight = facts.layers, facts.batch.weight
    too_large = [layer for layer in layers if relative_gain(facts.net, layer) > LARGE_GAIN]
    top = max(too_large or layers, key=lambda layer: relative_gain(facts.net, layer))
    size = max(1.0, float(rms(layers[0].a_in)))
    grown = max(float(rms(layer.z)) for layer in layers) / size
    norms = _norms(facts)
    back = norms[0] / norms[-1] if norms[-1] else 0.0
    grown, back = (np.inf if np.isnan(ratio) else ratio for ratio in (grown, back))
    if not too_large and grown <= EXPLODED and back <= EXPLODED:
        return None
    suits = factors_around(facts.net, top.number)[0]
    closed = "".join(
        f"; at {share:.0%} of the neurons and examples of layer {layer.number} σ' is below a tenth "
        "of its maximum"
        for layer in layers[:-1]
        if layer.activation in SATURATING
        and (share := quantities.closed_share(layer.gates, layer.top_gate, weight))
        > CLOSED_SHARE_OF_LARGE_WEIGHTS
    )
    order = np.argsort(-top.factors["weight"], kind="stable")
    return Finding(
        "large_weights",
        f"RMS(W) √n_in is {top.gain:.3g} in layer {top.number}, and {suits} suits it: z grows to "
        f"{grown:.3g} times the size of x, errors to {back:.3g} times{closed}",
        "forward, BP2",
        {"RMS(W) √n_in": top.gain, "growth of z": grown, "‖δ^2‖ / ‖δ^L‖": back},
        f"start with smaller weights: {start_for(facts.net)}",
        layer=top.number,
        neurons=order,
        because="weights",
    )


def small_weights(facts: Facts) -> Finding | None:
    """Errors that small weights, more than gates, make vanish on their way back.

    Small weights of the last layer alone do no harm.
    """
    if len(facts.layers) == 1:
        return None
    gates, weights, ratio = _losses(facts)
    small = [layer for layer in facts.layers if layer.gain < SMALL_GAIN]
    is_lost = ratio < VANISHED and weights < gates
    if not is_lost and len(small) <= len(facts.layers) / 2:
        return None
    least = min(facts.layers, key=lambda layer: layer.gain)
    order = np.argsort(least.factors["weight"], kind="stable")
    return Finding(
        "small_weights",
        f"RMS(W) √n_in is {least.gain:.3g} in layer {least.number}, and 1 keeps the size of z and "
        "of errors: little error arrives from above, and little activation from below",
        "forward, BP2",
        {"RMS(W) √n_in": least.gain, "‖δ^2‖ / ‖δ^L‖": ratio},
        f"start with larger weights: {start_for(facts.net)}",
        layer=least.number,
        neurons=order,
        because="weights",
    )


def vanishing_gradient(facts: Facts) -> Finding | None:
    """Each layer passes a part of the error, so the first learns at a hundredth of the speed."""
    gates, _, ratio = _losses(facts)
    if not ratio < VANISHED:  # also where errors are out of range
        return None
    norms = _norms(facts)
    evidence = {f"‖δ^{layer.number}‖": n for layer, n in zip(facts.layers, norms, strict=True)}
    first = facts.layers[0]
    return Finding(
        "vanishing_gradient",
        f"the error of layer 2 is {ratio:.2g} of that of the last layer: "
        f"{len(norms) - 1} times in turn it is multiplied by W and σ', in all {gates:.2g} by σ'",
        "BP2",
        evidence,
        "use hidden='relu' with init='he', or fewer layers",
        layer=first.number,
        neurons=np.argsort(first.factors["arrives"], kind="stable"),
    )


def _norms(facts: Facts) -> list[float]:
    """‖δ^l‖ of each layer: the root of the mean over the examples of Σ_j δ_j²."""
    batch = facts.batch
    return [float(batch.rms(norm(layer.delta, axis=1))) for layer in facts.layers]


def _losses(facts: Facts) -> tuple[float, float, float]:
    """What gates and weights multiply the error by, from the last layer to the first, and both."""
    norms = _norms(facts)
    if len(norms) < 2 or not norms[-1] > 0:
        return 1.0, 1.0, 1.0
    gates, weights = 1.0, 1.0
    for k, layer in enumerate(facts.layers[:-1]):
        arrived = float(facts.batch.rms(norm(layer.arrived, axis=1)))
        gates *= norms[k] / arrived if arrived else 0.0
        weights *= arrived / norms[k + 1] if norms[k + 1] else 0.0
    return gates, weights, norms[0] / norms[-1]
