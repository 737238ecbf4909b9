"""Optimizers that divide by running squares and count steps: Adam, AdamW."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsFloat, final

from bpfast._validation.names import by_name
from bpfast._validation.numbers import fraction, not_negative, positive
from bpfast.optimizers._optimizer import ARGUMENT_SYNONYMS, Optimizer

if TYPE_CHECKING:
    from bpfast.optimizers._optimizer import Rate

STATE_NAMES = ("mean", "square")


@final
class Adam(Optimizer):
    """Adam: steps of about η in each parameter, whatever the scale of its gradient.

    m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², p ← p - η m̂ / (√v̂ + ε) with
    m̂ = m / (1 - β₁^t), v̂ = v / (1 - β₂^t). The state is m and v.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.001
        η: a positive number, one of `bpfast.schedules`, or any function ``eta(step)`` of the step,
        counted from 0.
    beta1, beta2 : float, default 0.9 and 0.999
        β₁ and β₂, from 0 and below 1.
    epsilon : float, default 1e-8
        ε, above 0.
    weight_decay : float, default 0.0
        λ of the penalty λ/2 Σ p² over all parameters, 0 or above: g is replaced by g + λ p. `AdamW`
        applies it separately from the gradient.

    Raises
    ------
    ValueError
        A number is out of range.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Source: Kingma and Ba, *Adam: A Method for Stochastic Optimization* (2015), algorithm 1.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> p = np.array([1.0, 1.0])
    >>> bpfast.Adam(0.5).step(p, [3.0, -0.001])
    >>> p.round(4)
    array([0.5, 1.5])
    """

    __slots__ = ()
    kind = "adam"

    @by_name(ARGUMENT_SYNONYMS)
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        *,
        beta1: SupportsFloat = 0.9,
        beta2: SupportsFloat = 0.999,
        epsilon: SupportsFloat = 1e-8,
        weight_decay: SupportsFloat = 0.0,
    ) -> None:
        config = _config(beta1, beta2, epsilon, weight_decay)
        super().__init__(learning_rate, config, ("adam", [*config.values(), 0.0]), STATE_NAMES)


@final
class AdamW(Optimizer):
    """Adam with decoupled weight decay: first p ← p (1 - η λ), then the step of Adam.

    m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², p ← p - η m̂ / (√v̂ + ε) with
    m̂ = m / (1 - β₁^t), v̂ = v / (1 - β₂^t). The state is m and v.

    Parameters
    ----------
    learning_rate : float, schedule or callable, default 0.001
        η: a positive number, one of `bpfast.schedules`, or any function ``eta(step)`` of the step,
        counted from 0.
    beta1, beta2 : float, default 0.9 and 0.999
        β₁ and β₂, from 0 and below 1.
    epsilon : float, default 1e-8
        ε, above 0.
    weight_decay : float, default 0.01
        λ, for all parameters including biases, 0 or above.

    Raises
    ------
    ValueError
        A number is out of range.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    Source: Loshchilov and Hutter, *Decoupled Weight Decay Regularization* (2019), with λ multiplied
    by η as in PyTorch's ``AdamW``.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> p = np.array([1.0])
    >>> bpfast.AdamW(0.5, weight_decay=0.1).step(p, [0.0])
    >>> p
    array([0.95])
    """

    __slots__ = ()
    kind = "adamw"

    @by_name(ARGUMENT_SYNONYMS)
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        *,
        beta1: SupportsFloat = 0.9,
        beta2: SupportsFloat = 0.999,
        epsilon: SupportsFloat = 1e-8,
        weight_decay: SupportsFloat = 0.01,
    ) -> None:
        config = _config(beta1, beta2, epsilon, weight_decay)
        *numbers, decay = config.values()
        super().__init__(learning_rate, config, ("adam", [*numbers, 0.0, decay]), STATE_NAMES)


def _config(
    beta1: SupportsFloat, beta2: SupportsFloat, epsilon: SupportsFloat, weight_decay: SupportsFloat
) -> dict[str, float]:
    return {
        "beta1": fraction("beta1", beta1),
        "beta2": fraction("beta2", beta2),
        "epsilon": positive("epsilon", epsilon),
        "weight_decay": not_negative("weight_decay", weight_decay),
    }
