"""The quantities of which a gradient is made, by formulas in NumPy.

Each function is the one place where its quantity is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast.inside._batch import Batch

    Floats = NDArray[np.floating[Any]]

# Costs whose ∇_a C has a factor that σ' of their outputs cancels: there δ^L is what arrives, and
# the gate is 1 (Nielsen, ch. 3).
CANCELLING = ("cross_entropy", "log_likelihood", "poisson")
# The relative step of a central difference of BP1: its error is of the order of the step's square,
# its rounding of 1e-16 divided by the step.
RELATIVE_STEP = 1e-5
# The largest eigenvalue is needed to a few percent. It stops when an iteration adds less than this;
# with many close eigenvalues the next ones add several times as much.
EIGENVALUE_TOLERANCE = 0.002
MIN_ITERATIONS, MAX_ITERATIONS = 8, 30


def norm(values: Floats) -> float:
    """‖x‖ of float64, also where squares would underflow or overflow."""
    size = float(np.sqrt(np.dot(values, values)))
    if 1e-140 < size < 1e140:
        return size
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(np.linalg.norm(values / largest))


def activation_names(net: Network) -> list[str]:
    """σ of the layers 2, …, L."""
    return [*net.config["hidden"], net.config["output"]]


def gate(activation: str, z: Floats) -> Floats:
    """σ'(z) of a hidden activation, or of an output activation other than softmax.

    BP2 with δ and weights of 1.
    """
    delta, weights = np.ones((len(z), 1)), np.ones((1, z.shape[1]))
    name: Any = activation
    return bpfast.bp2(delta, weights, z, activation=name)


def is_cancelled(cost: Any) -> bool:
    """Whether δ^L has no factor σ': by a cost of CANCELLING, or by one that takes z^L."""
    return bool(getattr(cost, "takes_z", False)) or cost in CANCELLING


def cost_gradient(cost: Any, a: Floats, y: NDArray[Any]) -> Floats:
    """∇_a C of each example, without 1/n; for costs that σ' does not cancel. BP1 with σ' = 1."""
    if callable(cost):
        return np.asarray(cost(a, y)[1], dtype=np.float64)
    return np.asarray(bpfast.bp1(a, y, output="identity", cost=cost, reduction="sum"))


def arriving(weights: Floats, delta: Floats) -> Floats:
    """Σ_j w_jk δ_j, what arrives at each neuron of the layer below: δ^(l+1) W^(l+1)."""
    product: Floats = delta @ weights
    return product


def network_from(net: Network, layer: int) -> Network:
    """A network whose input is z of `layer`: it begins with an identity product.

    The weights of its layers after the first are those of `net`.
    """
    config, k = net.config, layer - 2
    width = net.sizes[layer - 1]
    return bpfast.Network.from_parameters(
        [np.eye(width), *list(net.weights)[k + 1 :]],
        [np.zeros(width), *list(net.biases)[k + 1 :]],
        hidden=config["hidden"][k:],
        output=config["output"],
        cost=config["cost"],
        dtype=net.dtype,
    )


def output_error(batch: Batch, z: Floats) -> Floats:
    """δ^L of each example at another z^L: BP1."""
    config = batch.net.config
    found = bpfast.bp1(z, batch.y, output=config["output"], cost=config["cost"], reduction="sum")
    return np.asarray(found)


def output_curvature(batch: Batch, z: Floats, d: Floats) -> Floats:
    """The product of ∂²C_x/∂z² of the last layer with d_x, of each example.

    A central difference of BP1.
    """
    size = float(np.abs(d).max())
    if size == 0:
        return np.zeros_like(d)
    h = RELATIVE_STEP * max(1.0, float(np.abs(z).max())) / size
    return (output_error(batch, z + h * d) - output_error(batch, z - h * d)) / (2 * h)


def largest_eigenvalue(batch: Batch, seed: int = 0) -> float:
    """The largest eigenvalue of the Gauss–Newton matrix of C, by Lanczos's method.

    Only three vectors are kept. Rounding then adds copies of eigenvalues that have been found, and
    leaves the largest one as it is. NaN for a callable cost, whose second derivatives are unknown.
    """
    net = batch.net
    if callable(net.config["cost"]):
        return np.nan
    trace, out = net.trace(batch.x), bpfast.Gradient(net)
    v: Floats = np.random.default_rng(seed).standard_normal(batch.net.params.size)
    v /= np.linalg.norm(v)
    before = np.zeros_like(v)
    diagonal: list[float] = []
    beside: list[float] = []
    largest = 0.0
    for k in range(min(MAX_ITERATIONS, v.size)):
        net.ggn_vp(trace, batch.y, v, sample_weight=batch.weight, out=out)
        product: Floats = out.flat.copy()
        if k:
            product -= beside[-1] * before
        diagonal.append(float(v @ product))
        product -= diagonal[-1] * v
        tridiagonal = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        if not np.isfinite(tridiagonal).all():
            break
        last, largest = largest, float(np.linalg.eigvalsh(tridiagonal)[-1])
        size = float(np.linalg.norm(product))
        if size <= 1e-12 * max(abs(largest), 1e-300):
            break
        if k >= MIN_ITERATIONS and abs(largest - last) <= EIGENVALUE_TOLERANCE * abs(largest):
            break
        beside.append(size)
        before, v = v, product / size
    return max(largest, 0.0)
