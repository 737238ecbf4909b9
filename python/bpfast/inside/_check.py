"""The test of an explanation: a prediction, and what happens."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast import _tables
from bpfast._training.arguments.settings import parse_optimizer
from bpfast._validation.numbers import whole
from bpfast._validation.seed import generator
from bpfast.inside import _quantities as quantities
from bpfast.inside._batch import Batch, dense_targets
from bpfast.inside._causes.limits import CEILING
from bpfast.inside._changes import Asked, Trial, changed, related, unchanged
from bpfast.inside._facts import base_cost
from bpfast.inside._steps import ceiling, change_by, rate_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bpfast.inside._facts import Facts
    from bpfast.inside._finding import Finding
    from bpfast.optimizers import Optimizer

    Floats = NDArray[np.floating[Any]]

# The outcome confirms a prediction of faster learning if it is faster by this much.
FASTER = 1.5
# Less of the cost than this is no learning: then nothing is confirmed.
NOTHING = 0.01


@dataclass(frozen=True, eq=False)
class Check:
    """A finding tested: speeds of learning with and without the suggested change.

    A speed s means that the cost decays by exp(-s) in a step: 0.01 is one percent of all there is
    to learn. What is learned is counted from the cost of the best constant answer, the mean of y:
    the speed is 0 where that is not reached, and -inf where the cost rises.

    Attributes
    ----------
    kind : str
        The kind of the finding.
    change : str
        What was changed.
    steps : int
        The number of steps that were made.
    predicted_before, predicted_after : float
        The speeds predicted for the first step, without the change and with it, by slope and
        curvature at the start; negative or -inf where it overshoots.
    before, after : float
        The speeds that came out, until one of the two trainings has halved its cost.
    cost_before, cost_after : ndarray, (steps + 1,)
        The costs relative to that of the best constant answer, before the first step and after
        each.
    confirmed : bool
        Whether learning was at least 1.5 times as fast with the change, and took away a hundredth
        of the cost or more. For unrelated targets, whose change is to shuffle y: whether learning
        was no faster than from shuffled y, but is from y that depend on x.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.random.default_rng(0).standard_normal((100, 3))
    >>> net = bpfast.Network([3, 1], output="identity", init="zeros")
    >>> report = bpfast.inside.explain(net, x, x[:, :1], optimizer="sgd", learning_rate=1e-6)
    >>> check = report.check()
    >>> check.kind, check.confirmed, check.predicted_after > 1000 * check.predicted_before
    ('small_step', True, True)
    """

    kind: str
    change: str
    steps: int
    predicted_before: float
    predicted_after: float
    before: float
    after: float
    cost_before: Floats
    cost_after: Floats
    confirmed: bool

    @property
    def predicted_ratio(self) -> float:
        """The predicted speed with the change, as a multiple of that without it.

        Returns
        -------
        float
            inf if there was none without it.
        """
        return _times(self.predicted_after, self.predicted_before)

    @property
    def ratio(self) -> float:
        """The speed that came out with the change, as a multiple of that without it.

        Returns
        -------
        float
            inf if there was none without it.
        """
        return _times(self.after, self.before)

    def _table(self) -> tuple[list[str], list[list[str]]]:
        head = ["", "as it is", "changed", "times as fast"]
        rows = [
            ["predicted speed", _speed(self.predicted_before), _speed(self.predicted_after),
             _multiple(self.predicted_ratio)],
            ["outcome", _speed(self.before), _speed(self.after), _multiple(self.ratio)],
            ["cost at the start", f"{self.cost_before[0]:.3g}", f"{self.cost_after[0]:.3g}", ""],
            [f"cost after {self.steps} steps", f"{self.cost_before[-1]:.3g}",
             f"{self.cost_after[-1]:.3g}", ""],
        ]  # fmt: skip
        return head, rows

    def _title(self) -> str:
        verdict = "confirmed" if self.confirmed else "not confirmed"
        return f"{bpfast.inside.CAUSES[self.kind]}, with {self.change}: {verdict}"

    def __str__(self) -> str:
        """Prediction beside outcome, as text."""
        return f"{self._title()}\n{_tables.text(*self._table())}"

    def _repr_html_(self) -> str:
        return _tables.html(self._title(), *self._table())


def check(
    facts: Facts,
    findings: Sequence[Finding],
    finding: int | str,
    *,
    steps: int,
    optimizer: Any,
    learning_rate: Any,
    seed: Any,
) -> Check:
    """`Report.check`."""
    chosen = _chosen(findings, finding)
    steps = whole("steps", steps, 1)
    try:
        rng = generator(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(f"seed: {error}") from None
    made = _optimizer(facts, optimizer, learning_rate)
    before, after = changed(Asked(facts, chosen, unchanged(facts, made), rng))
    with np.errstate(all="ignore"):  # what diverges overflows
        predicted = [_predict(trial) for trial in (before, after)]
        costs = [_train(trial, steps) for trial in (before, after)]
    speeds = _outcomes(*costs)
    if after.expects_more:
        confirmed = _is_faster(speeds[1], speeds[0], steps)
    else:
        confirmed = not _is_faster(speeds[0], speeds[1], steps)
        if confirmed:
            # The same training would learn, if there were something to learn.
            with np.errstate(all="ignore"):
                possible = _outcomes(costs[0], _train(related(before), steps))
            confirmed = _is_faster(possible[1], possible[0], steps)
    return Check(
        kind=chosen.kind,
        change=after.change,
        steps=steps,
        predicted_before=predicted[0],
        predicted_after=predicted[1],
        before=speeds[0],
        after=speeds[1],
        cost_before=costs[0],
        cost_after=costs[1],
        confirmed=confirmed,
    )


def _is_faster(speed: float, other: float, steps: int) -> bool:
    """Whether this speed is clearly above the other, and above that of no learning."""
    return speed * steps >= NOTHING and speed >= FASTER * other


def _chosen(findings: Sequence[Finding], finding: Any) -> Finding:
    if not findings:
        raise ValueError("finding: expected a report with a finding, got one without")
    kinds = [each.kind for each in findings]
    if isinstance(finding, str):
        if finding not in kinds:
            raise ValueError(f"finding: expected one of {', '.join(kinds)}, got {finding!r}")
        return findings[kinds.index(finding)]
    index = whole("finding", finding, 0)
    if index >= len(findings):
        raise ValueError(f"finding: expected an index below {len(findings)}, got {index}")
    return findings[index]


def _optimizer(facts: Facts, optimizer: Any, learning_rate: Any) -> Optimizer:
    """The optimizer of a check: given, or the report's, or SGD."""
    if optimizer is None and learning_rate is None and facts.optimizer is not None:
        made = copy.deepcopy(facts.optimizer)
    else:
        name = "sgd" if facts.optimizer is None else facts.optimizer.kind
        made = copy.deepcopy(
            parse_optimizer(name if optimizer is None else optimizer, learning_rate)
        )
    made.reset()  # the state is of other gradients than those after the change
    return made


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


def _predict(trial: Trial) -> float:
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


def _train(trial: Trial, steps: int) -> Floats:
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


def _outcomes(before: Floats, after: Floats) -> list[float]:
    """The speeds until one of them has halved the cost, or over all steps.

    A cost that decays by exp(-s) per step, from that of the best constant answer or below, has the
    speed s; one that is above it at the end has the speed 0, or -inf if it has grown.
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


def _times(after: float, before: float) -> float:
    if before > 0:
        return after / before
    return np.inf if after > 0 else np.nan


def _speed(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "cost rises"


def _multiple(value: float) -> str:
    return "" if not value > 0 else "only now" if np.isinf(value) else f"{value:.3g}"


Check.__module__ = "bpfast.inside"  # the public module
