"""What is computed of each shard, wherever it is."""

from __future__ import annotations

import copy
import threading
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from bpfast import _core
from bpfast._network import Network
from bpfast.distributed._tree import Node, Tree
from bpfast.distributed._values import Failure, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from bpfast.distributed._shards.shard import Shard
    from bpfast.optimizers import Optimizer

# The networks of this process for the trainings that it works for, oldest first.
_MODELS: dict[str, Model] = {}
MOST_MODELS = 4


class Model:
    """A network to compute with. It is sent as its configuration, and made once in each process."""

    def __init__(self, token: str, net: Network) -> None:
        self.token, self.net, self.gradient = token, net, _core.Gradient(net)
        self.lock = threading.Lock()  # Dask may run several tasks of a worker at once

    @classmethod
    def of(cls, net: Network) -> Model:
        """A model with the configuration of `net`, which keeps its own buffers."""
        return cls(uuid.uuid4().hex, _core._restore(Network, net.config))

    def __reduce__(self) -> Any:
        return _model, (self.token, self.net.config)


def _model(token: str, config: dict[str, Any]) -> Model:
    """The model with this token, made if it is new here."""
    found = _MODELS.get(token)
    if found is None:
        found = _MODELS.setdefault(token, Model(token, _core._restore(Network, config)))
        while len(_MODELS) > MOST_MODELS:
            _MODELS.pop(next(iter(_MODELS)), None)
    return found


class Task:
    """A function of the shards. What it returns for two ranges of shards can be combined."""

    name: ClassVar[str]  # of the task on Dask's dashboard

    def __init__(self, model: Model, params: NDArray[Any] | None = None) -> None:
        self.model, self.params = model, params

    @property
    def nbytes(self) -> int:
        """The memory, which Dask asks for."""
        return 0 if self.params is None else int(self.params.nbytes)

    def __sizeof__(self) -> int:
        return self.nbytes

    def without_model(self) -> Self:
        """The task to be sent to a process that has the model."""
        sent = copy.copy(self)
        del sent.model
        return sent

    def of(self, number: int, shard: Shard, rows: NDArray[Any] | None) -> Any:
        """The value of a shard, or of some of its rows."""
        raise NotImplementedError


class Count(Task):
    """The facts of each shard."""

    name = "bpfast-count"

    def of(self, number: int, shard: Shard, rows: NDArray[Any] | None) -> Any:  # noqa: ARG002
        """The facts, to be joined in the order of the shards."""
        return (shard.facts(),)


class Check(Task):
    """Raises an error for numbers that cannot be used."""

    name = "bpfast-check"

    def __init__(self, model: Model, first: list[int], *, finite: bool) -> None:
        super().__init__(model)
        self.first, self.finite = first, finite

    def of(self, number: int, shard: Shard, rows: NDArray[Any] | None) -> Any:  # noqa: ARG002
        """Nothing, if all is well."""
        shard.check_numbers(self.model.net, self.first[number], finite=self.finite)


class GradientTask(Task):
    """Σ s_x C_x and its gradient, over all rows or some of each shard."""

    name = "bpfast-gradient"

    def of(self, number: int, shard: Shard, rows: NDArray[Any] | None) -> Any:  # noqa: ARG002
        """The sums of a shard: those that `backprop` computes of its rows."""
        x, y, weight = shard.take(rows)
        net, gradient = self.model.net, self.model.gradient
        net.backprop(x, y, sample_weight=weight, reduction="sum", out=gradient)
        n = int(x.shape[0])
        return Part(gradient.flat.astype(np.float64), gradient.cost, n)


class LocalSteps(Task):
    """Some steps on the rows of each shard alone, and the sum of the resulting parameters."""

    name = "bpfast-local-steps"

    def __init__(
        self,
        model: Model,
        params: NDArray[Any],
        optimizer: Optimizer,
        mean_weight: float | None,
        batch_size: int,
        settings: Mapping[str, Any],
    ) -> None:
        super().__init__(model, params)
        self.optimizer, self.mean_weight = optimizer, mean_weight
        self.batch_size, self.settings = batch_size, settings

    def of(self, number: int, shard: Shard, rows: NDArray[Any] | None) -> Any:  # noqa: ARG002
        """Parameters and optimizer state after the steps, times the number of examples."""
        assert rows is not None  # noqa: S101 - every step has rows
        net, optimizer = self.model.net, copy.deepcopy(self.optimizer)
        batches = []
        for start in range(0, len(rows), self.batch_size):
            x, y, weight = shard.take(rows[start : start + self.batch_size])
            batches.append((x, y) if weight is None else (x, y, weight / self.mean_weight))
        history = net.fit(batches, epochs=1, optimizer=optimizer, seed=0, **self.settings)
        n = len(rows)
        state = [array for _, array in state_arrays(optimizer)]
        vector = np.concatenate([net.params, *state]).astype(np.float64)
        return Part(n * vector, n * float(history.cost[0]), n)


def state_arrays(optimizer: Optimizer) -> list[tuple[str, NDArray[Any]]]:
    """The state arrays of an optimizer of a network, by name."""
    state = optimizer.state
    return [(name, array) for name, array in state.items() if isinstance(array, np.ndarray)]


def run(
    task: Task,
    shards: Iterable[tuple[int, Any]],
    count: int,
    rows: Mapping[int, NDArray[Any]] | None = None,
) -> dict[Node, Any]:
    """The sums of a task over some of the `count` shards.

    A shard is given as itself, as a callable that returns it, or as a Failure. Errors are values,
    so that the first one in the order of the shards is raised, wherever they are.
    """
    tree = Tree(count)
    with task.model.lock:
        net = task.model.net
        for number, given in shards:
            value: Any = None
            if rows is None or number in rows:
                if task.params is not None:
                    _core.assign_params(net, task.params)
                try:
                    shard = given() if callable(given) else given
                    at = None if rows is None else rows[number]
                    value = shard if isinstance(shard, Failure) else task.of(number, shard, at)
                except Exception as error:  # noqa: BLE001 - raised by the driver
                    value = Failure(number, error)
            tree.add((0, number), value)
    return tree.nodes
