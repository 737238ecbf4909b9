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


def test_lists_of_the_caller_stay():
    nets, (x, _) = networks(), batches("each")
    ys = [Y[: len(part), 0] for part in x]  # one axis, which is converted
    given = [list(x), list(ys), [None] * 6]
    bpfast.backprop_many(nets, given[0], given[1], out=given[2])
    for before, after in zip((x, ys, [None] * 6), given, strict=True):
        assert all(a is b for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_few_large_networks(threads):
    """More threads than networks: each uses all of them."""
    nets = [bpfast.Network([4, 300, 300, 1], seed=k, dtype=d) for k, d in enumerate(("f4", "f8"))]
    x = RNG.standard_normal((2000, 4))
    y = RNG.random((2000, 1))
    with bpfast.num_threads(threads):
        outputs, gradients = bpfast.forward_many(nets, x), bpfast.backprop_many(nets, x, y)
    for net, a, g in zip(nets, outputs, gradients, strict=True):
        assert a.tobytes() == net(x).tobytes()
        other = net.backprop(x, y)
        assert (g.cost, g.flat.tobytes()) == (other.cost, other.flat.tobytes())


@pytest.mark.parametrize("place", [0, 1])
def test_a_gradient_that_overlaps_an_input_of_a_network_with_its_own_cost(place):
    """Networks with callable costs follow the others, when `out` of these is written already."""
    nets = [networks(1)[0], bpfast.Network([4, 3, 1], cost=own_cost, seed=9)]
    gradients = [bpfast.Gradient(net) for net in nets]
    memory = gradients[1 - place].flat
    inputs: dict[str, Any] = {
        "x": memory[:12].reshape(3, 4), "y": memory[:3, None], "sample_weight": memory[:3],
    }  # fmt: skip
    for name, array in inputs.items():
        given: dict[str, Any] = {
            "x": [np.ones((3, 4))] * 2, "y": [np.ones((3, 1))] * 2, "sample_weight": [None] * 2,
        }  # fmt: skip
        given[name][place] = array
        with pytest.raises(ValueError, match=r"overlap|no other call uses"):
            bpfast.backprop_many(nets, **given, out=gradients)


NETS = networks()
OWN = bpfast.Network([4, 3, 1], cost=own_cost, seed=9)
OUTS = [np.empty((50, 1), net.dtype) for net in NETS]
ONE: Any = OUTS[0]
GRADIENTS = [bpfast.Gradient(net) for net in NETS]
WRONG = [
    (
        lambda: bpfast.backprop_many(NETS, X, None),
        TypeError,
        r"nets\[0\]: y: expected real numbers, got NoneType",
    ),
    (
        lambda: bpfast.backprop_many(NETS, X, [[1.0], [2.0, 3.0]] * 25),
        ValueError,
        r"nets\[0\]: y: expected an array, got a list whose entries, of list, have .*",
    ),
    (
        lambda: bpfast.backprop_many(NETS, X, np.ma.array(np.ones((50, 1)), mask=True)),
        ValueError,
        r"nets\[0\]: y: expected no missing values, got 50 masked; .*",
    ),
    (
        lambda: bpfast.forward_many([], X),
        ValueError,
        "nets: expected one network or more, got none",
    ),
    (
        lambda: bpfast.forward_many(NETS[0], X),
        TypeError,
        "nets: expected a list of networks, got Network",
    ),
    (
        lambda: bpfast.forward_many([*NETS, NETS[0]], X),
        ValueError,
        r"nets\[6\]: expected each network once, got nets\[0\] again",
    ),
    (
        lambda: bpfast.forward_many(NETS, X[:, :3]),
        ValueError,
        r"nets\[0\]: x: expected shape \(50, 4\), got \(50, 3\)",
    ),
    (
        lambda: bpfast.forward_many(NETS, [*[X] * 4, X[:, :3], X]),
        ValueError,
        r"nets\[4\]: x: expected shape \(50, 4\), got \(50, 3\)",
    ),
    (
        lambda: bpfast.forward_many(NETS, [X, X]),
        ValueError,
        "x: expected one batch, or a list of 6, one for each network, got a list of 2",
    ),
    (
        lambda: bpfast.forward_many(NETS, X, out=[ONE]),
        ValueError,
        "out: expected 6, one for each network, got 1",
    ),
    (
        lambda: bpfast.forward_many(NETS, X, out=[*OUTS[:3], OUTS[3][:49], *OUTS[4:]]),
        ValueError,
        r"nets\[3\]: out: expected shape \(50, 1\), got \(49, 1\)",
    ),
    (
        lambda: bpfast.forward_many(NETS, X, out=[*OUTS[:5], 3]),  # type: ignore[list-item]
        TypeError,
        r"nets\[5\]: out: expected a NumPy array, got int",
    ),
    (
        lambda: bpfast.forward_many(NETS[:3], X, out=[ONE, OUTS[1], ONE]),
        ValueError,
        r"out\[2\]: expected each once, got out\[0\] again",
    ),
    (
        lambda: bpfast.forward_many(NETS[:3], X, out=[ONE, OUTS[1], ONE[:]]),
        ValueError,
        r"nets\[2\]: out: expected an array that no other call uses, got one in use",
    ),
    (
        lambda: bpfast.forward_many(NETS, X[0]),
        ValueError,
        r"nets\[0\]: x: expected 2 dimensions, got shape \(4,\); one example is .*",
    ),
    (
        lambda: bpfast.backprop_many(NETS, X, Y[:3]),
        ValueError,
        r"nets\[0\]: y: expected shape \(50, 1\), got \(3, 1\)",
    ),
    (
        lambda: bpfast.backprop_many([OWN, *NETS], [X] * 7, [*[Y] * 3, Y[:3], *[Y] * 3]),
        ValueError,
        r"nets\[3\]: y: expected shape \(50, 1\), got \(3, 1\)",
    ),
    (
        lambda: bpfast.backprop_many([*NETS, OWN], X, Y, sample_weight=[*[S] * 5, S[:3], S]),
        ValueError,
        r"nets\[5\]: sample_weight: expected shape \(50,\), got \(3,\)",
    ),
    (
        lambda: bpfast.backprop_many([*NETS, OWN], X, Y, sample_weight=[*[S] * 6, S[:3]]),
        ValueError,
        r"nets\[6\]: sample_weight: expected shape \(50,\), got \(3,\)",
    ),
    (
        lambda: bpfast.backprop_many([OWN, *NETS], X, Y, reduction="none"),  # type: ignore[arg-type]
        ValueError,
        "reduction: expected 'mean' or 'sum', got 'none', which cost and errors alone take",
    ),
    (
        lambda: bpfast.backprop_many(NETS, [X] * 6, Y),
        ValueError,
        "y: expected a list of 6, one for each network, as x, got ndarray",
    ),
    (
        lambda: bpfast.backprop_many(NETS[:2], X, Y, out=[GRADIENTS[0], GRADIENTS[0]]),
        ValueError,
        r"out\[1\]: expected each once, got out\[0\] again",
    ),
    (
        lambda: bpfast.backprop_many(NETS[:1], X, Y, out=[ONE]),
        TypeError,
        r"out\[0\]: expected a Gradient, got ndarray",
    ),
    (
        lambda: bpfast.backprop_many(NETS[:2], X, Y, out=[GRADIENTS[0], GRADIENTS[2]]),
        TypeError,
        r"nets\[1\]: out: expected a gradient of dtype float32, got float64",
    ),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_bad_input(case, threads):
    call, kind, message = WRONG[case]
    with bpfast.num_threads(threads), refuses(kind, f"^{message}$"):
        call()
