"""RMSprop: the gradient divided by its running root mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsFloat, final

from bpfast._validation.names import by_name
from bpfast._validation.numbers import fraction, not_negative, positive
from bpfast.optimizers._optimizer import ARGUMENT_SYNONYMS, Optimizer

if TYPE_CHECKING:
    from bpfast.optimizers._optimizer import Rate

STATE_NAMES = ("square",)


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

    @by_name(ARGUMENT_SYNONYMS)
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
        super().__init__(learning_rate, config, ("rmsprop", [*config.values()]), STATE_NAMES)
