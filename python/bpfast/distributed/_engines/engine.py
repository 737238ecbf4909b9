"""Where the shards are, and how a task is run on all of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bpfast.distributed._ordered_sum.tree import Tree
from bpfast.distributed._ordered_sum.values import Failure
from bpfast.distributed._shards.changes import changed
from bpfast.distributed._shards.form import Form
from bpfast.distributed._shards.local import prepare
from bpfast.distributed._shards.task import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfast.distributed._plan import StepRows
    from bpfast.distributed._shards.changes import Change
    from bpfast.distributed._shards.local import LocalShards
    from bpfast.distributed._shards.shard import Shard
    from bpfast.distributed._shards.task import Model, Task


class Engine(Protocol):
    """Runs a task on every shard and combines the values in the order of the tree."""

    count: int

    def run(self, task: Task, rows: Mapping[int, StepRows] | None = None) -> Any:
        """The combined value of all shards, or of the given rows of some of them.

        The first error in the order of the shards is raised.
        """

    def refuse_other_shards(self, model: Model) -> None:
        """Refuse from now on a shard that is not the same when it is made again."""

    def change(self, change: Change) -> None:
        """Replace each shard by what `change` makes of it. The next `run` raises its errors."""

    def begin_epoch(self) -> None:
        """Prepare for the steps of an epoch."""

    def close(self) -> None:
        """Release what the training holds elsewhere."""


class Holder:
    """The shards that a process holds."""

    def __init__(self, shards: LocalShards, model: Model) -> None:
        self._shards, self._model = shards, model
        self._changes: list[Change] = []
        self._kept: dict[int, Any] = {}
        self._forms: dict[int, Form] = {}  # at the first use, of shards that are not kept

    def get(self, number: int) -> Shard | Failure:
        """A shard, loaded when it is first used."""
        if number in self._kept:
            found: Shard | Failure = self._kept[number]
            return found
        shard = prepare(self._model.net, number, self._shards._source(number))
        if not self._shards.keep:
            shard = self._of_same_form(number, shard)
        for change in self._changes:
            shard = changed(change, number, shard)
        if self._shards.keep:
            self._kept[number] = shard
        return shard

    def _of_same_form(self, number: int, shard: Shard | Failure) -> Shard | Failure:
        """The shard, or an error if it has another form than at its first use."""
        if isinstance(shard, Failure):
            return shard
        form = Form.of(shard)
        try:
            self._forms.setdefault(number, form).refuse_other(form)
        except ValueError as error:
            return Failure(number, error)
        return shard

    def change(self, change: Change) -> None:
        """Replace each shard by what `change` makes of it."""
        self._changes.append(change)
        for number, shard in self._kept.items():
            self._kept[number] = changed(change, number, shard)

    def run(
        self, task: Task, numbers: range, rows: Mapping[int, StepRows] | None
    ) -> dict[Any, Any]:
        """The sums of a task over some shards."""
        shards = ((number, partial(self.get, number)) for number in numbers)
        return run(task, shards, len(self._shards), rows)


class Local:
    """All shards in this process."""

    def __init__(self, shards: LocalShards, model: Model) -> None:
        self._holder = Holder(shards, model)
        self.count = len(shards)

    def run(self, task: Task, rows: Mapping[int, StepRows] | None = None) -> Any:
        """The combined value of all shards."""
        return root(self._holder.run(task, range(self.count), rows), self.count)

    def refuse_other_shards(self, model: Model) -> None:
        """Nothing: the holder does it."""

    def change(self, change: Change) -> None:
        """Replace each shard by what `change` makes of it."""
        self._holder.change(change)

    def begin_epoch(self) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Nothing to release."""


def root(nodes: Mapping[Any, Any], count: int) -> Any:
    """The value of all shards, from the sums of parts of them."""
    tree = Tree(count)
    tree.update(nodes)
    value = tree.root
    if isinstance(value, Failure):
        value.throw()
    return value
