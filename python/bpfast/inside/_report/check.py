"""The test of an explanation: a prediction, and what happens."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast import _tables
from bpfast._training.arguments.optimizer import parse_optimizer
from bpfast._validation.numbers import whole
from bpfast._validation.seed import generator
from bpfast.inside._report.changes import Asked, changed, related, unchanged
from bpfast.inside._report.training import FASTER, measured_speeds, predicted_speed, train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bpfast.inside._facts import Facts
    from bpfast.inside._finding import Finding
    from bpfast.optimizers import Optimizer

    Floats = NDArray[np.floating[Any]]

# Less of the cost than this is no learning: then nothing is confirmed.
NOTHING = 0.01


@dataclass(frozen=True, eq=False)
class Check:
    """A finding tested: speeds of learning with and without the suggested change.

    A speed s means that each step multiplies the cost by exp(-s): 0.01 is one percent of the cost.
    The speed is measured once the cost is below that of the best constant answer, the mean of y.
    Until then it is 0, or -inf if the cost rises.

    Attributes
    ----------
    kind : str
        The kind of the finding.
    change : str
        What was changed.
    steps : int
        The number of steps that were made.
    predicted_before, predicted_after : float
        The speeds predicted for the first step, without the change and with it, from slope and
        curvature at the start; negative or -inf if the step overshoots.
    before, after : float
        The mean speeds that were measured, up to the step at which one of the two trainings has
        halved its cost.
    cost_before, cost_after : ndarray, (steps + 1,)
        The costs, as multiples of that of the best constant answer, before the first step and
        after each.
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
            inf if the speed without it is 0.
        """
        return _times(self.predicted_after, self.predicted_before)

    @property
    def ratio(self) -> float:
        """The speed measured with the change, as a multiple of that without it.

        Returns
        -------
        float
            inf if the speed without it is 0.
        """
        return _times(self.after, self.before)

    def _table(self) -> tuple[list[str], list[list[str]]]:
        head = ["", "as it is", "changed", "times as fast"]
        rows = [
            ["predicted speed", _speed(self.predicted_before), _speed(self.predicted_after),
             _multiple(self.predicted_ratio)],
            ["measured speed", _speed(self.before), _speed(self.after), _multiple(self.ratio)],
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
    rng = generator(seed)
    made = _optimizer(facts, optimizer, learning_rate)
    before, after = changed(Asked(facts, chosen, unchanged(facts, made), rng))
    with np.errstate(all="ignore"):  # what diverges overflows
        predicted = [predicted_speed(trial) for trial in (before, after)]
        costs = [train(trial, steps) for trial in (before, after)]
    speeds = measured_speeds(*costs)
    if after.expects_more:
        confirmed = _is_faster(speeds[1], speeds[0], steps)
    else:
        confirmed = not _is_faster(speeds[0], speeds[1], steps)
        if confirmed:
            # The same training would learn, if there were something to learn.
            with np.errstate(all="ignore"):
                possible = measured_speeds(costs[0], train(related(before), steps))
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


def _times(after: float, before: float) -> float:
    if before > 0:
        return after / before
    return np.inf if after > 0 else np.nan


def _speed(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "cost rises"


def _multiple(value: float) -> str:
    return "" if not value > 0 else "∞" if np.isinf(value) else f"{value:.3g}"


Check.__module__ = "bpfast.inside"  # the public module
