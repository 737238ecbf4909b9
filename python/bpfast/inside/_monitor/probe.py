"""What a monitor measures on its sample of the examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from bpfast import _core
from bpfast._activations import ONE_SIDED, SATURATING, activation_names, base_name, top_slope
from bpfast._core import Gradient
from bpfast.inside import _quantities as quantities
from bpfast.inside._batch import batch_of
from bpfast.inside._causes.limits import OFF
from bpfast.inside._cost_scale import CostScale
from bpfast.inside._scaled import scale_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._typing import FloatArray
    from bpfast.inside._batch import Batch


class Probe:
    """A fixed sample of examples, converted once, and what was measured on it last.

    Three calls for activations, errors and gradient; the rest is norms.
    """

    def __init__(
        self, net: Network, x: NDArray[Any], y: NDArray[Any], weight: Any, curvature: bool
    ) -> None:
        batch = batch_of(net, x, y, weight)  # raises errors that name the argument
        self._batch: Batch | None = batch  # until its scale is known
        self._scale = CostScale(least=0.0, base=np.nan)
        self._x = np.ascontiguousarray(batch.x, dtype=net.dtype)
        self._y = batch.y if batch.y.dtype.kind != "f" else batch.y.astype(net.dtype)
        self._options: dict[str, Any] = {}
        if weight is not None:
            self._options["sample_weight"] = weight[batch.rows]
        self._weight = batch.weight
        self._curvature = curvature
        self._names = activation_names(net)
        self._last_cancels = quantities.is_cancelled(net.config["cost"], net.config["output"])
        self._net, self._sizes = ref(net), net.sizes
        self._gradients = Gradient(net), Gradient(net)  # of this record, and of the last one
        self._last_norm = 0.0
        self._last_params: FloatArray | None = None
        self._has_biases = [b is not None for b in net.biases]
        self._input_squares = _row_squares(self._x)

    @property
    def layers(self) -> int:
        """L."""
        return len(self._sizes)

    def is_of(self, net: Network) -> bool:
        """Whether it was made for this network."""
        return self._net() is net

    @property
    def scale(self) -> CostScale:
        """The least possible cost and that of the best constant answer."""
        if self._batch is not None:
            self._scale, self._batch = CostScale.of(self._batch), None
        return self._scale

    def cost(self, net: Network) -> float:
        """The mean cost of the sample."""
        return float(net.cost(self._x, self._y, **self._options))

    def measure(self, net: Network) -> dict[str, float]:
        """The columns of a record."""
        trace = net.trace(self._x)
        z, a = trace.z, trace.a
        # A callable cost takes the examples.
        known = trace if isinstance(net.config["cost"], str) else self._x
        deltas = net.errors(known, self._y, reduction="sum")
        found, last = self._gradients
        net.backprop(known, self._y, out=found, **self._options)
        # In float64, where the squares of float32 do not underflow.
        gradient, params = found.flat.astype(np.float64), np.array(net.params, dtype=np.float64)
        norm = _core.norm(gradient)
        row = {"cost": found.cost}
        for k, name in enumerate(self._names):
            row[f"saturation_{k + 2}"] = self._saturation(name, z[k], k)
        parts = []  # of the mean of ‖∇C_x‖² = Σ_l ‖δ_x‖² (‖a_x‖² + 1), 1 for the biases
        for k, delta in enumerate(deltas):
            squares, scale = _row_squares(delta)
            row[f"speed_{k + 2}"] = float(np.sqrt(np.dot(self._weight, squares))) * scale
            inputs, of_inputs = _row_squares(a[k]) if k else self._input_squares
            if self._has_biases[k]:
                if of_inputs < 1.0:  # then 1 is the larger summand
                    inputs, of_inputs = inputs * of_inputs * of_inputs, 1.0
                inputs = inputs + 1.0 / of_inputs / of_inputs
            parts.append((float(np.dot(self._weight, squares * inputs)), scale, of_inputs))
        row["gradient_norm"] = norm
        row["update_norm"], row["cosine"] = np.nan, np.nan
        if self._last_params is not None:
            row["update_norm"] = _core.norm(params - self._last_params)
            row["cosine"] = _cosine(gradient, norm, np.asarray(last.flat), self._last_norm)
        noise = _noise(parts, norm) if len(self._x) > 1 else 0.0
        row["signal_to_noise"] = norm / noise if noise else np.inf if norm else np.nan
        self._last_params, self._last_norm = params, norm
        self._gradients = last, found
        if self._curvature:
            row["curvature"] = self.curvature(net)
        return row

    def curvature(self, net: Network) -> float:
        """The largest eigenvalue of the Gauss–Newton matrix of the cost of the sample."""
        batch = batch_of(net, self._x, self._y, self._options.get("sample_weight"))
        return quantities.largest_ggn_eigenvalue(batch)

    def _saturation(self, name: str, z: FloatArray, k: int) -> float:
        """The part of closed gates, or of neurons that are off for the whole sample."""
        if k == len(self._names) - 1 and self._last_cancels:
            return 0.0
        if name in SATURATING:
            gates = quantities.gate(name, z)
            return quantities.closed_share(gates, top_slope(name), self._weight)
        if base_name(name) in ONE_SIDED:
            most = quantities.gate(name, z).max(axis=0)
            limit = 0.0 if name == "relu" else OFF
            return int(np.count_nonzero(most <= limit)) / len(most)
        return 0.0


def _row_squares(rows: NDArray[Any]) -> tuple[FloatArray, float]:
    """Σ_j (x_j / s)² of each row in float64, and the power of 2 s near the largest number."""
    scale = float(scale_of(rows))
    scaled = rows if 1e-100 < scale < 1e100 else rows / scale
    scale = 1.0 if scaled is rows else scale
    squares: FloatArray = np.einsum("ij,ij->i", scaled, scaled, dtype=np.float64)
    return squares, scale


def _noise(parts: list[tuple[float, float, float]], norm: float) -> float:
    """√(Σ p (s t)² - ‖∇C‖²) of the parts p with their scales s and t; 0 if it is below 0."""
    unit = max([s * t for _, s, t in parts if np.isfinite(s * t)] + [float(scale_of(norm))])
    each = sum(part * (s / unit * t) * (s / unit * t) for part, s, t in parts)
    return float(np.sqrt(max(each - (norm / unit) * (norm / unit), 0.0))) * unit


def _cosine(first: FloatArray, norm: float, second: FloatArray, other: float) -> float:
    """The cosine of two vectors of these norms; NaN if one is 0."""
    if not (norm and other):
        return np.nan
    s, t = float(scale_of(norm)), float(scale_of(other))
    return float(np.dot(first / s, second / t)) / ((norm / s) * (other / t))
