"""Shards on the workers of a Dask cluster."""

from __future__ import annotations

import math
import time
import uuid
import warnings
from typing import TYPE_CHECKING, Any

from bpfast import _core
from bpfast.distributed._engines.dask_client import checked_client, guarded
from bpfast.distributed._engines.dask_data import sources_of
from bpfast.distributed._engines.engine import root
from bpfast.distributed._engines.interrupts import kept_interrupts
from bpfast.distributed._engines.same_bits import difference, probe, properties
from bpfast.distributed._ordered_sum.tree import Tree
from bpfast.distributed._shards.changes import Change, RefuseOthers, changed
from bpfast.distributed._shards.facts import Recognise
from bpfast.distributed._shards.local import LocalShards, prepare
from bpfast.distributed._shards.task import Task, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bpfast.distributed._engines.engine import Engine
    from bpfast.distributed._plan import StepRows
    from bpfast.distributed._shards.data import ShardData
    from bpfast.distributed._shards.task import Model
    from bpfast.history._history import History

# Larger parameters are sent from worker to worker, and smaller ones with the tasks. Likewise larger
# sums are added on the workers first.
MAX_INLINE_BYTES = 1 << 16  # bytes
# So many results are added at a time, until no more than these are left for the driver.
RESULTS_PER_SUM = 4
# How often a run is repeated whose data were lost with a worker.
MAX_ATTEMPTS = 4
# How long the driver waits for a worker to answer it without the scheduler, and for how long it
# relies on where the shards are.
ANSWER_TIMEOUT, LOCATIONS_LIFETIME = 2.0, 5.0  # seconds
# How often the driver looks whether workers are lost that shall prepare shards.
LOSS_INTERVAL = 1.0  # seconds


def on_workers(
    client: Any, model: Model, data: ShardData | LocalShards
) -> Callable[[Callable[[Engine], History]], History]:
    """Make a function that runs a training on the workers of a client."""
    client = checked_client(client)
    with guarded(client):
        engine = Workers(client, model, data)

    def there(train: Callable[[Engine], History]) -> History:
        try:
            return train(engine)
        finally:
            with kept_interrupts():
                engine.close()

    return there


class Workers:
    """The shards as futures. A task is run on each worker, over the shards that it holds."""

    def __init__(self, client: Any, model: Model, data: ShardData | LocalShards) -> None:
        self._client, self._mine = client, properties()
        self._refuse_other_workers()
        if isinstance(data, LocalShards):
            sources, is_placed = [data._source(k) for k in range(len(data))], False
        else:
            sources, is_placed = sources_of(client, data)
        self.count = len(sources)
        self._shards = self._prepare(model, sources, is_placed=is_placed)
        self._groups: list[tuple[str | None, list[int]]] = []
        self._grouped_at = -math.inf
        self._answers: dict[str, bool] = {}  # whether a worker answers the driver itself

    def _refuse_other_workers(self) -> None:
        """Raise RuntimeError for a worker that would give other bits."""
        found = self._client.run(probe)
        if not found:
            raise RuntimeError("client: expected one worker or more, got none")
        for worker in sorted(found):
            theirs = found[worker]
            fault = theirs if isinstance(theirs, str) else difference(self._mine, theirs)
            if fault is not None:
                raise RuntimeError(f"worker {worker}: {fault}")

    def _prepare(self, model: Model, sources: list[Any], *, is_placed: bool) -> list[Any]:
        """The futures of the shards. New data go to the workers in blocks of neighbours."""
        anywhere = [None] * len(sources)
        if is_placed:
            return self._submit_shards(model, sources, anywhere)
        places = _in_blocks(len(sources), self._client.nthreads())
        shards = self._submit_shards(model, sources, places)
        if self._have_ended(shards, set(places)):
            # Without any worker, Dask keeps what has a place until the worker of this address is
            # back, and loses it for new ones.
            free = {shard.key: None for shard in shards}
            self._client.sync(self._client.scheduler.set_restrictions, worker=free)
            return shards
        self._client.cancel(shards)
        return self._submit_shards(model, sources, anywhere)

    def _have_ended(self, shards: list[Any], places: set[str]) -> bool:
        """Wait for the shards; False if one of these workers is lost before."""
        from distributed import wait

        while True:
            try:
                wait(shards, timeout=LOSS_INTERVAL)
            except TimeoutError:
                if not places <= set(self._client.nthreads()):
                    return False
            else:
                return True

    def _submit_shards(self, model: Model, sources: list[Any], places: Iterable[Any]) -> list[Any]:
        client, token = self._client, uuid.uuid4().hex
        with warnings.catch_warnings():
            # Arrays of this process are sent on purpose, once.
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            return [
                client.submit(
                    _prepare_on_worker, model, number, source,
                    key=("bpfast-shard-" + token, number), pure=False,
                    workers=place, allow_other_workers=place is not None,
                )
                for number, (source, place) in enumerate(zip(sources, places, strict=True))
            ]  # fmt: skip

    def refuse_other_shards(self, model: Model) -> None:
        """Refuse a shard that Dask makes again, from data that have changed."""
        found = self.run(Recognise(model))
        self.change(RefuseOthers(dict(enumerate(found))))

    def change(self, change: Change) -> None:
        """Replace each shard by what `change` makes of it. A lost one is made again."""
        token = uuid.uuid4().hex
        with guarded(self._client):
            self._shards = [
                self._client.submit(
                    changed, change.for_shard(number), number, shard,
                    key=("bpfast-change-" + token, number), pure=False,
                )
                for number, shard in enumerate(self._shards)
            ]  # fmt: skip
        self._groups = []

    def begin_epoch(self) -> None:
        """Find out which worker holds which shard, if that may have changed."""
        if time.monotonic() > self._grouped_at + LOCATIONS_LIFETIME:
            with guarded(self._client):
                self._group()

    def _group(self) -> None:
        from distributed import wait

        wait(self._shards)
        held = self._client.who_has(self._shards)
        of_worker: dict[str | None, list[int]] = {}
        for number, future in enumerate(self._shards):
            holders = sorted(held.get(future.key) or held.get(str(future.key)) or [])
            # A shard that is being computed again: wherever it will be.
            place = holders[0] if holders else None
            of_worker.setdefault(place, []).append(number)
        self._groups, self._grouped_at = list(of_worker.items()), time.monotonic()
        self._ask(place for place in of_worker if place is not None)

    def _ask(self, places: Iterable[str]) -> None:
        """Find out which workers answer the driver without the scheduler."""
        import asyncio

        async def answers(place: str) -> bool:
            try:
                await asyncio.wait_for(self._client.rpc(place).identity(), ANSWER_TIMEOUT)
            except (OSError, TimeoutError):
                return False
            return True

        async def each(asked: list[str]) -> list[bool]:
            return await asyncio.gather(*map(answers, asked))

        new = [place for place in places if place not in self._answers]
        if new:
            self._answers |= zip(new, self._client.sync(each, new), strict=True)

    def run(self, task: Task, rows: Mapping[int, StepRows] | None = None) -> Any:
        """The combined value of all shards."""
        with guarded(self._client):
            if not self._groups:
                self._group()
            nodes = self._gathered(task, rows)
        return root(nodes, self.count)

    def _gathered(self, task: Task, rows: Mapping[int, StepRows] | None) -> dict[Any, Any]:
        """The sums of all workers. They are computed again if data were lost with a worker."""
        from distributed import CancelledError

        for attempt in range(MAX_ATTEMPTS):
            try:
                # Sums are as large as the network. Through the scheduler they would travel twice.
                is_direct = all(self._answers.get(place or "") for place, _ in self._groups)
                results = self._client.gather(self._submit(task, rows), direct=is_direct or None)
                break
            except CancelledError:
                if attempt == MAX_ATTEMPTS - 1 or self._client.status != "running":
                    raise
                self._group()
        places = [place for of_result, _ in results for place in of_result]
        if places != [place for place, _ in self._groups]:
            self._groups = []  # a worker was lost: see where its shards are now
        return {node: value for _, nodes in results for node, value in nodes.items()}

    def _submit(self, task: Task, rows: Mapping[int, StepRows] | None) -> list[Any]:
        """Start a task for each worker, and further ones that add their results."""
        client, sent = self._client, task
        if task.nbytes > MAX_INLINE_BYTES:
            # A few workers fetch the parameters from the first one when they start.
            places = [place for place, _ in self._groups if place is not None]
            broadcast = len(places) > RESULTS_PER_SUM
            sent = client.scatter([task], places or None, broadcast=broadcast, hash=False)[0]
        futures = []
        for place, numbers in self._groups:
            used = {k for k in numbers if rows is None or k in rows}
            of_group = None if rows is None else {k: rows[k] for k in used}
            at = place if used else None  # as in `_prepare`: what needs no shard could be lost
            futures.append(
                client.submit(
                    run_on_worker, sent, self._mine, self.count, numbers, of_group,
                    *[self._shards[k] if k in used else None for k in numbers],
                    key=f"{task.name}-{uuid.uuid4().hex}", pure=False,
                    workers=at, allow_other_workers=at is not None,
                )
            )  # fmt: skip
        while task.nbytes > MAX_INLINE_BYTES and len(futures) > RESULTS_PER_SUM:
            futures = [
                client.submit(
                    add_on_worker, self.count, *futures[k : k + RESULTS_PER_SUM],
                    key=f"bpfast-add-{uuid.uuid4().hex}", pure=False,
                )
                for k in range(0, len(futures), RESULTS_PER_SUM)
            ]  # fmt: skip
        return futures

    def close(self) -> None:
        """Release the shards."""
        self._shards, self._groups = [], []


def _prepare_on_worker(model: Model, number: int, source: Any) -> Any:
    """A shard, on the worker that holds it."""
    return prepare(model.net, number, source)


def run_on_worker(
    task: Task,
    theirs: dict[str, Any],
    count: int,
    numbers: list[int],
    rows: Mapping[int, StepRows] | None,
    *shards: Any,
) -> tuple[list[str], dict[Any, Any]]:
    """The sums of a task over the shards of a worker, and the address of the worker.

    It uses as many threads as Dask gave the worker.
    """
    from distributed import get_worker

    worker = get_worker()
    fault = difference(theirs, properties())  # it may have joined after the first check
    if fault is not None:
        raise RuntimeError(f"worker {worker.address}: {fault}")
    with _core.num_threads(worker.state.nthreads):
        return [worker.address], run(task, zip(numbers, shards, strict=True), count, rows)


def add_on_worker(
    count: int, *results: tuple[list[str], dict[Any, Any]]
) -> tuple[list[str], dict[Any, Any]]:
    """The sums of several workers, added as far as they are neighbours."""
    tree = Tree(count)
    for _, nodes in results:
        tree.update(nodes)
    return [place for places, _ in results for place in places], tree.nodes


def _in_blocks(count: int, threads: Mapping[str, int]) -> list[str]:
    """A worker for each shard: neighbours together, in proportion to the threads of a worker."""
    total, places, so_far = sum(threads.values()), list[str](), 0
    for worker in sorted(threads):
        so_far += threads[worker]
        places += [worker] * (count * so_far // total - len(places))
    return places
