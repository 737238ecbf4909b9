"""A linear ramp before a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, final

import numpy as np

from bpfast._validation.names import by_name
from bpfast._validation.numbers import integer, not_negative
from bpfast.schedules._rates import as_schedule, checked_rate
from bpfast.schedules._schedule import ARGUMENT_SYNONYMS, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

# The most nested ramps. Each one is a nested call, and an untrusted config may have any number.
MAX_RAMPS = 10


@final
class WarmUp(Schedule):
    r"""A linear ramp, followed by another schedule, which starts at its own step 0.

    .. math::

        \eta(t) = \begin{cases}
          \text{start} + (\text{schedule}(0) - \text{start}) \, t / \text{steps}
            & t < \text{steps} \\
          \text{schedule}(t - \text{steps}) & \text{else}
        \end{cases}

    Parameters
    ----------
    schedule : Schedule, callable or float
        The schedule after the ramp. A number is a constant rate.
    steps : int
        The number of steps of the ramp.
    start : float, default 0.0
        The rate at step 0, 0 or above. With 0 the first step changes no parameter.

    Raises
    ------
    ValueError
        An argument is out of range, or more than 10 ramps follow each other. When called:
        `schedule` returned a rate that is negative or not finite.
    TypeError
        An argument has the wrong type. Exceptions of a callable propagate when it is called.

    Notes
    -----
    Source: PyTorch's ``LinearLR`` with ``start_factor = start / schedule(0)``, in a
    ``SequentialLR``.

    Examples
    --------
    >>> from bpfast import schedules
    >>> schedule = schedules.WarmUp(schedules.Cosine(0.8, steps=100), steps=4)
    >>> schedule(0), schedule(1), schedule(4), schedule(104)
    (0.0, 0.2, 0.8, 0.0)
    """

    __slots__ = ("schedule", "start", "steps")
    kind = "warm_up"
    arguments = ("schedule", "steps", "start")
    required = 2

    @by_name(ARGUMENT_SYNONYMS)
    def __init__(
        self,
        schedule: Schedule | Callable[[int], SupportsFloat] | SupportsFloat,
        steps: SupportsIndex,
        start: SupportsFloat = 0.0,
    ) -> None:
        self.schedule = as_schedule("schedule", schedule)
        ramps, inner = 1, self.schedule
        while isinstance(inner, WarmUp):
            if ramps == MAX_RAMPS:
                expected = f"{MAX_RAMPS} nested ramps or fewer"
                raise ValueError(f"schedule: expected {expected}, got more")
            ramps, inner = ramps + 1, inner.schedule
        self.steps = integer("steps", steps, 1)
        self.start = not_negative("start", start)

    def _at(self, step: int) -> float:
        rate = checked_rate(self.schedule(max(step - self.steps, 0)), step)
        if step >= self.steps:
            return rate
        share = step / self.steps
        return self.start * (1 - share) + rate * share

    def _rates(self, first: int, count: int) -> NDArray[np.float64]:
        ramp = min(max(self.steps - first, 0), count)
        if ramp == count or not isinstance(self.schedule, Schedule):
            return super()._rates(first, count)
        behind = self.schedule.rates(first + ramp - self.steps, count - ramp)
        return np.concatenate([super()._rates(first, ramp), behind])

    def report(self, value: float) -> None:
        """Pass the value on to the schedule after the ramp, if it is one of this module.

        Parameters
        ----------
        value : float
            The validation cost, or else the cost, of an epoch.

        Raises
        ------
        TypeError
            The schedule after the ramp is a `Plateau`, and `value` is not a number.

        Examples
        --------
        >>> from bpfast import schedules
        >>> schedule = schedules.WarmUp(schedules.Plateau(0.1, factor=0.5, patience=0), steps=4)
        >>> schedule.report(3.0)
        >>> schedule.report(3.0)  # no improvement
        >>> schedule(4)
        0.05
        """
        if isinstance(self.schedule, Schedule):
            self.schedule.report(value)

    @property
    def config(self) -> dict[str, Any]:
        """The kind and the arguments in JSON types, as `from_config` reads them.

        Raises
        ------
        TypeError
            The schedule after the ramp is a callable of your own, which has no config.
        """
        if not isinstance(self.schedule, Schedule):
            got = type(self.schedule).__name__
            raise TypeError(f"schedule: expected one of bpfast.schedules for a config, got {got}")
        return super().config | {"schedule": self.schedule.config}

    @property
    def state(self) -> dict[str, Any]:
        """The state of the schedule after the ramp."""
        return self.schedule.state if isinstance(self.schedule, Schedule) else {}

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        self._restore("state", state)

    def _restore(self, argument: str, state: Any) -> None:
        if isinstance(self.schedule, Schedule):
            self.schedule._restore(argument, state)  # noqa: SLF001
        else:
            super()._restore(argument, state)
