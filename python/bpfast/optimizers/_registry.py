"""Optimizers by name, and from their configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bpfast._validation.names import unknown_name
from bpfast._validation.naming import naming_value
from bpfast._validation.numbers import is_number
from bpfast.optimizers._adagrad import Adagrad
from bpfast.optimizers._adam import Adam, AdamW
from bpfast.optimizers._rmsprop import RMSprop
from bpfast.optimizers._sgd import SGD
from bpfast.schedules._config import schedule_of

if TYPE_CHECKING:
    from bpfast.optimizers._optimizer import Optimizer

# By the names that `fit` and configs have.
OPTIMIZERS: dict[str, type[SGD | Adam | AdamW | RMSprop | Adagrad]] = {
    made.kind: made for made in (SGD, Adam, AdamW, RMSprop, Adagrad)
}


def from_config(config: Mapping[str, Any]) -> Optimizer:
    """Make an optimizer from its config.

    No code that the config names is run, so a config from an untrusted source is harmless.

    Parameters
    ----------
    config : mapping
        ``kind``, one of sgd, adam, adamw, rmsprop, adagrad, and the arguments by name, as
        `Optimizer.config` returns them. Missing arguments have their defaults. ``learning_rate`` is
        a number or the config of a schedule.

    Returns
    -------
    Optimizer
        A new optimizer without state.

    Raises
    ------
    TypeError
        `config` is not a mapping.
    ValueError
        The kind is unknown, or it does not accept the arguments.

    Examples
    --------
    >>> from bpfast import optimizers
    >>> optimizers.from_config({"kind": "adagrad", "learning_rate": 0.5})
    Adagrad(0.5, epsilon=1e-10, weight_decay=0.0)
    """
    if not isinstance(config, Mapping):
        raise TypeError(f"config: expected a mapping, got {type(config).__name__}")
    kind = config.get("kind")
    if not isinstance(kind, str) or kind not in OPTIMIZERS:
        raise unknown_name("config", kind, OPTIMIZERS, "kind")
    made = OPTIMIZERS[kind]
    given = {name: value for name, value in list(config.items()) if name != "kind"}
    names = made().config.keys() - {"kind"}
    if not given.keys() <= names:
        got = ", ".join(map(str, given))
        raise ValueError(f"config: expected {', '.join(sorted(names))} for {kind!r}, got {got}")
    with naming_value("config"):
        if "learning_rate" in given and not is_number(given["learning_rate"]):
            given["learning_rate"] = schedule_of("learning_rate", given["learning_rate"])
        return made(**given)
