"""The steps of a training: many in one call of `_core`, or one by one for a callable cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast import _core
from bpfast._validation.network import refuse_other_params
from bpfast.schedules import Schedule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._core import Network, Trainer
    from bpfast.optimizers import Optimizer


class StepsDone(NamedTuple):
    """The result of a number of steps."""

    steps: int = 0
    examples: int = 0
    cost: float = 0.0  # Σ s_x C_x / n over the n examples of the epoch so far
    diverged: bool = False  # whether a number is not finite, so that no step follows


class OptimizerGuard:
    """Detects whether user code changed the optimizer.

    Examples
    --------
    >>> import bpfast
    >>> opt = bpfast.SGD(0.5)
    >>> guard = OptimizerGuard(opt)
    >>> opt.learning_rate = 0.1
    >>> guard.check("cost")
    Traceback (most recent call last):
    ValueError: cost: expected to leave the optimizer unchanged, got another learning_rate
    """

    __slots__ = ("_before", "_optimizer")

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._before = self._now()

    def _now(self) -> tuple[Any, ...]:
        optimizer, rate = self._optimizer, self._optimizer._schedule
        schedule_state = rate.state if isinstance(rate, Schedule) else None
        return optimizer._steps, optimizer._state_arrays, rate, schedule_state

    def check(self, argument: str) -> None:
        """Raise ValueError if the called `argument` changed the optimizer.

        The parameters, rate and state of a step belong together.
        """
        (steps, state_arrays, rate, schedule_state), now = self._before, self._now()
        if now[0] != steps or now[1] is not state_arrays:
            got = f"another state, of {now[0]} steps"
        elif now[2] is not rate or now[3] != schedule_state:
            got = "another learning_rate"
        else:
            return
        raise ValueError(f"{argument}: expected to leave the optimizer unchanged, got {got}")


def run_steps(
    net: Network,
    trainer: Trainer,
    rates: NDArray[np.float64],
    optimizer: Optimizer,
    state_arrays: Any,
) -> StepsDone:
    """Do one step for each of the rates.

    After any exception, also Ctrl-C, each step is complete or not done, and `optimizer` has counted
    the completed ones.
    """
    cost = net._custom_cost
    if cost is None:
        diverged = trainer.run(rates, optimizer, state_arrays, None)
        return StepsDone(*trainer.report, diverged)
    report, params = StepsDone(), _core.copy_params(net)
    for k in range(len(rates)):
        np.copyto(params, net.params)
        guard = OptimizerGuard(optimizer)
        a = trainer.outputs(optimizer)
        y = trainer.y
        if len(y) != len(trainer):  # resized by the cost
            expected = f"{len(trainer)} examples until the call ends"
            raise ValueError(f"y: expected {expected}, got {len(y)}")
        returned = cost(a, np.take(y, trainer.next_rows(), 0))
        guard.check("cost")
        refuse_other_params(net, params)
        diverged = trainer.run(rates[k : k + 1], optimizer, state_arrays, returned)
        steps, examples, so_far = trainer.report
        report = StepsDone(report.steps + steps, report.examples + examples, so_far, diverged)
        if diverged:
            break
    return report
