"""Programs that tests run in processes of their own, and what these have in common.

A hang is what most of these tests look for, so every process has a time limit.
"""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np

import bpfast
from tests.helpers.paths import ROOT

LIMIT = 60  # seconds: ten times what the slowest of them takes on two cores
VARIABLES = ("BPFAST_NUM_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS")


def environment(**variables):
    """The environment of a child: `variables`, no other word on threads, no threads of NumPy's."""
    outer = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return outer | {"OPENBLAS_NUM_THREADS": "1"} | variables


def command(program, *arguments):
    """What starts a program in ROOT: a file in tests/programs by name, or a few lines of code."""
    how = ["-c", program]
    if program.isidentifier():
        (file,) = (ROOT / "tests" / "programs").rglob(f"{program}.py")
        how = ["-m", ".".join(file.relative_to(ROOT).with_suffix("").parts)]
    return [sys.executable, *how, *map(str, arguments)]


def finished(program, *arguments, limit=LIMIT, stdin=None, **variables):
    """Run `program` (see `command`) to its end, with `stdin` as its input."""
    return subprocess.run(
        command(program, *arguments),
        cwd=ROOT,
        env=environment(**variables),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def run(program, *arguments, **options):
    """Run `program` (see `finished`); the JSON that it printed."""
    done = finished(program, *arguments, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def digest(*arrays):
    """A hash of the bits of `arrays`, their shapes and dtypes."""
    found = hashlib.blake2b(digest_size=12)
    for array in map(np.ascontiguousarray, arrays):
        found.update(f"{array.shape} {array.dtype}".encode())
        found.update(array.data.cast("B"))
    return found.hexdigest()


def outcome(net, x, y):
    """The bits of all that a network computes from a batch."""
    g = net.backprop(x, y)
    t = net.trace(x)
    return {
        "cost": net.cost(x, y).hex(),
        "backprop": digest(g.flat),
        "cost of backprop": g.cost.hex(),
        "forward": digest(net.forward(x)),
        "trace": digest(*t.z, *t.a[1:]),
        "errors": digest(*net.errors(x, y)),
    }


def case(name, n, dtype):
    """A network of NETWORKS, and a batch of n examples for it."""
    sizes, options = NETWORKS[name]
    rng = np.random.default_rng(n)
    net = bpfast.Network(sizes, dtype=dtype, seed=1, **options)
    x = rng.standard_normal((n, sizes[0]), dtype)
    if options["cost"] == "log_likelihood":
        return net, x, rng.integers(0, sizes[-1], n)
    return net, x, rng.random((n, sizes[-1]), dtype)


EVERY = [name for name in bpfast.ACTIVATIONS if name != "softmax"]
# Shapes that are cut in different ways: many rows of few weights, few rows of many weights, widths
# on both sides of a SIMD register, layers of one neuron.
NETWORKS = {
    "tiny": ([2, 3, 1], {"hidden": "tanh", "output": "sigmoid", "cost": "cross_entropy"}),
    "mnist": ([784, 30, 10], {"output": "softmax", "cost": "log_likelihood"}),
    "wide": ([301, 1025, 41], {"hidden": "relu", "output": "identity", "cost": "huber"}),
    "deep": (
        [5, 7, 1, 9, 16, 3, 8, 17, 2, 4, 3],
        {"hidden": EVERY, "output": "softplus", "cost": "poisson"},
    ),
}
