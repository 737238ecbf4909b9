"""What the causes of slow learning are concluded from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast.inside._causes.limits import LEARNED
from bpfast.inside._cost_scale import CostScale
from bpfast.inside._factors import LayerFactors, layers_of
from bpfast.inside._steps import NextStep, step_of

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast._typing import FloatArray
    from bpfast.inside._batch import Batch
    from bpfast.optimizers import Optimizer


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A network, its examples, and all that was computed from them.

    Attributes
    ----------
    net : Network
        A copy of the user's network, in its dtype.
    batch : Batch
        The examples, with the network in float64.
    optimizer : Optimizer or None
        A copy of the optimizer.
    step : NextStep or None
        Its next step.
    layers : list of LayerFactors
        The layers 2 to L.
    cost : float
        The mean cost.
    scale : CostScale
        The least possible cost and that of the best constant answer.
    """

    net: Network
    batch: Batch
    optimizer: Optimizer | None
    step: NextStep | None
    layers: list[LayerFactors]
    cost: float
    scale: CostScale

    @classmethod
    def of(
        cls, net: Network, batch: Batch, optimizer: Optimizer | None, largest_rate: float
    ) -> Facts:
        """Compute all of it."""
        cost = batch.cost()
        step = None if optimizer is None else step_of(net, batch, optimizer, cost, largest_rate)
        layers = layers_of(batch, None if step is None else step.change)
        return cls(
            net=net,
            batch=batch,
            optimizer=optimizer,
            step=step,
            layers=layers,
            cost=cost,
            scale=CostScale.of(batch),
        )

    @property
    def has_learned(self) -> bool:
        """Whether little is left of the cost of the best constant answer."""
        return np.isfinite(self.cost) and self.scale.left(self.cost) <= LEARNED

    @cached_property
    def feature_rms(self) -> FloatArray:
        """The RMS of each feature of x."""
        return self.batch.rms(self.batch.x)

    @cached_property
    def feature_mean(self) -> FloatArray:
        """The mean of each feature of x."""
        return self.batch.mean(self.batch.x)

    @cached_property
    def feature_std(self) -> FloatArray:
        """The standard deviation of each feature of x; 0 if it is the same in all examples."""
        x = self.batch.x
        std = self.batch.rms(x - self.feature_mean)
        return np.where(x.min(axis=0) == x.max(axis=0), 0.0, std)

    @property
    def cost_name(self) -> Any:
        """The cost: a name or a callable."""
        return self.batch.net.config["cost"]
