"""Trainings on MPI ranks, as MPIEXEC starts this: hashes and messages of all ranks, as JSON."""

import json
import signal
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

import bpfast
from bpfast.distributed._engines import same_bits
from tests.distributed.case import CASES, SHARD_ROWS, data, digest, examples, train

COMM = MPI.COMM_WORLD
RANK = COMM.Get_rank()


def trained(case, *given, **options):
    """The hash of a training on each rank."""
    net, history = train(case, *(given or examples(case)), comm=COMM, **options)
    assert net.history is history
    return COMM.allgather(digest(net))


def own_shards():
    """The shards as callables, of which a rank calls only its own. Returns hashes and calls."""
    calls = []
    parts = [
        tuple(array[start : start + SHARD_ROWS] for array in data())
        for start in range(0, len(data()[0]), SHARD_ROWS)
    ]
    callables = [lambda k=k: calls.append(k) or parts[k] for k in range(len(parts))]
    return trained("full", callables, shard_rows=None), COMM.allgather(calls)


def messages(call):
    """The error on each rank."""
    try:
        call()
    except Exception as error:
        return COMM.allgather(f"{type(error).__name__}: {error}")
    return COMM.allgather(None)


def with_nan():
    x, y, weight = data()
    x[[320, 400], 2] = np.nan
    train("full", x, y, weight, comm=COMM)


def raised_by_a_callback():
    net = bpfast.Network([6, 12, 2], hidden="tanh", output="identity", seed=RANK)

    def callback(net, history):
        assert RANK == 0
        if len(history) == 2:
            raise RuntimeError("mine")

    try:
        bpfast.distributed.fit(net, *data()[:2], comm=COMM, method="full", callbacks=callback)
    finally:
        assert len(set(COMM.allgather(digest(net)))) == 1
        assert len(net.history) == 2


def with_a_cost_that_cannot_be_sent():
    net = bpfast.Network(
        [6, 2], output="identity", cost=lambda a, y: (0.5 * ((a - y) ** 2).sum(1), a - y), seed=0
    )
    bpfast.distributed.fit(net, *data()[:2], comm=COMM, method="full", shard_rows=100)
    return COMM.allgather(digest(net))


def with_a_rate_that_cannot_be_sent():
    net = bpfast.Network([6, 4, 2], output="identity", seed=0)
    bpfast.distributed.fit(
        net, *data()[:2], comm=COMM, method="local", shard_rows=100, epochs=2, seed=0,
        learning_rate=lambda step: 0.1 / (1 + step),
    )  # fmt: skip
    return COMM.allgather(digest(net))


def of_another_version():
    before = same_bits.properties
    if COMM.Get_size() - 1 == RANK:
        other = before() | {"version": "0.0.1"}
        sys.modules["bpfast.distributed._engines.mpi"].properties = lambda: other
    try:
        train("full", *data(), comm=COMM)
    finally:
        sys.modules["bpfast.distributed._engines.mpi"].properties = before


def of_another_network():
    net = bpfast.Network([6, 12 + (RANK == 1), 2], output="identity", seed=0)
    bpfast.distributed.fit(net, *data()[:2], comm=COMM)


def with_an_error_that_cannot_be_sent():
    class MineError(Exception):
        """No pickle finds a class of a function."""

    train("full", shards_that_raise(MineError("mine")), comm=COMM, shard_rows=None)


class TwoArgumentsError(Exception):
    """Unpickling calls it with one."""

    def __init__(self, what, where):
        super().__init__(f"{what}: {where}")


def with_an_error_that_cannot_be_read():
    train("full", shards_that_raise(TwoArgumentsError("file", "bad")), comm=COMM, shard_rows=None)


def shards_that_raise(error):
    """The last one does, which is on the last rank."""

    def broken():
        raise error

    x, y, weight = (array[:20] for array in data())
    return [lambda: (x, y, weight)] * 5 + [broken]


def interrupted(rank):
    """Ctrl-C on one rank while it computes: a message beyond the buffers of MPI waits then."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background

    def last():
        if rank == RANK:
            signal.raise_signal(signal.SIGINT)
        return x, y

    x, y = np.ones((20, 50)), np.ones((20, 1))
    net = bpfast.Network([50, 2000, 1], output="identity", seed=0)
    shards = [last if k % 2 else (lambda: (x, y)) for k in range(2 * COMM.Get_size())]
    try:
        bpfast.distributed.fit(net, shards, comm=COMM, method="full", epochs=3)
    except KeyboardInterrupt as error:
        return COMM.allgather(type(error).__name__)
    return COMM.allgather(None)


def main(folder, what):
    found = {}
    if what == "all":
        found["hashes"] = {name: trained(name) for name in CASES}
        found["own shards"], found["calls"] = own_shards()
        found["own cost"] = with_a_cost_that_cannot_be_sent()
        found["own rate"] = with_a_rate_that_cannot_be_sent()
        calls = (
            with_nan, raised_by_a_callback, of_another_version, of_another_network,
            with_an_error_that_cannot_be_sent, with_an_error_that_cannot_be_read,
        )  # fmt: skip
        found["messages"] = {call.__name__: messages(call) for call in calls}
        found["interrupted"] = [interrupted(rank) for rank in range(COMM.Get_size())]
        path = Path(folder) / "checkpoint"
        train("classes", *examples("classes"), comm=COMM, epochs=1, checkpoint=path)
    else:
        found["hashes"] = {name: trained(name) for name in ("steps", "full and more")}
        resume = Path(folder) / "checkpoint"
        found["resumed"] = trained("classes", epochs=3, resume=resume)
    if RANK == 0:
        print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
