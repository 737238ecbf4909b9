"""The factors of each neuron as the rows of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._activations import SATURATING
from bpfast.inside._factors import FACTORS, GRADIENT_FACTORS
from bpfast.inside._scaled import norm, scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast.inside._batch import Batch
    from bpfast.inside._factors import LayerFactors

# A factor is small if it is below this part of the median of its layer.
SMALL_FACTOR = 0.5
# The number of examples of a row.
MAX_EXAMPLES = 5


@dataclass(frozen=True, eq=False)
class NeuronFactors:
    r"""The factors of the gradient of one neuron; all means are over the examples.

    Attributes
    ----------
    layer, neuron : int
        The layer in the book's numbering, 2 to L; the neuron, counted from 0.
    arrives : float
        The RMS of what arrives: Σ_k w_kj δ_k of the layer above, ∇_a C in the last layer. Where σ'
        cancels a factor of ∇_a C, as sigmoid with cross_entropy, it is the RMS of δ.
    gate : float
        RMS(δ) / RMS(what arrives): σ', weighted by the squares of what arrives. 1 where it cancels.
    inputs : float
        The RMS of the neuron's inputs, weighted by the squares of δ.
    cancellation : float
        \|mean\| / RMS of the gradients of the examples, from 0 (they cancel) to 1 (they agree).
    gradient : float
        The product of these four: the RMS of ∂C/∂w over the neuron's weights.
    mean_gate : float
        The mean of σ'.
    output : float
        The RMS of the neuron's activation. Weights from a quiet neuron learn slowly.
    weight : float
        The RMS of the neuron's weights.
    step : float
        The length of the next step of its weights and bias, relative to theirs, or of a first step
        without momentum where the next one overshoots by its momentum; NaN without an
        optimizer, and if the gradient is out of the range of the network's dtype.
    smallest : str
        The factor of the gradient that is smallest relative to the median of the layer, if it is
        below half of it: "arrives", "gate", "inputs" or "cancellation"; or else "step", if that is;
        or "".
    relative : float
        That factor relative to the median; the smallest one if ``smallest`` is "".
    words : str
        What it means, with its equation, or "".
    examples : ndarray of int64
        The rows of x that show it best.
    """

    layer: int
    neuron: int
    arrives: float
    gate: float
    inputs: float
    cancellation: float
    gradient: float
    mean_gate: float
    output: float
    weight: float
    step: float
    smallest: str
    relative: float
    words: str
    examples: NDArray[np.int64]


COLUMNS = tuple(name for name in NeuronFactors.__dataclass_fields__ if name != "examples")
NUMBERS = COLUMNS[2:11]


def neuron_rows(batch: Batch, layers: list[LayerFactors]) -> list[NeuronFactors]:
    """One row for each neuron of the layers 2 to L."""
    rows = []
    for layer in layers:
        medians = {name: float(np.median(layer.factors[name])) for name in FACTORS}
        columns = {name: layer.factors[name] for name in NUMBERS}
        for j in range(len(layer.biases)):
            ratios = {name: _ratio(layer.factors[name][j], medians[name]) for name in FACTORS}
            name = "gate" if _is_off(layer, j) else min(GRADIENT_FACTORS, key=ratios.__getitem__)
            if ratios[name] >= SMALL_FACTOR and not _is_off(layer, j):
                name = min(name, "step", key=ratios.__getitem__)
            smallest = name if ratios[name] < SMALL_FACTOR or _is_off(layer, j) else ""
            rows.append(
                NeuronFactors(
                    layer=layer.number,
                    neuron=j,
                    **{key: float(column[j]) for key, column in columns.items()},
                    smallest=smallest,
                    relative=ratios[smallest or name],
                    words=_words(layer, j, smallest, len(layers) + 1),
                    examples=_examples(batch, layer, j, smallest),
                )
            )
    return rows


def _ratio(value: float, median: float) -> float:
    is_known = median > 0 and value != median  # both may be infinite
    return float(value) / float(median) if is_known else 1.0  # inf without a warning of NumPy


def _is_off(layer: LayerFactors, j: int) -> bool:
    """Whether no example passes the gate."""
    return not layer.gates[:, j].any()


def _words(layer: LayerFactors, j: int, name: str, last: int) -> str:
    equation = "BP1" if layer.number == last else "BP2"
    if name == "gate":
        what = "dead" if _is_off(layer, j) else "saturated"
        if not _is_off(layer, j) and layer.activation not in (*SATURATING, "softmax"):
            what = "mostly off"
        return f"{what}: {equation}"
    return {
        "arrives": f"little error from above: {equation}"
        if layer.number < last
        else f"little error: {equation}",
        "inputs": "quiet inputs: BP4",
        "cancellation": "examples cancel: BP3, BP4",
        "step": "small step",
    }.get(name, "")


def _examples(batch: Batch, layer: LayerFactors, j: int, name: str) -> NDArray[np.int64]:
    """The examples in which the factor does most harm, the worst first."""
    if not name:
        return np.empty(0, dtype=np.int64)
    arrived, delta = np.abs(layer.arrived[:, j]), np.abs(layer.delta[:, j])
    norms = norm(layer.a_in, axis=1)
    # Only their order counts.
    delta, norms = delta / scale_of(delta), norms / scale_of(norms)
    scores: Any = {
        "arrives": -arrived,
        "gate": arrived * (layer.top_gate - np.minimum(np.abs(layer.gates[:, j]), layer.top_gate)),
        "inputs": delta / np.where(norms > 0, norms, np.inf),
        "cancellation": delta * norms,
        "step": delta * norms,
    }[name]
    worst: NDArray[np.int64] = batch.rows[np.argsort(-scores, kind="stable")[:MAX_EXAMPLES]]
    return worst


NeuronFactors.__module__ = "bpfast.inside"  # the public module
