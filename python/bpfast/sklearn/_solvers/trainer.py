"""A trainer whose penalty is divided by the number of examples of each mini-batch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._validation.arrays.inputs import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._training.arguments.settings import Settings
    from bpfast.optimizers import Optimizer


class EstimatorTrainer:
    """The `Trainer` of scikit-learn's loss: C + (alpha/2 Σ w² + l1 Σ |w|) / n for n examples.

    The last mini-batch of an epoch may have fewer examples than the others, so its penalty has
    other factors. A second trainer takes this step.
    """

    def __init__(self, net: Network, optimizer: Optimizer, settings: Settings) -> None:
        self._net, self._rule, self._settings = net, optimizer._rule(), settings
        self._main = _core.Trainer(net, self._rule, settings.batch_size, settings)
        self._last: _core.Trainer | None = None
        self._examples: tuple[Any, Any, Any] = (None, None, None)
        self._full = self._done = self._rest = 0
        self._cost_before = 0.0  # of trainers of last steps that are no longer used
        self._report = (0, 0)

    def load(self, x: Any, y: Any, weight: Any = None, sparse: float = 0.0) -> None:
        """Load the examples of an epoch, or of a part of it."""
        self._main.load(x, y, weight, sparse)
        self._examples = x, y, weight
        full, rest = divmod(len(self._main), self._settings.batch_size)
        has_penalty = self._settings.l2 or self._settings.l1
        if not (rest and has_penalty):
            full, rest = len(self._main), 0  # all steps are those of one trainer
        if rest != self._rest and self._last is not None:
            self._cost_before += self._last.report[2]
            self._last = None  # its penalty is that of another number of examples
        self._full, self._rest = full, rest

    def begin(self, epoch: int, seed: int | None = None) -> None:
        """Start an epoch over the loaded examples."""
        self._main.begin(epoch, seed)
        self._done = 0

    def reset_cost(self) -> None:
        """Reset the sum of costs in `report` to 0."""
        self._main.reset_cost()
        self._cost_before = 0.0
        if self._last is not None:
            self._last.reset_cost()

    def run(
        self,
        rates: NDArray[np.float64],
        optimizer: Optimizer,
        state_arrays: Any,
        returned: Any = None,
    ) -> bool:
        """Do the next steps. Returns whether they stopped at values that are not finite."""
        count = min(len(rates), self._full - self._done)
        self._report = (0, 0)
        if count:
            diverged = self._main.run(rates[:count], optimizer, state_arrays, returned)
            self._report = self._main.report[:2]
            self._done += self._report[0]
            if diverged:
                return True
        if count == len(rates):
            return False
        last = self._last_step()
        diverged = last.run(rates[count:], optimizer, state_arrays, returned)
        steps, examples, _ = last.report
        self._report = (self._report[0] + steps, self._report[1] + examples)
        return diverged

    def outputs(self, optimizer: Optimizer) -> Any:
        """For a callable cost: a^L of the examples of the next step."""
        trainer = self._main if self._done < self._full else self._last_step()
        return trainer.outputs(optimizer)

    def _last_step(self) -> _core.Trainer:
        """The trainer of the last mini-batch, with its examples."""
        if self._last is None:
            settings = copy.copy(self._settings)
            scale = settings.batch_size / self._rest
            settings.l1 *= scale
            settings.l2 *= scale
            self._last = _core.Trainer(self._net, self._rule, settings.batch_size, settings)
        rows = self._main.next_rows().astype(np.intp)
        x, y, weight = self._examples
        self._last.load(
            rows_of(x, rows), rows_of(y, rows), None if weight is None else rows_of(weight, rows)
        )
        self._last.begin(0)
        return self._last

    @property
    def report(self) -> tuple[int, int, float]:
        """The steps and examples of the last series, and Σ s_x C_x since `reset_cost`."""
        cost = self._main.report[2] + self._cost_before
        if self._last is not None:
            cost += self._last.report[2]
        return (*self._report, cost)

    @property
    def y(self) -> Any:
        """The y of all loaded examples."""
        return self._main.y

    def next_rows(self) -> NDArray[np.uint32]:
        """The examples of the next step."""
        return self._main.next_rows()

    def __len__(self) -> int:
        return len(self._main)
