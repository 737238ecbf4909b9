"""Be interrupted again and again in fit; print when it is at work, and what came of it."""

import json
import sys
import threading
import time

import numpy as np

import bpfast
from tests.helpers.processes.interrupts import now

name, turns = json.loads(sys.argv[1])
bpfast.set_num_threads(2)
rng = np.random.default_rng(0)
started = threading.Event()


def begun():
    if not started.is_set():
        started.set()
        print("in", flush=True)


class Rate:
    # A schedule of one's own, which is called before the steps it is for.
    def __init__(self, wait=0.0):
        self.wait = wait

    def __call__(self, step):
        begun()
        time.sleep(self.wait)
        return 0.001


def slow(*_):
    begun()
    time.sleep(10)
    return 0.0


def quadratic(a, y):
    begun()
    time.sleep(0.001)
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


def forever():
    yield batches[0]
    begun()
    threading.Event().wait()


sizes, n, options = [64, 32, 8], 20_000, {}
config = {"hidden": "tanh", "dtype": "float32", "seed": 1}
size = 10
how = {"epochs": 10**6, "seed": 7, "l2": 0.001}
if name == "wide":
    sizes, n = [2000, 2000, 2000, 8], 4000
    size = 4000
if name == "one step an epoch":
    size = n
if name not in ("batches", "waiting for a batch"):
    how["batch_size"] = size
if name == "cost":
    config["cost"] = quadratic
if name == "validation":
    sizes, n = [512, 512, 512, 8], 4000
x = rng.standard_normal((n, sizes[0]), "float32")
y = rng.random((n, sizes[-1]), "float32")
if name == "validation":
    how["validation"] = x, y
    x, y = x[:10], y[:10]
batches = [(x[k : k + 10], y[k : k + 10]) for k in range(0, 10_000, 10)]
rate = Rate(0.001) if name == "schedule" else Rate()


def optimizer():
    return bpfast.Adam(rate if name != "progress" else 0.001)


data = {"waiting for a batch": (forever,), "batches": (lambda: iter(batches),)}.get(name, (x, y))
special = {
    "callback": {"callbacks": slow},
    "metric": {"metrics": slow},
    "progress": {"progress": True, "callbacks": lambda *_: begun()},
}
how |= special.get(name, {})


def network():
    return bpfast.Network(sizes, **config)


for _ in range(turns):
    started.clear()
    net = network()
    try:
        net.fit(*data, optimizer=optimizer(), **how)
        print("the call is over", flush=True)
    except KeyboardInterrupt:
        print(now(), flush=True)
    started.set()
    steps, history = net.optimizer.steps, net.history
    assert history.stopped == "interrupted", history.stopped
    if name != "waiting for a batch":
        per_epoch = 1000 if name == "batches" else -(-len(x) // size)
        assert 0 <= steps - per_epoch * len(history) <= per_epoch, (steps, len(history))
    # As many steps without an interrupt: whole epochs, then the batches of the next.
    if name == "wide":
        continue  # that takes long
    if name == "waiting for a batch":
        assert (steps, len(history)) == (1, 0)
    twin, again = network(), optimizer()
    if name == "cost":
        twin = bpfast.Network(sizes, **config | {"cost": "quadratic"})
    for step in range(steps):
        epoch, at = divmod(step, per_epoch if name != "waiting for a batch" else 1)
        if name in ("batches", "waiting for a batch"):
            rows = np.arange(10 * at, 10 * at + 10)
        else:
            if at == 0:
                order = bpfast._core.permutation(7, epoch + 1, len(x))
            rows = order[size * at : size * at + size]
        twin.partial_fit(x[rows], y[rows], optimizer=again, l2=0.001)
    assert again.steps == steps
    bits = twin.params.tobytes() == net.params.tobytes()
    close = np.linalg.norm(twin.params - net.params) < 1e-4 * np.linalg.norm(net.params)
    assert bits or (name == "cost" and close)
    net.params[:1] = 0  # nothing holds it any more
    net.partial_fit(x[:10], y[:10])
print("whole", flush=True)
