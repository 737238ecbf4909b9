"""A schedule that rises to a peak and then falls below its start."""

from __future__ import annotations

from typing import SupportsFloat, SupportsIndex, final

from bpfast._validation.names import by_name
from bpfast._validation.numbers import integer, positive, within
from bpfast.schedules._decay import half_wave
from bpfast.schedules._schedule import ARGUMENT_SYNONYMS, Schedule


@final
class OneCycle(Schedule):
    r"""A rate that rises to a peak, then falls to nearly 0, along two half cosine waves.

    .. math::

        \eta(t) = b + (a - b) \, \frac{1 + \cos(\pi s)}{2}

    With :math:`p = \text{warm_up} \cdot \text{steps} - 1`, the rate goes from a = `start` to b =
    `peak` while t ≤ p, with s = t / p; then from a = `peak` to b = `final`, with s = (t - p) /
    (steps - 1 - p).

    Parameters
    ----------
    peak : float
        The highest rate, above 0.
    steps : int
        The number of steps of the cycle. From the last one, step ``steps - 1``, on the rate is
        `final`. If `warm_up` is 1, the last one has the peak, and `final` comes after it.
    warm_up : float, default 0.3
        The fraction of the steps in which the rate rises, from 0 to 1.
    start : float, optional
        The first rate, from 0 to `peak`. Default: ``peak / 25``.
    final : float, optional
        The last rate, from 0 to `peak`. Default: ``start / 1e4``.

    Raises
    ------
    ValueError
        A number is out of range.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Source: Smith and Topin, *Super-Convergence* (2018); PyTorch's ``OneCycleLR`` with two cosines.
    p may lie between two steps, as it does there. If the warm-up is shorter than one step, the rate
    starts falling at once.

    Examples
    --------
    >>> from bpfast import schedules
    >>> schedule = schedules.OneCycle(0.5, steps=100)
    >>> schedule(0), schedule(29), schedule(99)
    (0.02, 0.5, 2e-06)
    """

    __slots__ = ("final", "peak", "start", "steps", "warm_up")
    kind = "one_cycle"
    arguments = ("peak", "steps", "warm_up", "start", "final")
    required = 2

    @by_name(ARGUMENT_SYNONYMS | {"lr": "peak", "learningrate": "peak", "rate": "peak"})
    def __init__(
        self,
        peak: SupportsFloat,
        steps: SupportsIndex,
        warm_up: SupportsFloat = 0.3,
        start: SupportsFloat | None = None,
        final: SupportsFloat | None = None,
    ) -> None:
        self.peak = positive("peak", peak)
        self.steps = integer("steps", steps, 1)
        self.warm_up = within("warm_up", warm_up, 0, 1)
        start = self.peak / 25 if start is None else start
        self.start = within("start", start, 0, self.peak)
        final = self.start / 1e4 if final is None else final
        self.final = within("final", final, 0, self.peak)

    def _at(self, step: int) -> float:
        top, last = self.warm_up * self.steps - 1, self.steps - 1
        if step > last:
            return self.final
        if step < top:
            return half_wave(self.start, self.peak, step / top)
        if step == top:  # a half of length 0 would give 0 / 0
            return self.peak
        return half_wave(self.peak, self.final, (step - top) / (last - top))
