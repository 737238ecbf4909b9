"""RMSprop: the gradient over the root of a running mean of its squares."""

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
    """RMSprop: the gradient over a running root mean square of itself.

    v ← α v + (1 - α) g², p ← p - η g / (√v + ε). It keeps v.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.01
        As for `SGD`.
    alpha : float, default 0.99
        α, from 0 up to but not 1.
    epsilon : float, default 1e-8
        ε, above 0.
    weight_decay : float, default 0.0
        As for `SGD`.

    Raises
    ------
    ValueError, TypeError
        As for `SGD`.

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
