"""A function of the shards that is computed where each of them is."""

from __future__ import annotations

import copy
import threading
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bpfast import _core
from bpfast._network import Network
from bpfast.distributed._ordered_sum.tree import Node, Tree
from bpfast.distributed._ordered_sum.values import Buffers, Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from bpfast.distributed._plan import StepRows
    from bpfast.distributed._shards.shard import Shard

# The networks of this process for the trainings that it works for, oldest first.
_MODELS: dict[str, Model] = {}
MAX_MODELS = 4


class Model:
    """A network to compute with. It is sent as its configuration, and made once in each process."""

    def __init__(self, token: str, net: Network) -> None:
        self.token, self.net, self.gradient = token, net, _core.Gradient(net)
        self.buffers = Buffers()
        try:
            self.lock = threading.Lock()  # Dask may run several tasks of a worker at once
        except RuntimeError:  # of CPython, if memory runs out
            raise MemoryError("cannot allocate a lock") from None

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
        while len(_MODELS) > MAX_MODELS:
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

    def of(self, number: int, shard: Shard, rows: StepRows | None) -> Any:
        """The value of a shard, or of some of its rows. The network has the task's parameters.

        The memory of a `Part` is this call's own, as sums are made in place.
        """
        raise NotImplementedError


def run(
    task: Task,
    shards: Iterable[tuple[int, Any]],
    count: int,
    rows: Mapping[int, StepRows] | None = None,
) -> dict[Node, Any]:
    """The sums of a task over some of the `count` shards.

    A shard is given as itself, as a callable that returns it, or as a Failure. Errors are values,
    so that the first one in the order of the shards is raised, wherever they are.
    """
    tree = Tree(count, task.model.buffers.combine)
    with task.model.lock:
        if task.params is not None:
            _core.assign_params(task.model.net, task.params)
        for number, given in shards:
            value: Any = None
            if rows is None or number in rows:
                try:
                    shard = given() if callable(given) else given
                    at = None if rows is None else rows[number]
                    value = shard if isinstance(shard, Failure) else task.of(number, shard, at)
                except Exception as error:  # noqa: BLE001 - raised by the driver
                    value = Failure(number, error)
            tree.add((0, number), value)
    return tree.nodes
