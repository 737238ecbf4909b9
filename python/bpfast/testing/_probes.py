"""The derivatives that `check_gradients` compares, and their tolerances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._blas import prepare_blas
from bpfast._derivatives.forward_from import network_from
from bpfast._validation.arrays import sparse as _sparse
from bpfast.testing import _differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from bpfast import Network

    # A derivative to check: its name, the cost along it, its value by backprop, and its scale.
    Probe = tuple[str, Callable[[float], float], float, float]

# The tolerances. The allowed error of a derivative is the sum of three terms: TOLERANCE times its
# scale, the largest Σ_x |δ_x| |a_x| of its array (absolute values, because terms may cancel);
# _FLOOR roundings of the network's largest δ and of a^L (a small δ still has the rounding of a - y
# and of 1 - a²); and the rounding of the difference. Differences are accurate to about 1e-10 of the
# scale; the rest allows for chains of roundings, 6e-8 each in float32. In 3,000 random networks,
# half in each dtype, with 2 to 6 layers of up to 64 neurons, every activation and cost, also
# saturated and trained, the largest error was 0.8 of the tolerance, and below 0.01 in half of them.
# In 8 others the gradient overflowed float32.
TOLERANCE = {"float64": 1e-8, "float32": 1e-4}
_FLOOR = 64
# The number of roundings in a float64 cost, relative to Σ |s_x C_x| and to z^L.
_ROUNDINGS = 4


class Probes:
    """Derivatives by backpropagation, each with its scale and the cost to compare with."""

    def __init__(
        self, net: Network, x: ArrayLike, y: ArrayLike, options: dict[str, Any], rtol: float | None
    ) -> None:
        prepare_blas()
        self.options = options
        self.rtol = TOLERANCE[str(net.dtype)] if rtol is None else rtol
        self.gradient = net.backprop(x, y, **options)
        self.errors = net.errors(x, y, **options)
        self.exact = net.astype(np.float64)
        # The network converts x, and y unless they are labels, to its dtype; the copy gets the
        # same.
        given: Any = x
        is_sparse = _sparse.is_sparse(given)
        dense = _sparse.as_dense(given, net.dtype) if is_sparse else np.asarray(given, net.dtype)
        self.x = dense.astype(np.float64)
        y = np.asarray(y)
        custom = callable(net.config["cost"])
        self.y = y if custom or y.ndim == 1 else y.astype(net.dtype).astype(np.float64)
        self.trace = self.exact.trace(self.x)
        start = self.cost()
        if not np.isfinite([start, *(np.abs(v).max() for v in (self.x, *self.trace.z))]).all():
            raise ValueError(f"x, y: expected finite z and a finite cost, got the cost {start}")

        weights = options["sample_weight"]
        share = np.ones(len(self.x)) if weights is None else np.abs(np.asarray(weights, float))
        divisor = float(share.sum()) if options["reduction"] == "mean" else 1.0
        most = float(share.max()) / divisor
        last_z, last_a = (most * float(np.abs(v[-1]).max()) for v in (self.trace.z, self.trace.a))
        # Costs of both signs cancel in C, and their roundings do not.
        costs = self.exact.cost(self.x, self.y, sample_weight=weights, reduction="none")
        size_of_cost = float(np.abs(costs).sum()) / divisor
        self.rounding = _ROUNDINGS * float(np.finfo(float).eps) * (size_of_cost + last_z)
        size = [np.where(np.isfinite(d), np.abs(d), 0).astype(float) for d in self.errors]
        top = last_a + max(float(d.max()) for d in size)
        floor = _FLOOR * float(np.finfo(net.dtype).eps) / self.rtol * top
        self.size = [d + floor for d in size]
        self.scales = [d.T @ np.abs(a) for d, a in zip(self.size, self.trace.a, strict=False)]
        self.scales += [d.sum(axis=0) for d in self.size]

    def cost(self) -> float:
        return float(self.exact.cost(self.x, self.y, **self.options))

    def directions(self, most: int, rng: np.random.Generator) -> Iterator[Probe]:
        """Derivatives of C along random directions through all parameters."""
        theta = self.exact.params.copy()
        scale = math.hypot(*(_core.norm(scale.reshape(-1)) for scale in self.scales))
        for k in range(most):
            v = rng.standard_normal(theta.size)

            def along(h: float, v: NDArray[Any] = v) -> float:
                self.exact.params = theta + h * v
                cost = self.cost()
                self.exact.params = theta
                return cost

            yield f"direction {k}", along, float(self.gradient.flat.astype(float) @ v), scale

    def parameters(self, most: int, rng: np.random.Generator) -> Iterator[Probe]:
        """Derivatives of C with respect to single weights and biases."""
        every: list[Any] = [*self.exact.weights, *self.exact.biases]
        layers = range(len(self.errors))
        named = [f"weights[{k}]" for k in layers] + [f"biases[{k}]" for k in layers]
        present = [k for k, array in enumerate(every) if array is not None]
        every_derivative = [*self.gradient.weights, *self.gradient.biases]
        arrays, names = [every[k] for k in present], [named[k] for k in present]
        derivatives = [every_derivative[k] for k in present]
        for k, index in _round_robin(arrays, most, rng):
            name = f"{names[k]}[{', '.join(map(str, index))}]"
            along = _differences.perturb(arrays[k], index, self.cost)
            yield name, along, float(derivatives[k][index]), float(self.scales[k].max())

    def weighted_inputs(self, most: int, rng: np.random.Generator) -> Iterator[Probe]:
        """Derivatives of C with respect to single z^l_j of one example."""
        tails = [self.tail(k) for k in range(len(self.errors) if most else 0)]
        for k, index in _round_robin(self.errors, most, rng):
            name = f"z of layer {k + 2}, neuron {index[1]}, example {index[0]}"
            along = _differences.perturb(self.trace.z[k], index, tails[k])
            yield name, along, float(self.errors[k][index]), float(self.size[k].max())

    def tail(self, k: int) -> Callable[[], float]:
        """C as a function of z[k]."""
        z, rest = self.trace.z[k], network_from(self.exact, k + 2)
        return lambda: rest.cost(z, self.y, **self.options)


def _round_robin(
    arrays: list[NDArray[Any]], most: int, rng: np.random.Generator
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Draw at most `most` different indices, one of each array in turn."""
    orders = [rng.permutation(array.size)[:most] for array in arrays]
    turns = sorted((turn, k) for k, order in enumerate(orders) for turn in range(len(order)))
    for turn, k in turns[:most]:
        yield k, tuple(int(i) for i in np.unravel_index(orders[k][turn], arrays[k].shape))
