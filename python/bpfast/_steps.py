"""The steps of a training: many at once in `_core`, or one by one where the cost is a callable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._core import Network, Trainer
    from bpfast.optimizers import Optimizer


class Report(NamedTuple):
    """What some steps have done."""

    steps: int = 0
    examples: int = 0
    cost: float = 0.0  # Σ s_x C_x over the epoch so far
    diverged: bool = False  # whether something is not finite, so that there is no next step


def run_steps(
    net: Network, trainer: Trainer, rates: NDArray[np.float64], optimizer: Optimizer, kept: Any
) -> Report:
    """Do a step for each of the rates.

    Whatever is raised, also by Ctrl-C, each step is whole or not done, and `optimizer` has counted
    those that are done.
    """
    cost = net._custom_cost
    if cost is None:
        diverged = trainer.run(rates, optimizer, kept)
        return Report(*trainer.report, diverged)
    report = Report()
    for k in range(len(rates)):
        a = trainer.outputs(optimizer)
        y = trainer.y
        if len(y) != len(trainer):  # the cost has resized it
            wanted = f"{len(trainer)} examples until the call ends"
            raise ValueError(f"y: expected {wanted}, got {len(y)}")
        returned = cost(a, np.take(y, trainer.next_rows(), 0))
        diverged = trainer.run(rates[k : k + 1], optimizer, kept, returned)
        steps, examples, so_far = trainer.report
        report = Report(report.steps + steps, report.examples + examples, so_far, diverged)
        if diverged:
            break
    return report
