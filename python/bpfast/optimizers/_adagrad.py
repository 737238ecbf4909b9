"""Adagrad: the gradient divided by the root of the sum of its squares."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsFloat, final

from bpfast._validation.names import by_name
from bpfast._validation.numbers import not_negative, positive
from bpfast.optimizers._optimizer import ARGUMENT_SYNONYMS, Optimizer

if TYPE_CHECKING:
    from bpfast.optimizers._optimizer import Rate

STATE_NAMES = ("square",)


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

    @by_name(ARGUMENT_SYNONYMS)
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
        super().__init__(learning_rate, config, ("adagrad", [*config.values()]), STATE_NAMES)
