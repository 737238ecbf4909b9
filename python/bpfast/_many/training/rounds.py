"""The epochs of several networks, until all are done."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bpfast import _core
from bpfast._training.progress import Progress
from bpfast._training.stopping.divergence import DivergenceError
from bpfast._training.stopping.reason import reason_of
from bpfast._validation.caller import stack_level
from bpfast._validation.numbers import format_number, integer, number
from bpfast.history._mode import default_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bpfast._many.training.member import Member

# The updates of a progress bar in a training.
PROGRESS_UPDATES = 50


@dataclass(kw_only=True)
class Halving:
    """Successive halving: after every `every` epochs the best fraction `keep` goes on."""

    keep: float
    every: int


def parse_halving(keep: Any, every: Any) -> Halving | None:
    """The arguments of successive halving; None without `keep`."""
    if keep is None:
        if every is not None:
            raise ValueError(f"every: expected only with keep, got {every!r}")
        return None
    share = number("keep", keep)
    if not 0 < share < 1:
        expected = "a number above 0 and below 1"
        raise ValueError(f"keep: expected {expected}, got {format_number(share)}")
    if every is None:
        expected = "the number of epochs between two choices, as keep is given"
        raise ValueError(f"every: expected {expected}, got None")
    return Halving(keep=share, every=integer("every", every, 1))


def train(members: Sequence[Member], *, progress: bool, halving: Halving | None) -> None:
    """Train all networks; each ends at its last epoch, its early stop, or a divergence.

    Raises
    ------
    ValueError
        x or y has a number that is not finite.
    Exception
        What code of the user raised, with a note that names the network.
    """
    longest = max(member.epochs for member in members)
    every = max(longest // PROGRESS_UPDATES, 1) if progress else longest
    if halving is not None:
        every = halving.every
    per_epoch = sum(member.examples for member in members)
    until = 0
    try:
        with Progress(progress, longest, per_epoch) as bar:
            while active := [member for member in members if not member.is_done]:
                until += every
                while behind := [member for member in active if member.is_behind(until)]:
                    before = sum(len(member.training.history) for member in behind)
                    _round(behind, until)
                    after = sum(len(member.training.history) for member in behind)
                    bar.advance((after - before) * per_epoch // len(members))
                if halving is not None:
                    _halve(active, halving.keep)
    except BaseException as error:
        for member in members:
            if member.is_done:
                member.finish()
            else:
                member.training.history.stopped = reason_of(error)
        raise
    for member in members:
        member.finish()


def _round(active: Sequence[Member], until: int) -> None:
    """One epoch or more of each network, at most up to the epoch `until`.

    An exception is raised after the epochs of the others are recorded.
    """
    together = [member for member in active if member.trainer is not None]
    jobs = []
    for member in together:
        with _keeping_error(member):
            jobs.append(member.job(until))
    if jobs and len(jobs) == len(together):
        outcomes, error = _core.run_epochs(jobs)
        for member, job, outcome in zip(together, jobs, outcomes, strict=True):
            try:
                with _keeping_error(member):
                    member.record(job, outcome, is_interrupted=error is not None)
            except BaseException as interrupt:  # noqa: BLE001 - raised when all are recorded
                error = error or interrupt
        if error is not None:
            raise error
    for member in active:
        if member.trainer is None and not any(other.has_failed for other in active):
            with _keeping_error(member):
                _epochs_alone(member, until)
    for member in active:
        if isinstance(member.error, DivergenceError):
            where = f"nets[{member.place}], {member.training.net!r}"
            text = f"{where}, stopped alone: {member.error}"
            warnings.warn(text, UserWarning, stacklevel=stack_level())
    for member in active:
        if member.error is not None and member.has_failed:
            raise member.error


@contextmanager
def _keeping_error(member: Member) -> Iterator[None]:
    """End the training of one network at an exception of its callback, metric, schedule or cost."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - raised at the end of the round
        if not isinstance(error, DivergenceError):
            error.add_note(f"This happened in nets[{member.place}].")
        member.fail(error)


def _epochs_alone(member: Member, until: int) -> None:
    """Epochs with Python code between the steps, such as a callable cost."""
    training = member.training
    with Progress(False, 1) as no_bar:
        while member.is_behind(until):
            training.epoch(len(training.history) + 1, no_bar, False)


def _halve(active: Sequence[Member], keep: float) -> None:
    """Stop all but the best of the networks that are in training, by their last cost."""
    alive = [member for member in active if not member.is_done]
    count = math.ceil(round(keep * len(active), 9))  # 0.07 · 100 is a little above 7
    count = max(count, 1)
    if len(alive) <= count:
        return

    def last_cost(member: Member) -> float:
        history: Any = member.training.history
        cost = float(history[default_column(history)][-1])
        return cost if math.isfinite(cost) else math.inf

    # The sort is stable: of equal networks the first ones stay.
    for member in sorted(alive, key=last_cost)[count:]:
        member.training.history.stopped = "halving"
