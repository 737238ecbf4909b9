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


def parse_optimizer(value: Any, learning_rate: Any = None) -> Optimizer:
    """The optimizer, or a new one of the given name with its defaults and the given learning rate.

    A given schedule is copied, so that it can be given again.

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
        if isinstance(learning_rate, Schedule):  # a training may change it, as Plateau
            learning_rate = copy.deepcopy(learning_rate)
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
