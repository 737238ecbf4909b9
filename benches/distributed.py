"""Training on several workers, beside one, and the ordered tree: `python -m benches.distributed`.

A network 784-512-512-10 in float32 with synthetic data. Three measurements:

- the ordered tree over the gradients of the shards, beside the fastest sum that may add in any
  order (in place, in float32), each as a part of a step over all rows, in seconds of the CPU;
- the seconds of such a step on one and on several workers of a local Dask cluster, one thread each.
  This needs a quiet machine;
- the seconds of the CPU that the busiest worker uses per step, also on a busy machine;
- the seconds of the CPU that driver and scheduler use per step, and of a task that does nothing:
  the part of a step that more workers do not shorten.
"""

import argparse
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast.distributed._tree import Tree
from bpfast.distributed._values import Part

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (784, 512, 512, 10)


def network() -> bpfast.Network:
    """The network of all measurements."""
    return bpfast.Network(
        SIZES, hidden="relu", output="softmax", cost="log_likelihood", init="he", dtype="float32",
        seed=0,
    )  # fmt: skip


def data(rows: int, number: int = 0) -> tuple[Any, Any]:
    """The random examples and labels of a shard."""
    rng = np.random.default_rng(number)
    return rng.random((rows, SIZES[0]), np.float32), rng.integers(0, SIZES[-1], rows)


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

    def ordered() -> None:
        tree = Tree(count)
        for shard in range(count):
            tree.add((0, shard), Part(flat.astype(np.float64), 0.0, 1.0))

    def unordered() -> None:
        total = np.zeros_like(flat)
        for _ in range(count):
            total += flat

    tree, plain, step = median(ordered, rounds), median(unordered, rounds), count * of_shard
    print(f"{count} shards of {shard_rows} rows: {1e3 * of_shard:.1f} ms for the gradient of one")
    print(f"ordered tree in float64: {1e3 * tree:.1f} ms, {tree / step:.2%} of a step")
    print(f"unordered sum in float32: {1e3 * plain:.1f} ms, {plain / step:.2%} of a step")
    print(f"a step with the tree takes {(step + tree) / (step + plain) - 1:.2%} longer")


def nothing_on(client: Any) -> None:
    """A task that does nothing."""
    client.submit(int, pure=False).result()


def note_time(used: list[float], *_: object) -> None:
    """A callback that notes the time of the CPU."""
    used.append(time.process_time())


def clusters(rows: int, shard_rows: int, epochs: int, workers: list[int]) -> None:
    """A step over all rows on clusters of several sizes."""
    from dask.distributed import Client, LocalCluster

    # Made by the workers, so that nothing is sent.
    lengths = [min(shard_rows, rows - first) for first in range(0, rows, shard_rows)]
    shards = [partial(data, length, number) for number, length in enumerate(lengths)]
    first = None
    for count in workers:
        with (
            LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None) as local,
            Client(local) as client,
        ):
            nothing = median(partial(nothing_on, client), 20)
            used: list[float] = []
            before = client.run(time.process_time)
            history = bpfast.distributed.fit(
                network(), shards, client=client, method="full", optimizer="sgd", epochs=epochs + 1,
                callbacks=partial(note_time, used),
            )  # fmt: skip
            after = client.run(time.process_time)
        busiest = max(after[worker] - before[worker] for worker in after) / (epochs + 1)
        seconds = float(np.median(history.seconds[1:]))
        first = first or seconds
        rest = 1e3 * (used[-1] - used[0]) / epochs
        print(
            f"{count} workers of one thread: {seconds:.3f} s per step, {first / seconds:.2f} times "
            f"the first. Of the CPU per step: the busiest worker {busiest:.3f} s, driver and "
            f"scheduler {rest:.1f} ms, a task that does nothing {1e3 * nothing:.1f} ms",
            flush=True,
        )


def main() -> None:
    """Print all measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--rows", type=int, default=100_000, help="of the data (100,000)")
    add("--shard-rows", type=int, default=4096, help="of a shard (4096)")
    add("--epochs", type=int, default=5, help="that are measured (5)")
    add("--workers", type=int, nargs="+", default=[1, 2], help="of the clusters (1 2)")
    args = parser.parse_args()
    print(f"{os.cpu_count()} CPUs; {bpfast.show_config('dicts')}")
    with bpfast.num_threads(1):
        sums(args.rows, args.shard_rows, 5)
    clusters(args.rows, args.shard_rows, args.epochs, args.workers)


if __name__ == "__main__":
    main()
