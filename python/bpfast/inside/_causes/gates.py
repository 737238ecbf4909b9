"""Causes in the gates σ': neurons that are saturated or off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpfast._activations import ONE_SIDED, SATURATING, base_name
from bpfast.inside import _quantities as quantities
from bpfast.inside._causes.limits import (
    CLOSED_SHARE,
    CLOSED_SHARE_OF_LARGE_WEIGHTS,
    DEAD_SHARE,
    HARD_CLOSED_SHARE,
    HARD_CLOSED_SHARE_OF_LARGE_WEIGHTS,
    LARGE_GAIN,
    OFF,
)
from bpfast.inside._finding import Finding
from bpfast.inside._scaled import rms, scale_of
from bpfast.inside._start import relative_gain, start_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast.inside._factors import LayerFactors
    from bpfast.inside._facts import Facts


def dead_neurons(facts: Facts) -> Finding | None:
    """Neurons that are off for every example have a gradient of 0, and stay off."""
    worst: tuple[float, LayerFactors, NDArray[np.int64]] | None = None
    for layer in facts.layers:
        if base_name(layer.activation) not in ONE_SIDED or layer.cancels:
            continue
        limit = OFF if layer.activation != "relu" else 0.0
        off = np.flatnonzero(np.abs(layer.gates).max(axis=0) <= limit)
        share = off.size / len(layer.biases)
        if share > DEAD_SHARE and (worst is None or share > worst[0]):
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

    A quarter is enough if the weights are far too large as well. Of hard_sigmoid, whose other gates
    pass all of it, more than 80 %, or 70 %.
    """
    worst: tuple[float, LayerFactors] | None = None
    for layer in facts.layers[:-1]:
        if layer.activation not in SATURATING:
            continue
        share = quantities.closed_share(layer.gates, layer.top_gate, facts.batch.weight)
        if share > _most_closed(facts, layer) and (worst is None or share > worst[0]):
            worst = share, layer
    if worst is None:
        return None
    share, layer = worst
    because = "biases" if layer.from_biases > layer.from_inputs else "weights"
    is_by_biases = because == "biases"
    start = "biases of 0" if is_by_biases else f"smaller weights: {start_for(facts.net)}"
    closed = quantities.is_closed(layer.gates, layer.top_gate)
    order = np.argsort(layer.factors["mean_gate"], kind="stable")
    stuck = np.abs(layer.arrived) * closed
    return Finding(
        "saturated_hidden",
        f"at {share:.0%} of the neurons and examples σ' is below a tenth of its maximum, because "
        f"of the {because}, so gradients are small",
        "BP2",
        {
            "mean of σ'": float(layer.gates.mean()),
            "RMS of z": float(rms(layer.z)),
            "from weights and inputs": layer.from_inputs,
            "from biases": layer.from_biases,
        }
        | ({} if is_by_biases else {"RMS(W) √n_in": layer.gain}),
        f"start with {start}{_by_training(facts)}",
        layer=layer.number,
        neurons=order[closed[:, order].mean(axis=0) > CLOSED_SHARE_OF_LARGE_WEIGHTS],
        examples=np.argsort(-stuck.sum(axis=1), kind="stable")[:5],
        because=because,
    )


def _most_closed(facts: Facts, layer: LayerFactors) -> float:
    """The share of closed gates up to which a layer learns."""
    is_large = relative_gain(facts.net, layer) > LARGE_GAIN
    if layer.activation == "hard_sigmoid":
        return HARD_CLOSED_SHARE_OF_LARGE_WEIGHTS if is_large else HARD_CLOSED_SHARE
    return CLOSED_SHARE_OF_LARGE_WEIGHTS if is_large else CLOSED_SHARE


def saturated_output(facts: Facts) -> Finding | None:
    """More than half of the squared error is where the output's gate passes a tenth of it.

    Of all outputs together, or of some that have at least an average part of the squared error.
    With sigmoid and cross_entropy, or softmax and log_likelihood, σ' cancels.
    """
    layer = facts.layers[-1]
    if layer.cancels or layer.activation not in (*SATURATING, "softmax"):
        return None
    closed = quantities.is_closed(layer.gates, layer.top_gate)
    squares = np.square(layer.arrived / scale_of(layer.arrived)) * facts.batch.weight[:, np.newaxis]
    total, each, stuck = squares.sum(), squares.sum(axis=0), (squares * closed).sum(axis=0)
    if not total:
        return None
    share = float(stuck.sum() / total)
    # At least the average, up to rounding.
    outputs = (stuck > CLOSED_SHARE * each) & (each * len(each) > 0.99 * total)
    if share > CLOSED_SHARE:
        outputs = stuck > 0
    elif not outputs.any():
        return None
    from_biases = rms(layer.biases[outputs])
    from_inputs = rms((layer.z - layer.biases)[:, outputs])
    because = "biases" if from_biases > from_inputs else "weights"
    order = np.argsort(-stuck, kind="stable")
    cost = {"sigmoid": "cost='cross_entropy'", "softmax": "cost='log_likelihood'"}
    where = f"{share:.0%} of the squared error is at outputs whose σ' is"
    if share <= CLOSED_SHARE:
        part = float(stuck[outputs].sum() / each[outputs].sum())
        where = (
            f"at {int(outputs.sum())} of the {len(each)} outputs, {part:.0%} of the squared error "
            "is where σ' is"
        )
    return Finding(
        "saturated_output",
        f"{where} below a tenth of its maximum: the more they are wrong, the less they learn",
        "BP1",
        {
            "share of the squared error": share,
            "gate": float(np.median(layer.factors["gate"][outputs])),
            "RMS of z": float(rms(layer.z[:, outputs])),
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
    return "; or lower the learning rate, if training caused this" if has_steps else ""
