"""A schedule that lowers the rate if the cost stops improving."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, SupportsFloat, SupportsIndex, final

from bpfast._validation.names import by_name
from bpfast._validation.naming import naming_value
from bpfast._validation.numbers import format_number, integer, number, positive, within
from bpfast.schedules._schedule import ARGUMENT_SYNONYMS, Schedule


@final
class Plateau(Schedule):
    r"""A rate that is multiplied by a factor when the reported value stops improving.

    A value is an improvement if it is below :math:`\text{best} - \text{threshold} \cdot
    |\text{best}|`; values may be negative. After more than `patience` epochs in a row without
    improvement, the rate becomes :math:`\max(\text{rate} \cdot \text{factor}, \text{smallest})`.

    Parameters
    ----------
    rate : float
        The first rate, above 0.
    factor : float, default 0.1
        The factor, above 0 and below 1.
    patience : int, default 10
        The number of epochs in a row without improvement that do not change the rate.
    threshold : float, default 1e-4
        The smallest improvement, as a fraction of the magnitude of the best value, from 0 to 1. If
        the best value is 0, every lower value is an improvement.
    cooldown : int, default 0
        The number of epochs after a change of the rate that are not counted.
    smallest : float, default 0.0
        The lowest rate, from 0 to `rate`.

    Raises
    ------
    ValueError
        A number is out of range.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Source: PyTorch's ``ReduceLROnPlateau`` with mode "min", a relative threshold and ``eps=0``. It
    differs for a negative best value, where PyTorch takes every value as an improvement. The first
    finite value is an improvement; a value that is not finite never is.

    Examples
    --------
    >>> from bpfast import schedules
    >>> schedule = schedules.Plateau(0.1, factor=0.5, patience=1)
    >>> for cost in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.report(cost)  # `fit` does this once per epoch
    >>> schedule(400)
    0.05
    """

    __slots__ = (
        "_bad", "_best", "_cooling", "_now",
        "cooldown", "factor", "patience", "rate", "smallest", "threshold",
    )  # fmt: skip
    kind = "plateau"
    arguments = ("rate", "factor", "patience", "threshold", "cooldown", "smallest")
    required = 1

    @by_name(ARGUMENT_SYNONYMS)
    def __init__(
        self,
        rate: SupportsFloat,
        factor: SupportsFloat = 0.1,
        patience: SupportsIndex = 10,
        threshold: SupportsFloat = 1e-4,
        cooldown: SupportsIndex = 0,
        smallest: SupportsFloat = 0.0,
    ) -> None:
        self.rate = positive("rate", rate)
        self.factor = number("factor", factor)
        if not 0 < self.factor < 1:
            raise ValueError(
                f"factor: expected a number above 0, below 1, got {format_number(self.factor)}"
            )
        self.patience = integer("patience", patience, 0)
        self.threshold = within("threshold", threshold, 0, 1)
        self.cooldown = integer("cooldown", cooldown, 0)
        self.smallest = within("smallest", smallest, 0, self.rate)
        self._now = self.rate
        self._best: float | None = None
        self._bad = self._cooling = 0

    def _at(self, _step: int) -> float:
        return self._now

    def report(self, value: SupportsFloat) -> None:
        """Record the value of an epoch, and lower the rate if it has stopped improving.

        Parameters
        ----------
        value : float
            The value that should decrease: the validation cost, or else the cost.

        Raises
        ------
        TypeError
            `value` is not a number.

        Examples
        --------
        >>> from bpfast import schedules
        >>> schedule = schedules.Plateau(0.1, factor=0.5, patience=0)
        >>> schedule.report(3.0)
        >>> schedule.report(3.0)  # no improvement
        >>> schedule(0)
        0.05
        """
        value = number("value", value)
        if math.isfinite(value) and self._is_better(value):
            self._best, self._bad = value, 0
        else:
            self._bad += 1
        if self._cooling:
            self._cooling, self._bad = self._cooling - 1, 0
        if self._bad > self.patience:
            self._now = max(self._now * self.factor, self.smallest)
            self._cooling, self._bad = self.cooldown, 0

    def _is_better(self, value: float) -> bool:
        best = self._best
        return best is None or value < best * (1 - math.copysign(self.threshold, best))

    @property
    def state(self) -> dict[str, Any]:
        """The state after the reports so far, in JSON types. Assign it to restore the schedule.

        ``rate`` is the current rate, ``best`` the lowest value so far or None, ``bad`` the counted
        epochs since then, ``cooling`` the number of following epochs that are not counted.

        Raises
        ------
        ValueError
            The assigned value is not the state of a schedule with these arguments.
        """
        return {
            "rate": self._now,
            "best": self._best,
            "bad": self._bad,
            "cooling": self._cooling,
        }

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        self._restore("state", state)

    def _restore(self, argument: str, state: Any) -> None:
        with naming_value(argument):
            if not isinstance(state, Mapping):
                raise TypeError(f"expected a mapping, got {type(state).__name__}")
            if set(state) != set(self.state):
                raise ValueError(f"expected {', '.join(self.state)}, got {', '.join(state)}")
            now = within("rate", state["rate"], self.smallest, self.rate)
            best = state["best"] if state["best"] is None else number("best", state["best"])
            if best is not None and not math.isfinite(best):
                raise ValueError(
                    f"best: expected a finite number or None, got {format_number(best)}"
                )
            bad, cooling = (integer(name, state[name], 0) for name in ("bad", "cooling"))
            if bad > self.patience or cooling > self.cooldown:
                most = f"at most {self.patience} and {self.cooldown}"
                raise ValueError(f"bad, cooling: expected {most}, got {bad} and {cooling}")
        self._now, self._best, self._bad, self._cooling = now, best, bad, cooling
