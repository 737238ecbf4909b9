"""The rates of many steps, for anything that is accepted as a schedule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex

import numpy as np

from bpfast._validation.numbers import format_number, integer, is_number, number, positive
from bpfast.schedules._decay import Constant
from bpfast.schedules._plateau import Plateau
from bpfast.schedules._schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def as_schedule(
    argument: str, value: Schedule | Callable[[int], SupportsFloat] | SupportsFloat
) -> Callable[[int], SupportsFloat]:
    """`value` as a schedule: a number becomes a constant schedule, a callable stays as it is.

    Examples
    --------
    >>> as_schedule("learning_rate", 0.1)
    Constant(0.1)
    >>> as_schedule("learning_rate", -0.1)
    Traceback (most recent call last):
    ValueError: learning_rate: expected a positive number, got -0.1
    """
    if is_number(value):
        return Constant(positive(argument, value))
    if isinstance(value, type):
        raise TypeError(f"{argument}: expected a schedule, got the class {value.__name__} itself")
    if not callable(value):
        got = type(value).__name__
        raise TypeError(f"{argument}: expected a number or a callable schedule(step), got {got}")
    return value


def checked_rate(value: Any, step: int) -> float:
    """Check what a schedule returned for `step`."""
    if not is_number(value):
        got = type(value).__name__
        raise TypeError(f"learning_rate: expected a number at step {step}, got {got}")
    rate = number("learning_rate", value)
    if not 0 <= rate < math.inf:
        got = format_number(rate)
        raise ValueError(
            f"learning_rate: expected a finite rate, 0 or above, at step {step}, got {got}"
        )
    return rate


def rates(
    schedule: Schedule | Callable[[int], SupportsFloat] | SupportsFloat,
    first: SupportsIndex,
    count: SupportsIndex,
) -> NDArray[np.float64]:
    """The rates of many steps as an array.

    Parameters
    ----------
    schedule : Schedule, callable or float
        A number is a constant rate. A callable is called once per step, in order.
    first : int
        The first step, 0 or above.
    count : int
        The number of steps, 0 or above.

    Returns
    -------
    ndarray of float64, (count,)
        The rates of the steps first, first + 1, …, equal to those of single calls.

    Raises
    ------
    ValueError
        An argument is out of range, or a rate is negative or not finite.
    TypeError
        An argument or a rate has the wrong type. Exceptions of a callable propagate.

    Examples
    --------
    >>> from bpfast import schedules
    >>> schedules.rates(schedules.Step(0.8, every=2, factor=0.5), 0, 5)
    array([0.8, 0.8, 0.4, 0.4, 0.2])
    >>> schedules.rates(lambda step: 1 / (1 + step), 1, 3)
    array([0.5       , 0.33333333, 0.25      ])
    """
    schedule = as_schedule("schedule", schedule)
    first, count = integer("first", first, 0), integer("count", count, 0)
    if isinstance(schedule, Constant | Plateau):
        return np.full(count, checked_rate(schedule(first), first))
    if isinstance(schedule, Schedule):
        given = schedule.rates(first, count)
        if not ((given >= 0) & (given < math.inf)).all():
            for step, rate in enumerate(given.tolist(), first):
                checked_rate(rate, step)
        return given
    # No generator: it would turn a StopIteration of the callable into another error.
    rates = np.empty(count)
    for k in range(count):
        rates[k] = checked_rate(schedule(first + k), first + k)
    return rates
