"""Gradient descent: SGD."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsFloat, final

from bpfast._validation.names import by_name
from bpfast._validation.numbers import flag, fraction, not_negative
from bpfast.optimizers._optimizer import ARGUMENT_SYNONYMS, Optimizer

if TYPE_CHECKING:
    from bpfast.optimizers._optimizer import Rate


@final
class SGD(Optimizer):
    """Stochastic gradient descent, optionally with momentum.

    p ← p - η g. With momentum v ← μ v + g, p ← p - η v; with `nesterov` p ← p - η (g + μ v). The
    state is v; there is none without momentum.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.1
        η: a positive number, one of `bpfast.schedules`, or any function ``eta(step)`` of the step,
        counted from 0.
    momentum : float, default 0.0
        μ, from 0 and below 1.
    nesterov : bool, default False
        Nesterov's momentum, in the form of Sutskever et al. (2013).
    weight_decay : float, default 0.0
        λ of the penalty λ/2 Σ p² over all parameters, 0 or above: g is replaced by g + λ p.

    Raises
    ------
    ValueError
        A number is out of range, or `nesterov` is used without momentum.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Source: Nielsen, ch. 1 and 3; PyTorch's ``SGD`` without dampening.

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
    kind = "sgd"

    @by_name(ARGUMENT_SYNONYMS)
    def __init__(
        self,
        learning_rate: Rate = 0.1,
        *,
        momentum: SupportsFloat = 0.0,
        nesterov: bool = False,
        weight_decay: SupportsFloat = 0.0,
    ) -> None:
        momentum = fraction("momentum", momentum)
        nesterov = flag("nesterov", nesterov)
        if nesterov and momentum == 0:
            raise ValueError("nesterov: expected a momentum above 0, got 0")
        config = {
            "momentum": momentum,
            "nesterov": nesterov,
            "weight_decay": not_negative("weight_decay", weight_decay),
        }
        state_names = ("velocity",) if momentum else ()
        super().__init__(
            learning_rate, config, ("sgd", [float(x) for x in config.values()]), state_names
        )
