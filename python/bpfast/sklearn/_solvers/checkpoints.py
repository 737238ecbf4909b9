"""Checkpoints of an estimator: what they say of its parameters and data, in its own terms."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast._training.checkpoint.policy import CheckpointPolicy
from bpfast._training.checkpoint.resume import agree
from bpfast.schedules import Schedule
from bpfast.sklearn._random import random_numbers, training_seed

if TYPE_CHECKING:
    from bpfast._training.loop import Training
    from bpfast.sklearn._targets.validation import Rows

# Parameters that may be others when a training is resumed, and those of the other solver.
CHANGEABLE_PARAMETERS = {
    *("max_iter", "max_fun", "n_iter_no_change", "verbose", "warm_start", "callbacks"),
    *("checkpoint", "resume", "n_jobs", "random_state", "client"),
}
OTHER_SOLVER_PARAMETERS = {
    "adam": {"momentum", "nesterovs_momentum", "power_t"},
    "sgd": {"beta_1", "beta_2", "epsilon"},
}


class Checkpoints(CheckpointPolicy):
    """The checkpoints of an estimator's training.

    The file has the parameters and figures of the data, so that another of them is refused by the
    name that the estimator has for it.
    """

    def __init__(self, estimator: Any, *, incremental: bool) -> None:
        super().__init__(
            None if incremental else estimator.checkpoint,
            None,
            None if incremental else estimator.resume,
        )
        self._estimator = estimator
        self._data: dict[str, Any] = {}

    @property
    def has_file(self) -> bool:
        """Whether the training is written to a file or read from one."""
        return self._path is not None or self.read is not None

    def describe(self, rows: Rows, classes: Any, validation_data: Rows | None) -> None:
        """Take the figures of the data: all examples, and those that are given for validation."""
        if not self.has_file:
            return
        x, y, weight = rows.x, rows.y, rows.weight
        kind = "dense" if isinstance(x, np.ndarray) else "sparse"
        data: dict[str, Any] = {
            "X": {"examples": x.shape[0], "features": x.shape[1], "kind": kind},
            "y": {"outputs": y.shape[1]} if y.ndim == 2 else {},
            "sample_weight": None if weight is None else {"mean": float(np.abs(weight).mean())},
            "validation_data": None,
        }
        if y.ndim == 1:
            labels, counts = classes.tolist(), np.bincount(y, minlength=len(classes)).tolist()
            data["y"] = {"counts": dict(zip(map(str, labels), counts, strict=True))}
        if validation_data is not None:
            data["validation_data"] = {"examples": validation_data.x.shape[0]}
        self._data = data

    def describe_dask(self, n: int, features: int) -> None:
        """Take the figures of dask data."""
        self._data = {"X": {"examples": n, "features": features, "kind": "dask"}}

    def arguments_of(self, training: Training, **others: Any) -> dict[str, Any]:
        """The arguments of the training, the estimator's parameters, and figures of its data."""
        found = super().arguments_of(training, **others)
        if not self.has_file:
            return found
        estimator = self._estimator
        ignored = CHANGEABLE_PARAMETERS | OTHER_SOLVER_PARAMETERS[estimator.solver]
        parameters = {"solver": estimator.solver}  # compared first, as others depend on it
        parameters |= {
            name: _plain(value)
            for name, value in estimator.get_params(deep=False).items()
            if name not in ignored
        }
        parameters["hidden_layer_sizes"] = list(training.net.sizes[1:-1])
        parameters["random_state"] = training.settings.seed
        own = {
            "estimator": type(estimator).__name__,
            "parameters": parameters,
            "data": self._data,
        }
        return found | own

    def begin(self, training: Training, epochs: int, **others: Any) -> None:
        """Restore `training` from the checkpoint.

        Raises
        ------
        ValueError
            The checkpoint is damaged or of a training with other parameters or data. Nothing is
            changed.
        """
        if self.read is not None:
            self._refuse_others(self.read, self.arguments_of(training, **others), epochs)
        super().begin(training, epochs, **others)

    def _refuse_others(self, saved: Any, given: dict[str, Any], epochs: int) -> None:
        of = saved.arguments.get("estimator", "Network.fit")
        if of != given["estimator"]:
            expected = f"a checkpoint of {given['estimator']}"
            raise ValueError(f"{saved.path}: expected {expected}, got one of {of}")
        for part in ("data", "parameters"):
            before = saved.arguments.get(part, {})
            for name in before | given[part]:
                agree(name, before.get(name), given[part].get(name))
        agree("X.dtype", saved.network.get("dtype"), self._estimator.network_.dtype.name)
        if epochs < (done := len(saved.history)):
            expected = f"{done} or more, which the checkpoint has"
            raise ValueError(f"max_iter: expected {expected}, got {epochs}")


class Start(NamedTuple):
    """How a training starts: its random numbers and its checkpoints, and if it is one epoch.

    `seed` is that of the examples' order and of dropout, if it is known already.
    """

    random: np.random.RandomState
    seed: int | None
    checkpoints: Checkpoints
    incremental: bool


def start_of(estimator: Any, *, incremental: bool) -> Start:
    """How a training of `estimator` starts.

    With a checkpoint and without `random_state` all random numbers come from one integer, which is
    in the file.
    """
    checkpoints = Checkpoints(estimator, incremental=incremental)
    if not checkpoints.has_file or estimator.random_state is not None:
        return Start(random_numbers(estimator.random_state), None, checkpoints, incremental)
    seed = checkpoints.seed(None)
    if seed is None:
        seed = training_seed(None, random_numbers(None))
    return Start(np.random.RandomState(seed), seed, checkpoints, incremental)


def _plain(value: Any) -> Any:
    """A parameter in JSON types."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, Schedule):
        try:
            return value.config
        except TypeError:  # with a callable of the user
            return type(value).__name__
    return value if isinstance(value, str | int | float | None) else type(value).__name__
