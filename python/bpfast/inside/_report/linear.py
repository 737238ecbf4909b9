"""The prediction of a check: the training of the linearised network."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast._derivatives.forward_from import network_from
from bpfast.inside._causes.limits import DECADE
from bpfast.inside._report.speeds import MIN_PROGRESS, half, rises
from bpfast.inside._report.training import measure

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast._typing import FloatArray
    from bpfast.inside._report.changes import Trial


def linear_costs(trial: Trial, steps: int) -> FloatArray | None:
    """The relative costs of the linearised network over a training, (steps + 1,), or None.

    z^L is replaced by its first-order expansion z^L(θ₀) + J (θ - θ₀) about the start (Lee et al.
    2019); cost and optimizer are the true ones. A step takes a vector-Jacobian and a
    Jacobian-vector product. It ends where the cost is halved, since later costs are not used.

    There the network itself is asked, with the same parameters. If its cost is ten times as high as
    at the start, and as that of the best constant answer, the costs are infinite; if it has not
    fallen, the answer is None, as the expansion does not hold that far.
    """
    measured, scale = measure(trial)
    config = trial.net.config
    cost_of = network_from(measured.net, len(trial.net.sizes))  # of z^L
    net = _with_linear_outputs(trial.net)
    start, params = np.array(net.params), np.array(net.params)
    trace, gradient = net.trace(trial.x), bpfast.Gradient(net)
    first = np.array(trace.z[-1])
    optimizer, z = copy.deepcopy(trial.optimizer), first
    costs = np.full(steps + 1, np.inf)
    for step in range(steps + 1):
        costs[step:] = scale.left(cost_of.cost(z, trial.y, sample_weight=measured.weight))
        if not costs[step] > half(costs[0]) or step == steps:  # halved, NaN, or at the end
            break
        delta = bpfast.bp1(
            z, trial.y, output=config["output"], cost=config["cost"], sample_weight=trial.weight
        )
        net.vjp(trace, delta, wrt="params", out=gradient)
        if not np.isfinite(gradient.flat).all():
            costs[step:] = np.inf
            break
        optimizer.step(params, np.array(gradient.flat))
        z = first + net.jvp(trace, dparams=params - start)[1]
    costs[np.isnan(costs)] = np.inf
    return costs if costs[-1] >= 1 else checked_costs(costs, scale.left(measured.cost(params)))


def checked_costs(costs: FloatArray, true: float) -> FloatArray | None:
    """The costs, if that of the network itself has fallen as well."""
    if rises(costs[0], true, DECADE):
        return np.append(costs[:1], np.full(len(costs) - 1, np.inf))
    begin = min(costs[0], 1.0)
    holds = true < begin or true - costs[-1] <= MIN_PROGRESS * begin
    return costs if holds else None


def _with_linear_outputs(net: Network) -> Network:
    """A copy whose outputs are z^L."""
    hidden: Any = net.config["hidden"]
    return bpfast.Network.from_parameters(
        net.weights, net.biases, hidden=hidden, output="identity", cost="quadratic"
    )
