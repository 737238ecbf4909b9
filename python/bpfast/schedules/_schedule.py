"""The base class of schedules: validated call, config, state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsIndex, final

import numpy as np

from bpfast._validation.numbers import integer
from bpfast._validation.subclasses import refuse_subclass

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Arguments of other libraries.
ARGUMENT_SYNONYMS = {
    "lr": "rate", "learningrate": "rate", "initiallearningrate": "rate", "initvalue": "rate",
    "baselr": "rate", "maxlr": "peak", "peakvalue": "peak", "gamma": "factor",
    "decayrate": "factor", "stepsize": "every", "stepsizeup": "steps", "totalsteps": "steps",
    "tmax": "steps", "epochs": "steps", "decaysteps": "steps", "transitionsteps": "steps",
    "totaliters": "steps", "warmupsteps": "steps", "etamin": "final", "endvalue": "final",
    "minlr": "smallest", "pctstart": "warm_up", "startfactor": "start",
}  # fmt: skip


class Schedule:
    """The base class of the schedules: ``schedule(step)`` is the learning rate of a step.

    Steps are those of the optimizer, counted from 0. Any callable ``f(step: int) -> float`` is
    accepted where a schedule is expected.

    Examples
    --------
    >>> from bpfast import schedules
    >>> schedule = schedules.Cosine(0.1, steps=100)
    >>> schedule(0), schedule(50), schedule(100)
    (0.1, 0.05, 0.0)
    >>> schedule.config
    {'kind': 'cosine', 'rate': 0.1, 'steps': 100, 'final': 0.0}
    """

    __slots__ = ()

    # Its name in a config; its arguments, which are attributes; the number of required ones.
    kind: ClassVar[str]
    arguments: ClassVar[tuple[str, ...]]
    required: ClassVar[int]

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """A schedule of a subclass.

        Raises
        ------
        TypeError
            The class is `Schedule` itself, which has no rate.
        """
        if cls is Schedule:
            raise TypeError("Schedule: expected a subclass, such as Constant, got the base class")
        return super().__new__(cls)

    def __init_subclass__(cls) -> None:
        """Refuse classes of others: `fit` would not call what they override.

        Raises
        ------
        TypeError
            The class is not one of bpfast.
        """
        refuse_subclass(cls, "a schedule of your own can be any callable of a step")

    @final
    def __call__(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        return self._at(integer("step", step, 0))

    def _at(self, step: int) -> float:
        raise NotImplementedError

    @final
    def rates(self, first: SupportsIndex, count: SupportsIndex) -> NDArray[np.float64]:
        """The rates of many steps as an array.

        Parameters
        ----------
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
            An argument is out of range.
        TypeError
            An argument is not an integer. Exceptions of a single call propagate.

        Examples
        --------
        >>> from bpfast import schedules
        >>> schedules.Step(0.8, every=2, factor=0.5).rates(1, 4)
        array([0.8, 0.4, 0.4, 0.2])
        """
        return self._rates(integer("first", first, 0), integer("count", count, 0))

    def _rates(self, first: int, count: int) -> NDArray[np.float64]:
        # Single calls, because NumPy's cos and power may differ from Python's in the last bit. No
        # `map`: a StopIteration of a user's callable would end it.
        rates = np.empty(count)
        for k in range(count):
            rates[k] = self._at(first + k)
        return rates

    def report(self, value: float) -> None:
        """Report the validation cost, or else the cost, of an epoch; `fit` does this.

        Only `Plateau` uses it, also after a `WarmUp`; for the others it has no effect.

        Parameters
        ----------
        value : float
            The value that should decrease.

        Examples
        --------
        >>> from bpfast import schedules
        >>> schedule = schedules.Cosine(0.1, steps=100)
        >>> schedule.report(0.5)
        >>> schedule(50)
        0.05
        """

    @property
    def config(self) -> dict[str, Any]:
        """The kind and the arguments in JSON types, as `from_config` reads them."""
        return {"kind": self.kind} | {name: getattr(self, name) for name in self.arguments}

    @property
    def state(self) -> dict[str, Any]:
        """The state after the reports so far, in JSON types. Assign it to restore the schedule.

        It is empty except for `Plateau`, and for `WarmUp` before one.
        """
        return {}

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        self._restore("state", state)

    def _restore(self, argument: str, state: Any) -> None:
        """Set the state, which may come from a file; errors name `argument`."""
        if not isinstance(state, Mapping) or state:
            raise ValueError(f"{argument}: expected an empty dict, got {state!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schedule):
            return NotImplemented
        return (
            type(self) is type(other)
            and all(getattr(self, name) == getattr(other, name) for name in self.arguments)
            and self.state == other.state
        )

    # Not hashable: a report may change a schedule, so equal ones may become different.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        values = [(name, repr(getattr(self, name))) for name in self.arguments]
        arguments = [
            value if i == 0 else f"{name}={value}" for i, (name, value) in enumerate(values)
        ]
        return f"{type(self).__name__}({', '.join(arguments)})"
