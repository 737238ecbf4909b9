"""The file of an ensemble: all networks and their histories, in one safetensors file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast._core import (
    CHECKPOINT_FORMAT,
    ENSEMBLE_FORMAT,
    FOREIGN_FILE_HINT,
    NETWORK_FORMAT,
    _restore,
    check_format_version,
    read_tensors,
    write_tensors,
)
from bpfast._training.checkpoint.file import checksum, named_arrays, network_config
from bpfast._validation.entries import entry_names
from bpfast._validation.numbers import integer
from bpfast.history._history import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bpfast._network import Network

# What reads other files.
OTHER_READERS = {
    NETWORK_FORMAT: "read a network with bpfast.load",
    CHECKPOINT_FORMAT: "read the network of a checkpoint with bpfast.load",
}
# Raised if older versions would misread new files.
VERSION = 1
# The JSON of each network.
ENTRY = {"config", "history", "validation_set"}


class Parts(NamedTuple):
    """The parts of an ensemble."""

    nets: list[Network]
    histories: list[History | None]
    validation_sets: list[int | None]  # equal where the validation examples are; None: not known


def write(
    path: Any,
    nets: Sequence[Network],
    histories: Sequence[History | None],
    validation_sets: Sequence[int | None],
) -> None:
    """Write the networks and histories, and replace the file at `path`.

    Raises
    ------
    OSError
        The file cannot be written; the old one is unchanged.
    """
    import json

    tensors = {}
    for k, net in enumerate(nets):
        for name, array in named_arrays(net).items():
            tensors[f"{k}.{name}"] = np.ascontiguousarray(array)
    text = [
        {
            "config": network_config(net),
            "history": None if history is None else history.state,
            "validation_set": validation_set,
        }
        for net, history, validation_set in zip(nets, histories, validation_sets, strict=True)
    ]
    networks = json.dumps(text, allow_nan=False)
    metadata = {
        "format": ENSEMBLE_FORMAT,
        "format_version": str(VERSION),
        "networks": networks,
        "check": checksum(networks, tensors),
    }
    write_tensors(path, tensors, metadata)


def read(path: Any, cost: Any) -> Parts:
    """What is in a file; `cost` is that of the networks that were saved with a callable one.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It has no ensemble, is damaged, or was written by a newer version.
    TypeError
        `cost` is neither a name nor a callable.
    """
    if not (cost is None or isinstance(cost, str) or callable(cost)):
        raise TypeError(f"cost: expected a name or a callable, got {type(cost).__name__}")
    tensors, metadata = read_tensors(path)
    try:
        return _parsed(tensors, metadata, cost)
    except (TypeError, ValueError, KeyError) as error:
        # The value may come from a file, so a wrong type is a wrong value.
        raise ValueError(f"{path}: {error}") from None


def _refuse_damage(tensors: dict[str, NDArray[Any]], metadata: dict[str, str]) -> None:
    """Raise ValueError for another checksum. Files of older versions have none."""
    check = metadata.get("check")
    if check is not None and check != (found := checksum(metadata.get("networks", ""), tensors)):
        hint = "if the file was changed on purpose, remove check from its metadata"
        raise ValueError(f"check: expected {found} for what is in the file, got {check}; {hint}")


def _parsed(tensors: dict[str, NDArray[Any]], metadata: dict[str, str], cost: Any) -> Parts:
    import json

    from bpfast._network import Network

    kind = metadata.get("format")
    if kind != ENSEMBLE_FORMAT:
        got = "none" if kind is None else f"'{kind}'"
        hint = OTHER_READERS.get(kind or "", FOREIGN_FILE_HINT)
        raise ValueError(f"format: expected '{ENSEMBLE_FORMAT}', got {got}; {hint}")
    check_format_version(metadata.get("format_version", ""), VERSION)
    _refuse_damage(tensors, metadata)
    try:
        entries = json.loads(metadata.get("networks", ""))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"networks: expected JSON, got text that is none: {error}") from None
    if not isinstance(entries, list) or not entries:
        got = "an empty list" if entries == [] else type(entries).__name__
        raise ValueError(f"networks: expected a list with one network or more, got {got}")
    nets: list[Network] = []
    costs: list[Any] = []
    histories: list[History | None] = []
    validation_sets: list[int | None] = []
    for k, entry in enumerate(entries):
        if not isinstance(entry, dict) or set(entry) != ENTRY:
            expected = ", ".join(sorted(ENTRY))
            raise ValueError(
                f"networks: expected {expected} in entry {k}, got {entry_names(entry)}"
            )
        config = dict(entry["config"])
        costs.append(config.get("cost"))
        if costs[-1] == "custom":
            if cost is None:
                expected = "the callable cost of the saved networks"
                raise ValueError(f"cost: expected {expected}, as in load(path, cost=…), got none")
            config["cost"] = cost
        net = _restore(Network, config)
        places = named_arrays(net)
        for name, place in places.items():
            array = tensors.pop(f"{k}.{name}", None)
            if array is None:
                raise ValueError(f"{k}.{name}: expected a tensor of this name, got none")
            if array.shape != place.shape or array.dtype != place.dtype:
                expected, got = f"{place.shape} of {place.dtype}", f"{array.shape} of {array.dtype}"
                raise ValueError(f"{k}.{name}: expected shape {expected}, got {got}")
            place[...] = array
        nets.append(net)
        state = entry["history"]
        histories.append(None if state is None else History.from_state(state))
        number = entry["validation_set"]
        validation_sets.append(None if number is None else integer("validation_set", number, 0))
    if cost is not None and "custom" not in costs and any(c != cost for c in costs):
        expected, got = f"{costs[0]!r}, the cost in the file, or none", repr(cost)
        got = got if isinstance(cost, str) else "a callable"
        raise ValueError(f"cost: expected {expected}, got {got}")
    if tensors:
        name = min(tensors)
        got = f"one of shape {tensors[name].shape}"
        raise ValueError(f"{name}: expected no tensor of this name, got {got}")
    return Parts(nets, histories, validation_sets)
