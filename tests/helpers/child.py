"""Programs that tests run in processes of their own, and what these have in common.

A hang is what most of these tests look for, so none waits for a process for ever: see `finish`.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import bpfast
from tests.helpers.paths import ROOT

LIMIT = 60  # seconds: ten times what the slowest of them takes on two cores
# In LIMIT: what waits uses less, also if it looks for signals.
MIN_CPU_SECONDS = 0.1
# With LIMIT 180 s: a process that gets a fifth of a CPU is still given up before pytest's
# faulthandler_timeout, which ends all tests of a worker.
MAX_LIMITS = 3
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


def cpu_time(pid):
    """The seconds of the CPU that a process and its descendants have used; 0 without /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        files = list(Path(f"/proc/{pid}/task").glob("*/children"))
        children = [int(child) for file in files for child in file.read_text().split()]
    except OSError:
        return 0.0
    ticks = map(int, text.rpartition(")")[2].split()[11:15])  # its own, and of those that ended
    return sum(ticks) / os.sysconf("SC_CLK_TCK") + sum(map(cpu_time, children))


def finish(process, stdin=None, limit=LIMIT):
    """What `process` writes until it ends, with `stdin` as its input. If it hangs, it is killed.

    On a busy machine, work may take any time. So a process is given up only if it has used next to
    no time of the CPU for `limit` seconds, or MAX_LIMITS times as much as `limit` in all.

    Raises
    ------
    subprocess.TimeoutExpired
        It hangs.
    """
    used = 0.0
    while True:
        try:
            return process.communicate(stdin, timeout=limit)
        except subprocess.TimeoutExpired:
            before, used, stdin = used, cpu_time(process.pid), None
            if used - before < MIN_CPU_SECONDS or used > MAX_LIMITS * limit:
                process.kill()
                raise


def finished(program, *arguments, limit=LIMIT, stdin=None, **variables):
    """Run `program` (see `command`) to its end, with `stdin` as its input; see `finish`."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    if stdin is not None:
        pipes["stdin"] = subprocess.PIPE
    started, env = command(program, *arguments), environment(**variables)
    with subprocess.Popen(started, cwd=ROOT, env=env, **pipes) as process:
        try:
            out, err = finish(process, stdin, limit)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(started, process.returncode, out, err)


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


EVERY = [
    *(name for name in bpfast.ACTIVATIONS if name != "softmax"), "leaky_relu(1.5)", "elu(0.5)",
]  # fmt: skip
# Shapes that are cut in different ways: many rows of few weights, few rows of many weights, widths
# on both sides of a SIMD register, layers of one neuron.
NETWORKS = {
    "tiny": ([2, 3, 1], {"hidden": "tanh", "output": "sigmoid", "cost": "cross_entropy"}),
    "mnist": ([784, 30, 10], {"output": "softmax", "cost": "log_likelihood"}),
    "wide": ([301, 1025, 41], {"hidden": "relu", "output": "identity", "cost": "huber"}),
    "deep": (
        [5, 7, *((1, 9, 16, 3, 8, 17, 2, 4)[k % 8] for k in range(len(EVERY) - 1)), 3],
        {"hidden": EVERY, "output": "softplus", "cost": "poisson"},
    ),
}
