"""Causes in the step of the optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpfast.inside._causes.limits import CEILING, LONG_STEP, SHORT_STEP
from bpfast.inside._finding import Finding

if TYPE_CHECKING:
    from bpfast.inside._facts import Facts
    from bpfast.inside._steps import Step


def large_step(facts: Facts) -> Finding | None:
    """The step overshoots: it raises the cost, or the rate is above the ceiling of the curvature.

    Or it is longer than the parameters themselves, and replaces them.
    """
    step = facts.step
    if step is None or not step.change.any():
        return None
    raises = step.best < LONG_STEP and not step.after <= facts.cost
    if not raises and not step.ceiling > CEILING and not step.relative > 1:
        return None
    if step.ceiling > CEILING:
        why = f"the rate is {step.ceiling:.3g} times the largest stable one, 2/λ"
    elif raises:
        why = f"one step raises the cost from {facts.cost:.3g} to {step.after:.3g}"
    else:
        why = f"a step is {step.relative:.3g} times as long as the parameters"
    return Finding(
        "large_step",
        why,
        "step",
        _evidence(step),
        f"learning_rate={better_rate(step):.2g}",
    )


def small_step(facts: Facts) -> Finding | None:
    """A thousand such steps are needed to go where the cost is lowest along the step."""
    step = facts.step
    if step is None or 0 < step.best < SHORT_STEP:
        return None
    if step.best == 0 and step.change.any():
        return None  # no multiple lowers the cost: there is no slope
    if step.change.any() and not step.lowest < 0.99 * facts.cost:
        return None  # nothing is to be had along it
    return Finding(
        "small_step",
        f"a step {step.best:.3g} times as long lowers the cost most" if step.change.any()
        else f"at learning_rate={step.rate:.3g} a step changes no parameter",
        "step",
        _evidence(step),
        f"learning_rate={better_rate(step):.2g}",
    )  # fmt: skip


def better_rate(step: Step) -> float:
    """The rate of the best multiple of the step, or half the largest stable one if that is less."""
    best = step.best if step.best else 2.0**-10
    rate = step.rate * best
    if step.optimizer.kind == "sgd" and step.largest_eigenvalue > 0:
        return float(min(rate, 1 / step.largest_eigenvalue))
    return rate / 2 if best > 1 else rate


def _evidence(step: Step) -> dict[str, float]:
    found = {
        "learning rate": step.rate,
        "step / ‖w‖": step.relative,
        "best multiple of the step": step.best,
        "largest eigenvalue λ": step.largest_eigenvalue,
    }
    if np.isfinite(step.ceiling):
        found["rate / largest stable rate"] = step.ceiling
    return found


CAUSES = (large_step, small_step)
