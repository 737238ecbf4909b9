"""Causes in the parameters and activations: what the gates and weights do to errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._activations import base_name
from bpfast.inside._causes.limits import (
    CLOSED,
    DEAD,
    DISTINCT,
    EXPLODED,
    LARGE_GAIN,
    MANY_GATES,
    MOST_GATES,
    OFF,
    SMALL_GAIN,
    VANISHED,
)
from bpfast.inside._finding import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast.inside._factors import Layer
    from bpfast.inside._facts import Facts

    Floats = NDArray[np.floating[Any]]

SATURATING = ("sigmoid", "tanh", "hard_sigmoid")
# Off below 0: such a neuron can be off for every example.
ONE_SIDED = (
    "relu", "elu", "selu", "gelu", "gelu_tanh", "silu", "mish", "softplus", "hard_swish",
)  # fmt: skip


def symmetric_neurons(facts: Facts) -> Finding | None:
    """Neurons with equal weights in and out have equal gradients, and stay equal."""
    for layer, above in zip(facts.layers, facts.layers[1:], strict=False):
        alike = np.hstack([layer.weights, layer.biases[:, np.newaxis], above.weights.T])
        count = len(alike)
        distinct = len(np.unique(alike, axis=0))
        if count > 1 and distinct <= DISTINCT * count:
            zero = not alike.any()
            return Finding(
                "symmetric_neurons",
                f"{count} neurons have {distinct} different sets of weights"
                + (", all zero: no error reaches them" if zero else "")
                + "; equal neurons have equal gradients and stay equal",
                "BP2",
                {"neurons": float(count), "different ones": float(distinct)},
                "start from random weights: init='xavier', or 'he' with relu",
                layer=layer.number,
                neurons=np.arange(count),
            )
    return None


def dead_neurons(facts: Facts) -> Finding | None:
    """Neurons that are off for every example have a gradient of 0, and stay off."""
    worst: tuple[float, Layer, NDArray[np.int64]] | None = None
    for layer in facts.layers:
        if base_name(layer.activation) not in ONE_SIDED or layer.cancels:
            continue
        limit = OFF if layer.activation != "relu" else 0.0
        off = np.flatnonzero(np.abs(layer.gates).max(axis=0) <= limit)
        share = off.size / len(layer.biases)
        if share > DEAD and (worst is None or share > worst[0]):
            worst = share, layer, off
    if worst is None:
        return None
    share, layer, off = worst
    by_bias = np.mean(layer.biases[off]) < np.mean(layer.z[:, off] - layer.biases[off])
    because = "biases" if by_bias else "weights"
    return Finding(
        "dead_neurons",
        f"{off.size} of {len(layer.biases)} {layer.activation} neurons are off for every example, "
        f"by their {because}: σ' is 0 and no error passes",
        "BP1" if layer.number > len(facts.layers) else "BP2",
        {
            "share of neurons": share,
            "mean of their biases": float(np.mean(layer.biases[off])),
            "mean of their z": float(np.mean(layer.z[:, off])),
        },
        "start anew with init='he' and biases of 0, or use leaky_relu" + _by_training(facts),
        layer=layer.number,
        neurons=off,
        because=because,
    )


def saturated_hidden(facts: Facts) -> Finding | None:
    """More than half of a layer's gates pass less than a tenth of the error.

    A quarter is enough if the weights are far too large as well.
    """
    worst: tuple[float, Layer] | None = None
    for layer in facts.layers[:-1]:
        if layer.activation not in SATURATING:
            continue
        share = float(facts.batch.mean((layer.gates < CLOSED * layer.top_gate).mean(axis=1)))
        most = MANY_GATES if layer.gain > LARGE_GAIN else MOST_GATES
        if share > most and (worst is None or share > worst[0]):
            worst = share, layer
    if worst is None:
        return None
    share, layer = worst
    because = "biases" if layer.from_biases > layer.from_inputs else "weights"
    smaller = (
        "biases of 0" if because == "biases" else "smaller weights: init='xavier' or 'nielsen'"
    )
    closed = layer.gates < CLOSED * layer.top_gate
    order = np.argsort(layer.factors["mean_gate"], kind="stable")
    stuck = np.abs(layer.arrived) * closed
    return Finding(
        "saturated_hidden",
        f"at {share:.0%} of the neurons and examples σ' is below a tenth of its maximum, by the "
        f"{because}: the error stops there",
        "BP2",
        {
            "mean of σ'": float(layer.gates.mean()),
            "RMS of z": float(np.sqrt(np.mean(np.square(layer.z)))),
            "from weights and inputs": layer.from_inputs,
            "from biases": layer.from_biases,
        },
        f"start with {smaller}{_by_training(facts)}",
        layer=layer.number,
        neurons=order[closed[:, order].mean(axis=0) > MANY_GATES],
        examples=np.argsort(-stuck.sum(axis=1), kind="stable")[:5],
        because=because,
    )


def large_weights(facts: Facts) -> Finding | None:
    """Weights that multiply activations, errors and curvature from layer to layer."""
    layers = facts.layers
    top = max(layers, key=lambda layer: layer.gain)
    size = max(1.0, float(np.sqrt(np.mean(np.square(layers[0].a_in)))))
    grown = max(float(np.sqrt(np.mean(np.square(layer.z)))) for layer in layers) / size
    norms = _norms(facts)
    back = norms[0] / norms[-1] if norms[-1] else 0.0
    if top.gain <= LARGE_GAIN and grown <= EXPLODED and back <= EXPLODED:
        return None
    order = np.argsort(-top.factors["weight"], kind="stable")
    return Finding(
        "large_weights",
        f"RMS(W) √n_in is {top.gain:.3g} in layer {top.number}, and 1 keeps the size of z: "
        f"z grows to {grown:.3g} times the size of x, errors to {back:.3g} times",
        "forward, BP2",
        {"RMS(W) √n_in": top.gain, "growth of z": grown, "‖δ^2‖ / ‖δ^L‖": back},
        "start with smaller weights: init='xavier', or 'he' with relu",
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
        "start with larger weights: init='xavier', or 'he' with relu",
        layer=least.number,
        neurons=order,
        because="weights",
    )


def vanishing_gradient(facts: Facts) -> Finding | None:
    """Each layer passes a part of the error, so the first learns at a hundredth of the speed."""
    gates, _, ratio = _losses(facts)
    if ratio >= VANISHED:
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


def saturated_output(facts: Facts) -> Finding | None:
    """More than half of the squared error is where the output's gate passes a tenth of it.

    Of all outputs together, or of some that have at least an average part of the squared error.
    With sigmoid and cross_entropy, or softmax and log_likelihood, σ' cancels.
    """
    layer = facts.layers[-1]
    if layer.cancels or layer.activation not in (*SATURATING, "softmax"):
        return None
    closed = layer.gates < CLOSED * layer.top_gate
    squares = np.square(layer.arrived) * facts.batch.weight[:, np.newaxis]
    total, each, stuck = squares.sum(), squares.sum(axis=0), (squares * closed).sum(axis=0)
    if not total:
        return None
    share = float(stuck.sum() / total)
    # At least the average, up to rounding.
    outputs = (stuck > MOST_GATES * each) & (each * len(each) > 0.99 * total)
    if share > MOST_GATES:
        outputs = stuck > 0
    elif not outputs.any():
        return None
    from_biases = np.sqrt(np.mean(np.square(layer.biases[outputs])))
    from_inputs = np.sqrt(np.mean(np.square((layer.z - layer.biases)[:, outputs])))
    because = "biases" if from_biases > from_inputs else "weights"
    order = np.argsort(-stuck, kind="stable")
    cost = {"sigmoid": "cost='cross_entropy'", "softmax": "cost='log_likelihood'"}
    place = "outputs whose σ' is below a tenth of its maximum: "
    if share <= MOST_GATES:
        part = float(stuck[outputs].sum() / each[outputs].sum())
        place = (
            f"{place[:-2]}, and {part:.0%} of that of {int(outputs.sum())} of the {len(each)} "
            "outputs: "
        )
    return Finding(
        "saturated_output",
        f"{share:.0%} of the squared error is at {place}"
        "the more they are wrong, the less they learn",
        "BP1",
        {
            "share of the squared error": share,
            "gate": float(np.median(layer.factors["gate"][outputs])),
            "RMS of z": float(np.sqrt(np.mean(np.square(layer.z[:, outputs])))),
        },
        cost.get(layer.activation, "start with smaller weights and biases of the last layer")
        + (", for which σ' cancels" if layer.activation in cost else ""),
        layer=layer.number,
        neurons=order[outputs[order]],
        examples=np.argsort(-(squares * closed)[:, outputs].sum(axis=1), kind="stable")[:5],
        because=because,
    )


def _by_training(facts: Facts) -> str:
    """The suggestion for a network whose optimizer has done steps, which may be the cause."""
    has_steps = facts.optimizer is not None and facts.optimizer.steps > 0
    return "; or lower the rate, if it was the training that made them so" if has_steps else ""


def _norms(facts: Facts) -> list[float]:
    """‖δ^l‖ of each layer: the root of the mean over the examples of Σ_j δ_j²."""
    batch = facts.batch
    return [float(np.sqrt(batch.mean(np.square(layer.delta).sum(1)))) for layer in facts.layers]


def _losses(facts: Facts) -> tuple[float, float, float]:
    """What gates and weights multiply the error by, from the last layer to the first, and both."""
    norms = _norms(facts)
    if len(norms) < 2 or not norms[-1] > 0:
        return 1.0, 1.0, 1.0
    gates, weights = 1.0, 1.0
    for k, layer in enumerate(facts.layers[:-1]):
        arrived = float(np.sqrt(facts.batch.mean(np.square(layer.arrived).sum(axis=1))))
        gates *= norms[k] / arrived if arrived else 0.0
        weights *= arrived / norms[k + 1] if norms[k + 1] else 0.0
    return gates, weights, norms[0] / norms[-1]


CAUSES = (
    symmetric_neurons, dead_neurons, saturated_hidden, large_weights, small_weights,
    vanishing_gradient, saturated_output,
)  # fmt: skip
