"""The base class of optimizers: validated step, config, state."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsFloat, TypeAlias, final

import numpy as np

from bpfast import _core
from bpfast._validation.naming import naming_value
from bpfast._validation.numbers import integer, is_number
from bpfast._validation.subclasses import refuse_subclass
from bpfast.optimizers._state import FLOATS, StateArrays
from bpfast.schedules import Constant, Schedule
from bpfast.schedules._rates import as_schedule, checked_rate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast._core import Gradient, Views
    from bpfast._typing import FloatArray

Rate: TypeAlias = SupportsFloat | Callable[[int], SupportsFloat]

# Arguments of other libraries.
ARGUMENT_SYNONYMS: dict[str, str] = {
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
        "__weakref__",
        "_config",
        "_hyperparameters",
        "_initial_schedule_state",
        "_is_number",
        "_is_single",
        "_schedule",
        "_state_arrays",
        "_state_names",
        "_steps",
    )  # fmt: skip

    kind: ClassVar[str]  # the name in a config

    def __init_subclass__(cls) -> None:
        """Refuse classes of others: `fit` would not call what they override.

        Raises
        ------
        TypeError
            The class is not one of bpfast.
        """
        refuse_subclass(cls, "a rule of your own can use `net.backprop` and `net.params`")

    def __init__(
        self,
        learning_rate: Rate,
        config: Mapping[str, float | bool],
        hyperparameters: tuple[str, list[float]],
        state_names: tuple[str, ...],
    ) -> None:
        self.learning_rate = learning_rate
        self._config = config
        self._hyperparameters = hyperparameters  # the rule, for `_core`
        self._state_names = state_names  # of the state that the rule keeps
        self._state_arrays: StateArrays | None = None
        self._is_single = False  # whether `params` was a single array
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
        self._initial_schedule_state = (
            self._schedule.state if isinstance(self._schedule, Schedule) else {}
        )

    @property
    def steps(self) -> int:
        """The number of steps done."""
        return self._steps

    @final
    def step(
        self,
        params: FloatArray | Iterable[FloatArray] | Views,
        gradient: ArrayLike | Iterable[ArrayLike] | Views | Gradient,
    ) -> None:
        """Do one step: change `params` in place.

        Parameters
        ----------
        params : ndarray, or iterable of ndarray
            float32 or float64, of any shape and strides, writeable: ``net.params``, or
            ``[*net.weights, *net.biases]``, or other arrays. They must not share memory, and None,
            which a layer without biases has, is left out by the caller.
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
        is_single = isinstance(params, np.ndarray)
        if is_single and type(gradient) is _core.Gradient:
            gradient = gradient.flat
        arrays = [params] if is_single else _listed("params", params)
        gradients = [gradient] if is_single else _listed("gradient", gradient)
        if not arrays:
            raise ValueError("params: expected one array or more, got none")
        rate = self._rate()  # first, because a user's schedule may replace the state
        state_arrays = self._state_for(arrays, is_single=is_single) if self._state_names else None
        _core.step_arrays(self, rate, is_single, arrays, gradients, state_arrays)

    @final
    def reset(self) -> None:
        """Clear the state and the step count, and the schedule's state since it was assigned.

        The next step is the first again, and may have other parameters.
        """
        if isinstance(self._schedule, Schedule):
            self._schedule.state = self._initial_schedule_state
        self._state_arrays, self._steps = None, 0

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
        if self._state_arrays is not None:
            for name, arrays in zip(self._state_names, self._state_arrays.arrays(), strict=True):
                state[name] = arrays[0] if self._is_single else arrays
        if isinstance(self._schedule, Schedule) and (schedule_state := self._schedule.state):
            state["schedule"] = schedule_state
        return state

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        if not isinstance(state, Mapping):
            raise TypeError(f"state: expected a mapping, got {type(state).__name__}")
        schedule_state = self._schedule.state if isinstance(self._schedule, Schedule) else {}
        needed = {"steps", "schedule"} if schedule_state else {"steps"}
        complete = needed | set(self._state_names)
        wrong = f"expected {', '.join([*sorted(needed), *self._state_names])}"
        if set(state) not in (needed, complete):
            raise ValueError(f"state: {wrong}, got {', '.join(map(str, state))}")
        with naming_value("state"):
            steps = integer("steps", state["steps"], 0)
            if steps and set(state) != complete:  # the arrays come with the first step
                raise ValueError(f"{wrong} after {steps} steps, got {', '.join(state)}")
            state_arrays, is_single = self._parse_state(state)
            if schedule_state and isinstance(self._schedule, Schedule):
                self._schedule._restore("schedule", state["schedule"])  # noqa: SLF001
        self._state_arrays, self._is_single, self._steps = state_arrays, is_single, steps

    def _parse_state(self, state: Mapping[str, Any]) -> tuple[StateArrays | None, bool]:
        """The state arrays in `state`, and whether `params` was a single array."""
        rows = {name: state[name] for name in self._state_names if name in state}
        if not rows:
            return None, False
        is_single = isinstance(rows[self._state_names[0]], np.ndarray)
        for name, row in rows.items():
            if not isinstance(row, np.ndarray if is_single else list | tuple):
                expected = "an array" if is_single else "a list of arrays"
                raise ValueError(f"{name}: expected {expected}, got {type(row).__name__}")
        return StateArrays.of(
            {name: [row] for name, row in rows.items()} if is_single else rows
        ), is_single

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
        return self._hyperparameters

    def _rate(self) -> float:
        """η of the next step."""
        schedule, step = self._schedule, self._steps
        rate = schedule.rate if type(schedule) is Constant else schedule(step)
        if type(rate) is float and 0 <= rate < math.inf:
            return rate
        return checked_rate(rate, step)

    def _state_for(self, arrays: Sequence[Any], *, is_single: bool = True) -> StateArrays:
        """The state arrays for `arrays`: the existing ones, or zeros before the first step."""
        state_arrays = self._state_arrays
        if state_arrays is not None and state_arrays.matches(arrays):
            return state_arrays
        for k, array in enumerate(arrays):
            argument = "params" if is_single else f"params[{k}]"
            if not isinstance(array, np.ndarray):
                raise TypeError(f"{argument}: expected a NumPy array, got {type(array).__name__}")
            if array.dtype not in FLOATS:
                expected = "dtype float32 or float64"
                raise TypeError(f"{argument}: expected {expected}, got {array.dtype}")
        if state_arrays is None or not self._state_names:
            return StateArrays(arrays, len(self._state_names))
        state_arrays.match_order(arrays)
        return state_arrays

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __repr__(self) -> str:
        arguments = [repr(self.learning_rate)]
        arguments += [f"{name}={value!r}" for name, value in self._config.items()]
        return f"{type(self).__name__}({', '.join(arguments)})"


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
