"""The file of a checkpoint: a saved network and the state of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._core import (
    CHECKPOINT_FORMAT,
    ENSEMBLE_FORMAT,
    FOREIGN_FILE_HINT,
    FORMAT_VERSION,
    NETWORK_FORMAT,
    TRAINING_PREFIX,
    Network,
    _restore,
    check_format_version,
    parameter_names,
    read_tensors,
    write_tensors,
)
from bpfast._core import network_config as config_text
from bpfast._validation.entries import entry_names
from bpfast._validation.naming import naming_value
from bpfast._validation.numbers import integer
from bpfast.history._history import History
from bpfast.history._state import as_text, from_text
from bpfast.schedules import Schedule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._training.loop import Training
    from bpfast.optimizers import Optimizer

# The prefix of the optimizer's state arrays.
OPTIMIZER_PREFIX = TRAINING_PREFIX + "optimizer."
# The parameters after the last step, if the network of the file has better ones.
LAST_PARAMS = TRAINING_PREFIX + "params"
# The elements copied or summed at a time; Python handles signals between two.
ELEMENTS_AT_ONCE = 1 << 20


class Checkpoint:
    """The validated contents of a file, not yet compared with a training."""

    __slots__ = ("arguments", "history", "network", "path", "seed", "state", "tensors")

    def __init__(
        self, path: str, tensors: dict[str, NDArray[Any]], metadata: dict[str, str]
    ) -> None:
        kind = metadata.get("format")
        if kind != CHECKPOINT_FORMAT:
            got = "none" if kind is None else f"'{kind}'"
            if kind == NETWORK_FORMAT:
                got += ", a network without its training: read it with bpfast.load, and fit it anew"
            elif kind == ENSEMBLE_FORMAT:
                got += ", networks without their training: read it with bpfast.Ensemble.load"
            else:
                got += f"; {FOREIGN_FILE_HINT}"
            raise ValueError(f"format: expected '{CHECKPOINT_FORMAT}', got {got}")
        check_format_version(metadata.get("format_version", ""), FORMAT_VERSION)
        config, text = metadata.get("config", ""), metadata.get("training", "")
        check, got = metadata.get("check"), _check(config, text, tensors)
        if check != got:
            raise ValueError(f"check: expected {got} for what is in the file, got {check}")
        training = _parsed("training", text, {"arguments", "state", "history"})
        self.path, self.tensors = path, tensors
        self.network = _parsed("config", config, None)
        self.arguments: dict[str, Any] = training["arguments"]
        self.seed = integer("seed", self.arguments.get("seed"), 0)
        self.state: dict[str, Any] = training["state"]
        if set(self.state) != {"optimizer", "learning_rate", "early_stopping"}:
            expected = "optimizer, learning_rate and early_stopping"
            raise ValueError(f"state: expected {expected}, got {entry_names(self.state)}")
        self.history = History.from_state(training["history"])
        if self.history.seed != self.seed:
            raise ValueError(f"history: expected seed {self.seed}, got {self.history.seed}")


def read(path: str) -> Checkpoint:
    """The checkpoint in a file.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is not a checkpoint, is damaged, or was written by a newer version.
    """
    tensors, metadata = read_tensors(path)
    with naming_value(path):
        return Checkpoint(path, tensors, metadata)


def write(path: str, training: Training, arguments: dict[str, Any]) -> None:
    """Write `training`, which has these arguments, and replace the file at `path`.

    Raises
    ------
    OSError
        The file cannot be written; the old one is unchanged.
    """
    net: Network = training.net
    stopping = training.early_stopping
    state, arrays = _optimizer_state(training.optimizer)
    more = {OPTIMIZER_PREFIX + name: array for name, array in arrays.items()}
    if training.best is not None:  # `load` returns what `fit` would return
        more[LAST_PARAMS] = net.params
        net = empty_copy(net)
        net.params = training.best
    import json  # its import takes 1 ms

    text = {
        "arguments": arguments,
        "state": {
            "optimizer": state,
            "learning_rate": rate_config(training.optimizer),
            "early_stopping": stopping and stopping.state | {"best": as_text(stopping.best)},
        },
        "history": training.history.state,
    }
    tensors = {name: _in_rows(a) for name, a in (named_arrays(net) | more).items()}
    metadata = {
        "format": CHECKPOINT_FORMAT,
        "format_version": str(FORMAT_VERSION),
        "config": config_text(net),
        "training": json.dumps(text, allow_nan=False),
    }
    metadata["check"] = _check(metadata["config"], metadata["training"], tensors)
    write_tensors(path, tensors, metadata)


def network_config(net: Network) -> dict[str, Any]:
    """The configuration of `net` in JSON types, as `Network.save` writes it."""
    import json

    config: dict[str, Any] = json.loads(config_text(net))
    return config


def rate_config(optimizer: Optimizer) -> float | dict[str, Any] | None:
    """The learning rate in JSON types; None if it contains a callable of the user."""
    rate = optimizer.learning_rate
    if isinstance(rate, float):
        return rate
    try:
        return rate.config if isinstance(rate, Schedule) else None
    except TypeError:  # a ramp before a callable
        return None


def named_arrays(net: Network) -> dict[str, NDArray[Any]]:
    """The parameters of `net` by their names in a file."""
    arrays = {}
    for names, w, b in zip(parameter_names(net), net.weights, net.biases, strict=True):
        of_weights, of_biases = names
        arrays[of_weights] = w
        if of_biases is not None:
            arrays[of_biases] = b
    return arrays


def empty_copy(net: Network) -> Network:
    """A network with the configuration of `net` and all parameters 0."""
    return _restore(Network, net.config)


def early_stopping_state(text: dict[str, Any]) -> dict[str, Any]:
    """The state of an early stopping, from its form in a file."""
    return text | {"best": from_text(text.get("best"))}


def _optimizer_state(optimizer: Optimizer) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The state of an optimizer: what JSON can represent, and the arrays."""
    state = optimizer.state
    if rate_config(optimizer) is None:
        state.pop("schedule", None)  # a user's callable
    arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    return {name: state[name] for name in state if name not in arrays}, arrays


def _parsed(name: str, text: str, keys: set[str] | None) -> dict[str, Any]:
    """The JSON object in `text`, which must have `keys` with objects as values."""
    import json

    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{name}: expected JSON, got {error}") from None
    if not isinstance(found, dict) or keys not in (None, set(found)):
        expected = ", ".join(sorted(keys or ())) or "its entries"
        raise ValueError(f"{name}: expected an object with {expected}, got {entry_names(found)}")
    for key in keys or ():
        if not isinstance(found[key], dict):
            raise ValueError(f"{name}: {key}: expected an object, got {type(found[key]).__name__}")
    return found


def _refuse_constant(word: str) -> None:
    raise ValueError(word)


def _check(config: str, text: str, tensors: dict[str, NDArray[Any]]) -> str:
    return checksum(f"{config}\n{text}", tensors)


def checksum(text: str, tensors: dict[str, NDArray[Any]]) -> str:
    """A checksum of a text and of contiguous arrays, which detects damage."""
    from zlib import crc32

    found = crc32(text.encode())
    for name in sorted(tensors):
        array = tensors[name]
        found = crc32(f"{name} {array.dtype} {array.shape}".encode(), found)
        numbers = array.reshape(-1)
        for start in range(0, len(numbers), ELEMENTS_AT_ONCE):
            found = crc32(numbers[start : start + ELEMENTS_AT_ONCE].view(np.uint8).data, found)
    return f"{found:08x}"


def _in_rows(array: NDArray[Any]) -> NDArray[Any]:
    """The array, or a C-contiguous copy of it."""
    if array.flags.c_contiguous:
        return array
    rows = np.empty(array.shape, array.dtype)
    step = max(ELEMENTS_AT_ONCE // array.shape[1], 1)
    for start in range(0, len(array), step):
        rows[start : start + step] = array[start : start + step]
    return rows
