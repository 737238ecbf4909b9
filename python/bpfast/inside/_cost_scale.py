"""What a cost is compared with: the least possible one, and that of the best constant answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import bpfast
from bpfast._activations import range_of
from bpfast._costs import LABELLED, RESIDUAL
from bpfast._derivatives.forward_from import network_from

if TYPE_CHECKING:
    from bpfast._typing import FloatArray
    from bpfast.inside._batch import Batch


@dataclass(frozen=True, kw_only=True)
class CostScale:
    """The range of the cost in which a network learns.

    Attributes
    ----------
    least : float
        The cost of the outputs a^L = y: 0 for the residual costs and for class labels, and below 0
        for poisson, which leaves out ln y!.
    base : float
        The cost of the best constant answer, the mean of y; NaN for callable costs.
    """

    least: float
    base: float

    @classmethod
    def of(cls, batch: Batch) -> CostScale:
        """Compute both."""
        return cls(least=least_cost(batch), base=base_cost(batch))

    @property
    def size(self) -> float:
        """How far the best constant answer is from the least possible cost; 0 or NaN if unknown."""
        return self.base - self.least

    def left(self, cost: float) -> float:
        """What is left to learn, as a part of what there is for the best constant answer.

        Examples
        --------
        >>> CostScale(least=-4.0, base=-2.0).left(-3.0)
        0.5
        """
        if not self.size > 0:
            return 0.0 if cost <= self.base else np.nan
        return max(cost - self.least, 0.0) / self.size


def least_cost(batch: Batch) -> float:
    """The mean cost of the outputs a^L = y, up to rounding: no network has a lower one."""
    targets, config = batch.targets, batch.net.config
    output, cost = config["output"], config["cost"]
    if targets is None or callable(cost) or cost in RESIDUAL:
        return 0.0
    if cost in LABELLED and np.isin(targets, (0.0, 1.0)).all():
        return 0.0
    best = targets
    if output == "softmax":  # its outputs add up to 1
        sums = targets.sum(axis=1, keepdims=True)
        best = targets / np.where(sums > 0, sums, 1.0)
    z = _weighted_inputs(output, np.clip(best, *range_of(output)))
    of_z = network_from(batch.net, len(batch.net.sizes))
    return float(of_z.cost(z, batch.y, sample_weight=batch.weight))


def base_cost(batch: Batch) -> float:
    """The mean cost of the best constant answer: the mean of y, where the outputs can give it.

    The mean is best for all built-in costs except huber and absolute, for which it is close.
    """
    if batch.targets is None or callable(batch.net.config["cost"]):
        return np.nan
    output, cost = batch.net.config["output"], batch.net.config["cost"]
    answer = batch.mean(batch.targets)
    if output == "softmax" and cost not in RESIDUAL:  # its outputs add up to 1
        answer = answer / (answer.sum() or 1.0)
    answer = np.clip(answer, *range_of(output))
    if cost in RESIDUAL and output != "softmax":  # they see a^L alone
        output, z = "identity", answer
    else:
        z = _weighted_inputs(output, answer)
    constant = bpfast.Network.from_parameters(
        [np.zeros((len(z), 1))], [z], output=output, cost=cost
    )
    x = np.zeros((len(batch.x), 1))
    return float(constant.cost(x, batch.y, sample_weight=batch.weight))


def _weighted_inputs(output: str, a: FloatArray) -> FloatArray:
    """A z with σ(z) = a, up to 1e-12, for the outputs of costs that are formulas of z^L."""
    a = np.maximum(a, 1e-12)
    if output == "softmax":
        return np.log(a)
    if output == "sigmoid":
        a = np.minimum(a, 1 - 1e-12)
        return np.log(a / (1 - a))
    return a + np.log(-np.expm1(-a))  # softplus
