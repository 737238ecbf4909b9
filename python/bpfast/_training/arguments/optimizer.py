"""The optimizer of a training: an object, or a name."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from bpfast import optimizers
from bpfast._validation.names import unknown_name
from bpfast.optimizers._registry import OPTIMIZERS
from bpfast.schedules import Schedule

if TYPE_CHECKING:
    from bpfast.optimizers import Optimizer

# Names of other libraries.
OPTIMIZER_SYNONYMS = {
    "gd": "sgd",
    "gradientdescent": "sgd",
    "momentum": "bpfast.SGD(momentum=0.9)",
    "nesterov": "bpfast.SGD(momentum=0.9, nesterov=True)",
    "nag": "bpfast.SGD(momentum=0.9, nesterov=True)",
    "lbfgs": "bpfast.scipy_minimize",
    "bfgs": "bpfast.scipy_minimize",
}


def fresh_rate(learning_rate: Any) -> Any:
    """A copy of a schedule that a training changes, such as a Plateau; any other rate itself.

    So a loop over trainings can give each of them the same schedule.

    Examples
    --------
    >>> from bpfast import schedules
    >>> cosine, plateau = schedules.Cosine(0.1, steps=9), schedules.Plateau(0.1)
    >>> fresh_rate(cosine) is cosine, fresh_rate(plateau) is plateau
    (True, False)
    """
    if isinstance(learning_rate, Schedule) and learning_rate.state:
        return copy.deepcopy(learning_rate)
    return learning_rate


def parse_optimizer(value: Any, learning_rate: Any = None) -> Optimizer:
    """The optimizer, or a new one of the given name with its defaults and the given learning rate.

    Raises
    ------
    ValueError
        The name is unknown, or a learning rate is given with an optimizer, which has its own.
    TypeError
        `value` is neither an optimizer nor a name.
    """
    if isinstance(value, str):
        if value not in OPTIMIZERS:
            raise unknown_name("optimizer", value, OPTIMIZERS, synonyms=OPTIMIZER_SYNONYMS)
        made: Optimizer = OPTIMIZERS[value](*(() if learning_rate is None else (learning_rate,)))
        return made
    if isinstance(value, optimizers.Optimizer) and type(value) is not optimizers.Optimizer:
        if learning_rate is not None:
            expected = "no rate together with an optimizer object"
            got = f"{learning_rate!r}; set optimizer.learning_rate"
            raise ValueError(f"learning_rate: expected {expected}, got {got}")
        return value
    got = type(value).__name__
    if isinstance(value, type):
        got = f"the class {value.__name__} itself"
        got += f": {value.__name__}() makes one" if value in OPTIMIZERS.values() else ""
    raise TypeError(f"optimizer: expected a name or an optimizer, got {got}")
