"""Invalid arguments: each message names the argument, what was expected and what came."""

import re
from typing import Any

import numpy as np
import pytest

import bpfast
from bpfast import reference
from tests.helpers.derivatives import vector

CLASS: Any = bpfast.Network
NET: Any = bpfast.Network([3, 4, 2], hidden="tanh", seed=0)
OTHER, DEEPER = bpfast.Network([3, 5, 2], seed=0), bpfast.Network([3, 4, 4, 2], seed=0)
RNG = np.random.default_rng(0)
X, Y, V, P = RNG.random((6, 3)), RNG.random((6, 2)), np.ones((6, 2)), np.ones(26)


def frozen():
    gradient = bpfast.Gradient(NET)
    gradient.flat.flags.writeable = False
    return gradient


def clipped(**options):
    return lambda: NET.clipped_backprop(X, Y, **({"max_norm": 1.0} | options))


def over(call):
    """A call whose `out` shares its numbers with an argument."""
    out = bpfast.Gradient(NET)
    return lambda: call(out, out.flat)


V_OF_ONE_AXIS = (
    "v: expected 2 dimensions, got shape (6,); one example is v[None, :], one output per example "
    "v[:, None]"
)


def overlap(name):
    return f"out: expected an array that does not overlap the inputs, got one that overlaps {name}"


CASES = [
    (lambda: NET.vjp(X, V[:5]), ValueError, "v: expected shape (6, 2), got (5, 2)"),
    (lambda: NET.vjp(X, V[:, 0]), ValueError, V_OF_ONE_AXIS),
    (lambda: NET.vjp(X, None), TypeError, "v: expected real numbers, got NoneType"),
    (lambda: NET.vjp(X, V * 1j), TypeError, "v: expected real numbers, got dtype complex128"),
    (
        lambda: NET.vjp(X, np.ma.masked_array(V, V > 0)),
        ValueError,
        "v: expected no missing values, got 12 masked; fill them in with .filled(value)",
    ),
    (lambda: NET.vjp(X, V, at="b"), ValueError, "at: unknown name 'b'; valid: 'a', 'z'"),
    (lambda: NET.vjp(X, V, at=1), TypeError, "at: expected a str, got int"),
    (
        lambda: NET.vjp(X, V, wrt="y"),
        ValueError,
        "wrt: unknown name 'y'; valid: 'both', 'params', 'x'",
    ),
    (
        lambda: NET.vjp(X[:0], V[:0]),
        ValueError,
        "x: expected one example or more, got an empty batch",
    ),
    (
        lambda: NET.vjp(X, V, wrt="x", out=bpfast.Gradient(NET)),
        ValueError,
        "out: expected None with wrt='x', which has no gradient to write, got Gradient",
    ),
    (lambda: NET.vjp(X, V, out=np.ones(26)), TypeError, "out: expected a Gradient, got ndarray"),
    (
        lambda: NET.vjp(X, V, out=bpfast.Gradient(OTHER)),
        ValueError,
        "out: expected a gradient of sizes [3, 4, 2], got [3, 5, 2]",
    ),
    (
        lambda: NET.vjp(X, V, out=bpfast.Gradient(NET.astype("f4"))),
        TypeError,
        "out: expected a gradient of dtype float64, got float32",
    ),
    (
        lambda: NET.hvp(X, Y, P, out=frozen()),
        ValueError,
        "out: expected a writeable array, got a read-only one",
    ),
    (
        over(lambda out, flat: NET.vjp(X, flat[:12].reshape(6, 2), out=out)),
        ValueError,
        overlap("v"),
    ),
    (
        over(lambda out, flat: NET.vjp(flat[:18].reshape(6, 3), V, out=out)),
        ValueError,
        overlap("x"),
    ),
    (over(lambda out, _: NET.hvp(X, Y, out, out=out)), ValueError, overlap("v")),
    (over(lambda out, flat: NET.ggn_vp(X, Y, flat, out=out)), ValueError, overlap("v")),
    (
        over(lambda out, flat: NET.empirical_fisher_vp(X, flat[:12].reshape(6, 2), P, out=out)),
        ValueError,
        overlap("y"),
    ),
    (
        lambda: NET.vjp(bpfast.Trace(*OTHER.trace(X)), V),
        ValueError,
        "x: a z of the Trace: expected shape (6, 4), got (6, 5)",
    ),
    (
        lambda: NET.hvp(bpfast.Trace(*DEEPER.trace(X)), Y, P),
        ValueError,
        "x: expected a Trace with 2 arrays z and 3 arrays a, got 3 arrays z and 4 arrays a",
    ),
    (
        lambda: NET.jvp(X),
        ValueError,
        "dx: expected a direction dx or dparams, got None for both",
    ),
    (lambda: NET.jvp(X, dx=V), ValueError, "dx: expected shape (6, 3), got (6, 2)"),
    (lambda: NET.jvp(X, dparams=P[:3]), ValueError, "dparams: expected shape (26,), got (3,)"),
    (
        lambda: NET.jvp(X, dparams=bpfast.Gradient(OTHER)),
        ValueError,
        "dparams: expected shape (26,), got (32,)",
    ),
    (lambda: NET.jacobian(Y), ValueError, "x: expected shape (6, 3), got (6, 2)"),
    (lambda: NET.jacobian(X, at="q"), ValueError, "at: unknown name 'q'; valid: 'a', 'z'"),
    (
        lambda: NET.forward_from(1, X),
        ValueError,
        "layer: expected a layer from 2 to 3, where layer 1 is the input, got 1",
    ),
    (
        lambda: NET.forward_from(4, X),
        ValueError,
        "layer: expected a layer from 2 to 3, where layer 1 is the input, got 4",
    ),
    (lambda: NET.forward_from(2.0, X), TypeError, "layer: expected an integer, got float"),
    (lambda: NET.forward_from(True, X), TypeError, "layer: expected an integer, got bool"),
    (lambda: NET.forward_from(2, X), ValueError, "z: expected shape (6, 4), got (6, 3)"),
    (
        lambda: NET.forward_from(2, np.ones((0, 4))),
        ValueError,
        "z: expected one example or more, got an empty batch",
    ),
    (
        lambda: NET.per_example_gradients(X, Y, out=np.ones((6, 25))),
        ValueError,
        "out: expected shape (6, 26), got (6, 25)",
    ),
    (
        lambda: NET.per_example_gradients(X, Y, out=np.ones((6, 26), "f4")),
        TypeError,
        "out: expected dtype float64, got float32",
    ),
    (
        lambda: NET.per_example_gradients(X, Y, out=np.ones((6, 26), order="F")),
        ValueError,
        "out: expected a C-contiguous, aligned array, got another layout",
    ),
    (
        lambda: NET.per_example_norms(X, Y, per_layer=1),
        TypeError,
        "per_layer: expected True or False, got int",
    ),
    (clipped(max_norm=0), ValueError, "max_norm: expected a positive number, got 0"),
    (clipped(max_norm=-1), ValueError, "max_norm: expected a positive number, got -1"),
    (clipped(max_norm=np.nan), ValueError, "max_norm: expected a positive number, got nan"),
    (clipped(max_norm="1"), TypeError, "max_norm: expected a number, got str"),
    (
        clipped(max_norm=np.inf, noise_multiplier=1),
        ValueError,
        "max_norm: expected a finite number with noise, got inf",
    ),
    (
        clipped(noise_multiplier=-1),
        ValueError,
        "noise_multiplier: expected a finite number, 0 or above, got -1",
    ),
    (clipped(sampling_rate=0), ValueError, "sampling_rate: expected a positive number, got 0"),
    (
        clipped(sampling_rate=1.5),
        ValueError,
        "sampling_rate: expected a number from 0 to 1, got 1.5",
    ),
    (
        clipped(expected_batch_size=-2),
        ValueError,
        "expected_batch_size: expected a positive number, got -2",
    ),
    (
        clipped(expected_batch_size=3, reduction="sum"),
        ValueError,
        "expected_batch_size: expected None, got a number with reduction='sum'",
    ),
    (
        clipped(reduction="none"),
        ValueError,
        "reduction: unknown name 'none'; valid: 'mean', 'sum'",
    ),
    (clipped(seed=-1, noise_multiplier=1), ValueError, "seed: expected non-negative integer"),
    (lambda: NET.hvp(X, Y, P[1:]), ValueError, "v: expected shape (26,), got (25,)"),
    (lambda: NET.hvp(X, Y, NET), TypeError, "v: expected real numbers, got Network"),
    (
        lambda: NET.hvp(X, Y, P, errors=tuple(NET.errors(X, Y))),
        TypeError,
        "errors: expected a list of arrays, got tuple",
    ),
    (
        lambda: NET.hvp(X, Y, P, errors=NET.errors(X, Y)[1:]),
        ValueError,
        "errors: expected 2 arrays, got 1",
    ),
    (
        lambda: NET.hvp(X, Y, P, errors=[V, V]),
        ValueError,
        "errors: expected shape (6, 4), got (6, 2)",
    ),
    (
        lambda: CLASS.hvp(None, X, Y, P),
        TypeError,
        "self: expected a Network, got NoneType",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), CASES, ids=[case[2][:60] for case in CASES])
def test_messages(call, kind, message):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()


SAMPLED = [
    (np.ones((6, 9)), Y, ValueError, "x: expected shape (6, 3), got (6, 9)"),
    (X, Y[:4], ValueError, "y: expected shape (6, 2), got (4, 2)"),
    (X[:0], Y[:0], ValueError, "x: expected one example or more, got an empty batch"),
    (np.ma.masked_array(X, X > 0.9), Y, ValueError, "x: expected no missing values"),
    (X, np.ma.masked_array(Y, Y > 0.1), ValueError, "y: expected no missing values"),
    (None, Y, TypeError, "x: expected real numbers"),
    ("text", Y, TypeError, "x: expected real numbers"),
    ([[1, 2, 3], [1]], Y, ValueError, "x: "),
    (NET.trace(X), Y, TypeError, "x: expected the examples, got a Trace with sampling_rate"),
]


@pytest.mark.parametrize(("x", "y", "kind", "message"), SAMPLED)
def test_samples_are_drawn_of_valid_batches(x, y, kind, message):
    """The shapes in messages are those of all examples: how many are drawn is private."""
    with pytest.raises(kind, match=f"^{re.escape(message)}"):
        NET.clipped_backprop(x, y, 1.0, sampling_rate=0.5, seed=0)


def damaged(trace, name):
    if name == "resized":
        trace.z[0].resize((2, 2), refcheck=False)
    elif name == "shorter":
        trace.z.pop()
    elif name == "text":
        trace.a[1] = "abc"
    elif name == "another dtype":
        trace.a[1].dtype = np.float32
    else:
        trace.z[0] = np.ones((2, 2))
    return trace


@pytest.mark.parametrize("name", ["resized", "shorter", "text", "another dtype", "replaced"])
def test_a_trace_whose_arrays_were_replaced(name):
    net = bpfast.Network([3, 4, 2], hidden="gelu", seed=0)
    for call in (
        lambda trace: net.vjp(trace, V),
        lambda trace: net.jvp(trace, dx=X),
        lambda trace: net.hvp(trace, Y, P),
        lambda trace: net.per_example_norms(trace, Y),
    ):
        with pytest.raises((TypeError, ValueError), match=r"^x: .*Trace"):
            call(damaged(net.trace(X), name))


def test_a_trace_without_a_z_that_is_not_read():
    trace, dx = NET.trace(X), np.ones((6, 3))
    expected = NET.jvp(X, dx=dx)[1]
    trace.z[0] = None
    np.testing.assert_array_equal(NET.jvp(trace, dx=dx)[1], expected)


def keywords():
    """Bad keywords, as the methods and the reference take them."""
    parts = {"weights": NET.weights, "biases": NET.biases, "hidden": "tanh", "x": X}
    v = vector(NET, RNG)
    products = {"v_weights": v.weights, "v_biases": v.biases}
    for bad in ({"x": Y}, {"y": X}, {"y": None}, {"x": X[:0]}, {"sample_weight": [1]},
                {"sample_weight": [np.inf] * 6}, {"reduction": "none"}):  # fmt: skip
        for name in ("input_gradient", "hvp", "ggn_vp", "empirical_fisher_vp"):
            more = products if name.endswith("vp") else {}
            yield name, bad, parts | {"y": Y} | more, {"v": v} if more else {}
    for bad in ({"max_norm": 0}, {"max_norm": "a"}, {"reduction": "none"},
                {"expected_batch_size": 0}):  # fmt: skip
        yield "clipped_backprop", bad, parts | {"y": Y, "max_norm": 1}, {"max_norm": 1}
    for bad in ({"layer": 1}, {"layer": 4}, {"layer": 2.5}, {"z": X}, {"z": np.ones((0, 4))}):
        given = {name: parts[name] for name in ("weights", "biases", "hidden")}
        good = {"layer": 2, "z": np.ones((6, 4))}
        yield "forward_from", bad, given | good, good
    for bad in ({"v": X}, {"v": None}, {"at": "b"}, {"at": 1}):
        yield "vjp", bad, parts | {"v": V}, {"v": V}
    yield "jvp", {}, parts, {}
    yield "jvp", {"dx": V}, parts, {}
    yield "gradient_statistics", {"x": X[:1], "y": Y[:1]}, parts, {}
    yield "per_example_norms", {"per_layer": 1}, parts | {"y": Y}, {}


@pytest.mark.parametrize(("name", "bad", "theirs", "ours"), list(keywords()))
def test_the_reference_raises_the_same(name, bad, theirs, ours):
    own = {"x": X} if "x" in theirs else {}
    if "y" in theirs:
        own["y"] = Y
    with pytest.raises((TypeError, ValueError)) as got:
        getattr(NET, name)(**own | ours | bad)
    with pytest.raises(type(got.value)) as expected:
        getattr(reference, name)(**theirs | bad)
    argument = str(got.value).partition(":")[0].partition("[")[0]
    assert str(expected.value).startswith(argument), (str(got.value), str(expected.value))
