"""The test of an explanation: a prediction, and what happens."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast import _tables
from bpfast._training.arguments.optimizer import parse_optimizer
from bpfast._validation.numbers import integer
from bpfast._validation.seed import generator
from bpfast.inside._report.changes import ChangeContext, related, trials, unchanged
from bpfast.inside._report.linear import linear_costs
from bpfast.inside._report.speeds import is_faster, is_learning, mean_speeds, ratio
from bpfast.inside._report.training import train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfast._typing import FloatArray
    from bpfast.inside._facts import Facts
    from bpfast.inside._finding import Finding
    from bpfast.inside._report.changes import Trial
    from bpfast.optimizers import Optimizer


@dataclass(frozen=True, eq=False)
class Check:
    """A finding tested: speeds of learning with and without the suggested change.

    A speed s means that each step multiplies the cost by exp(-s): 0.01 is one percent of the cost.
    It is the mean over the steps up to the one at which one of the two trainings has halved its
    cost, and counts from the cost of the best constant answer, the mean of y, or from the first
    cost if that is lower. The speed is 0 if the cost ends above that of the best constant answer,
    and -inf if it ends at 1.5 times the higher of the two, or more. If the cost is 0 before the
    first step, the speed is NaN as long as it stays 0, else -inf.

    Attributes
    ----------
    kind : str
        The kind of the finding.
    change : str
        What was changed.
    steps : int
        The number of steps that were made.
    predicted_before, predicted_after : float
        The speeds of the linearised networks, whose z^L is replaced by its first-order expansion in
        the parameters about the start, with the same optimizer, data and steps. NaN if the
        expansion does not hold that far: the network itself, with the last parameters of the
        linearised one, has not learned.
    before, after : float
        The speeds that were measured.
    cost_before, cost_after : ndarray, (steps + 1,)
        The costs, as multiples of that of the best constant answer, before the first step and
        after each.
    confirmed : bool
        Whether learning was at least 1.5 times as fast with the change, and took away 1 % or more
        of the cost from which the speed is counted. For unrelated targets, whose change is to
        shuffle y: whether learning was less than 1.5 times as fast as from shuffled y, but is 1.5
        times as fast from y that depend on x.

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
    cost_before: FloatArray
    cost_after: FloatArray
    confirmed: bool

    @property
    def predicted_ratio(self) -> float:
        """The predicted speed with the change, as a multiple of that without it.

        Returns
        -------
        float
            Like `ratio`; NaN also if a prediction is.
        """
        return ratio(self.predicted_after, self.predicted_before, self.steps)

    @property
    def ratio(self) -> float:
        """The speed measured with the change, as a multiple of that without it.

        Returns
        -------
        float
            inf if the network learns only with the change, 0 if only without it, and NaN if it
            learns in neither case.
        """
        return ratio(self.after, self.before, self.steps)

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
        verdict = "confirmed" if self.confirmed else f"not confirmed: {self._reason()}"
        return f"{bpfast.inside.CAUSES[self.kind]}, with {self.change}: {verdict}"

    def _reason(self) -> str:
        """Why it is not confirmed."""
        if self.kind == "unrelated_targets":
            if is_faster(self.before, self.after, self.steps):
                times = ratio(self.before, self.after, self.steps)
                return f"{_multiple(times)} times as fast as from shuffled y"
            return "nor are y that depend on x learned"
        if self.cost_after[0] == 0:
            return "with the change the cost is 0 before the first step"
        if not is_learning(self.after, self.steps):
            return "nothing learned with the change"
        return f"{self.ratio:.3g} times as fast, and 1.5 is needed"

    def __str__(self) -> str:
        """Prediction beside outcome, as text."""
        return f"{self._title()}\n{_tables.text(*self._table())}"

    def _repr_html_(self) -> str:
        return _tables.html(self._title(), *self._table())


def check(
    facts: Facts,
    finding: Finding,
    *,
    steps: int,
    optimizer: Any,
    learning_rate: Any,
    seed: Any,
) -> Check:
    """`Report.check`."""
    steps = integer("steps", steps, 1)
    rng = generator(seed)
    made = _optimizer(facts, optimizer, learning_rate)
    with np.errstate(all="ignore"):  # what diverges overflows
        before, after = trials(ChangeContext(facts, finding, unchanged(facts, made), rng))
        predicted = _predicted(before, after, steps)
        costs = [train(trial, steps) for trial in (before, after)]
    speeds = mean_speeds(*costs)
    if after.expects_more:
        confirmed = is_faster(speeds[1], speeds[0], steps)
    else:
        confirmed = not is_faster(speeds[0], speeds[1], steps)
        if confirmed:
            # The same training would learn, if there were something to learn.
            with np.errstate(all="ignore"):
                possible = mean_speeds(costs[0], train(related(before), steps))
            confirmed = is_faster(possible[1], possible[0], steps)
    return Check(
        kind=finding.kind,
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


def _predicted(before: Trial, after: Trial, steps: int) -> tuple[float, float]:
    """The speeds of the linearised networks; NaN where the expansion does not hold."""
    costs = [linear_costs(trial, steps) for trial in (before, after)]
    known = [each for each in costs if each is not None]
    if not known:
        return np.nan, np.nan
    first, second = mean_speeds(known[0], known[-1])
    return np.nan if costs[0] is None else first, np.nan if costs[1] is None else second


def chosen(findings: Sequence[Finding], finding: Any) -> Finding:
    """The finding of this index or kind.

    Raises
    ------
    ValueError
        There is none.
    TypeError
        It is neither an index nor a kind.
    """
    if not findings:
        raise ValueError("finding: expected a report with a finding, got one without")
    kinds = [each.kind for each in findings]
    if isinstance(finding, str):
        if finding not in kinds:
            raise ValueError(f"finding: expected one of {', '.join(kinds)}, got {finding!r}")
        return findings[kinds.index(finding)]
    index = integer("finding", finding, 0)
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


def _speed(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3g}" if np.isfinite(value) else "cost rises"


def _multiple(value: float) -> str:
    return "–" if np.isnan(value) else "∞" if np.isinf(value) else f"{value:.3g}"


Check.__module__ = "bpfast.inside"  # the public module
