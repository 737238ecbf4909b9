"""The epochs of several networks, until all are done."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from bpfast import _core
from bpfast._training.divergence import DivergenceError
from bpfast._training.progress import Progress
from bpfast._training.stopped import reason_of
from bpfast._validation.caller import stack_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfast._many.member import Member

# The most epochs of a round, and how many rounds a progress bar asks for.
MOST, UPDATES = 1 << 30, 50


def train(
    members: Sequence[Member], *, progress: bool, keep: float | None, every: int | None
) -> None:
    """Train all networks; each ends at its last epoch, its early stop, or a divergence.

    With `keep`, only the best of those in training go on after every `every` epochs.

    Raises
    ------
    ValueError
        x or y has a number that is not finite.
    """
    longest = max(member.epochs for member in members)
    most = every or (max(longest // UPDATES, 1) if progress else MOST)
    per_epoch = sum(member.examples for member in members)
    try:
        with Progress(progress, longest, per_epoch) as bar:
            while active := [member for member in members if not member.is_done]:
                before = sum(len(member.training.history) for member in active)
                _round(active, most)
                if keep is not None:
                    _halve(active, keep)
                after = sum(len(member.training.history) for member in active)
                bar.advance((after - before) * per_epoch // len(members))
        for member in members:
            member.finish()
    except BaseException as error:
        for member in members:
            if not member.is_done:
                member.training.history.stopped = reason_of(error)
        raise


def _round(active: Sequence[Member], most: int) -> None:
    """At most `most` epochs of each network."""
    together = [member for member in active if member.trainer is not None]
    jobs = [member.job(most) for member in together]
    if jobs:
        outcomes, error = _core.run_epochs(jobs)
        for member, job, outcome in zip(together, jobs, outcomes, strict=True):
            member.record(job, outcome)
        if error is not None:
            raise error
    for member in active:
        if member.trainer is None:
            _epochs_alone(member, most)
    for member in active:
        if member.error is not None:
            _tell(member)


def _epochs_alone(member: Member, most: int) -> None:
    """Epochs with Python code between the steps, such as a callable cost."""
    training = member.training
    try:
        with Progress(False, 1) as no_bar:
            for _ in range(min(most, member.epochs - len(training.history))):
                if training.epoch(len(training.history) + 1, no_bar, False):
                    break
    except DivergenceError as error:
        training.history.stopped = reason_of(error)
        member.error = error


def _tell(member: Member) -> None:
    """Warn of a network that diverged; raise if its data are to blame."""
    error = member.error
    if isinstance(error, ValueError):
        raise error
    net = member.training.net
    warnings.warn(f"{net!r} stopped alone: {error}", UserWarning, stacklevel=stack_level())


def _halve(active: Sequence[Member], keep: float) -> None:
    """Stop all but the best of the networks that are in training, by their last cost."""
    alive = [member for member in active if not member.is_done]
    count = math.ceil(keep * len(active))
    if len(alive) <= count:
        return

    def last_cost(member: Member) -> float:
        history: Any = member.training.history
        name = "validation_cost" if "validation_cost" in history else "cost"
        cost = float(history[name][-1])
        return cost if math.isfinite(cost) else math.inf

    # The sort is stable: of equal networks the first ones stay.
    for member in sorted(alive, key=last_cost)[count:]:
        member.training.history.stopped = "halving"
