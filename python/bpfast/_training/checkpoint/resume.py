"""Continues a training from a checkpoint: compares the arguments and restores the state."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core, schedules
from bpfast._training.checkpoint import file
from bpfast._training.stopping.early_stopping import EarlyStopping
from bpfast._validation.caller import stack_level
from bpfast._validation.numbers import integer, is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._training.checkpoint.file import Checkpoint
    from bpfast._training.loop import Training
    from bpfast.optimizers import Optimizer

# A weighted step uses the gradient of Σ s_x C_x / (n s̄). In files without this entry it was that
# of Σ s_x C_x / Σ s_x over the examples of the step.
WEIGHTING = "mean of all examples"
# The settings that determine the best epoch. Patience may change.
STOPPING = ("monitor", "mode", "min_delta", "restore_best")


def arguments(
    training: Training,
    *,
    share: float | None,
    class_weight: Mapping[int, float] | str | None,
    sample_weight: Any,
) -> dict[str, Any]:
    """The arguments that affect the bits or the columns of the history, in JSON types.

    Of the data, only the number of examples and whether x is sparse.
    """
    examples, held_out = training.runner.examples, training.validation
    count = 0 if held_out is None else len(held_out)
    x: Any = "batches"
    if examples is not None and training.training is not None:
        kind = "sparse" if training.training.is_sparse else "dense"
        x = {"kind": kind, "examples": examples + (0 if share is None else count)}
    validation: Any = share
    if share is None and held_out is not None:
        validation = {"examples": count}
    weights: Any = class_weight
    if isinstance(class_weight, Mapping):
        weights = {str(key): float(class_weight[key]) for key in class_weight}
    stopping: Any = training.early_stopping
    settings = training.settings.to_dict()
    del settings["check_finite"]  # it does not change finite numbers
    found = {
        "x": x,
        **settings,
        "validation": validation,
        "metrics": sorted(training.metrics),
        "class_weight": weights,
        "sample_weight": None if sample_weight is None else "given",
        "weighting": WEIGHTING,
        "early_stopping": stopping and {name: getattr(stopping, name) for name in STOPPING},
        "optimizer": _optimizer_config(training.optimizer),
    }
    from json import dumps, loads

    arguments: dict[str, Any] = loads(dumps(found))
    return arguments


def restore(saved: Checkpoint, training: Training, given: dict[str, Any], epochs: int) -> None:
    """Restore the state of `training`, whose arguments are `given`, from the checkpoint.

    Raises
    ------
    ValueError
        The checkpoint is of a training with other arguments, or damaged. Nothing is changed.
    """
    _agree_method(saved, given)
    config = file.network_config(training.net)
    for name in config | saved.network:
        agree(name, saved.network.get(name, True), config.get(name, True))  # biases: all
    _agree_optimizer(saved, given["optimizer"])
    _agree_weighting(saved, given)
    for name in given | saved.arguments:
        if name not in ("optimizer", "weighting", "shards"):
            agree(name, saved.arguments.get(name), given.get(name))
    _agree_shards(saved.arguments.get("shards"), given.get("shards"))
    done = len(saved.history)
    if epochs < done:
        expected = f"{done} or more, which the checkpoint has"
        raise ValueError(f"epochs: expected {expected}, got {epochs}")
    try:
        _refuse_other_columns(saved, training)
        best, last = _parameters(saved, training)
        stopping = _early_stopping(saved, training)
        _restore_optimizer(saved, training)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{saved.path}: {error}") from None
    # Nothing can fail from here on.
    if training.early_stopping is not None:
        training.early_stopping.state = stopping
    _core.assign_params(training.net, best if last is None else last)
    training.best = None if last is None else best
    training.history = saved.history


def agree(name: str, expected: Any, got: Any) -> None:
    """Raise ValueError if an argument differs from that in the checkpoint."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in expected | got:
            agree(f"{name}.{key}", expected.get(key), got.get(key))
    elif expected != got:
        raise ValueError(f"{name}: expected {expected!r} as in the checkpoint, got {got!r}")


def _agree_method(saved: Checkpoint, given: dict[str, Any]) -> None:
    """Check that both trainings are of `bpfast.distributed`, or neither."""
    expected, got = (
        "a training in shards" if "shards" in arguments else "a training in one piece"
        for arguments in (saved.arguments, given)
    )
    if expected != got:
        raise ValueError(f"resume: expected the checkpoint of {got}, got that of {expected}")


def _agree_shards(expected: Any, got: Any) -> None:
    """Check that the data are cut as before: equally many examples and shards, and their rows."""
    if expected == got:
        return
    if not (isinstance(expected, list) and len(expected) == len(got)):
        agree("shards", expected, got)
    if expected[0] != got[0]:
        raise ValueError(f"x: expected {expected[0]} examples as in the checkpoint, got {got[0]}")
    if expected[1] != got[1]:
        of_then = f"{expected[1]} shard{'s' * (expected[1] != 1)} as in the checkpoint"
        raise ValueError(f"shard_rows: expected {of_then}, got {got[1]}")
    of_then = "shards with as many rows each as in the checkpoint"
    raise ValueError(f"shard_rows: expected {of_then}, got {got[1]} with other numbers of rows")


def _optimizer_config(optimizer: Optimizer) -> dict[str, Any]:
    """The config, with None as the learning rate if that contains a callable of the user."""
    rate = file.rate_config(optimizer)
    if rate is None:
        optimizer = copy(optimizer)
        optimizer.learning_rate = 1.0
    return optimizer.config | {"learning_rate": rate}


def _state_names(optimizer: Optimizer) -> list[str]:
    """The names of the state arrays that the optimizer has after a step."""
    twin = copy(optimizer)
    twin.learning_rate = 1.0  # otherwise `reset` may change the shared schedule
    twin.reset()
    twin.step(np.zeros(1), np.zeros(1))
    return [name for name in twin.state if name != "steps"]


def _agree_optimizer(saved: Checkpoint, given: dict[str, Any]) -> None:
    """Check that the optimizer is that of the first call, or has its current learning rate."""
    expected, now = saved.arguments.get("optimizer"), saved.state["learning_rate"]
    if not isinstance(expected, dict) or given != expected | {"learning_rate": now}:
        agree("optimizer", expected, given)


def _agree_weighting(saved: Checkpoint, given: dict[str, Any]) -> None:
    """Check that weighted steps have the definition that they had when the file was written.

    Whether batches have weights is not known here.
    """
    expected, got = saved.arguments.get("weighting"), given["weighting"]
    if expected == got:
        return
    of_then = "steps that divide by the weights of their own examples, as older versions of bpfast"
    weighted = [name for name in ("sample_weight", "class_weight") if given[name] is not None]
    if weighted:
        got = "steps that divide by the mean weight of all; start again, without resume"
        raise ValueError(f"{weighted[0]}: expected {of_then} wrote the checkpoint, got {got}")
    if given["x"] == "batches":
        message = (
            "x: batches with weights have other steps now than when the checkpoint was written: "
            "Σ s_x C_x is divided by the number of examples, and no longer by Σ s_x"
        )
        warnings.warn(message, UserWarning, stacklevel=stack_level())


def _refuse_other_columns(saved: Checkpoint, training: Training) -> None:
    """Check that the history has the columns of the next epoch."""
    names, got = training.columns, saved.history.names[1:]
    if set(got) != set(names):
        raise ValueError(f"history: expected columns {', '.join(names)}, got {', '.join(got)}")


def _parameters(saved: Checkpoint, training: Training) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The parameters of the network in the file, and those after the last step if they differ."""
    net, tensors = training.net, saved.tensors
    arrays = file.named_arrays(net)
    more = [file.OPTIMIZER_PREFIX + name for name in _state_names(training.optimizer)]
    stopping = training.early_stopping
    if file.LAST_PARAMS in tensors and stopping is not None and stopping.restore_best:
        more.append(file.LAST_PARAMS)
    arrays |= dict.fromkeys(more, net.params)
    if set(tensors) != set(arrays):
        expected, got = ", ".join(sorted(arrays)), ", ".join(sorted(tensors))
        raise ValueError(f"tensors: expected {expected}, got {got}")
    for name, target in arrays.items():
        array = tensors[name]
        if (array.shape, array.dtype) != (target.shape, target.dtype):
            expected = f"shape {target.shape} and dtype {target.dtype}"
            raise ValueError(f"{name}: expected {expected}, got {array.shape} and {array.dtype}")
    best = file.empty_copy(net)
    for name, target in file.named_arrays(best).items():
        target[...] = tensors[name]
    return best.params, tensors.get(file.LAST_PARAMS)


def _early_stopping(saved: Checkpoint, training: Training) -> dict[str, Any]:
    """The validated state of the early stopping; empty if there is none."""
    state = saved.state["early_stopping"]
    if training.early_stopping is None:
        if state is not None:
            raise ValueError(f"early_stopping: expected no state, got {state!r}")
        return {}
    if not isinstance(state, dict):
        raise ValueError(f"early_stopping: expected a state, got {state!r}")
    found = file.early_stopping_state(state)
    EarlyStopping().state = found
    if found["best_epoch"] > len(saved.history):
        raise ValueError(f"early_stopping: expected an epoch so far, got {found['best_epoch']}")
    return found


def _restore_optimizer(saved: Checkpoint, training: Training) -> None:
    """Restore the optimizer's state. After an error, the optimizer is unchanged."""
    optimizer, state = training.optimizer, saved.state["optimizer"]
    if not isinstance(state, dict):
        raise ValueError(f"optimizer: expected a state, got {state!r}")
    integer("optimizer: steps", state.get("steps"), 0)
    arrays = {
        name.removeprefix(file.OPTIMIZER_PREFIX): np.array(array)
        for name, array in saved.tensors.items()
        if name.startswith(file.OPTIMIZER_PREFIX)
    }
    before, now = optimizer.learning_rate, saved.state["learning_rate"]
    if now != file.rate_config(optimizer):  # assigned by a callback
        if now is None:
            expected = "an optimizer with the callable of a callback"
            got = file.rate_config(optimizer)
            raise ValueError(f"learning_rate: expected {expected}, got {got!r}")
        optimizer.learning_rate = now if is_number(now) else schedules.from_config(now)
    try:
        optimizer.state = state | arrays
    except (TypeError, ValueError):
        optimizer.learning_rate = before
        raise
