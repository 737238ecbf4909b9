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
# The largest eigenvalue is needed to a few percent: it stops when an iteration adds less.
EIGENVALUE_TOLERANCE = 0.01
MIN_ITERATIONS, MAX_ITERATIONS = 8, 30


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


class GaussNewton:
    """Products of the Gauss–Newton matrix of C with flat vectors.

    G = Σ_x s_x J_xᵀ H_x J_x / Σ s_x, with J = ∂z^L/∂θ and H = ∂²C_x/∂z². It is the Hessian of C
    without the second derivatives of z, is never negative for a convex cost, and has no trouble at
    the kinks of relu.
    """

    def __init__(self, batch: Batch) -> None:
        net = batch.net
        trace = net.trace(batch.x)
        self._batch, self._a = batch, list(trace.a)
        self._z_last = np.array(trace.z[-1])
        names = activation_names(net)
        self._gates = [gate(names[k], trace.z[k]) for k in range(len(names) - 1)]
        self._direction = net.copy()  # its views split a flat vector
        self._product = bpfast.Gradient(net)

    def __call__(self, v: Floats) -> Floats:
        """G v."""
        batch, net = self._batch, self._batch.net
        self._direction.params = v
        turned = batch.weight[:, np.newaxis] * output_curvature(
            batch, self._z_last, self._forward()
        )
        for k in reversed(range(len(self._a) - 1)):
            self._product.weights[k] = turned.T @ self._a[k]
            self._product.biases[k] = turned.sum(axis=0)
            if k:
                turned = arriving(net.weights[k], turned) * self._gates[k - 1]
        return np.array(self._product.flat)

    def _forward(self) -> Floats:
        """J v: the change of z^L by that of the parameters."""
        net, direction = self._batch.net, self._direction
        moved: Floats = self._a[0] @ direction.weights[0].T + direction.biases[0]
        for k in range(1, len(self._a) - 1):
            moved = (moved * self._gates[k - 1]) @ net.weights[k].T
            moved += self._a[k] @ direction.weights[k].T + direction.biases[k]
        return moved


def largest_eigenvalue(batch: Batch, seed: int = 0) -> float:
    """The largest eigenvalue of the Gauss–Newton matrix of C, by Lanczos's method.

    Only three vectors are kept. Rounding then adds copies of eigenvalues that have been found, and
    leaves the largest one as it is.
    """
    multiply = GaussNewton(batch)
    v: Floats = np.random.default_rng(seed).standard_normal(batch.net.params.size)
    v /= np.linalg.norm(v)
    before = np.zeros_like(v)
    diagonal: list[float] = []
    beside: list[float] = []
    largest = 0.0
    for k in range(min(MAX_ITERATIONS, v.size)):
        product = multiply(v)
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
