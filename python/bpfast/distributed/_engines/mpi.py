"""Shards on the ranks of an MPI communicator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bpfast import _core
from bpfast.distributed._engines.engine import Holder, root
from bpfast.distributed._engines.interrupts import HeldInterrupts
from bpfast.distributed._engines.same_bits import difference, properties
from bpfast.distributed._ordered_sum.tree import Tree
from bpfast.distributed._ordered_sum.values import sendable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast.distributed._engines.engine import Engine
    from bpfast.distributed._plan import StepRows
    from bpfast.distributed._shards.changes import Change
    from bpfast.distributed._shards.local import LocalShards
    from bpfast.distributed._shards.task import Model, Task
    from bpfast.history._history import History
    from bpfast.optimizers import Optimizer


class Sums(NamedTuple):
    """What a rank and those that send to it have added."""

    nodes: dict[Any, Any]
    # What ends the training, other than an error of a shard: a Ctrl-C on one of the ranks.
    stop: BaseException | None


class Outcome(NamedTuple):
    """How the training on rank 0 ended."""

    params: NDArray[Any]
    state: dict[str, Any]
    history: History | None
    error: BaseException | None


def on_ranks(
    comm: Any, net: Network, optimizer: Optimizer, model: Model, shards: LocalShards
) -> Callable[[Callable[[Engine], History]], History]:
    """Make a function that runs a training on the ranks, with rank 0 as the driver."""
    comm = _checked(comm).Dup()  # so that no message of the user's is taken for one of these
    ranks = Ranks(comm, model, shards)
    try:
        with ranks.interrupts.held(until_next=True):  # as rank 0, the others begin to wait then
            ranks.refuse_others(net)
    except BaseException:
        comm.Free()
        raise

    def everywhere(train: Callable[[Engine], History]) -> History:
        try:
            if ranks.rank == 0:
                return _drive(ranks, net, optimizer, train)
            with ranks.interrupts.held():
                outcome = ranks.serve()
                _core.assign_params(net, outcome.params)
                optimizer.state = outcome.state
                _core.set_training(net, outcome.history, optimizer)
        finally:
            comm.Free()
        if outcome.error is not None:
            raise outcome.error
        assert outcome.history is not None  # noqa: S101 - there was no error
        return outcome.history

    return everywhere


def _drive(
    ranks: Ranks, net: Network, optimizer: Optimizer, train: Callable[[Engine], History]
) -> History:
    """Train on rank 0, and tell the others how it ended, also by an error."""
    history: History | None = None
    problem: BaseException | None = None
    try:
        history = train(ranks)
    except BaseException as error:
        problem = error
        raise
    finally:
        record = history if history is not None else net.history
        sent = None if problem is None else sendable(problem, "rank 0: ")
        with ranks.interrupts.held():
            ranks.broadcast(Outcome(_core.copy_params(net), optimizer.state, record, sent))
    return history


class Ranks:
    """Neighbouring shards on each rank, and messages along a binomial tree of ranks.

    Rank r sends to r - 2^k, where 2^k is the lowest bit of r, what ranks r to r + 2^k - 1 have
    added: the nodes of a range of neighbouring shards.
    """

    def __init__(self, comm: Any, model: Model, shards: LocalShards) -> None:
        self._comm, self._model, self._holder = comm, model, Holder(shards, model)
        self.interrupts = HeldInterrupts()
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self.count = len(shards)
        first, end = (self.count * (self.rank + k) // self.size for k in (0, 1))
        self._numbers = range(first, end)
        self._parent = self.rank & (self.rank - 1)
        lowest = self.rank & -self.rank or 1 << (self.size - 1).bit_length()
        steps = (1 << k for k in range(lowest.bit_length() - 1))
        self._children = [self.rank + step for step in steps if self.rank + step < self.size]

    def refuse_others(self, net: Network) -> None:
        """Raise on every rank if a rank would give other bits, or has other arguments."""
        config = net.config
        config["cost"] = config["cost"] if isinstance(config["cost"], str) else "custom"
        mine = properties(), config, self.count
        everyone = self._comm.gather(mine, root=0)
        verdict = None
        for rank, (theirs, other, count) in enumerate(everyone or []):
            fault = difference(mine[0], theirs)
            if fault is None and other != config:
                fault = f"expected the network of rank 0, {config}, got {other}"
            if fault is None and count != self.count:
                fault = f"expected {self.count} shards, as on rank 0, got {count}"
            if fault is not None:
                verdict = f"rank {rank}: {fault}"
                break
        verdict = self.broadcast(verdict)
        if verdict is not None:
            raise RuntimeError(verdict)

    def broadcast(self, message: Any = None) -> Any:
        """Send the message of rank 0 to all ranks, and return it."""
        if self.rank:
            message = self._comm.recv(source=self._parent)
        for child in reversed(self._children):
            self._comm.send(message, dest=child)
        return message

    def run(self, task: Task, rows: Mapping[int, StepRows] | None = None) -> Any:
        """The combined value of all shards, on rank 0."""
        with self.interrupts.held():
            # Each rank has the network, whose cost may be a function that cannot be sent.
            self.broadcast((task.without_model(), rows))
            nodes, stop = self._added(task, rows)
        if stop is not None:
            raise stop
        return root(nodes, self.count)

    def refuse_other_shards(self, model: Model) -> None:
        """Nothing: the holder of each rank does it."""

    def change(self, change: Change) -> None:
        """Replace each shard by what `change` makes of it."""
        with self.interrupts.held():
            self.broadcast((None, change))
        self._holder.change(change)

    def _added(self, task: Task, rows: Mapping[int, StepRows] | None) -> Sums:
        """The sums of the shards of this rank and of those that send to it.

        Each of them sends exactly once, whatever happens here or there.
        """
        tree = Tree(self.count)
        stop: BaseException | None = None
        try:
            with self.interrupts.opened():
                tree.update(self._holder.run(task, self._numbers, rows))
        except BaseException as error:  # noqa: BLE001 - rank 0 raises it
            stop = error
        for child in self._children:
            sums: Sums = self._comm.recv(source=child)
            stop = stop or sums.stop
            if stop is None:
                tree.update(sums.nodes)
        return Sums(tree.nodes, stop)

    def serve(self) -> Outcome:
        """Do what rank 0 sends, tasks and changes of the shards, until it sends the outcome."""
        while not isinstance(message := self.broadcast(), Outcome):
            task, rows_or_change = message
            if task is None:
                self._holder.change(rows_or_change)
                continue
            task.model = self._model
            nodes, stop = self._added(task, rows_or_change)
            stop = None if stop is None else sendable(stop, f"rank {self.rank}: ")
            self._comm.send(Sums(nodes, stop), dest=self._parent)
        return message

    def begin_epoch(self) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Nothing to release."""


def _checked(comm: Any) -> Any:
    """The communicator."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        text = 'comm needs mpi4py and an MPI library: pip install "bpfast[mpi]"'
        raise ImportError(f"{text}; {error}") from None
    if not isinstance(comm, MPI.Intracomm):
        expected = "a communicator as mpi4py.MPI.COMM_WORLD"
        raise TypeError(f"comm: expected {expected}, got {type(comm).__name__}")
    if comm == MPI.COMM_NULL:
        raise ValueError("comm: expected a communicator of this rank, got COMM_NULL")
    return comm
