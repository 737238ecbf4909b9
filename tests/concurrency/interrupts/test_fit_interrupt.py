"""Ctrl-C anywhere in fit: heard soon, the network at a whole step, the history within reach.

Real signals, from another process, as in test_interrupt.py. What was done is done once more without
an interrupt: the same steps leave the same bits.
"""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time

import pytest

from tests.helpers.child import LIMIT, environment, run
from tests.helpers.interrupts import BOUND, LONGEST
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

# Prints a line when it is at work, and what came of it.
PROGRAM = """
import json, sys, threading, time
import numpy as np
import bpfast
from bpfast import schedules
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
batches = [(x[k:k + 10], y[k:k + 10]) for k in range(0, 10_000, 10)]
rate = Rate(0.001) if name == "schedule" else Rate()
def optimizer():
    return bpfast.Adam(rate if name != "progress" else 0.001)
data = {"waiting for a batch": (forever,), "batches": (lambda: iter(batches),)}.get(name, (x, y))
special = {"callback": {"callbacks": slow}, "metric": {"metrics": slow},
           "progress": {"progress": True, "callbacks": lambda *_: begun()}}
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
        print(time.monotonic(), flush=True)
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
            rows = order[size * at:size * at + size]
        twin.partial_fit(x[rows], y[rows], optimizer=again, l2=0.001)
    assert again.steps == steps
    bits = twin.params.tobytes() == net.params.tobytes()
    close = np.linalg.norm(twin.params - net.params) < 1e-4 * np.linalg.norm(net.params)
    assert bits or (name == "cost" and close)
    net.params[:1] = 0  # nothing holds it any more
    net.partial_fit(x[:10], y[:10])
print("whole", flush=True)
"""

NAMES = [
    "small steps",
    "one step an epoch",
    "wide",
    "cost",
    "batches",
    "waiting for a batch",
    "callback",
    "metric",
    "validation",
    "schedule",
    "progress",
]
TURNS = 3


@pytest.mark.parametrize("name", NAMES)
def test_ctrl_c(name):
    command = [sys.executable, "-c", PROGRAM, json.dumps([name, TURNS])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes) as process:
        try:
            waits = []
            for _ in range(TURNS):
                line = process.stdout.readline()
                assert line == "in\n", process.stderr.read()
                time.sleep(random.uniform(0.01, 0.2))
                sent = time.monotonic()
                os.kill(process.pid, signal.SIGINT)
                line = process.stdout.readline().strip()
                assert line != "the call is over"
                waits.append(float(line) - sent)
                assert waits[-1] < LONGEST
            assert process.stdout.readline() == "whole\n", process.stderr.read()
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()
    said = ", ".join(f"{wait * 1000:.0f}" for wait in waits)
    assert statistics.median(waits) < BOUND, f"{said} ms"


# Signals at any moment of short epochs, most of them between two calls of the core: what is counted
# is what was done.
ANYWHERE = """
import json, random, signal
import numpy as np
import bpfast
signal.signal(signal.SIGALRM, signal.default_int_handler)
rng = np.random.default_rng(0)
x, y = rng.standard_normal((4, 3)), rng.random((4, 2))
def network():
    return bpfast.Network([3, 2], seed=0)
steps = []
for _ in range(200):
    net = network()
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.001, 0.006))
        net.fit(x, y, epochs=10**6, batch_size=2, seed=3, metrics="r2", validation=(x, y))
    except KeyboardInterrupt:
        pass
    if net.history is None:
        steps.append(0)  # it had not begun
        continue
    count, history = net.optimizer.steps, net.history
    assert history.stopped == "interrupted"
    assert 0 <= count - 2 * len(history) <= 2, (count, len(history))
    assert all(len(history[name]) == len(history) for name in history.names)
    twin = network()
    if count >= 2:
        twin.fit(x, y, epochs=count // 2, batch_size=2, seed=3)
    if count % 2:
        rows = bpfast._core.permutation(3, count // 2 + 1, 4)[:2]
        twin.partial_fit(x[rows], y[rows])
    assert count == 0 or twin.optimizer.steps == count
    assert twin.params.tobytes() == net.params.tobytes()
    net.partial_fit(x, y)
    steps.append(count)
print(json.dumps(max(steps) > 20))
"""


def test_a_signal_at_any_moment():
    assert run(ANYWHERE)


OTHERS = """
import json, os, signal, threading, time
import numpy as np
import bpfast
class Enough(Exception):
    pass
def enough(*_):
    raise Enough
def leave(*_):
    raise SystemExit(3)
x, y = np.ones((1000, 3)), np.ones((1000, 2))
found = []
for handler in (enough, leave):
    signal.signal(signal.SIGUSR1, handler)
    net = bpfast.Network([3, 2], seed=0)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        net.fit(x, y, epochs=10**6, batch_size=10, seed=0)
    except (Enough, SystemExit) as error:
        found.append([type(error).__name__, net.history.stopped, net.optimizer.steps > 0])
# A handler that raises nothing disturbs nothing.
heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
alone, net = (bpfast.Network([3, 2], seed=0) for _ in range(2))
alone.fit(x, y, epochs=300, batch_size=10, seed=0)
timer = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1))
timer.start()
net.fit(x, y, epochs=300, batch_size=10, seed=0)
timer.join()
found.append([len(heard), net.params.tobytes() == alone.params.tobytes()])
print(json.dumps(found))
"""


def test_other_signals():
    assert run(OTHERS) == [
        ["Enough", "Enough", True],
        ["SystemExit", "SystemExit", True],
        [1, True],
    ]
