"""What `_core.run_epochs` reads: some epochs of one training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bpfast._core import Trainer
    from bpfast._training.data.examples import Examples
    from bpfast._training.growth import Growth
    from bpfast._training.progress import Progress
    from bpfast._training.stopping.early_stopping import EarlyStopping
    from bpfast.optimizers import Optimizer


@dataclass(kw_only=True)
class Job:
    """Some epochs of one training."""

    trainer: Trainer
    optimizer: Optimizer
    state_arrays: Any
    rates: NDArray[np.float64]
    first_epoch: int
    order_seed: int | None
    rows: NDArray[np.uint32] | None
    # What is evaluated after each epoch: examples of a trainer, or rows of x with weights of all.
    validation: Trainer | None
    validation_rows: NDArray[np.uint32] | None
    validation_weight: NDArray[np.float64] | None
    # If Rust applies it: the rule and its state, and whether it monitors the validation cost.
    early_stopping: EarlyStopping | None
    monitors_validation: bool
    best_params: NDArray[Any] | None


class JobRunner:
    """The runner of a training whose epochs run in `_core.run_epochs`."""

    def __init__(self, examples: Examples) -> None:
        self._data = examples
        self.examples: int | None = len(examples)

    def run(self, epoch: int, growth: Growth, progress_bar: Progress | None) -> tuple[float, float]:
        """No step is done here."""
        raise NotImplementedError

    def fault(self) -> str | None:
        """Describe the first number of the examples that is not finite, if any."""
        return self._data.fault()

    def close(self) -> None:
        """Nothing to release."""
