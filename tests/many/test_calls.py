"""`forward_many` and `backprop_many` have the bits of single calls."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X = RNG.standard_normal((50, 4))
Y, S = RNG.random((50, 1)), RNG.random(50)


def own_cost(a, y):
    return ((a - y) ** 2).sum(axis=1), 2 * (a - y)


def networks(count=6):
    kinds = [("tanh", "float64"), ("relu", "float32"), ("gelu", "float64")]
    return [
        bpfast.Network([4, 3 + 5 * k, 1], hidden=kinds[k % 3][0], dtype=kinds[k % 3][1], seed=k)
        for k in range(count)
    ]


def batches(form):
    if form == "shared":
        return X, [X] * 6
    if form == "list":
        return X.tolist(), [X] * 6
    if form == "sparse":
        x = sparse.csr_array(np.where(X > 0, X, 0))
        return x, [x] * 6
    each = [X[: 10 + k] + k for k in range(6)]
    return each, each


@pytest.mark.parametrize("form", ["shared", "list", "sparse", "each"])
@pytest.mark.parametrize("threads", [1, 2, 16])
def test_forward(form, threads):
    nets = networks()
    given, each = batches(form)
    with bpfast.num_threads(threads):
        found = bpfast.forward_many(nets, given)
    for net, x, a in zip(nets, each, found, strict=True):
        assert a.dtype == net.dtype
        assert a.tobytes() == net.forward(x).tobytes()


@pytest.mark.parametrize("form", ["shared", "list", "sparse", "each"])
@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"sample_weight": S}])
@pytest.mark.parametrize("threads", [1, 16])
def test_backprop(form, options, threads):
    nets = [*networks(5), bpfast.Network([4, 3, 1], cost=own_cost, seed=9)]
    given, each = batches(form)
    targets = [Y[: x.shape[0]] for x in each]
    many = dict(options)
    if form == "each" and "sample_weight" in options:
        many["sample_weight"] = [S[: x.shape[0]] for x in each]
    with bpfast.num_threads(threads):
        found = bpfast.backprop_many(nets, given, targets if form == "each" else Y, **many)
    for net, x, y, g in zip(nets, each, targets, found, strict=True):
        single = {k: v[: x.shape[0]] if k == "sample_weight" else v for k, v in options.items()}
        other = net.backprop(x, y, **single)
        assert (g.cost, g.flat.tobytes()) == (other.cost, other.flat.tobytes())


def test_out():
    nets = networks()
    outs = [np.full((50, 1), np.nan, net.dtype) for net in nets]
    found = bpfast.forward_many(nets, X, out=outs)
    assert all(a is out for a, out in zip(found, outs, strict=True))
    assert not np.isnan(outs).any()
    gradients = [bpfast.Gradient(net) for net in nets]
    assert bpfast.backprop_many(nets, X, Y, out=gradients) == gradients
    assert all(g.flat.any() for g in gradients)


def test_y_of_one_axis():
    nets = networks()
    found = bpfast.backprop_many(nets, X, Y[:, 0])
    others = bpfast.backprop_many(nets, X, Y)
    assert [g.flat.tobytes() for g in found] == [g.flat.tobytes() for g in others]


NETS = networks()
SHORT = [np.empty((49, 1), net.dtype) for net in NETS]
ONE: Any = np.empty((50, 1), NETS[0].dtype)
GRADIENT = bpfast.Gradient(NETS[0])
WRONG = [
    (lambda: bpfast.forward_many([], X), ValueError, "nets: expected one network or more"),
    (lambda: bpfast.forward_many(NETS[0], X), TypeError, "nets: expected a list of networks"),
    (lambda: bpfast.forward_many([*NETS, NETS[0]], X), ValueError, r"nets\[6\]: expected each net"),
    (lambda: bpfast.forward_many(NETS, X[:, :3]), ValueError, r"nets\[0\]: x: expected shape \(50"),
    (
        lambda: bpfast.forward_many(NETS, [X, X]),
        ValueError,
        "x: expected one batch, or a list",
    ),
    (lambda: bpfast.forward_many(NETS, X, out=[ONE]), ValueError, "out: expected 6, one for each"),
    (lambda: bpfast.forward_many(NETS, X, out=SHORT), ValueError, "out: expected shape"),
    (lambda: bpfast.forward_many(NETS, X[0]), ValueError, "x: expected 2 dimensions"),
    (lambda: bpfast.backprop_many(NETS, X, Y[:3]), ValueError, "y: expected shape"),
    (
        lambda: bpfast.backprop_many(NETS, [X] * 6, Y),
        ValueError,
        "y: expected a list of 6, one",
    ),
    (
        lambda: bpfast.backprop_many(NETS[:2], X, Y, out=[GRADIENT, GRADIENT]),
        ValueError,
        "out: expected each gradient once, got one again",
    ),
    (
        lambda: bpfast.backprop_many(NETS[:1], X, Y, out=[ONE]),
        TypeError,
        r"out\[0\]: expected a",
    ),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
@pytest.mark.parametrize("threads", [1, 2])
def test_bad_input(case, threads):
    call, kind, message = WRONG[case]
    with bpfast.num_threads(threads), refuses(kind, f"^(nets\\[0\\]: )?{message}"):
        call()
