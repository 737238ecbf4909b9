"""Fork in a signal handler, in the middle of a call.

The handler forks and sets the timer again, until there are enough children; the call is repeated
until then, so that the test needs no certain speed.
"""

import json
import os
import signal
import sys
import tempfile

import numpy as np

import bpfast
from tests.helpers.child import digest
from tests.helpers.processes.forks import RAISED, REFUSED, RIGHT, WRONG
from tests.programs.forks.forking import children, end_of_child, ends, fork

name, forks, raises = sys.argv[1], int(sys.argv[2]), "raises" in sys.argv
REASONS = "a forked child cannot finish the call", "a forked child cannot go on with batches"
inside = False


def handler(*_):
    if len(children) == forks:
        return
    if inside and fork() == 0:
        if raises:
            raise KeyError("of the handler")
        return
    signal.setitimer(signal.ITIMER_REAL, 0.02)


rng = np.random.default_rng(0)


def network(*sizes):
    return bpfast.Network(sizes, dtype="f4", seed=0)


def random(*shape):
    return rng.standard_normal(shape, "f4")


def backprop(*sizes, n):
    net, x, y = network(*sizes), random(n, sizes[0]), random(n, sizes[-1])
    return lambda: digest(net.backprop(x, y).flat)


def forward(*sizes, n):
    net, x = network(*sizes), random(n, sizes[0])
    return lambda: digest(net.forward(x))


def trace():
    net, x = network(512, 512, 512), random(4000, 512)
    return lambda: digest(*net.trace(x).z)


def touched():
    import scipy.sparse

    net, y = network(2000, 512, 512), random(4000, 512)
    x = scipy.sparse.csr_array(np.maximum(random(4000, 2000) - 3, 0))
    return lambda: digest(net.backprop_touched(x, y).gradient.flat)


def fit(*data, **options):
    def call():
        net = network(128, 256, 128)
        net.fit(*data, epochs=2, seed=0, **options)
        return digest(net.params)

    return call


def fit_arrays():
    return fit(random(4000, 128), random(4000, 128), batch_size=1000)


def fit_files():
    files = [np.memmap(tempfile.TemporaryFile(), "f4", "w+", shape=(4000, 128)) for _ in "xy"]
    for file in files:
        file[...] = random(4000, 128)
    return fit(*files, batch_size=1000)


def fit_batches():
    batches = [(random(1000, 128), random(1000, 128)) for _ in range(4)]
    return fit(lambda: iter(batches))


def many():
    nets = [network(128, 256 + k, 128) for k in range(6)]
    return nets, random(2000, 128), random(2000, 128)


def forward_many():
    nets, x, _ = many()
    return lambda: digest(*bpfast.forward_many(nets, x))


def backprop_many():
    nets, x, y = many()
    return lambda: digest(*(g.flat for g in bpfast.backprop_many(nets, x, y)))


def fit_many():
    _, x, y = many()

    def call():
        nets = many()[0]
        bpfast.fit_many(nets, x, y, epochs=2, batch_size=1000, seed=0)
        return digest(*(net.params for net in nets))

    return call


folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "net.safetensors")


def save():
    net = network(2500, 2500, 2500)

    def call():
        net.save(path)
        # A child that was forked before may save at the same time.
        assert not [file for file in os.listdir(folder.name) if f"-{os.getpid()}-" in file]
        return digest(bpfast.load(path).params)

    return call


def load():
    network(2500, 2500, 2500).save(path)
    return lambda: digest(bpfast.load(path).params)


call = {
    "backprop": lambda: backprop(512, 512, 512, n=4000),
    "backprop of many examples": lambda: backprop(784, 30, 10, n=40000),
    "forward": lambda: forward(512, 512, 512, n=8000),
    "forward of few examples": lambda: forward(3000, 3000, 3000, n=10),
    "trace": trace,
    "backprop_touched": touched,
    "fit": fit_arrays,
    "fit of a file": fit_files,
    "fit of batches": fit_batches,
    "forward_many": forward_many,
    "backprop_many": backprop_many,
    "fit_many": fit_many,
    "save": save,
    "load": load,
}[name]()
expected = call()
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.02)
code = RIGHT
try:
    while code == RIGHT and len(children) < forks:
        inside = True
        if call() != expected:
            code = WRONG
        inside = False
        end_of_child(code)
except RuntimeError as error:
    code = REFUSED if str(error).startswith(REASONS) else WRONG
except KeyError:
    code = RAISED
signal.setitimer(signal.ITIMER_REAL, 0)
end_of_child(code)
print(json.dumps([code, ends()]))
