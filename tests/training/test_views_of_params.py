"""Examples that are views of the parameters: a training would change them while it reads them."""

import re

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

X, Y = np.ones((5, 4)), np.ones((5, 3))
OVERLAP = "expected an array that does not overlap params, got one that shares memory with it$"
DISTRIBUTED = bpfast.distributed.fit
# What is called with x and y, of which one is a view, and how its error begins.
CALLS = {
    "fit": (lambda net, x, y: net.fit(x, y, epochs=1), ""),
    "partial_fit": (lambda net, x, y: net.partial_fit(x, y), ""),
    "fit, validation": (lambda net, x, y: net.fit(X, Y, validation=(x, y)), "validation: "),
    "batches, validation": (
        lambda net, x, y: net.fit([(X, Y)], validation=(x, y), epochs=1),
        "validation: ",
    ),
    "fit_many": (lambda net, x, y: bpfast.fit_many([net.copy(), net], x, y), r"nets\[1\]: "),
    "fit_many, validation": (
        lambda net, x, y: bpfast.fit_many([net], X, Y, validation=(x, y)),
        r"nets\[0\]: validation: ",
    ),
    "steps": (DISTRIBUTED, ""),
    "full": (lambda net, x, y: DISTRIBUTED(net, x, y, method="full"), ""),
    "a list": (lambda net, x, y: DISTRIBUTED(net, [(X, Y), (x, y)]), "shard 1: "),
    "distributed, validation": (
        lambda net, x, y: DISTRIBUTED(net, X, Y, validation=(x, y)),
        "validation: ",
    ),
    "least_squares": (bpfast.least_squares, ""),
    "scipy_minimize": (bpfast.scipy_minimize, ""),
}


def network():
    return bpfast.Network([4, 5, 3], output="identity", seed=0)


class View:
    """An array-like whose conversion is a view."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


@pytest.mark.parametrize("wrap", [np.asarray, View])
@pytest.mark.parametrize("name", ["x", "y"])
@pytest.mark.parametrize("call", CALLS)
def test_views_are_refused(call, name, wrap):
    if "scipy" in call:
        pytest.importorskip("scipy.optimize")
    net, (act, prefix) = network(), CALLS[call]
    data = {"x": X, "y": Y}
    data[name] = wrap(net.params[: data[name].size].reshape(data[name].shape))
    with refuses(ValueError, f"^{prefix}{name}: {OVERLAP}", net):
        act(net, **data)


@pytest.mark.parametrize("call", [name for name in CALLS if name != "partial_fit"])
def test_views_in_a_sparse_matrix_are_refused(call):
    sparse = pytest.importorskip("scipy.sparse")
    net, (act, prefix) = network(), CALLS[call]
    x = sparse.csr_array(X)
    x.data = net.params[: x.nnz]
    with refuses(ValueError, f"^{prefix}x: {OVERLAP}", net):
        act(net, x, Y)


@pytest.mark.parametrize("wrap", [np.asarray, View])
@pytest.mark.parametrize("name", ["x", "y"])
@pytest.mark.parametrize("options", [{}, {"callbacks": lambda net, history: None}])
def test_views_of_another_network_of_the_call_are_refused(options, name, wrap):
    nets = [network() for _ in range(3)]
    data = {"x": X, "y": Y}
    data[name] = wrap(nets[2].params[: data[name].size].reshape(data[name].shape)[::-1])
    expected = "expected an array that does not overlap params of nets[2], got one that"
    message = f"nets[1]: validation: {name}: {expected} shares memory with it"
    with refuses(ValueError, f"^{re.escape(message)}$", *nets):
        bpfast.fit_many(nets, X, Y, validation=[(X, Y), tuple(data.values()), None], **options)


@pytest.mark.parametrize("minimise", [bpfast.least_squares, bpfast.scipy_minimize])
def test_views_as_weights_are_refused(minimise):
    pytest.importorskip("scipy.optimize")
    net = network()
    net.params[:] = np.abs(net.params)
    with refuses(ValueError, f"^sample_weight: {OVERLAP}", net):
        minimise(net, X, Y, sample_weight=net.params[:5])


def test_copies_and_views_of_other_networks_are_taken():
    net = network()
    other = net.copy()
    for x in (net.params[:20].reshape(5, 4).copy(), other.params[:20].reshape(5, 4)):
        for act, _ in CALLS.values():
            act(net, x, Y)
