"""What cannot be allocated is a MemoryError; the process lives and works on.

Every case runs in a child process, so that an abort is a failure and not the end of the run.
"""

import json
import sys

import pytest

from tests.helpers.child import run

linux = pytest.mark.skipif(sys.platform != "linux", reason="address space is limited by RLIMIT_AS")


def outcomes(*cases):
    """The result of each call with `free` MiB of address space left, each in a fork."""
    return run("calls_without_memory", json.dumps(cases))


TOO_LARGE = {
    "[2**70, 1]": "sizes[0]: ",
    "[1, 2**63]": "sizes[1]: ",
    "[2**63 - 1, 2]": "sizes: more parameters than a vector can hold",
    "[2**40, 2**40]": "sizes: more parameters than a vector can hold",
    "[2**62, 1, 2**62]": "sizes: more parameters than a vector can hold",
    "[2**32, 2**28]": "sizes: more parameters than a vector can hold",
    # 256 PiB: a valid length of a vector, but more than any address space.
    "[2**31, 2**24]": "params: cannot allocate 36028797035741184 numbers",
}


@pytest.mark.parametrize("init", ["nielsen", "zeros"])
def test_parameters_that_exceed_the_address_space(init):
    found = outcomes(*({"call": f"bpfast.Network({sizes}, init='{init}')"} for sizes in TOO_LARGE))
    for got, (sizes, message) in zip(found, TOO_LARGE.items(), strict=True):
        assert got.startswith(f"MemoryError: {message}"), sizes


@linux
@pytest.mark.parametrize("init", ["nielsen", "zeros"])
def test_parameters_that_exceed_the_free_memory(init):
    # 128 MB of parameters; to draw them takes some more.
    call = f"bpfast.Network([4000, 4000], init='{init}')"
    little, less, enough = outcomes(*({"call": call, "free": free} for free in (1, 100, 600)))
    assert little == less
    assert little.startswith("MemoryError: params: cannot allocate 16004000 numbers")
    assert enough == "done"


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
        "net.per_example_gradients(np.ones((1, 4000)), np.ones((1, 4000)))": (
            "x: expected examples whose gradients fit into memory, got 1 examples of 16004000 "
            "parameters, which take 0.1 GiB; call it for a part"
        ),
        "net.hvp(np.ones((1, 4000)), np.ones((1, 4000)), net.params)": "gradient: cannot allocate",
        "net.vjp(np.ones((1, 4000)), np.ones((1, 4000)))": "gradient: cannot allocate",
        "net.clipped_backprop(np.ones((1, 4000)), np.ones((1, 4000)), 1)": "gradient: cannot",
        "net.partial_fit(np.ones((1, 4000)), np.ones((1, 4000)), optimizer='sgd')": (
            "params before the steps: cannot allocate 1 x 16004000 numbers"
        ),
    }
    found = outcomes(*({"call": call, "before": before, "free": 50} for call in calls))
    for got, (call, message) in zip(found, calls.items(), strict=True):
        assert got.startswith(f"MemoryError: {message}"), call


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


CALLS = [
    "net.forward(x)",
    "net.forward(x, out=z)",
    "net.trace(x)",
    "net.cost(x, y)",
    "net.errors(x, y)",
    "net.backprop(x, y, out=g)",
    "net.vjp(x, y, out=g)",
    "net.jvp(x, dx=x)",
    "net.input_gradient(x, y)",
    "net.forward_from(2, z)",
    "net.per_example_norms(x, y)",
    "net.clipped_backprop(x, y, 1.0, out=g)",
    "net.hvp(x, y, params, out=g)",
    "net.ggn_vp(x, y, params, out=g)",
    "net.empirical_fisher_vp(x, y, params, out=g)",
    "bpfast.bp1(z, y)",
    "bpfast.bp2(x, np.zeros((8, 2**18)), z)",
]


@linux
@pytest.mark.parametrize("threads", [1, 2])
def test_a_workspace_that_exceeds_the_free_memory(threads):
    # One array of a chunk is 16 MiB, one of the batch 128.
    limits = {"before": WIDE, "after": AFTER, "free": 12, "threads": threads}
    for call, got in zip(
        CALLS, outcomes(*({"call": call} | limits for call in CALLS)), strict=True
    ):
        assert got.startswith("MemoryError: "), call


SQUARE = """
net = bpfast.Network([700, 700], init="zeros")
x, y = np.zeros((600, 700)), np.zeros((600, 700))
g = bpfast.Gradient(net)
"""


@linux
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "call",
    [
        "net.cost(x, y)",
        "net.backprop(x, y, out=g)",
        "net.hvp(x, y, net.params, out=g)",
        "net.clipped_backprop(x, y, 1.0, out=g)",
        "bpfast.bp4(y, x)",
    ],
)
def test_every_failed_allocation_is_an_error(call, threads):
    # A few MiB on either side of what the call takes: some buffer is always the first to fail.
    limits = (0.5, 2, 3, 4, 6, 8, 12, 16, 32, 64)
    how = {"call": call, "before": SQUARE, "threads": threads}
    for free, got in zip(limits, outcomes(*(how | {"free": free} for free in limits)), strict=True):
        assert got.startswith(("MemoryError: ", "done")), free
