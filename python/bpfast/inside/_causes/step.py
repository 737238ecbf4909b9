"""Causes in the step of the optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpfast.inside._causes.limits import (
    CEILING,
    FAR_BELOW,
    LONG_STEP,
    MIN_GAIN,
    RISE,
    SHORT_RELATIVE,
    SHORT_STEP,
)
from bpfast.inside._finding import Finding
from bpfast.inside._steps import momentum_of
from bpfast.optimizers._registry import OPTIMIZERS

if TYPE_CHECKING:
    from bpfast.inside._facts import Facts
    from bpfast.inside._steps import NextStep


def large_step(facts: Facts) -> Finding | None:
    """The step overshoots: it raises the cost, or the rate exceeds the curvature's ceiling."""
    step = facts.step
    if step is None or not step.change.any():
        return None
    scale = facts.scale.size if facts.scale.size > 0 else facts.cost
    raises = step.best < LONG_STEP and not step.after <= facts.cost + RISE * scale
    if not raises and not step.ceiling > CEILING:
        return None
    why = f"one step raises the cost from {facts.cost:.3g} to {step.after:.3g}"
    if not np.isfinite(step.after):
        why = "after one step the cost is out of range"
    if step.ceiling > CEILING:
        why = f"the rate is {step.ceiling:.3g} times the largest stable one, 2/λ"
    return Finding(
        "large_step",
        why,
        "step",
        _evidence(step),
        f"learning_rate={better_rate(step):.2g}",
    )


def small_step(facts: Facts) -> Finding | None:
    """Thousands of such steps are needed to go where the cost is lowest along the step.

    Or the rate of SGD is far below the largest stable one.
    """
    step = facts.step
    if step is None or not (why := _short(step, facts)):
        return None
    return Finding(
        "small_step", why, "step", _evidence(step), f"learning_rate={better_rate(step):.2g}"
    )


def _short(step: NextStep, facts: Facts) -> str:
    """Why the step is too small, or ""."""
    above, lowest = facts.cost - facts.scale.least, step.lowest - facts.scale.least
    is_of_use = lowest < (1 - MIN_GAIN) * above or step.relative < SHORT_RELATIVE
    if step.largest_rate > step.rate == 0 and not is_of_use:
        return ""
    # The largest rate so far counts: a schedule makes the last steps small on purpose.
    times = step.largest_rate / step.rate if step.rate else 1.0
    if not step.change.any():
        return f"at learning_rate={step.rate:.3g} a step changes no parameter"
    if step.best == 0:
        return ""  # no multiple lowers the cost: there is no slope
    gathered = 1 - momentum_of(step.optimizer)  # steps add up to 1 / (1 - β) of one
    if times * step.ceiling < FAR_BELOW * gathered:
        return f"the rate is {step.ceiling:.2g} of the largest stable one, 2/λ"
    is_short = step.best / times * (1 if step.optimizer.steps else gathered) >= SHORT_STEP
    if is_short and is_of_use:
        return f"a step {step.best:.3g} times as long lowers the cost most"
    return ""


def better_rate(step: NextStep) -> float:
    """The rate of the best multiple of the step, or half the largest stable one if that is less.

    Of a step that changes nothing no multiple is better: half the largest stable rate, or the
    default one.
    """
    if not step.change.any():
        if step.largest_eigenvalue > 0:
            return 1 / step.largest_eigenvalue
        return float(OPTIMIZERS[step.optimizer.kind]().learning_rate)
    best = step.best or 2.0**-10
    rate = step.rate * best
    if step.optimizer.kind == "sgd" and step.largest_eigenvalue > 0:
        return min(rate, 1 / step.largest_eigenvalue)
    return rate / 2 if best > 1 else rate


def _evidence(step: NextStep) -> dict[str, float]:
    found = {
        "learning rate": step.rate,
        "step / ‖w‖": step.relative,
        "best multiple of the step": step.best,
        "largest eigenvalue λ": step.largest_eigenvalue,
        "rate / largest stable rate": step.ceiling,
    }
    return {name: value for name, value in found.items() if not np.isnan(value)}


CHECKS = (large_step, small_step)
