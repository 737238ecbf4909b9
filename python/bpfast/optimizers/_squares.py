"""Optimizers that divide the gradient by the root of its squares: RMSprop, Adagrad."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsFloat, final

from bpfast._validation.names import by_name
from bpfast._validation.numbers import fraction, not_negative, positive
from bpfast.optimizers._optimizer import ELSEWHERE, Optimizer

if TYPE_CHECKING:
    from bpfast.optimizers._optimizer import Rate

KEEPS = ("square",)


@final
class RMSprop(Optimizer):
    """RMSprop: the gradient divided by its running root mean square.

    v ← α v + (1 - α) g², p ← p - η g / (√v + ε). The state is v.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.01
        η: a positive number, one of `bpfast.schedules`, or any function ``eta(step)`` of the step,
        counted from 0.
    alpha : float, default 0.99
        α, from 0 and below 1.
    epsilon : float, default 1e-8
        ε, above 0.
    weight_decay : float, default 0.0
        λ of the penalty λ/2 Σ p² over all parameters, 0 or above: g is replaced by g + λ p.

    Raises
    ------
    ValueError
        A number is out of range.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Source: Hinton, *Neural Networks for Machine Learning* (2012), lecture 6e; PyTorch's ``RMSprop``
    without momentum, not centred.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> p = np.array([1.0])
    >>> bpfast.RMSprop(0.1, alpha=0.75).step(p, [3.0])  # √v = 1.5
    >>> p.round(4)
    array([0.8])
    """

    __slots__ = ()
    kind = "rmsprop"

    @by_name(ELSEWHERE)
    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        alpha: SupportsFloat = 0.99,
        epsilon: SupportsFloat = 1e-8,
        weight_decay: SupportsFloat = 0.0,
    ) -> None:
        config = {
            "alpha": fraction("alpha", alpha),
            "epsilon": positive("epsilon", epsilon),
            "weight_decay": not_negative("weight_decay", weight_decay),
        }
        super().__init__(learning_rate, config, ("rmsprop", [*config.values()]), KEEPS)


@final
class Adagrad(Optimizer):
    """Adagrad: the rate of each parameter decreases with the sum of its squared gradients.

    v ← v + g², p ← p - η g / (√v + ε). The state is v.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.01
        η: a positive number, one of `bpfast.schedules`, or any function ``eta(step)`` of the step,
        counted from 0.
    epsilon : float, default 1e-10
        ε, above 0.
    weight_decay : float, default 0.0
        λ of the penalty λ/2 Σ p² over all parameters, 0 or above: g is replaced by g + λ p.

    Raises
    ------
    ValueError
        A number is out of range.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Source: Duchi, Hazan and Singer, *Adaptive Subgradient Methods* (2011), with diagonal matrices;
    PyTorch's ``Adagrad``. In place of its ``lr_decay``, use a schedule.

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
    kind = "adagrad"

    @by_name(ELSEWHERE)
    def __init__(
        self,
        learning_rate: Rate = 0.01,
        *,
        epsilon: SupportsFloat = 1e-10,
        weight_decay: SupportsFloat = 0.0,
    ) -> None:
        config = {
            "epsilon": positive("epsilon", epsilon),
            "weight_decay": not_negative("weight_decay", weight_decay),
        }
        super().__init__(learning_rate, config, ("adagrad", [*config.values()]), KEEPS)
