"""Training on several workers, beside one, and the ordered tree: `python -m benches.distributed`.

A network 784-512-512-10 in float32 with synthetic data, on local Dask clusters whose workers have
one thread each. Measured are:

- the ordered tree over the gradients of the shards, beside the fastest sum that may add in any
  order (in place, in float32), each as a part of a step over all rows;
- what Dask uses of the CPU per second, without a training, and what a step costs besides its
  gradients: a step over 32 rows, in this process and on each cluster;
  With ``--mpi``, under ``mpirun -n 2``, only this is measured, on the ranks;
- a step over all rows on each cluster, in rounds that take turns: the shortest time, which needs a
  quiet machine, and the time of the CPU of the busiest worker and of the driver with the scheduler,
  which a busy machine changes little.
"""

import argparse
import os
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast.distributed._ordered_sum.tree import Tree
from bpfast.distributed._ordered_sum.values import Buffers, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZES, SMALL = (784, 512, 512, 10), (4, 8, 10)
IDLE = 5.0  # seconds


def network(sizes: tuple[int, ...] = SIZES) -> bpfast.Network:
    """The network of all measurements, or one of the same kind."""
    return bpfast.Network(
        sizes, hidden="relu", output="softmax", cost="log_likelihood", init="he", dtype="float32",
        seed=0,
    )  # fmt: skip


def data(rows: int, number: int = 0, width: int = SIZES[0]) -> tuple[Any, Any]:
    """The random examples and labels of a shard."""
    rng = np.random.default_rng(number)
    return rng.random((rows, width), np.float32), rng.integers(0, SIZES[-1], rows)


def median(call: "Callable[[], object]", rounds: int) -> float:
    """The median of the seconds of the CPU of some calls, after one that is not counted."""
    samples = []
    for _ in range(rounds + 1):
        start = time.process_time()
        call()
        samples.append(time.process_time() - start)
    return float(np.median(samples[1:]))


def sums(rows: int, shard_rows: int, rounds: int) -> None:
    """The tree and an unordered sum, over the gradients of the shards."""
    net = network()
    gradient = bpfast.Gradient(net)
    x, y = data(shard_rows)
    of_shard = median(lambda: net.backprop(x, y, reduction="sum", out=gradient), rounds)
    count, flat = -(-rows // shard_rows), np.array(gradient.flat)

    buffers = Buffers()

    def ordered() -> None:
        tree = Tree(count, buffers.combine)
        for shard in range(count):
            tree.add((0, shard), Part(buffers.copy(flat), 0.0, 1.0))

    def unordered() -> None:
        total = np.zeros_like(flat)
        for _ in range(count):
            total += flat

    tree, plain, step = median(ordered, rounds), median(unordered, rounds), count * of_shard
    print(f"{count} shards of {shard_rows} rows: {1e3 * of_shard:.1f} ms for the gradient of one")
    print(f"ordered tree in float64: {1e3 * tree:.1f} ms, {tree / step:.2%} of a step")
    print(f"unordered sum in float32: {1e3 * plain:.1f} ms, {plain / step:.2%} of a step")
    print(f"a step with the tree takes {(step + tree) / (step + plain) - 1:.2%} longer")


@contextmanager
def cluster(workers: int) -> "Iterator[Any]":
    """The client of a local cluster of processes."""
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as local,
        Client(local) as client,
    ):
        yield client


def idle(client: Any) -> None:
    """What Dask uses of the CPU without a training."""
    before, start = client.run(time.process_time), time.process_time()
    time.sleep(IDLE)
    used, after = time.process_time() - start, client.run(time.process_time)
    workers = 1e3 * np.mean([after[name] - before[name] for name in after]) / IDLE
    print(
        f"{len(after)} workers, idle: of the CPU per second, driver and scheduler "
        f"{1e3 * used / IDLE:.0f} ms, each worker {workers:.0f} ms",
        flush=True,
    )


def fixed_cost(where: str, steps: int, **cluster: Any) -> None:
    """The time of steps over 8 shards of 4 rows."""
    for sizes in (SMALL, SIZES):
        net = network(sizes)
        shards = [partial(data, 4, number, sizes[0]) for number in range(8)]
        used: list[float] = []
        history = bpfast.distributed.fit(
            net, shards, **cluster, method="full", optimizer="sgd", epochs=steps + 2,
            callbacks=partial(note_time, used),
        )  # fmt: skip
        if used:  # not on MPI ranks other than 0
            least, cpu = 1e3 * history.seconds[2:].min(), 1e3 * np.median(np.diff(used)[1:])
            print(
                f"{where}, {net.params.size} parameters, 32 rows: least {least:.2f} ms a step; of "
                f"the CPU, driver and scheduler {cpu:.1f} ms",
                flush=True,
            )


def note_time(used: list[float], *_: object) -> None:
    """A callback that notes the time of the CPU."""
    used.append(time.process_time())


class Steps:
    """Steps over all rows on a cluster, and what they used."""

    def __init__(self, client: Any, rows: int, shard_rows: int) -> None:
        from dask import delayed

        lengths = [min(shard_rows, rows - first) for first in range(0, rows, shard_rows)]
        # Made by the workers, so that nothing is sent; once, and neighbours together.
        places = np.arange(len(lengths)) * len(client.nthreads()) // len(lengths)
        names = sorted(client.nthreads())
        self.client = client
        self.shards = [
            client.persist(delayed(data, pure=False)(length, number), workers=names[place])
            for number, (length, place) in enumerate(zip(lengths, places, strict=True))
        ]
        self.seconds: list[float] = []
        self.worker: list[float] = []
        self.driver: list[float] = []

    def run(self, epochs: int) -> None:
        """Do some steps, of which the first is not counted."""
        before: dict[str, float] = {}
        used: list[float] = []

        def callback(*_: object) -> None:
            used.append(time.process_time())
            if len(used) == 1:
                before.update(self.client.run(time.process_time))

        history = bpfast.distributed.fit(
            network(), self.shards, client=self.client, method="full", optimizer="sgd",
            epochs=epochs + 1, callbacks=callback,
        )  # fmt: skip
        after = self.client.run(time.process_time)
        self.seconds += history.seconds[1:].tolist()
        self.worker.append(max(after[name] - before[name] for name in after) / epochs)
        self.driver.append((used[-1] - used[0]) / epochs)

    def report(self, first: "Steps") -> None:
        """Print the best rounds, beside those of the first cluster."""
        seconds, worker, driver = min(self.seconds), min(self.worker), min(self.driver)
        by_clock = min(first.seconds) / seconds
        by_cpu = min(first.worker) / worker
        print(
            f"{len(self.client.nthreads())} workers: least {seconds:.3f} s a step, {by_clock:.2f} "
            f"times the first. Of the CPU: the busiest worker {worker:.3f} s, {by_cpu:.2f} times; "
            f"driver and scheduler {1e3 * driver:.0f} ms",
            flush=True,
        )


def main() -> None:
    """Print all measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--rows", type=int, default=100_000, help="of the data (100,000)")
    add("--shard-rows", type=int, default=4096, help="of a shard (4096)")
    add("--rounds", type=int, default=5, help="in which the clusters take turns (5)")
    add("--epochs", type=int, default=2, help="of each round (2)")
    add("--workers", type=int, nargs="+", default=[1, 2], help="of the clusters (1 2)")
    add("--mpi", action="store_true", help="measure the fixed cost of a step on MPI ranks")
    args = parser.parse_args()
    if args.mpi:
        from mpi4py import MPI

        with bpfast.num_threads(1):
            fixed_cost(f"{MPI.COMM_WORLD.Get_size()} ranks", 30, comm=MPI.COMM_WORLD)
        return
    print(f"{os.cpu_count()} CPUs; {bpfast.show_config('dicts')}")
    with bpfast.num_threads(1):
        sums(args.rows, args.shard_rows, 5)
        fixed_cost("this process", 30)
    for count in args.workers:
        with cluster(count) as client:
            idle(client)
            fixed_cost(f"{count} workers", 30, client=client)
    with ExitStack() as stack:
        clients = [stack.enter_context(cluster(count)) for count in args.workers]
        trainings = [Steps(client, args.rows, args.shard_rows) for client in clients]
        for _ in range(args.rounds):
            for steps in trainings:
                steps.run(args.epochs)
        for steps in trainings:
            steps.report(trainings[0])


if __name__ == "__main__":
    main()
