"""The factors of a gradient, for each neuron.

The root mean square of ∂C/∂w_jk over the inputs k of neuron j is the product of four factors:

    arrives · gate · inputs · cancellation

With e_x = Σ_k w_kj δ_xk of the layer above (∇_a C in the last layer), δ_x = e_x σ'(z_xj), and all
means over the examples:

    arrives       RMS(e)
    gate          RMS(δ) / RMS(e)                  σ', weighted by the squares of e
    inputs        RMS(δ ‖a‖) / (RMS(δ) √n_in)      RMS of a, weighted by the squares of δ
    cancellation  ‖mean(δ a)‖ / RMS(δ ‖a‖)         1 if all examples agree
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._activations import activation_names, top_slope
from bpfast.inside import _quantities as quantities
from bpfast.inside._scaled import norm, rms, scale_of

if TYPE_CHECKING:
    from bpfast._typing import FloatArray
    from bpfast.inside._batch import Batch

# The factors of a gradient, in the order of the product, and of the step.
GRADIENT_FACTORS = ("arrives", "gate", "inputs", "cancellation")
FACTORS = (*GRADIENT_FACTORS, "step")


@dataclass(frozen=True, kw_only=True)
class LayerFactors:
    """What the examples do in one layer.

    Attributes
    ----------
    number : int
        The layer in the book's numbering, 2 to L.
    activation : str
        The name of σ.
    weights, biases : ndarray
        W^l and b^l.
    a_in, z, a : ndarray, (n, n_(l-1)) and (n, n_l)
        The layer's inputs, weighted inputs and activations.
    arrived, gates, delta : ndarray, (n, n_l)
        e, σ'(z) and δ = ∂C_x/∂z of each example. Where σ' cancels a factor of ∇_a C, as sigmoid
        with cross_entropy, e is δ and the gates are 1; of poisson over sigmoid, the gates are
        1 - a. Gates of softmax outputs are a (1 - a).
    top_gate : float
        The largest value that a gate can have.
    factors : dict of str to ndarray, (n_l,)
        The four factors, and for each neuron: ``mean_gate``, the mean of σ'; ``output``, the RMS of
        its activation; ``gradient``, the product of the four; ``weight``, the RMS of its weights;
        and ``step``, the length of the next step of its weights and bias, relative to theirs.
    """

    number: int
    activation: str
    weights: FloatArray
    biases: FloatArray
    a_in: FloatArray
    z: FloatArray
    a: FloatArray
    arrived: FloatArray
    gates: FloatArray
    delta: FloatArray
    top_gate: float
    factors: dict[str, FloatArray]

    @property
    def cancels(self) -> bool:
        """Whether σ' cancels in δ, so that the gates are 1 by definition."""
        return self.delta is self.arrived

    @property
    def from_inputs(self) -> float:
        """The RMS of a W^T, the part of z that inputs and weights make."""
        return float(rms(self.z - self.biases))

    @property
    def from_biases(self) -> float:
        """The RMS of b."""
        return float(rms(self.biases))

    @property
    def gain(self) -> float:
        """RMS(W) √n_in: about what the layer multiplies the size of its inputs by."""
        n_in = self.weights.shape[1]
        return float(rms(self.weights) * np.sqrt(n_in))


def layers_of(batch: Batch, step: FloatArray | None) -> list[LayerFactors]:
    """The layers 2 to L; `step` is the change of the flat parameters by the next step."""
    net = batch.net
    trace = net.trace(batch.x)
    activations, names = list(trace.a), activation_names(net)
    deltas = [np.asarray(d) for d in net.errors(batch.x, batch.y, reduction="sum")]
    weights = [np.array(w) for w in net.weights]
    biases = quantities.biases_of(net)
    steps = _by_neuron(batch, step)
    layers = []
    for k, delta in enumerate(deltas):
        arrived, gates, top_gate = _arrived_and_gates(batch, trace, deltas, k)
        factors = _factors(batch, arrived, delta, activations[k], activations[k + 1])
        size = _with_biases(weights[k], biases[k])
        factors["weight"] = rms(weights[k], axis=1)
        factors["step"] = _ratio(steps[k], size) if steps else np.full(len(size), np.nan)
        factors["mean_gate"] = batch.mean(gates)
        layer = LayerFactors(
            number=k + 2,
            activation=names[k],
            weights=weights[k],
            biases=biases[k],
            a_in=activations[k],
            z=trace.z[k],
            a=activations[k + 1],
            arrived=arrived,
            gates=gates,
            delta=delta,
            top_gate=top_gate,
            factors=factors,
        )
        layers.append(layer)
    return layers


def _arrived_and_gates(
    batch: Batch, trace: Any, deltas: list[FloatArray], k: int
) -> tuple[FloatArray, FloatArray, float]:
    """What arrives, e, and σ' of the layer k + 2. The same array as δ for e where σ' cancels."""
    net = batch.net
    z, a = trace.z[k], trace.a[k + 1]
    if k == len(deltas) - 1:
        return quantities.output_factors(batch, z, a, deltas[k])
    name = activation_names(net)[k]
    arrived = quantities.arriving(net.weights[k + 1], deltas[k + 1])
    return arrived, quantities.gate(name, z), top_slope(name)


def _factors(
    batch: Batch, arrived: FloatArray, delta: FloatArray, a_in: FloatArray, a: FloatArray
) -> dict[str, FloatArray]:
    """The four factors, their product, and the RMS of each neuron's output."""
    n_in = a_in.shape[1]
    arrives = batch.rms(arrived)
    # Their products may be out of range where the factors are not.
    of_delta, of_inputs = scale_of(delta, axis=0), scale_of(a_in)
    d, inputs = delta / of_delta, a_in / of_inputs
    error = batch.rms(d)
    each = np.sqrt(batch.mean(np.square(d) * np.square(inputs).sum(1)[:, np.newaxis]))
    mean = np.linalg.norm((d * batch.weight[:, np.newaxis]).T @ inputs, axis=1)
    return {
        "arrives": arrives,
        "gate": _ratio(error * of_delta, arrives),
        "inputs": _ratio(each, error) / np.sqrt(n_in) * of_inputs,
        "cancellation": _ratio(mean, each),
        "gradient": mean / np.sqrt(n_in) * of_delta * of_inputs,
        "output": batch.rms(a),
    }


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """The quotient, and 0 where both are 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _with_biases(weights: FloatArray, biases: FloatArray) -> FloatArray:
    """The norm of the weights and the bias of each neuron."""
    length: FloatArray = norm(np.column_stack([weights, biases]), axis=1)
    return length


def _by_neuron(batch: Batch, step: FloatArray | None) -> list[FloatArray]:
    """The length of a step of each neuron's weights and bias, by layer."""
    if step is None:
        return []
    before = np.array(batch.net.params)
    batch.net.params = step  # the views of a network split a flat vector
    parts = [
        _with_biases(w, b)
        for w, b in zip(batch.net.weights, quantities.biases_of(batch.net), strict=True)
    ]
    batch.net.params = before
    return parts
