"""Constant and decreasing schedules: Constant, Step, Cosine."""

from __future__ import annotations

import math
from typing import SupportsFloat, SupportsIndex, final

from bpfast._validation.names import by_name
from bpfast._validation.numbers import format_number, integer, not_negative, number, positive
from bpfast.schedules._schedule import ARGUMENT_SYNONYMS, Schedule


@final
class Constant(Schedule):
    """The same rate at every step.

    Parameters
    ----------
    rate : float
        The rate, above 0.

    Raises
    ------
    ValueError
        The rate is not a finite number above 0.
    TypeError
        The rate is not a number.

    Examples
    --------
    >>> from bpfast import schedules
    >>> schedules.Constant(0.1)(1000)
    0.1
    """

    __slots__ = ("rate",)
    kind = "constant"
    arguments = ("rate",)
    required = 1

    @by_name(ARGUMENT_SYNONYMS)
    def __init__(self, rate: SupportsFloat) -> None:
        self.rate = positive("rate", rate)

    def _at(self, _step: int) -> float:
        return self.rate


@final
class Step(Schedule):
    r"""A rate that is multiplied by a factor after every `every` steps.

    .. math:: \eta(t) = \text{rate} \cdot \text{factor}^{\lfloor t / \text{every} \rfloor}

    Parameters
    ----------
    rate : float
        The first rate, above 0.
    every : int
        The number of steps after which the rate changes.
    factor : float, default 0.1
        The factor, above 0 and at most 1.

    Raises
    ------
    ValueError
        A number is out of range.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Source: PyTorch's ``StepLR``, in closed form.

    Examples
    --------
    >>> from bpfast import schedules
    >>> schedule = schedules.Step(0.8, every=10, factor=0.5)
    >>> schedule(9), schedule(10), schedule(20)
    (0.8, 0.4, 0.2)
    """

    __slots__ = ("every", "factor", "rate")
    kind = "step"
    arguments = ("rate", "every", "factor")
    required = 2

    @by_name(ARGUMENT_SYNONYMS)
    def __init__(
        self, rate: SupportsFloat, every: SupportsIndex, factor: SupportsFloat = 0.1
    ) -> None:
        self.rate = positive("rate", rate)
        self.every = integer("every", every, 1)
        self.factor = number("factor", factor)
        if not 0 < self.factor <= 1:
            raise ValueError(
                f"factor: expected a number above 0, at most 1, got {format_number(self.factor)}"
            )

    def _at(self, step: int) -> float:
        return float(self.rate * self.factor ** (step // self.every))


@final
class Cosine(Schedule):
    r"""A rate that follows half a cosine wave down to a final rate, which it keeps.

    .. math::

        \eta(t) = \text{final} + (\text{rate} - \text{final}) \, \frac{1 + \cos(\pi t / T)}{2},
        \qquad t \le T = \text{steps}

    Parameters
    ----------
    rate : float
        The first rate, above 0.
    steps : int
        The number of steps of the half wave. From step `steps` on the rate is `final`.
    final : float, default 0.0
        The last rate, 0 or above.

    Raises
    ------
    ValueError
        A number is out of range.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Source: Loshchilov and Hutter, *SGDR* (2017), eq. 5, without restarts; PyTorch's
    ``CosineAnnealingLR``, in closed form.

    Examples
    --------
    >>> from bpfast import schedules
    >>> schedule = schedules.Cosine(0.1, steps=100, final=0.02)
    >>> [round(schedule(step), 4) for step in (0, 50, 100, 200)]
    [0.1, 0.06, 0.02, 0.02]
    """

    __slots__ = ("final", "rate", "steps")
    kind = "cosine"
    arguments = ("rate", "steps", "final")
    required = 2

    @by_name(ARGUMENT_SYNONYMS)
    def __init__(
        self, rate: SupportsFloat, steps: SupportsIndex, final: SupportsFloat = 0.0
    ) -> None:
        self.rate = positive("rate", rate)
        self.steps = integer("steps", steps, 1)
        self.final = not_negative("final", final)

    def _at(self, step: int) -> float:
        if step >= self.steps:
            return self.final
        return half_wave(self.rate, self.final, step / self.steps)


def half_wave(first: float, last: float, share: float) -> float:
    """The value at fraction `share` of half a cosine wave from `first` to `last`.

    The weights add up to 1, so both ends are exact; min and max remove rounding beyond them.

    Examples
    --------
    >>> half_wave(0.1, 0.3, 0.0), half_wave(0.1, 0.3, 1.0)
    (0.1, 0.3)
    """
    weight = (1 + math.cos(math.pi * share)) / 2
    value = first * weight + last * (1 - weight)
    return min(max(value, min(first, last)), max(first, last))
