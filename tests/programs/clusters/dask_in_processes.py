"""Trainings on Dask workers in processes, of which one dies in the middle: hashes, as JSON."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from distributed import Client, LocalCluster

import bpfast
from bpfast.distributed._engines import dask as engine
from tests.distributed.case import SHARD_ROWS, data, digest, examples, train
from tests.distributed.clusters import cluster


class Deadly:
    """The quadratic cost. If there is a file, the process that finds it first ends at once."""

    def __init__(self, path):
        self.path = path

    def __call__(self, a, y):
        try:
            os.remove(self.path)
        except FileNotFoundError:
            pass
        else:
            os._exit(1)
        return 0.5 * ((a - y) ** 2).sum(1), a - y


def deadly(path, client, *, dies):
    """A training in whose second epoch a worker dies while it computes a gradient."""
    x, y, weight = data()
    net = bpfast.Network(
        [6, 12, 2], hidden="tanh", output="identity", cost=Deadly(str(path)), seed=0
    )
    epochs = []

    def callback(net, history):
        epochs.append(len(history))
        if dies and len(history) == 1:
            path.touch()

    bpfast.distributed.fit(
        net, x, y, sample_weight=weight, shard_rows=SHARD_ROWS, client=client, batch_size=250,
        epochs=3, seed=1, callbacks=callback, dropout=0.3, validation=0.2, metrics="r2",
    )  # fmt: skip
    assert epochs == [1, 2, 3]
    assert not path.exists()
    return digest(net)


def without_bpfast():
    names = [name for name in sys.modules if name.partition(".")[0] == "bpfast"]
    sys.hidden = {name: sys.modules[name] for name in names}
    sys.modules.update(dict.fromkeys(["bpfast", *names]))


def with_another_version():
    del sys.modules["bpfast"]
    sys.modules.update(sys.hidden)
    from bpfast.distributed._engines import same_bits

    same_bits.properties = lambda: {"version": "0.0.1", "fused": True, "simd": "avx2"}


def without_fused_multiply_add():
    from bpfast import __version__
    from bpfast.distributed._engines import same_bits

    level = {"version": __version__, "fused": False, "simd": "baseline"}
    same_bits.properties = lambda: level


def refused(client):
    """The errors for a worker that would give other bits."""
    worker = max(client.nthreads())
    found = {}
    for change in (without_bpfast, with_another_version, without_fused_multiply_add):
        client.run(change, workers=[worker])
        try:
            train("full", *data(), client=client)
        except RuntimeError as error:
            found[change.__name__] = str(error).replace(worker, "WORKER")
    return found


def all_lost():
    """A training whose only worker is killed, and replaced by its nanny under another address."""
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as workers, Client(workers) as client:
        before = set(client.nthreads())

        def callback(net, history):
            if len(history) == 2:
                (process,) = client.run(os.getpid).values()
                os.kill(process, signal.SIGKILL)

        net, _ = train("full", *data(), client=client, epochs=4, callbacks=callback)
        message = None
        try:
            bpfast.distributed.fit(net, [own_shard, broken_shard], client=client, method="full")
        except RuntimeError as error:
            message = [str(error), *error.__notes__]
        again = digest(train("full", *data(), client=client, epochs=4)[0])
        return {
            "replaced": before.isdisjoint(client.nthreads()),
            "hash": digest(net),
            "message": message,
            "again": again,
        }


def own_shard():
    x, y, _ = data()
    return x[:100], y[:100]


class TwoArgumentsError(Exception):
    """Unpickling calls it with one."""

    def __init__(self, what, where):
        super().__init__(f"{what}: {where}")


def broken_shard():
    raise TwoArgumentsError("file", "bad")


def lost_scheduler(folder):
    """The error of a training whose scheduler is killed after an epoch, and its parameters."""
    file = Path(folder) / "scheduler.json"
    options = ["--no-dashboard", "--host", "127.0.0.1", "--port", "0"]
    command = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--scheduler-file",
        str(file),
    ]
    with (
        subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL) as scheduler,
        ExitStack() as ends,
    ):
        ends.callback(scheduler.kill)  # also if something fails, as leaving it waits for its end
        from distributed import Worker, sync
        from distributed.utils import LoopRunner

        client = Client(scheduler_file=str(file), timeout=30)
        runner = LoopRunner(loop=client.loop, asynchronous=False)
        worker = sync(runner.loop, _started, Worker, client.scheduler.address)
        kept, address = [], client.scheduler.address

        def callback(net, history):
            kept.append(net.params.copy())
            if len(history) == 2:
                scheduler.kill()
                scheduler.wait()

        net = bpfast.Network([6, 12, 2], hidden="tanh", output="identity", seed=0)
        message = None
        try:
            bpfast.distributed.fit(
                net, *data()[:2], client=client, method="full", shard_rows=100, epochs=9,
                callbacks=callback,
            )  # fmt: skip
        except ConnectionError as error:
            message = str(error).replace(address, "ADDRESS")
        del worker
        client.close(timeout=1)
    return {
        "message": message,
        "epochs": len(kept),
        "kept": bool(np.array_equal(net.params, kept[-1])),
        "stopped": net.history.stopped,
    }


async def _started(kind, address):
    return await kind(address, nthreads=1, dashboard_address=None)


def main(folder):
    found = {}
    path = Path(folder) / "die"
    with cluster(3, processes=True) as client:
        found["3 workers"] = digest(train("classes", *examples("classes"), client=client)[0])
        before = set(client.nthreads())
        # Parameters that are sent to one worker alone may be lost with it.
        inline, engine.MAX_INLINE_BYTES = engine.MAX_INLINE_BYTES, 0
        found["one died"] = deadly(path, client, dies=True)
        engine.MAX_INLINE_BYTES = inline
        found["died"] = len(before - set(client.nthreads()))
        found["none died"] = deadly(path, None, dies=False)
        found["refused"] = refused(client)
    found["all lost"] = all_lost()
    found["lost scheduler"] = lost_scheduler(folder)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
