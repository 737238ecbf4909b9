"""A step of gradient descent from the sums over all shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpfast import _core
from bpfast._layer import weights_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._training.arguments.settings import Settings
    from bpfast.distributed._ordered_sum.values import Part
    from bpfast.optimizers import Optimizer


class Update:
    """Changes a network by the gradient of a step, as a step of `Network.fit` does.

    The sums are divided by the examples, the gradient of C is clipped, penalties are added, the
    optimizer does its step, and weights are scaled down to `max_norm`.
    """

    def __init__(self, net: Network, optimizer: Optimizer, settings: Settings) -> None:
        self._net, self._optimizer, self._settings = net, optimizer, settings
        self._weights = weights_of(net) if settings.l1 or settings.l2 else None

    def gradient(self, total: Part, divisor: float, scale: float = 1.0) -> NDArray[np.float64]:
        """The gradient of C and of `scale` times the penalties, in float64."""
        settings, gradient = self._settings, total.mean_vector(divisor)
        if settings.clip_norm is not None:
            length = _core.norm(gradient)
            if length > settings.clip_norm:
                gradient *= settings.clip_norm / length
        if self._weights is not None:
            w = np.where(self._weights, self._net.params, 0).astype(np.float64)
            gradient += scale * settings.l2 * w + scale * settings.l1 * np.sign(w)
        return gradient

    def step(self, total: Part, divisor: float, scale: float = 1.0) -> bool:
        """Do a step, unless a number would not be finite. Returns whether it was done."""
        net, optimizer, must_be_finite = self._net, self._optimizer, self._settings.check_finite
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            gradient = self.gradient(total, divisor, scale).astype(net.dtype)
        if must_be_finite and not (np.isfinite(total.cost) and np.isfinite(gradient).all()):
            return False
        params = net.params
        before, state = params.copy(), optimizer.state
        optimizer.step(params, gradient)
        if self._settings.max_norm is not None:
            _core.apply_max_norm(net, self._settings.max_norm)
        if must_be_finite and not np.isfinite(params).all():
            _core.assign_params(net, before)
            optimizer.state = state
            return False
        return True
