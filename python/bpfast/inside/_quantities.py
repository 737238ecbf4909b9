"""The quantities of which a gradient is made, by formulas in NumPy.

Each function is the one place in Python where its quantity is computed. Records of steps compute
saturation and norms in Rust: src/train/monitor/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast._activations import top_slope
from bpfast._derivatives.curvature import spectrum
from bpfast.inside._causes.limits import CLOSED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._typing import FloatArray
    from bpfast.inside._batch import Batch

# Costs and outputs for which σ' cancels a factor of ∇_a C: there δ^L is what arrives, and the gate
# is 1 (Nielsen, ch. 3). Poisson over sigmoid has δ = (a - y) (1 - a), so that 1 - a stays.
CANCELLING = {
    ("cross_entropy", "sigmoid"), ("cross_entropy", "softmax"), ("log_likelihood", "softmax"),
    ("poisson", "softmax"), ("poisson", "softplus"),
}  # fmt: skip
# The largest eigenvalue is needed to a few percent: the fewest and the most iterations.
EIGENVALUE_TOLERANCE, ITERATIONS = 0.002, (8, 30)


def biases_of(net: Network) -> list[FloatArray]:
    """b^l of the layers 2, …, L as copies, with zeros for a layer without biases."""
    found: list[Any] = list(net.biases)
    return [
        np.zeros(size, net.dtype) if b is None else np.array(b)
        for b, size in zip(found, net.sizes[1:], strict=True)
    ]


def gate(activation: str, z: FloatArray) -> FloatArray:
    """σ'(z) of a hidden activation, or of an output activation other than softmax.

    BP2 with δ and weights of 1.
    """
    delta, weights = np.ones((len(z), 1)), np.ones((1, z.shape[1]))
    name: Any = activation
    return bpfast.bp2(delta, weights, z, activation=name)


def is_closed(gates: FloatArray, top_gate: float) -> NDArray[np.bool_]:
    """Whether each gate is below a tenth of `top_gate`, its largest value."""
    return gates < CLOSED * top_gate


def closed_share(gates: FloatArray, top_gate: float, weight: FloatArray) -> float:
    """The part of the gates (n, n_l) that are closed; `weight` is s_x / Σ s_x of each example.

    src/train/monitor/examples.rs counts those of a mini-batch, with |s_x| / Σ |s_x|.
    """
    return float(weight @ is_closed(gates, top_gate).mean(axis=1))


def is_cancelled(cost: Any, output: str) -> bool:
    """Whether δ^L has no factor σ': by CANCELLING, or by a cost that takes z^L."""
    if callable(cost):
        return bool(getattr(cost, "takes_z", False))
    return (cost, output) in CANCELLING


def output_factors(
    batch: Batch, z: FloatArray, a: FloatArray, delta: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """What arrives at the outputs and their gates, whose product is δ^L, and the largest gate.

    ∇_a C and σ'; δ^L itself and 1 where σ' cancels; and for softmax a (1 - a) as the gates, the
    diagonal of its derivative.
    """
    cost, output = batch.net.config["cost"], batch.net.config["output"]
    if is_cancelled(cost, output):
        return delta, np.ones_like(delta), 1.0
    if (cost, output) == ("poisson", "sigmoid"):
        gates = 1 / (1 + np.exp(np.minimum(z, 700)))  # 1 - a, with all digits
        y = batch.targets
        assert y is not None  # noqa: S101 - the cost is not a callable
        return a - y, gates, 1.0
    slopes: FloatArray = a * (1 - a) if output == "softmax" else gate(output, z)
    return cost_gradient(cost, a, batch.y), slopes, top_slope(output)


def cost_gradient(cost: Any, a: FloatArray, y: NDArray[Any]) -> FloatArray:
    """∇_a C of each example, without 1/n; for costs that σ' does not cancel. BP1 with σ' = 1."""
    if callable(cost):
        return np.asarray(cost(a, y)[1], dtype=np.float64)
    return np.asarray(bpfast.bp1(a, y, output="identity", cost=cost, reduction="sum"))


def arriving(weights: FloatArray, delta: FloatArray) -> FloatArray:
    """Σ_j w_jk δ_j, what arrives at each neuron of the layer below: δ^(l+1) W^(l+1)."""
    product: FloatArray = delta @ weights
    return product


def largest_ggn_eigenvalue(batch: Batch) -> float:
    """The largest eigenvalue of the Gauss-Newton matrix of C.

    NaN for a callable cost, whose second derivatives are unknown.
    """
    net = batch.net
    if callable(net.config["cost"]):
        return np.nan
    trace, out = net.trace(batch.x), bpfast.Gradient(net)

    def product(v: NDArray[np.float64]) -> NDArray[np.float64]:
        net.ggn_vp(trace, batch.y, v, sample_weight=batch.weight, out=out)
        return out.flat.astype(np.float64)  # a copy

    found = spectrum.largest_eigenvalue(
        product, net.params.size, tolerance=EIGENVALUE_TOLERANCE, iterations=ITERATIONS
    )
    return max(found, 0.0)
