"""Optimizers: how a step changes parameters, given their gradient.

Each works in `Network.fit` and, by ``optimizer.step(params, gradient)``, in a loop of your own on
any NumPy arrays. A step is one pass over the numbers, in place. In the formulas g is the gradient,
η the learning rate of the step, t its number, from 1; all operations are element by element.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpfast import _core, schedules
from bpfast._kept import Kept, check_array, derivative, order
from bpfast._numbers import fraction, not_negative, positive
from bpfast.schedules._rates import as_schedule, checked_rate

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "from_config"]

Array: TypeAlias = NDArray[np.floating[Any]]
Rate: TypeAlias = float | Callable[[int], float]


class Optimizer:
    """What all optimizers have in common; make one of `SGD`, `Adam`, `AdamW`, `RMSprop`, `Adagrad`.

    An optimizer serves one list of parameters: what it keeps has their shapes. `reset` or a new
    optimizer begins anew.
    """

    __slots__ = ("_config", "_kept", "_schedule", "_single", "_steps")

    _name: str  # what `_core` calls the rule
    _names: tuple[str, ...] = ()

    def __init__(self, learning_rate: Rate, config: dict[str, float | bool]) -> None:
        self._schedule: Callable[[int], float] = as_schedule("learning_rate", learning_rate)
        self._config = config
        self._steps = 0
        self._kept: Kept | None = None
        self._single = False

    def _rule(self) -> tuple[str, list[float]]:
        """The name of the rule and its numbers, in the order in which `_core` wants them."""
        return self._name, [float(value) for value in self._config.values()]

    @property
    def learning_rate(self) -> Callable[[int], float]:
        """The schedule of η: ``learning_rate(step)`` is that of a step, counted from 0.

        A positive number, a schedule or any callable may be assigned.
        """
        return self._schedule

    @learning_rate.setter
    def learning_rate(self, value: Rate) -> None:
        self._schedule = as_schedule("learning_rate", value)

    @property
    def steps(self) -> int:
        """The steps done so far."""
        return self._steps

    def step(
        self, params: Array | Sequence[Array], gradient: ArrayLike | Sequence[ArrayLike]
    ) -> None:
        """Do one step: change `params` in place.

        Parameters
        ----------
        params : ndarray or sequence of ndarray
            float32 or float64, of any shape and strides, writeable: ``net.params``, or
            ``[*net.weights, *net.biases]``, or arrays of your own.
        gradient : array_like or sequence of array_like
            The derivatives, in the shapes of `params`. Another dtype is converted.

        Raises
        ------
        ValueError
            Shapes that do not fit each other or the earlier steps', a read-only array, a schedule
            that gives no finite rate. Nothing is changed then.
        TypeError
            `params` of another type or dtype.

        Examples
        --------
        >>> import numpy as np, bpfast
        >>> p = np.array([1.0, 2.0])
        >>> bpfast.SGD(0.5).step(p, [2.0, 4.0])
        >>> p
        array([0., 0.])
        """
        single = isinstance(params, np.ndarray)
        arrays: list[Any] = [params] if single else list(params)
        gradients: list[Any] = [gradient] if single else list(gradient)
        if len(gradients) != len(arrays):
            expected = f"{len(arrays)} arrays, one for each of params"
            raise ValueError(f"gradient: expected {expected}, got {len(gradients)}")
        named = ("params", "gradient") if single else ("params[{}]", "gradient[{}]")
        for k, (array, g) in enumerate(zip(arrays, gradients, strict=True)):
            check_array(named[0].format(k), array)
            gradients[k] = derivative(named[1].format(k), g, array)
        kept = self._fit(arrays)
        rate = checked_rate(self._schedule(self._steps), self._steps)
        places = [a.ravel(o) for a, o in zip(arrays, kept.orders, strict=True)]
        gradients = [g.ravel(o) for g, o in zip(gradients, kept.orders, strict=True)]
        _core.step_arrays(self._rule(), rate, self._steps + 1, places, gradients, kept.numbers)
        for array, place in zip(arrays, places, strict=True):
            if not np.may_share_memory(array, place):  # it was no one block
                array[...] = place.reshape(array.shape)
        self._kept, self._single = kept, single
        self._steps += 1

    def reset(self) -> None:
        """Forget all steps: the next one is the first again, on any parameters."""
        self._kept, self._steps = None, 0

    @property
    def state(self) -> dict[str, Any]:
        """All that the steps so far have left, as copies; assigning it goes back there.

        ``steps``; the arrays that the optimizer keeps, by name, in the shapes of `params` (lists
        where `params` was one), once there was a step; and ``schedule`` where the schedule has a
        state.

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
            for name, arrays in zip(self._keeps(), self._kept.arrays(), strict=True):
                state[name] = arrays[0] if self._single else arrays
        if schedule := getattr(self._schedule, "state", None):
            state["schedule"] = schedule
        return state

    @state.setter
    def state(self, value: dict[str, Any]) -> None:
        names = self._keeps()
        known = {"steps", "schedule", *names}
        if not isinstance(value, dict) or not set(value) <= known or "steps" not in value:
            got = sorted(value) if isinstance(value, dict) else type(value).__name__
            raise ValueError(f"state: expected a dict of {sorted(known)}, got {got}")
        steps = value["steps"]
        if not isinstance(steps, int) or isinstance(steps, bool) or steps < 0:
            raise ValueError(f"state: expected steps, 0 or more, got {steps!r}")
        found = [value[name] for name in names if name in value]
        if len(found) not in (0, len(names)):
            raise ValueError(f"state: expected all of {list(names)} or none, got {sorted(value)}")
        single = bool(found) and isinstance(found[0], np.ndarray)
        kept = Kept.of([[arrays] if single else list(arrays) for arrays in found])
        if "schedule" in value:
            if not hasattr(self._schedule, "state"):
                raise ValueError("state: expected none of a schedule, which has none here")
            self._schedule.state = value["schedule"]
        self._kept, self._single, self._steps = kept, single, steps

    @property
    def config(self) -> dict[str, Any]:
        """The optimizer as JSON can hold it: ``bpfast.optimizers.from_config`` makes it again.

        Raises
        ------
        TypeError
            The schedule is a callable of yours.
        """
        if not hasattr(self._schedule, "config"):
            raise TypeError(
                f"learning_rate: expected a schedule with a config, got {self._schedule!r}"
            )
        return {
            "kind": type(self).__name__,
            "learning_rate": self._schedule.config,
            **self._config,
        }

    def _keeps(self) -> tuple[str, ...]:
        """The names of the arrays that it keeps."""
        return self._names

    def _fit(self, arrays: Sequence[Array]) -> Kept:
        """What is kept for `arrays`: what there is, or zeros before the first step."""
        if self._kept is None or (
            not self._keeps() and self._kept.shapes != [a.shape for a in arrays]
        ):
            return Kept(arrays, len(self._keeps()))
        self._kept.check(arrays)
        self._kept.reorder([order(array) for array in arrays])
        return self._kept

    def _take(self, kept: Kept, steps: int) -> None:
        """Count steps that were done elsewhere, and what they keep for one vector."""
        self._kept, self._single = kept, True
        self._steps += steps

    def __repr__(self) -> str:
        rate = self._schedule
        shown = [repr(rate.rate) if isinstance(rate, schedules.Constant) else repr(rate)]
        shown += [f"{name}={value!r}" for name, value in self._config.items()]
        return f"{type(self).__name__}({', '.join(shown)})"


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum on request.

    v ← μ v + g, p ← p - η v; with `nesterov` p ← p - η (g + μ v). Without momentum p ← p - η g.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.1
        η: a positive number, one of `bpfast.schedules`, or any ``eta(step)``, step from 0.
    momentum : float, default 0
        μ, from 0 up to but not 1.
    nesterov : bool, default False
        Look ahead (Nesterov's momentum, in the form of Sutskever et al., 2013).
    weight_decay : float, default 0
        λ of λ/2 Σ p², over all parameters: g + λ p stands for g.

    Raises
    ------
    ValueError
        A number out of range; `nesterov` without momentum.
    TypeError
        Something that is no number.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> p, opt = np.array([1.0]), bpfast.SGD(0.5, momentum=0.5)
    >>> opt.step(p, [1.0])
    >>> opt.step(p, [1.0])  # v = 1, then 1.5
    >>> p
    array([-0.25])
    """

    __slots__ = ()
    _name = "sgd"

    def __init__(
        self,
        learning_rate: Rate = 0.1,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        momentum = fraction("momentum", momentum)
        if not isinstance(nesterov, bool | np.bool_):
            raise TypeError(f"nesterov: expected True or False, got {type(nesterov).__name__}")
        if nesterov and momentum == 0:
            raise ValueError("nesterov: expected a momentum above 0 with it, got 0")
        config = {
            "momentum": momentum,
            "nesterov": bool(nesterov),
            "weight_decay": not_negative("weight_decay", weight_decay),
        }
        super().__init__(learning_rate, config)

    def _keeps(self) -> tuple[str, ...]:
        return ("velocity",) if self._config["momentum"] else ()


class Adam(Optimizer):
    """Adam: steps of about η in each parameter, whatever the size of its gradient.

    m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², p ← p - η m̂ / (√v̂ + ε) with
    m̂ = m / (1 - β₁^t), v̂ = v / (1 - β₂^t).

    Source: Kingma and Ba, Adam: A method for stochastic optimization, 2015.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.001
        As for `SGD`.
    beta1, beta2 : float, default 0.9, 0.999
        From 0 up to but not 1.
    epsilon : float, default 1e-8
        Above 0.
    weight_decay : float, default 0
        As for `SGD`; `AdamW` takes it apart from the gradient.

    Raises
    ------
    ValueError, TypeError
        As for `SGD`.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> p = np.array([1.0, 1.0])
    >>> bpfast.Adam(0.5).step(p, [3.0, -0.001])
    >>> p.round(4)
    array([0.5, 1.5])
    """

    __slots__ = ()
    _name = "adam"
    _names = ("mean", "square")

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        config: dict[str, float | bool] = {
            "beta1": fraction("beta1", beta1),
            "beta2": fraction("beta2", beta2),
            "epsilon": positive("epsilon", epsilon),
            "weight_decay": not_negative("weight_decay", weight_decay),
        }
        super().__init__(learning_rate, config)

    def _rule(self) -> tuple[str, list[float]]:
        return self._name, [*map(float, self._config.values()), 0.0]


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: first p ← p (1 - η λ), then Adam's step.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, 2019.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon
        As for `Adam`.
    weight_decay : float, default 0.01
        λ, of all parameters.

    Raises
    ------
    ValueError, TypeError
        As for `SGD`.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> p = np.array([1.0])
    >>> bpfast.AdamW(0.5, weight_decay=0.1).step(p, [0.0])
    >>> p
    array([0.95])
    """

    __slots__ = ()

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(
            learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay
        )

    def _rule(self) -> tuple[str, list[float]]:
        *betas, decay = map(float, self._config.values())
        return self._name, [*betas, 0.0, decay]


class RMSprop(Optimizer):
    """RMSprop: the gradient over a running root mean square of itself.

    v ← α v + (1 - α) g², p ← p - η g / (√v + ε).

    Source: Hinton, Neural networks for machine learning, lecture 6e, 2012.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.01
        As for `SGD`.
    alpha : float, default 0.99
        From 0 up to but not 1.
    epsilon : float, default 1e-8
        Above 0.
    weight_decay : float, default 0
        As for `SGD`.

    Raises
    ------
    ValueError, TypeError
        As for `SGD`.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> p = np.array([1.0])
    >>> bpfast.RMSprop(0.1, alpha=0.75).step(p, [3.0])  # √v = 1.5
    >>> p.round(4)
    array([0.8])
    """

    __slots__ = ()
    _name = "rmsprop"
    _names = ("square",)

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        config: dict[str, float | bool] = {
            "alpha": fraction("alpha", alpha),
            "epsilon": positive("epsilon", epsilon),
            "weight_decay": not_negative("weight_decay", weight_decay),
        }
        super().__init__(learning_rate, config)


class Adagrad(Optimizer):
    """Adagrad: each parameter's rate falls with the squares of all its gradients so far.

    v ← v + g², p ← p - η g / (√v + ε).

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods, 2011.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.01
        As for `SGD`.
    epsilon : float, default 1e-10
        Above 0.
    weight_decay : float, default 0
        As for `SGD`.

    Raises
    ------
    ValueError, TypeError
        As for `SGD`.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> p, opt = np.array([1.0]), bpfast.Adagrad(0.1)
    >>> opt.step(p, [3.0])
    >>> opt.step(p, [4.0])  # √v = 3, then 5
    >>> p.round(4)
    array([0.82])
    """

    __slots__ = ()
    _name = "adagrad"
    _names = ("square",)

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        config: dict[str, float | bool] = {
            "epsilon": positive("epsilon", epsilon),
            "weight_decay": not_negative("weight_decay", weight_decay),
        }
        super().__init__(learning_rate, config)


KINDS: dict[str, type[Optimizer]] = {
    kind.__name__: kind for kind in (SGD, Adam, AdamW, RMSprop, Adagrad)
}


def from_config(config: dict[str, Any]) -> Optimizer:
    """Make the optimizer whose `Optimizer.config` this is; nothing of its steps comes with it.

    Raises
    ------
    ValueError, TypeError
        It is no such configuration.

    Examples
    --------
    >>> import bpfast
    >>> bpfast.optimizers.from_config(bpfast.Adagrad(0.5).config)
    Adagrad(0.5, epsilon=1e-10, weight_decay=0.0)
    """
    arguments = dict(config)
    kind = arguments.pop("kind", None)
    if kind not in KINDS:
        raise ValueError(f"config: expected a kind of {sorted(KINDS)}, got {kind!r}")
    rate = schedules.from_config(arguments.pop("learning_rate", {}))
    try:
        return KINDS[kind](rate, **arguments)
    except TypeError as error:
        raise ValueError(f"config: {error}") from None
