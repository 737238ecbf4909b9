"""Held-out examples, which stay in their shards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._training.metrics.accuracy import for_targets
from bpfast._training.metrics.named import metric_values
from bpfast.distributed._engines.in_range import run_in_range
from bpfast.distributed._ordered_sum.values import exact_sum
from bpfast.distributed._shards.sums import HeldOutCost, HeldOutOutputs, HeldOutTargets
from bpfast.distributed._shards.weights import shift_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._typing import Metric
    from bpfast.distributed._prepare import Shards
    from bpfast.distributed._shards.facts import ShardFacts


class HeldOutExamples:
    """Cost and metrics of held-out examples. Only outputs and y come to the driver, for metrics."""

    def __init__(self, shards: Shards, net: Network, facts: Sequence[ShardFacts]) -> None:
        self._engine, self._model, self._first = shards.engine, shards.model, shards.first
        self._net = net
        self._count = sum(fact.rows for fact in facts)
        weights = [fact.weights for fact in facts if fact.weights is not None]
        self._all_weight = exact_sum(weights) if weights else float(self._count)
        self._shift = shift_of(self._all_weight / self._count)
        self._y: NDArray[Any] | None = None

    def __len__(self) -> int:
        return self._count

    def cost(self) -> float:
        """C with the network's current parameters."""
        task = HeldOutCost(self._model, _core.copy_params(self._net), self._first, self._shift)
        total, shift = run_in_range(self._engine, task)
        return float(total.cost) / math.ldexp(self._all_weight, self._shift + shift)

    def metrics_for(self, metrics: dict[str, Metric]) -> dict[str, Metric]:
        """The metrics for y of these examples, which is fetched for them."""
        if not metrics:
            return metrics
        self._y, _ = self.targets()
        return for_targets(metrics, self._y, self._net)[0]

    def metrics(self, metrics: Mapping[str, Metric], prefix: str) -> dict[str, float]:
        """Each metric of the network's outputs, by its name with `prefix`."""
        if self._y is None:
            return {}
        return metric_values(metrics, self.outputs(), self._y, prefix)

    def targets(self) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """y and the weights of all, which come to the driver."""
        y, weights = zip(*self._engine.run(HeldOutTargets(self._model)), strict=True)
        return np.concatenate(y), None if weights[0] is None else np.concatenate(weights)

    def outputs(self) -> NDArray[Any]:
        """The outputs with the network's current parameters, which come to the driver."""
        task = HeldOutOutputs(self._model, _core.copy_params(self._net))
        return np.concatenate(self._engine.run(task))
