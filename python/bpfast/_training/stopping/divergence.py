"""The error of a training whose numbers are no longer finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast._training.steps.runner import StepRunner


class DivergenceError(ArithmeticError):
    """The cost or a parameter became NaN or infinite during a training.

    The network keeps the parameters, and the optimizer the state, from before the failed step.

    Attributes
    ----------
    epoch, step : int
        The epoch, counted from 1, and its step, counted from 0, that failed. `partial_fit` has no
        epochs: 0.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> try:
    ...     net.fit([[1.0]], [[1.0]], optimizer=bpfast.SGD(1e200), epochs=10)
    ... except bpfast.DivergenceError as error:
    ...     print(error.epoch, error.step)
    2 0
    >>> net.params
    array([1.e+200, 1.e+200])
    """

    epoch: int
    step: int

    def __init__(self, epoch: int, step: int) -> None:
        where = f"epoch {epoch}, step {step}" if epoch else f"step {step}"
        super().__init__(
            f"{where}: the cost or a parameter is no longer finite; the network keeps the "
            "parameters from before this step. Try a lower learning rate, clip_norm=1.0, inputs "
            "scaled to about 1, or float64; check_finite=False trains on"
        )
        self.epoch, self.step = epoch, step

    def __reduce__(self) -> tuple[type[DivergenceError], tuple[int, int]]:
        return type(self), (self.epoch, self.step)


DivergenceError.__module__ = "bpfast"  # the public module


def failure(
    net: Network, runner: StepRunner, epoch: int, step: int
) -> ValueError | DivergenceError:
    """The error that explains why the next step of `runner` fails."""
    params = net.params
    bad = np.flatnonzero(~np.isfinite(params))
    if bad.size:  # steps leave none, so it was there before
        return ValueError(f"params[{bad[0]}]: expected finite numbers, got {params[bad[0]]}")
    if fault := runner.fault():
        return ValueError(fault)
    return DivergenceError(epoch, step)
