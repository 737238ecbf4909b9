"""Why a training ended, in the words of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfast._training.stopping.divergence import DivergenceError

if TYPE_CHECKING:
    from bpfast._typing import StopReason


def reason_of(error: BaseException) -> StopReason | str:
    """The reason of a training that an error ended.

    Examples
    --------
    >>> reason_of(DivergenceError(1, 0)), reason_of(KeyboardInterrupt()), reason_of(OSError())
    ('diverged', 'interrupted', 'OSError')
    """
    reason: StopReason
    if isinstance(error, DivergenceError):
        reason = "diverged"
    elif isinstance(error, KeyboardInterrupt):
        reason = "interrupted"
    else:
        return type(error).__name__
    return reason
