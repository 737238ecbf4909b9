"""The next step of an optimizer, and what it does to the cost."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import schedules
from bpfast._training.arguments.optimizer import parse_optimizer
from bpfast.inside import _quantities as quantities
from bpfast.inside._causes.limits import LONG_STEP
from bpfast.inside._scaled import norm

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast._typing import FloatArray
    from bpfast.inside._batch import Batch
    from bpfast.optimizers import Optimizer

# The multiples of a step at which the cost is computed: powers of 2 from 2^-10 to 2^30. Longer ones
# are tried until the cost has risen three times.
MIN_EXPONENT, MAX_EXPONENT = -10, 30
MAX_RISES = 3
# The steps of RMSprop and Adagrad after which they are shorter, and the cost is below its start.
RECOVERY_STEPS = 10


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """The next step of an optimizer with the gradient of all examples.

    Attributes
    ----------
    optimizer : Optimizer
        A copy, with its state.
    rate : float
        Its learning rate.
    change : ndarray of float64, (P,)
        The change of the flat parameters. If it overshoots by the optimizer's momentum, that of a
        first step without it.
    relative : float
        The length of the change, relative to that of the parameters.
    best : float
        The multiple of the change that lowers the cost most, a power of 2; 0 if none lowers it.
        At the start of RMSprop, of the change with a full average of squares.
    lowest, after : float
        The cost there, and after the step itself. The first steps of RMSprop and Adagrad are
        their longest: then it is the median over ten steps, if that is lower.
    largest_eigenvalue : float
        Of the Gauss–Newton matrix of C, for SGD; NaN for other optimizers and callable costs.
    ceiling : float
        SGD: the rate as a multiple of the largest stable one on a quadratic of this curvature,
        2 (1 + β) / λ with momentum β. Above 1 it diverges. NaN for other optimizers and callable
        costs.
    largest_rate : float
        The largest rate of the steps so far. A schedule makes the last ones small on purpose.
    """

    optimizer: Optimizer
    rate: float
    change: FloatArray
    relative: float
    best: float
    lowest: float
    after: float
    largest_eigenvalue: float
    ceiling: float
    largest_rate: float


def optimizer_for(
    net: Network, optimizer: Any, learning_rate: Any
) -> tuple[Optimizer | None, float]:
    """A copy of the optimizer that the arguments mean, or None, and the largest rate so far.

    The copy has the rate of its next step. If that is 0, it keeps its schedule.
    """
    if optimizer is None and learning_rate is None:
        if net.optimizer is None:
            return None, 0.0
        optimizer = net.optimizer
    elif optimizer is None:
        optimizer = "adam" if net.optimizer is None else net.optimizer.kind
    made = copy.deepcopy(parse_optimizer(optimizer, learning_rate))
    largest = largest_rate_of(made)
    made.learning_rate = rate_of(made) or made.learning_rate
    return made, largest


def rate_of(optimizer: Optimizer) -> float:
    """The learning rate of the next step."""
    return float(schedules.rates(optimizer.learning_rate, optimizer.steps, 1)[0])


def change_by(net: Network, batch: Batch, optimizer: Optimizer) -> FloatArray:
    """The change of the flat parameters by the next step, in the dtype of the network."""
    params = np.array(net.params)
    gradient = batch.gradient().astype(net.dtype)
    before = params.astype(np.float64)
    copy.deepcopy(optimizer).step(params, gradient)
    change: FloatArray = params.astype(np.float64) - before
    return change


def largest_rate_of(optimizer: Optimizer) -> float:
    """The largest rate of its steps and the next one, without calls of a function of the user."""
    rate, schedule = rate_of(optimizer), optimizer.learning_rate
    if not isinstance(schedule, schedules.Schedule):
        return rate
    if isinstance(schedule, schedules.Plateau):
        return schedule.rate
    return float(schedules.rates(schedule, 0, optimizer.steps + 1).max())


def step_of(
    net: Network, batch: Batch, optimizer: Optimizer, cost: float, largest_rate: float
) -> NextStep:
    """The next step, the cost along it, and the ceiling of the curvature."""
    change, rate = change_by(net, batch, optimizer), rate_of(optimizer)
    theta = np.array(batch.net.params)
    size = float(norm(theta))
    judged = change
    if rate == 0 < largest_rate:  # the end of a schedule: is there anything left to gain?
        before = copy.deepcopy(optimizer)
        before.learning_rate = largest_rate
        judged = change_by(net, batch, before)
    if optimizer.kind == "rmsprop" and not optimizer.steps:
        # Its average of squares starts at 0: the first step is longer than those that follow.
        judged = change * np.sqrt(1 - optimizer._config["alpha"])
    best, lowest = line_search(batch, theta, judged, cost)
    if change.any() and best < LONG_STEP and optimizer.steps:
        # It may overshoot by its momentum alone, as steps of small batches sometimes do.
        fresh = copy.deepcopy(optimizer)
        fresh.reset()
        first = change_by(net, batch, fresh)
        if (found := line_search(batch, theta, first, cost))[0] > best:
            change = judged = first
            best, lowest = found
    eigenvalue = quantities.largest_ggn_eigenvalue(batch) if optimizer.kind == "sgd" else np.nan
    return NextStep(
        optimizer=optimizer,
        rate=rate,
        change=change,
        relative=float(norm(judged)) / size if size else np.inf,
        best=best,
        lowest=lowest,
        after=_cost_after(batch, optimizer, theta + judged, cost),
        largest_eigenvalue=eigenvalue,
        ceiling=ceiling(optimizer, rate, eigenvalue),
        largest_rate=max(largest_rate, rate),
    )


def _cost_after(batch: Batch, optimizer: Optimizer, params: FloatArray, cost: float) -> float:
    """The cost with these parameters; above `cost`, the median over ten steps if that is lower."""
    after = batch.cost(params)
    if optimizer.kind not in ("rmsprop", "adagrad") or after <= cost:
        return after
    own, params, costs = copy.deepcopy(optimizer), np.array(batch.net.params), []
    with np.errstate(all="ignore"):
        for _ in range(RECOVERY_STEPS):
            gradient = batch.gradient(params)
            if not np.isfinite(gradient).all():
                return after
            own.step(params, gradient)
            costs.append(batch.cost(params))
        return float(np.fmin(after, np.median(costs)))


def ceiling(optimizer: Optimizer, rate: float, eigenvalue: float) -> float:
    """The rate of `SGD` as a multiple of the largest stable one; NaN for other optimizers."""
    if optimizer.kind != "sgd":
        return np.nan
    momentum = momentum_of(optimizer)
    most = 2 * (1 + momentum) / (1 + 2 * momentum if optimizer._config["nesterov"] else 1)
    return float(rate * eigenvalue / most)


def momentum_of(optimizer: Optimizer) -> float:
    """The momentum β of `SGD`; 0 for other optimizers."""
    momentum: float = optimizer._config.get("momentum", 0.0)
    return momentum


def line_search(
    batch: Batch, theta: FloatArray, change: FloatArray, cost: float
) -> tuple[float, float]:
    """The multiple of `change` that lowers the cost most, and the cost there."""
    best, lowest, rises, last = 0.0, cost, 0, np.inf
    if not change.any():
        return best, lowest
    for k in range(MIN_EXPONENT, MAX_EXPONENT + 1):
        with np.errstate(all="ignore"):
            found = batch.cost(theta + 2.0**k * change)
        if found < lowest:
            best, lowest = 2.0**k, found
        rises = rises + 1 if not found < last else 0
        last = found
        if rises == MAX_RISES:
            break
    return best, lowest
