"""The arguments of `fit_many`, network by network."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bpfast._many.arguments import as_list, for_each
from bpfast._training.arguments.optimizer import parse_optimizer
from bpfast._training.arguments.settings import Settings, parse_early_stopping
from bpfast._training.arguments.training_data import parse_callbacks
from bpfast._training.locks import refuse_another_network
from bpfast._training.steps.monitor import StepMonitor, step_monitors
from bpfast._validation.naming import naming
from bpfast._validation.numbers import integer, is_number
from bpfast._validation.seed import parse_seed, parse_seeds
from bpfast.optimizers import Optimizer
from bpfast.schedules._rates import as_schedule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._training.loop import Callback
    from bpfast._training.stopping.early_stopping import EarlyStopping
    from bpfast._typing import Metric

# The arguments of `Settings` that each network has for itself.
STEP_SETTINGS = ("batch_size", "l1", "l2", "dropout", "max_norm", "clip_norm", "seed")


@dataclass(kw_only=True)
class Options:
    """The arguments of one network's training."""

    place: int  # in the list of the user
    net: Network
    epochs: int
    settings: Settings
    optimizer: Optimizer
    early_stopping: EarlyStopping | None
    metrics: dict[str, Metric]
    callbacks: list[Callback]
    validation: Any
    class_weight: Any
    sample_weight: Any
    rows: NDArray[np.uint32] | None
    validation_rows: NDArray[np.uint32] | None

    @property
    def records_steps(self) -> bool:
        """Whether a callback records steps, as a `Monitor` with ``every_steps``."""
        return bool(step_monitors(self.callbacks))


def parse_options(
    nets: Sequence[Network],
    each: Mapping[str, list[Any]],
    metrics: dict[str, Metric],
    **of_all: Any,
) -> list[Options]:
    """The arguments of each network: `each` has a list for every name, `of_all` those of all.

    Raises
    ------
    ValueError, TypeError
        An argument is out of range or of a wrong type; the message names the network.
    """
    options = []
    used: dict[str, list[Any]] = {"optimizer": [], "early_stopping": [], "callbacks": []}
    for k, net in enumerate(nets):
        with naming(f"nets[{k}]"):
            one = {name: values[k] for name, values in each.items()}
            of_steps = {name: one.pop(name) for name in STEP_SETTINGS}
            one["settings"] = Settings(net, **of_steps, **of_all)
            one["epochs"] = integer("epochs", one["epochs"], 1)
            _refuse_two_validations(one["validation"], one["validation_rows"])
            rate = _own_rate(one.pop("learning_rate"))
            one["optimizer"] = parse_optimizer(one["optimizer"], rate)
            one["early_stopping"] = parse_early_stopping(one["early_stopping"])
            if one["early_stopping"] is not None:
                one["early_stopping"].reset()
            with_state = [call for call in one["callbacks"] if _keeps_records(call)]
            _refuse_again("optimizer", [one["optimizer"]], used)
            _refuse_again("early_stopping", [one["early_stopping"]], used)
            _refuse_again("callbacks", with_state, used)
            refuse_another_network(one["optimizer"], net)
            options.append(Options(place=k, net=net, metrics=metrics, **one))
    return options


def seeds_for_each(seed: Any, count: int) -> list[int]:
    """The seed of each network: drawn or counted from one for all, or those of a list."""
    seed = as_list("seed", seed)
    if not isinstance(seed, list):
        return parse_seeds(seed, count)
    found = []
    for k, one in enumerate(for_each("seed", seed, count)):
        with naming(f"nets[{k}]"):
            found.append(parse_seed(one))
    return found


def copies_for_each(argument: str, value: Any, count: int) -> list[Any]:
    """One value for each network; one object for all is copied for each, as it keeps state."""
    value = as_list(argument, value)
    if isinstance(value, list):
        return for_each(argument, value, count)
    if isinstance(value, Iterator):
        expected = f"one for all, or a list of {count}, one for each network"
        raise TypeError(f"{argument}: expected {expected}, got {type(value).__name__}")
    if isinstance(value, Optimizer) and value.steps:
        expected = "one without steps, or a list with one for each network"
        raise ValueError(f"{argument}: expected {expected}, got one of {value.steps} steps")
    return [copy.deepcopy(value) for _ in range(count)]


def callbacks_for_each(value: Any, count: int) -> list[list[Callback]]:
    """The callbacks of each network: one or several for all, or a list with those of each."""
    if not isinstance(value, list):
        return [parse_callbacks(value)] * count
    found = []
    for k, calls in enumerate(for_each("callbacks", value, count, only_lists=True)):
        with naming(f"nets[{k}]"):
            found.append(parse_callbacks(() if calls is None else calls))
    return found


def _refuse_two_validations(validation: Any, rows: NDArray[np.uint32] | None) -> None:
    """Raise ValueError for examples to evaluate beside rows of x to evaluate."""
    if validation is not None and rows is not None:
        got = type(validation).__name__
        raise ValueError(f"validation: expected none beside validation_rows, got {got}")


def _own_rate(learning_rate: Any) -> Any:
    """A learning rate for one of several optimizers: a schedule is copied, as it may have state."""
    if learning_rate is None or is_number(learning_rate):
        return learning_rate
    as_schedule("learning_rate", learning_rate)
    return copy.deepcopy(learning_rate)


def _keeps_records(callback: Any) -> bool:
    """Whether a callback is a `Monitor`, which has the records of one network."""
    return isinstance(callback, StepMonitor)


def _refuse_again(argument: str, values: list[Any], used: dict[str, list[Any]]) -> None:
    """Add to the objects that networks keep their state in, each its own."""
    others = used[argument]
    for value in values:
        if value is not None and any(value is other for other in others):
            expected = "one for each network, as it keeps state"
            raise ValueError(f"{argument}: expected {expected}, got one again")
        others.append(value)
