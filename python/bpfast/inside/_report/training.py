"""The trainings of a check, with and without a change."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

import bpfast
from bpfast.inside._batch import Batch, dense_targets
from bpfast.inside._cost_scale import CostScale

if TYPE_CHECKING:
    from bpfast._typing import FloatArray
    from bpfast.inside._report.changes import Trial


def measure(trial: Trial) -> tuple[Batch, CostScale]:
    """The examples with the measured cost and its weights, and the scale of that cost.

    If the best constant answer has no cost or the least one, that of the network is in its place.
    """
    net = trial.net
    if net.config["cost"] != trial.cost:
        config = net.config
        net = bpfast.Network.from_parameters(
            net.weights, net.biases, hidden=config["hidden"], output=config["output"],
            cost=trial.cost,
        )  # fmt: skip
    targets = dense_targets(np.asarray(trial.y), net.sizes[-1], len(trial.x))
    measured = Batch(
        net=net,
        x=trial.x,
        y=trial.y,
        targets=targets,
        weight=trial.measured,
        scale=1.0,
        rows=np.arange(len(trial.x)),
    )
    scale = CostScale.of(measured)
    if not scale.size > 0:
        above = max(abs(measured.cost() - scale.least), 1e-300)
        scale = CostScale(least=scale.least, base=scale.least + above)
    return measured, scale


def train(trial: Trial, steps: int) -> FloatArray:
    """The relative costs before the first step and after each; infinite where it diverges."""
    net = trial.net.copy()
    optimizer = copy.deepcopy(trial.optimizer)
    measured, scale = measure(trial)
    params = np.array(net.params)
    costs = [_known(scale.left(measured.cost(params)))]
    for _ in range(steps):
        gradient = net.backprop(trial.x, trial.y, sample_weight=trial.weight)
        if not np.isfinite(gradient.flat).all():
            costs.append(np.inf)
            continue
        optimizer.step(params, np.array(gradient.flat))
        net.params = params
        costs.append(_known(scale.left(measured.cost(params))))
    return np.array(costs)


def _known(cost: float) -> float:
    """A cost, infinite if it is NaN or infinite."""
    return cost if np.isfinite(cost) else np.inf
