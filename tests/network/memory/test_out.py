"""`out=` takes the result where it fits, and is refused, unchanged, where it does not."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import bpfast
from tests.helpers.messages import IN_USE, INPUTS, READ_ONLY, WRITTEN
from tests.helpers.processes.python_threads import at_once
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
# Every array is 2 by 2, so that each can be used in place of any other.
A, B, C = RNG.uniform(0.1, 0.9, size=(3, 2, 2))
NET = bpfast.Network([2, 2], seed=0)


def custom(a, y):
    return ((a - y) ** 2).sum(1) / 2, a - y


CUSTOM = bpfast.Network([2, 2], seed=0, cost=custom)
# Each door with `out=`: how it is called, and the arrays that it takes.
ENTRY_POINTS = {
    "Network.forward": (NET.forward, {"x": A}),
    "Network.__call__": (NET, {"x": A}),
    "bp1": (bpfast.bp1, {"z": A, "y": B}),
    "bp1 of a callable": (lambda **kw: bpfast.bp1(**kw, cost=custom), {"z": A, "y": B}),
    "bp2": (bpfast.bp2, {"delta": A, "weights": B, "z": C}),
    "bp3": (bpfast.bp3, {"delta": A}),
    "bp4": (bpfast.bp4, {"delta": A, "a": B}),
}
LAYOUTS = {
    "C": lambda a: a,
    "Fortran": lambda a: a.T,
    "reversed": lambda a: a[::-1],
    "another dtype": lambda a: a.view(np.int64),
}


def wrong_outs(good):
    """Arrays that cannot be `out`, beside a fitting one."""
    shape, dtype = good.shape, good.dtype
    read_only = good.copy()
    read_only.flags.writeable = False
    odd = np.zeros(good.nbytes + 1, np.uint8)[1:].view(dtype).reshape(shape)
    layout = "^out: expected a C-contiguous, aligned array"
    yield list(good), TypeError, "^out: expected a NumPy array, got list$"
    yield 3.0, TypeError, "^out: expected a NumPy array, got float$"
    yield good.astype("f4"), TypeError, "^out: expected dtype float64, got float32$"
    yield good.astype(">f8"), TypeError, "^out: expected dtype float64, got >f8$"
    yield good.astype(object), TypeError, "^out: expected dtype float64, got object$"
    yield good[None], ValueError, r"^out: expected shape \(2,.*\), got \(1, 2"
    yield good[:1].copy(), ValueError, r"^out: expected shape \(2,.*\), got \(1,"
    yield np.repeat(good, 2, axis=-1)[..., ::2], ValueError, layout
    yield good[::-1], ValueError, layout
    yield odd, ValueError, layout
    yield read_only, ValueError, f"^{READ_ONLY.format('out')}$"
    if good.ndim == 2:
        yield np.asfortranarray(good), ValueError, layout


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_out_takes_the_result(entry_point):
    function, arguments = ENTRY_POINTS[entry_point]
    expected = function(**arguments)
    out = np.full_like(expected, np.nan)
    assert function(**arguments, out=out) is out
    assert out.tobytes() == expected.tobytes()


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_an_out_of_a_wrong_shape(entry_point):
    function, arguments = ENTRY_POINTS[entry_point]
    for out, kind, message in wrong_outs(function(**arguments)):
        with refuses(kind, message, out, NET, *arguments.values()):
            function(**arguments, out=out)


@pytest.mark.parametrize("layout", [*LAYOUTS, "in part"])
@pytest.mark.parametrize(
    ("entry_point", "name"),
    [(entry_point, name) for entry_point, (_, given) in ENTRY_POINTS.items() for name in given],
)
def test_an_out_that_overlaps_an_input(entry_point, name, layout):
    function, arguments = ENTRY_POINTS[entry_point]
    result = function(**arguments)
    memory = np.array(RNG.uniform(0.1, 0.9, size=8))
    out = memory[: result.size].reshape(result.shape)
    # In part: the last number of `out` is the first of the input.
    first = result.size - 1 if layout == "in part" else 0
    value = memory[first : first + 4].reshape(2, 2)
    value = LAYOUTS.get(layout, LAYOUTS["C"])(value)
    assert np.shares_memory(value, out)
    with refuses(ValueError, f"^{INPUTS.format('out')}", memory, NET):
        function(**arguments | {name: value}, out=out)


def test_an_out_next_to_an_input_does_not_overlap():
    memory = RNG.uniform(size=12)
    x, out = memory[:4].reshape(2, 2), memory[4:8].reshape(2, 2)
    expected = NET.forward(x)
    assert NET.forward(x, out=out).tobytes() == expected.tobytes()
    # In the gap between the rows of x, too.
    rows = RNG.uniform(size=(2, 6))
    x, out = rows[:, :2], rows[0, 2:6].reshape(2, 2)
    expected = NET.forward(x)
    assert NET.forward(x, out=out).tobytes() == expected.tobytes()


def test_an_out_that_overlaps_the_parameters_or_the_weights_of_the_examples():
    message = f"^{INPUTS.format('out')}"
    with refuses(ValueError, message, NET):
        NET.forward(A, out=NET.params[:4].reshape(2, 2))
    s = np.array([1.0, 2.0])
    with refuses(ValueError, message, s):
        bpfast.bp1(A[:, :1], B[:, :1], sample_weight=s, out=s.reshape(2, 1))


def test_a_gradient_takes_the_result():
    for net in (NET, CUSTOM):
        g = bpfast.Gradient(bpfast.Network([2, 2], hidden="tanh", output="tanh", seed=9))
        assert (g.cost, g.flat.tolist()) == (0.0, [0.0] * 6)
        g.flat[:] = np.nan
        assert net.backprop(A, B, out=g) is g
        fresh = net.backprop(A, B)
        assert (g.cost, g.flat.tobytes()) == (fresh.cost, fresh.flat.tobytes())


@pytest.mark.parametrize(
    ("out", "kind", "message"),
    [
        (np.zeros(6), TypeError, "^out: expected a Gradient, got ndarray$"),
        (NET, TypeError, "^out: expected a Gradient, got Network$"),
        (
            bpfast.Gradient(bpfast.Network([2, 3])),
            ValueError,
            r"^out: expected a gradient of sizes [\[(]2, 2[\])], got [\[(]2, 3[\])]$",
        ),
        (  # as many parameters, laid out in another way
            bpfast.Gradient(bpfast.Network([5, 1])),
            ValueError,
            r"^out: expected a gradient of sizes [\[(]2, 2[\])], got [\[(]5, 1[\])]$",
        ),
        (
            bpfast.Gradient(bpfast.Network([2, 2], dtype="f4")),
            TypeError,
            "^out: expected a gradient of dtype float64, got float32$",
        ),
    ],
)
def test_a_gradient_of_another_network(out, kind, message):
    with refuses(kind, message, out, NET, A, B):
        NET.backprop(A, B, out=out)


def test_a_read_only_gradient():
    g = NET.backprop(A, B)
    g.flat.flags.writeable = False
    with refuses(ValueError, f"^{READ_ONLY.format('out')}$", g):
        NET.backprop(B, A, out=g)


@pytest.mark.parametrize("net", [NET, CUSTOM], ids=["named cost", "callable"])
@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("x", lambda g: g.flat[:4].reshape(2, 2)),
        ("x", lambda g: g.flat[2:].reshape(2, 2)),
        ("x", lambda g: g.weights[0]),
        ("x", lambda g: g.flat[::-1][:4].reshape(2, 2)),
        ("y", lambda g: g.flat[:4].reshape(2, 2)),
        ("y", lambda g: g.weights[0]),
        ("sample_weight", lambda g: g.biases[0]),
        ("sample_weight", lambda g: g.flat[::4]),
    ],
)
def test_a_gradient_that_overlaps_an_input(net, name, view):
    g = bpfast.Gradient(net)
    g.flat[:] = RNG.uniform(0.1, 0.9, size=6)
    arguments = {"x": A, "y": B, name: view(g)}
    with refuses(ValueError, f"^{INPUTS.format('out')}", g, net):
        net.backprop(**arguments, out=g)


def test_after_an_error_out_is_as_it_was():
    g, out = NET.backprop(A, B), NET.forward(A)
    for bad in ({"x": A[:, :1]}, {"y": B[:1]}, {"sample_weight": [0, 0]}, {"reduction": "max"}):
        with refuses(ValueError, "", g, NET, A, B):
            NET.backprop(**{"x": A, "y": B, "out": g} | bad)
    with refuses(ValueError, "", out, NET):
        NET.forward(A[:, :1], out=out)


BUSY = IN_USE.format("out")


def test_two_threads_with_one_out():
    net = bpfast.Network([100, 100, 10], seed=0)
    x, y = RNG.normal(size=(2000, 100)), RNG.uniform(size=(2000, 10))
    out, g = np.empty((2000, 10)), bpfast.Gradient(net)
    answer, gradient = net.forward(x).tobytes(), net.backprop(x, y).flat.tobytes()
    for call in (lambda: net.forward(x, out=out) is out, lambda: net.backprop(x, y, out=g) is g):
        outcomes = at_once(call, call)
        assert outcomes[True] >= 30
        assert outcomes.keys() <= {True, BUSY}
    assert (out.tobytes(), g.flat.tobytes()) == (answer, gradient)


def test_an_out_that_is_an_input_of_another_thread():
    first, second = bpfast.Network([100, 100], seed=0), bpfast.Network([100, 10], seed=1)
    x, between = RNG.normal(size=(2000, 100)), np.empty((2000, 100))
    outcomes = at_once(
        lambda: first.forward(x, out=between) is between,
        lambda: second.forward(between).shape == (2000, 10),
    )
    assert outcomes[True] > 0
    assert outcomes.keys() <= {True, BUSY, WRITTEN.format("x")}


def test_an_out_that_is_the_network_of_another_thread():
    slow, net = bpfast.Network([1000, 1000], seed=0), bpfast.Network([1000, 1000], seed=1)
    x = RNG.normal(size=(1000, 1000))
    params = net.params[:-1000].reshape(1000, 1000)
    written = threading.Event()

    def write():
        try:
            slow.forward(x, out=params)
        finally:
            written.set()

    def read():
        outcomes = Counter()
        while not written.wait(0.001):
            try:
                outcomes[net.forward(x[:1]).shape] += 1
            except ValueError as error:
                outcomes[str(error)] += 1
        return outcomes

    with ThreadPoolExecutor() as pool:
        writing, reading = pool.submit(write), pool.submit(read)
    outcomes = reading.result()
    assert outcomes.keys() <= {(1, 1000), WRITTEN.format("params")}
    if writing.exception() is None:
        assert params.tobytes() == slow.forward(x).tobytes()
    else:  # the reader was there first
        assert str(writing.exception()) == BUSY
        assert outcomes[(1, 1000)] > 0
