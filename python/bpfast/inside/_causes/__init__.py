"""The causes of slow learning, one function each: a finding if it is there, else None.

A cause is found if, by itself, it makes learning at least ten times slower (DECADE), or if it
affects more than half of a layer. The docstring of each function has its reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bpfast.inside._causes import gates, inputs, step, targets, weights

if TYPE_CHECKING:
    from bpfast.inside._facts import Facts
    from bpfast.inside._finding import Finding


def findings_of(facts: Facts) -> list[Finding]:
    """The causes that are found, the main one first.

    Inputs come first, then targets, parameters, examples and the step: an earlier cause makes later
    ones, as unscaled features saturate neurons, and saturated neurons make small steps. Of those
    that an earlier one explains, the ones in `EXPLAINS` are left out. Examples are rows of the
    batch inside each cause, and rows of the user's x in what is returned.
    """
    if facts.has_learned:
        return []
    found: list[Finding] = []
    for cause in CHECKS:
        finding = cause(facts)
        kinds = {other.kind for other in found}
        if finding is not None and not any(finding.kind in EXPLAINS.get(k, ()) for k in kinds):
            found.append(replace(finding, examples=facts.batch.rows[finding.examples]))
    return found


CHECKS = (
    *inputs.CHECKS, *targets.RANGE_CHECKS, weights.symmetric_neurons, gates.dead_neurons,
    gates.saturated_hidden, weights.large_weights, weights.small_weights,
    weights.vanishing_gradient, gates.saturated_output, *targets.EXAMPLE_CHECKS, *step.CHECKS,
)  # fmt: skip
_STEPS = ("small_step", "large_step")
# What a cause explains, so that it is not named again.
EXPLAINS = {
    "constant_features": ("unscaled_features", "uncentred_features", "unrelated_targets", *_STEPS),
    "uneven_features": ("unscaled_features", "uncentred_features", "quiet_inputs", *_STEPS),
    "uncentred_features": ("unscaled_features", *_STEPS),
    "unscaled_features": _STEPS,
    "quiet_inputs": ("vanishing_gradient", *_STEPS),
    "target_range": ("saturated_output", *_STEPS),
    "target_scale": _STEPS,
    "symmetric_neurons": ("vanishing_gradient", "small_weights", *_STEPS),
    "dead_neurons": ("vanishing_gradient", *_STEPS),
    "saturated_hidden": ("large_weights", "vanishing_gradient", *_STEPS),
    "large_weights": _STEPS,
    "small_weights": ("vanishing_gradient", *_STEPS),
    "vanishing_gradient": _STEPS,
    "saturated_output": _STEPS,
    "contradicting_examples": ("unrelated_targets",),
    "class_imbalance": ("unrelated_targets",),
}
