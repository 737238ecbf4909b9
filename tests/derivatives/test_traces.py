"""A `Trace` in place of x: the same numbers, and which traces are refused."""

import copy
import pickle
import re

import numpy as np
import pytest

import bpfast
from bpfast import inside
from tests.helpers.cases.sparse import sparse

RNG = np.random.default_rng(0)
X, Y, V = RNG.standard_normal((9, 3)), RNG.random((9, 2)), RNG.random((9, 2))


def network(**options):
    return bpfast.Network([3, 4, 2], **({"hidden": "tanh", "seed": 0} | options))


NET = network()
P = np.ones(NET.params.size)
CALLS = {
    "cost": lambda net, x: net.cost(x, Y),
    "cost of each": lambda net, x: net.cost(x, Y, reduction="none"),
    "errors": lambda net, x: np.concatenate(net.errors(x, Y), axis=1),
    "backprop": lambda net, x: net.backprop(x, Y).flat,
    "vjp": lambda net, x: net.vjp(x, V)[0].flat,
    "jvp": lambda net, x: net.jvp(x, dparams=P)[1],
    "input_gradient": lambda net, x: net.input_gradient(x, Y),
    "jacobian": lambda net, x: net.jacobian(x),
    "per_example_gradients": lambda net, x: net.per_example_gradients(x, Y).flat,
    "per_example_norms": lambda net, x: net.per_example_norms(x, Y),
    "clipped_backprop": lambda net, x: net.clipped_backprop(x, Y, 0.1).flat,
    "gradient_statistics": lambda net, x: net.gradient_statistics(x, Y).variance.flat,
    "hvp": lambda net, x: net.hvp(x, Y, P).flat,
    "ggn_vp": lambda net, x: net.ggn_vp(x, Y, P).flat,
    "empirical_fisher_vp": lambda net, x: net.empirical_fisher_vp(x, Y, P).flat,
    "curvature": lambda net, x: net.curvature(x, Y) @ P,
    "ggn": lambda net, x: net.curvature(x, Y, matrix="ggn").diagonal(),
    "empirical_fisher": lambda net, x: net.curvature(x, Y, matrix="empirical_fisher").diagonal(),
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@each_call
@pytest.mark.parametrize("output", ["sigmoid", "identity"])
def test_the_same_numbers_without_a_forward_pass(call, output):
    net = network(output=output)
    for trace in (net.trace(X), net.trace(sparse.csr_array(X))):
        got, expected = call(net, trace), call(net, X)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@each_call
def test_traces_of_others_are_refused(call):
    def refused(trace, got, expected="a Trace of this network"):
        message = f"^x: expected {expected}, got one {got}$"
        with pytest.raises(ValueError, match=message):
            call(NET, trace)

    refused(bpfast.Network([3, 5, 2], seed=0).trace(X), "of a network with other sizes")
    refused(bpfast.Network([3, 4, 4, 2], seed=0).trace(X), "of a network with other sizes")
    refused(network(hidden="relu").trace(X), "of a network with other activations")
    refused(network(output="softmax").trace(X), "of a network with other activations")
    refused(network(dtype="float32").trace(X), "of a network with another dtype")
    present = "a Trace made with the present parameters"
    refused(network(seed=1).trace(X), "made with others", present)
    call(NET, copy.deepcopy(NET).trace(X))  # has the same parameters
    net = network()
    trace = net.trace(X)
    for k in (0, 11, P.size - 1):  # one of them suffices
        old = net.params[k]
        net.params[k] = np.nextafter(old, 9)
        with pytest.raises(ValueError, match=f"^x: expected {present}, got one made with others$"):
            call(net, trace)
        net.params[k] = old
    call(net, trace)
    net.partial_fit(X, Y)
    with pytest.raises(ValueError, match=present):
        call(net, trace)


def test_pickles_know_their_network_and_own_traces_do_not():
    trace = pickle.loads(pickle.dumps(NET.trace(X)))
    np.testing.assert_array_equal(NET.backprop(trace, Y).flat, NET.backprop(NET.trace(X), Y).flat)
    with pytest.raises(ValueError, match="made with others"):
        network(seed=1).backprop(trace, Y)
    own = bpfast.Trace(list(trace.z), list(trace.a))
    network(seed=1).backprop(own, Y)


def test_a_curvature_keeps_its_own_copy():
    trace = NET.trace(X)
    matrix = NET.curvature(trace, Y)
    expected = matrix @ P
    for array in (*trace.z, *trace.a):
        array[:] = np.nan
    np.testing.assert_array_equal(matrix @ P, expected)


REFUSING = {
    "forward": NET.forward,
    "trace": NET.trace,
    "fit": lambda t: network().fit(t, Y, epochs=1),
    "validation": lambda t: network().fit(X, Y, epochs=1, validation=(t, Y)),
    "partial_fit": lambda t: network().partial_fit(t, Y),
    "evaluate": lambda t: NET.evaluate(t, Y),
    "taylor": lambda t: NET.taylor(t, np.eye(3)),
    "backprop_taylor": lambda t: NET.backprop_taylor(t, np.eye(3), lambda *values: values),
    "sampling": lambda t: NET.clipped_backprop(t, Y, 1.0, sampling_rate=0.5, seed=0),
    "explain": lambda t: inside.explain(NET, t, Y),
    "demon": lambda t: inside.demon(NET, t, Y, 2, 0),
    "Monitor": lambda t: network().fit(X, Y, epochs=1, callbacks=inside.Monitor(t, Y)),
    "least_squares": lambda t: bpfast.least_squares(network(output="identity"), t, Y),
    "scipy_minimize": lambda t: bpfast.scipy_minimize(network(), t, Y),
    "backprop_touched": lambda t: NET.backprop_touched(t, Y),
    "callable": lambda t: network(cost=lambda a, y: (a[:, 0], a)).cost(t, Y),
    "callable backprop": lambda t: network(cost=lambda a, y: (a[:, 0], a)).backprop(t, Y),
    "function": lambda t: bpfast.forward(NET.weights, NET.biases, t),
}


@pytest.mark.parametrize("call", REFUSING.values(), ids=REFUSING)
def test_calls_that_need_the_examples_say_so(call):
    with pytest.raises(TypeError, match=r"got a Trace.*; its a\[0\] has the examples$") as error:
        call(NET.trace(X))
    assert re.match(r"(validation: )?x: expected ", str(error.value)), str(error.value)


def overlapping(name, flat):
    """x, y, sample_weight and v, of which `name` is a view of `flat`."""
    found = {"x": X[:3], "y": Y[:3], "sample_weight": np.ones(3), "v": P}
    if name == "an array of the Trace":
        trace = NET.trace(X[:3])
        trace.a[-1] = flat[:6].reshape(3, 2)
        return found | {"x": trace}
    shape = found[name].shape
    view = flat[: int(np.prod(shape))].reshape(shape)
    view[:] = 0.5
    return found | {name: view}


@pytest.mark.parametrize("name", ["x", "y", "sample_weight", "v", "an array of the Trace"])
@pytest.mark.parametrize(
    "method",
    [
        "hvp",
        "ggn_vp",
        "empirical_fisher_vp",
        "backprop",
        "clipped_backprop",
        "per_example_gradients",
    ],
)
def test_out_that_overlaps_an_argument_names_it(method, name):
    each = method == "per_example_gradients"
    out = np.zeros((3, P.size)) if each else bpfast.Gradient(NET)
    given = overlapping(name, out.reshape(-1) if each else out.flat)
    if not method.endswith("vp"):
        del given["v"]
    if method == "clipped_backprop":
        del given["sample_weight"]
        given["max_norm"] = 1.0
    if name in given or name == "an array of the Trace":
        expected = "an array that does not overlap the inputs"
        message = f"^out: expected {expected}, got one that overlaps {name}$"
        with pytest.raises(ValueError, match=message):
            getattr(NET, method)(**given, out=out)


def test_out_that_overlaps_the_errors():
    out = bpfast.Gradient(NET)
    errors = NET.errors(X[:3], Y[:3])
    errors[1] = out.flat[:6].reshape(3, 2)
    with pytest.raises(ValueError, match=r"got one that overlaps errors$"):
        NET.hvp(X[:3], Y[:3], P, errors=errors, out=out)


def test_one_dimensional_v_for_one_output():
    net = bpfast.Network([3, 1], seed=0)
    message = r"^v: expected shape \(n, 1\), got \(9,\); v\[:, None\] has the shape \(9, 1\)$"
    with pytest.raises(ValueError, match=message):
        net.vjp(X, np.ones(9))
