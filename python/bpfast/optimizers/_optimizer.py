"""The base class of optimizers: validated step, config, state."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsFloat, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpfast import _core
from bpfast._validation.numbers import is_number, whole
from bpfast.optimizers._kept import FLOATS, Kept
from bpfast.schedules import Constant, Schedule
from bpfast.schedules._rates import as_schedule, checked_rate

if TYPE_CHECKING:
    from bpfast._core import Gradient, Views

Array: TypeAlias = NDArray[np.floating[Any]]
Rate: TypeAlias = SupportsFloat | Callable[[int], SupportsFloat]

# Arguments of other libraries.
ELSEWHERE: dict[str, str] = {
    "lr": "learning_rate",
    "eta": "learning_rate",
    "eta0": "learning_rate",
    "learningrateinit": "learning_rate",
    "stepsize": "learning_rate",
    "betas": "beta1 and beta2",
    "eps": "epsilon",
    "rho": "alpha",
}


class Optimizer:
    """The base class of `SGD`, `Adam`, `AdamW`, `RMSprop` and `Adagrad`.

    The state of an optimizer has the shapes of its parameters, so a stateful optimizer is for one
    list of parameters. Call `reset` or make a new optimizer to start again. Copies, also by
    `pickle`, include the state and share no memory. ``==`` compares identity; compare `config` for
    equal arguments and `state` for equal state.

    Examples
    --------
    >>> import bpfast
    >>> opt = bpfast.RMSprop(bpfast.schedules.Cosine(0.01, steps=1000))
    >>> opt
    RMSprop(Cosine(0.01, steps=1000, final=0.0), alpha=0.99, epsilon=1e-08, weight_decay=0.0)
    >>> again = bpfast.optimizers.from_config(opt.config)
    >>> again.config == opt.config, again == opt
    (True, False)
    """

    __slots__ = (
        "_config", "_given", "_heard", "_is_number", "_keeps", "_kept", "_schedule", "_single",
        "_steps",
    )  # fmt: skip

    kind: ClassVar[str]  # the name in a config

    def __init__(
        self,
        learning_rate: Rate,
        config: Mapping[str, float | bool],
        given: tuple[str, list[float]],
        keeps: tuple[str, ...],
    ) -> None:
        self.learning_rate = learning_rate
        self._config = config
        self._given = given  # the rule, for `_core`
        self._keeps = keeps  # the names of the state arrays
        self._kept: Kept | None = None
        self._single = False  # whether `params` was a single array
        self._steps = 0

    @property
    def learning_rate(self) -> float | Any:  # Any: a schedule or a callable
        """The learning rate η as it was passed: a number, a schedule or a callable.

        It can be assigned. State and step count stay the same.

        Examples
        --------
        >>> import bpfast
        >>> opt = bpfast.Adam(0.01)
        >>> opt.learning_rate *= 0.5
        >>> opt.learning_rate
        0.005
        """
        return self._schedule.rate if self._is_number else self._schedule

    @learning_rate.setter
    def learning_rate(self, value: Rate) -> None:
        self._schedule: Any = as_schedule("learning_rate", value)
        self._is_number = is_number(value)
        # The initial state of the schedule, which `reset` restores.
        self._heard = self._schedule.state if isinstance(self._schedule, Schedule) else {}

    @property
    def steps(self) -> int:
        """The number of steps done."""
        return self._steps

    @final
    def step(
        self,
        params: Array | Iterable[Array] | Views,
        gradient: ArrayLike | Iterable[ArrayLike] | Views | Gradient,
    ) -> None:
        """Do one step: change `params` in place.

        Parameters
        ----------
        params : ndarray, or iterable of ndarray
            float32 or float64, of any shape and strides, writeable: ``net.params``, or
            ``[*net.weights, *net.biases]``, or other arrays. They must not share memory.
        gradient : array_like, iterable of array_like, or Gradient
            The derivatives, in the shapes of `params`, sharing no memory with them. Other dtypes
            are converted. For ``net.params``, a `Gradient` means its ``flat``.

        Raises
        ------
        ValueError
            Shapes or dtypes do not match each other or the previous steps; arrays are read-only,
            share memory, or are used by a call in another thread; a schedule returns a rate that is
            negative or not finite; or the conversion of the gradient changes this optimizer.
        TypeError
            `params` has another type or dtype, or the gradient is not of real numbers.

        Notes
        -----
        After an error, nothing is changed. Exceptions of your own schedule propagate.

        Examples
        --------
        >>> import numpy as np, bpfast
        >>> p = np.array([1.0, 2.0])
        >>> bpfast.SGD(0.5).step(p, [2.0, 4.0])
        >>> p
        array([0., 0.])
        """
        single = isinstance(params, np.ndarray)
        if single and type(gradient) is _core.Gradient:
            gradient = gradient.flat
        arrays = [params] if single else _listed("params", params)
        gradients = [gradient] if single else _listed("gradient", gradient)
        if not arrays:
            raise ValueError("params: expected one array or more, got none")
        rate = self._rate()  # first, because a user's schedule may replace the state
        kept = self._fit(arrays, single=single) if self._keeps else None
        _core.step_arrays(self, rate, single, arrays, gradients, kept)

    @final
    def reset(self) -> None:
        """Clear the state and the step count, and the schedule's state since it was assigned.

        The next step is the first again, and may have other parameters.
        """
        if isinstance(self._schedule, Schedule):
            self._schedule.state = self._heard
        self._kept, self._steps = None, 0

    @property
    def state(self) -> dict[str, Any]:
        """The state after the steps so far, as copies. Assign it to restore the optimizer.

        The keys are ``steps`` and, after a step, the kinds of state arrays, in the shapes of
        `params`, as lists if `params` was a list: ``velocity`` is v of `SGD`, ``mean`` is m and
        ``square`` is v of the others. ``schedule`` is the state of a schedule that has one.

        Raises
        ------
        ValueError
            The assigned value is not the state of an optimizer with these arguments. Nothing is
            changed.
        TypeError
            The assigned value is not a mapping.

        Examples
        --------
        >>> import numpy as np, bpfast
        >>> p, opt = np.array([1.0]), bpfast.SGD(0.5, momentum=0.9)
        >>> opt.step(p, [2.0])
        >>> opt.state
        {'steps': 1, 'velocity': array([2.])}
        """
        state: dict[str, Any] = {"steps": self._steps}
        if self._kept is not None:
            for name, arrays in zip(self._keeps, self._kept.arrays(), strict=True):
                state[name] = arrays[0] if self._single else arrays
        if isinstance(self._schedule, Schedule) and (heard := self._schedule.state):
            state["schedule"] = heard
        return state

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        if not isinstance(state, Mapping):
            raise TypeError(f"state: expected a mapping, got {type(state).__name__}")
        heard = self._schedule.state if isinstance(self._schedule, Schedule) else {}
        needed = {"steps", "schedule"} if heard else {"steps"}
        if set(state) not in (needed, needed | set(self._keeps)):
            expected = ", ".join([*sorted(needed), *self._keeps])
            raise ValueError(f"state: expected {expected}, got {', '.join(map(str, state))}")
        try:
            steps = whole("steps", state["steps"], 0)
            kept, single = self._kept_of(state)
            if heard and isinstance(self._schedule, Schedule):
                self._schedule.state = state["schedule"]
        except (TypeError, ValueError) as error:
            # The value may come from a file, so a wrong type is a wrong value. A schedule names its
            # own state "state".
            text = str(error)
            text = text.replace("state: ", "schedule: ", 1) if text.startswith("state: ") else text
            raise ValueError(f"state: {text}") from None
        self._kept, self._single, self._steps = kept, single, steps

    def _kept_of(self, state: Mapping[str, Any]) -> tuple[Kept | None, bool]:
        """The state arrays in `state`, and whether `params` was a single array."""
        rows = {name: state[name] for name in self._keeps if name in state}
        if not rows:
            return None, False
        single = isinstance(rows[self._keeps[0]], np.ndarray)
        for name, row in rows.items():
            if not isinstance(row, np.ndarray if single else list | tuple):
                expected = "an array" if single else "a list of arrays"
                raise ValueError(f"{name}: expected {expected}, got {type(row).__name__}")
        return Kept.of({name: [row] for name, row in rows.items()} if single else rows), single

    @property
    def config(self) -> dict[str, Any]:
        """The kind and the arguments in JSON types, as `from_config` reads them.

        Raises
        ------
        TypeError
            The learning rate is a callable of your own, which has no config.
        """
        rate = self.learning_rate
        if not isinstance(rate, float | Schedule):
            got = type(rate).__name__
            raise TypeError(
                f"learning_rate: expected one of bpfast.schedules for a config, got {got}"
            )
        rate = rate.config if isinstance(rate, Schedule) else rate
        return {"kind": self.kind, "learning_rate": rate, **self._config}

    def _rule(self) -> tuple[str, list[float]]:
        """The name of the rule and its numbers, as `_core` expects them."""
        return self._given

    def _rate(self) -> float:
        """Η of the next step."""
        schedule, step = self._schedule, self._steps
        rate = schedule.rate if type(schedule) is Constant else schedule(step)
        if type(rate) is float and 0 <= rate < math.inf:
            return rate
        return checked_rate(rate, step)

    def _fit(self, arrays: Sequence[Any], *, single: bool = True) -> Kept:
        """The state arrays for `arrays`: the existing ones, or zeros before the first step."""
        kept = self._kept
        if kept is not None and kept.is_for(arrays):
            return kept
        for k, array in enumerate(arrays):
            argument = "params" if single else f"params[{k}]"
            if not isinstance(array, np.ndarray):
                raise TypeError(f"{argument}: expected a NumPy array, got {type(array).__name__}")
            if array.dtype not in FLOATS:
                expected = "dtype float32 or float64"
                raise TypeError(f"{argument}: expected {expected}, got {array.dtype}")
        if kept is None or not self._keeps:
            return Kept(arrays, len(self._keeps))
        kept.turn_to(arrays)
        return kept

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __repr__(self) -> str:
        shown = [repr(self.learning_rate)]
        shown += [f"{name}={value!r}" for name, value in self._config.items()]
        return f"{type(self).__name__}({', '.join(shown)})"


def _listed(argument: str, value: Any) -> list[Any]:
    """The items of an iterable as a list."""
    try:
        return list(value)
    except (NotImplementedError, TypeError):  # NotImplementedError: memoryview with axes
        got = type(value).__name__
        expected = "an array or a list of arrays" if argument == "params" else "a list of arrays"
        if isinstance(value, _core.Network):
            expected += ", as net.params of a Network net"
        if isinstance(value, _core.Gradient):
            expected += ", as [*g.weights, *g.biases] of a Gradient g"
        raise TypeError(f"{argument}: expected {expected}, got {got}") from None
