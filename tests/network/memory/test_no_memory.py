"""What cannot be allocated is a MemoryError; the process lives and works on.

Every case runs in a process of its own, so that an abort is a failure and not the end of the run.
"""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
import bpfast

bpfast.set_num_threads({threads})
{before}
if {free}:
    import resource
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + int({free} * 2**20), most))
outcome = "done"
try:
    {call}
except MemoryError as error:
    outcome = "MemoryError: " + str(error)
if {free}:
    resource.setrlimit(resource.RLIMIT_AS, (before, most))
small = bpfast.Network([2, 2], init="zeros")
assert small.backprop([[1, 2]], [[0, 1]]).cost == 0.125 * 2
{after}
print(outcome)
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="address space is limited by RLIMIT_AS")


def outcome(call, *, before="", after="", free=0, threads=1):
    """The result of `call` with this many MiB of address space left."""
    program = PROGRAM.format(call=call, before=before, after=after, free=free, threads=threads)
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-500:]}"
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ("[2**70, 1]", "sizes[0]: "),
        ("[1, 2**63]", "sizes[1]: "),
        ("[2**63 - 1, 2]", "sizes: more parameters than a vector can hold"),
        ("[2**40, 2**40]", "sizes: more parameters than a vector can hold"),
        ("[2**62, 1, 2**62]", "sizes: more parameters than a vector can hold"),
        ("[2**32, 2**28]", "sizes: more parameters than a vector can hold"),
        # 256 PiB: a valid length of a vector, but more than any address space.
        ("[2**31, 2**24]", "params: cannot allocate 36028797035741184 numbers"),
    ],
)
@pytest.mark.parametrize("init", ["nielsen", "zeros"])
def test_parameters_that_exceed_the_address_space(sizes, message, init):
    got = outcome(f"bpfast.Network({sizes}, init='{init}')")
    assert got.startswith(f"MemoryError: {message}")


@linux
@pytest.mark.parametrize("init", ["nielsen", "zeros"])
@pytest.mark.parametrize("free", [1, 100, 600])
def test_parameters_that_exceed_the_free_memory(init, free):
    # 128 MB of parameters; to draw them takes some more.
    got = outcome(f"bpfast.Network([4000, 4000], init='{init}')", free=free)
    expected = "MemoryError: params: cannot allocate 16004000 numbers" if free < 128 else "done"
    assert got.startswith(expected)


@linux
def test_copies_that_exceed_the_free_memory():
    before = "import copy, pickle; net = bpfast.Network([4000, 4000], init='zeros')"
    calls = {
        "copy.copy(net)": "Unable to allocate",  # as NumPy says it
        "pickle.dumps(net)": "",
        "net.astype('f4')": "params: cannot allocate 16004000 numbers",
        "bpfast.Gradient(net)": "gradient: cannot allocate 16004000 numbers",
        "net.backprop(np.ones((1, 4000)), np.ones((1, 4000)))": "gradient: cannot allocate",
        "bpfast.backprop(net.weights, net.biases, np.ones((1, 4000)), np.ones((1, 4000)))": "",
        "net.partial_fit(np.ones((1, 4000)), np.ones((1, 4000)), optimizer='sgd')": (
            "params before the steps: cannot allocate 1 x 16004000 numbers"
        ),
    }
    for call, message in calls.items():
        assert outcome(call, before=before, free=50).startswith(f"MemoryError: {message}")


WIDE = """
net = bpfast.Network([8, 2**18], init="zeros")
x, y = np.zeros((64, 8)), np.zeros((64, 2**18))
g = bpfast.Gradient(net)
z, params = np.zeros((64, 2**18)), net.params.copy()
"""
# Whatever was refused works once there is memory, and gives what it would have given.
AFTER = """
assert (net.params == params).all() and (x == 0).all() and (y == 0).all() and (z == 0).all()
assert net.cost(x, y) == 0.125 * 2**18
"""


@linux
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "call",
    [
        "net.forward(x)",
        "net.forward(x, out=z)",
        "net.trace(x)",
        "net.cost(x, y)",
        "net.errors(x, y)",
        "net.backprop(x, y, out=g)",
        "bpfast.bp1(z, y)",
        "bpfast.bp2(x, np.zeros((8, 2**18)), z)",
    ],
)
def test_a_workspace_that_exceeds_the_free_memory(call, threads):
    # One array of a chunk is 16 MiB, one of the batch 128.
    got = outcome(call, before=WIDE, after=AFTER, free=12, threads=threads)
    assert got.startswith("MemoryError: ")


SQUARE = """
net = bpfast.Network([700, 700], init="zeros")
x, y = np.zeros((600, 700)), np.zeros((600, 700))
g = bpfast.Gradient(net)
"""


@linux
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "call", ["net.cost(x, y)", "net.backprop(x, y, out=g)", "bpfast.bp4(y, x)"]
)
def test_every_failed_allocation_is_an_error(call, threads):
    # A few MiB on either side of what the call takes: some buffer is always the first to fail.
    for free in (0.5, 2, 3, 4, 6, 8, 12, 16, 32, 64):
        got = outcome(call, before=SQUARE, free=free, threads=threads)
        assert got.startswith(("MemoryError: ", "done")), free
