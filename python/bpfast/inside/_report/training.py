"""The trainings of a check, with and without a change: predicted and measured speeds."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast.inside import _quantities as quantities
from bpfast.inside._batch import Batch, dense_targets
from bpfast.inside._causes.limits import CEILING
from bpfast.inside._facts import base_cost
from bpfast.inside._steps import ceiling, change_by, rate_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast.inside._report.changes import Trial

    Floats = NDArray[np.floating[Any]]

# The outcome confirms a prediction of faster learning if it is faster by this much.
FASTER = 1.5


def _batch(trial: Trial) -> Batch:
    targets = dense_targets(np.asarray(trial.y), trial.net.sizes[-1], len(trial.x))
    return Batch(trial.net, trial.x, trial.y, targets, trial.weight, 1.0)


def _measure(trial: Trial) -> tuple[Batch, float]:
    """The examples with the measured cost and its weights, and the scale of that cost."""
    batch = _batch(trial)
    net = trial.net
    if net.config["cost"] != trial.cost:
        config = net.config
        net = bpfast.Network.from_parameters(
            net.weights, net.biases, hidden=config["hidden"], output=config["output"],
            cost=trial.cost,
        )  # fmt: skip
    measured = Batch(net, trial.x, trial.y, batch.targets, trial.measured, 1.0)
    base = base_cost(measured)
    return measured, base if base > 0 else max(abs(measured.cost()), 1e-300)


def predicted_speed(trial: Trial) -> float:
    """The predicted speed of the first step.

    With d_x, the change of z^L of an example less the mean change, the cost falls by -Σ_x δ_x d_x/n
    to first order, and the curvature takes away ½ Σ_x d_x H_x d_x/n, H_x the second derivative of
    C_x by z^L. What all examples share only moves the answer towards the best constant one.
    """
    batch = _batch(trial)
    rate, is_sgd = rate_of(trial.optimizer), trial.optimizer.kind == "sgd"
    if is_sgd and ceiling(trial.optimizer, rate, quantities.largest_eigenvalue(batch)) > CEILING:
        return -np.inf
    measured, base = _measure(trial)
    net = measured.net
    theta = np.array(net.params)
    z = np.array(net.trace(trial.x).z[-1])
    net.params = theta + change_by(trial.net, batch, trial.optimizer)
    moved = net.trace(trial.x).z[-1] - z
    net.params = theta
    own = moved - measured.mean(moved)
    if not np.isfinite(own).all():
        return -np.inf
    slope = _mean_product(measured, quantities.output_error(measured, z), own)
    curvature = _mean_product(measured, quantities.output_curvature(measured, z, own), own)
    decrease = -slope - 0.5 * max(curvature, 0.0)
    return decrease / base if np.isfinite(decrease) else -np.inf


def _mean_product(batch: Batch, left: Floats, right: Floats) -> float:
    return float(batch.weight @ (left * right).sum(axis=1))


def train(trial: Trial, steps: int) -> Floats:
    """The relative costs before the first step and after each; infinite where it diverges."""
    net = trial.net.copy()
    optimizer = copy.deepcopy(trial.optimizer)
    measured, base = _measure(trial)
    params = np.array(net.params)
    costs = [measured.cost(params) / base]
    for _ in range(steps):
        gradient = net.backprop(trial.x, trial.y, sample_weight=trial.weight)
        if not np.isfinite(gradient.flat).all():
            costs.append(np.inf)
            continue
        optimizer.step(params, np.array(gradient.flat))
        net.params = params
        cost = measured.cost(params) / base
        costs.append(cost if np.isfinite(cost) else np.inf)
    return np.array(costs)


def measured_speeds(before: Floats, after: Floats) -> list[float]:
    """The mean speeds up to the step at which one training has halved its cost, or of all steps.

    Counted from the cost of the best constant answer or the first cost, whichever is lower. A cost
    that ends above it has the speed 0, or -inf if it has grown.
    """
    halved = [np.flatnonzero(costs <= 0.5 * min(costs[0], 1.0)) for costs in (before, after)]
    last = min(int(found[0]) if found.size else len(before) - 1 for found in halved)
    speeds = []
    for costs in (before, after):
        start, end = min(costs[0], 1.0), costs[max(last, 1)]
        if end >= 1:
            speeds.append(-np.inf if end > FASTER * max(costs[0], 1.0) else 0.0)
        else:
            speeds.append(float(np.log(start / max(end, 1e-300)) / max(last, 1)))
    return speeds
