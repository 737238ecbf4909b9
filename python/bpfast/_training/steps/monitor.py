"""Callbacks that record steps, or epochs, and check the network before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from bpfast._network import Network


class StepMonitor(ABC):
    """What the training loop asks of a callback that records steps: the base of `Monitor`.

    The steps measure themselves, and the loop passes the numbers on. A base class and no protocol:
    a callback of a user may have attributes of any name, as a mock has.

    Attributes
    ----------
    _every_steps : int
        Record the steps whose number is a multiple; 0: record none.
    _cosine : bool
        Whether a record has the cosine of successive gradients.
    _curvature : bool
        Whether the monitor looks at the network after each record, so that a series of steps must
        end there.
    """

    _every_steps: int
    _cosine: bool
    _curvature: bool

    @abstractmethod
    def _begin(self, net: Network) -> None:
        """Check that the network fits, before the first step."""

    @abstractmethod
    def _add_steps(self, net: Network, epoch: int, rows: NDArray[np.float64]) -> None:
        """Take the records of some steps, (k, columns)."""


def begin(callbacks: Iterable[Any], net: Network) -> None:
    """Let the monitors among the callbacks check that the network fits, before the first step."""
    for callback in callbacks:
        if isinstance(callback, StepMonitor):
            callback._begin(net)  # noqa: SLF001, of this class


def step_monitors(callbacks: Iterable[Any]) -> list[StepMonitor]:
    """The callbacks that record steps."""
    monitors = [callback for callback in callbacks if isinstance(callback, StepMonitor)]
    return [monitor for monitor in monitors if monitor._every_steps]  # noqa: SLF001, of this class
