"""Trainings that lose a Dask worker, whose shard is another one then: messages, as JSON."""

import json
import sys
from pathlib import Path

import numpy as np

import bpfast
from tests.distributed.clusters import cluster

X = np.random.default_rng(0).standard_normal((40, 3))
Y = X[:, :1]


def more_rows():
    return np.tile(X, (2, 1)), np.tile(Y, (2, 1))


def other_numbers():
    return X + 1e-12, Y


def with_weights():
    return X, Y, np.ones(40)


def the_same():
    return np.asfortranarray(X), Y


class Changing:
    """A shard that is another one if it is made again."""

    def __init__(self, path, then):
        self.path, self.then = path, then

    def __call__(self):
        with self.path.open("a") as file:
            file.write(".")
        return self.then() if self.path.stat().st_size > 1 else (X, Y)


async def lose_second_shard(dask_scheduler):
    """End the worker that holds shard 1."""
    (address,) = {
        worker.address
        for key, task in dask_scheduler.tasks.items()
        for worker in task.who_has or ()
        if isinstance(key, tuple)
        and key[0].startswith(("bpfast-shard", "bpfast-change"))
        and key[1] == 1
    }
    await dask_scheduler.remove_worker(address=address, stimulus_id="test", close=True)


def train(client, path, then, method):
    """The error of a training that loses shard 1 after an epoch; None if there is none."""

    def callback(net, history):
        if len(history) == 1:
            client.run_on_scheduler(lose_second_shard)

    net = bpfast.Network([3, 1], output="identity", seed=0)
    shards = [lambda: (X, Y), Changing(path, then)]
    try:
        bpfast.distributed.fit(
            net, shards, client=client, epochs=3, callbacks=callback, method=method
        )
    except ValueError as error:
        return str(error)
    assert path.stat().st_size > 1  # it was made again
    return None


def main(folder):
    found = {}
    with cluster(6, processes=False) as client:
        for then in (more_rows, other_numbers, with_weights, the_same):
            for method in ("steps", "full") if then is more_rows else ("steps",):
                name = f"{then.__name__} {method}"
                found[name] = train(client, Path(folder) / name, then, method)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
