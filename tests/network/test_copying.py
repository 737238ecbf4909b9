"""A network is copied, pickled, compared and shown by what it is."""

import copy
import json
import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

CONFIG: dict[str, Any] = {"hidden": ["tanh", "relu"], "output": "softmax", "cost": "log_likelihood"}
NET = bpfast.Network([3, 4, 5, 2], **CONFIG, dtype="float32", seed=0)
X = np.random.default_rng(0).normal(size=(7, 3))


class Named(bpfast.Network):
    """A subclass that its users put attributes on."""

    kind = "named"


class Rated(bpfast.Network):
    """A subclass that is made from something else."""

    def __new__(cls, rate, width):
        return super().__new__(cls, [3, width, 2], hidden="tanh", seed=0)

    def __init__(self, rate, width):
        self.rate = rate


class Slotted(bpfast.Network):
    __slots__ = ("rate",)


class Cost:
    """A cost with a state of its own."""

    def __init__(self, scale):
        self.scale = scale

    def __call__(self, a, y):
        return self.scale * ((a - y) ** 2).sum(axis=1) / 2, self.scale * (a - y)

    def __eq__(self, other):
        return isinstance(other, Cost) and self.scale == other.scale

    def __hash__(self):
        return hash(self.scale)


def pickled(net, protocol):
    return pickle.loads(pickle.dumps(net, protocol))


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "method": lambda net: net.copy(),
}
for protocol in range(2, 6):
    COPIES[f"pickle {protocol}"] = partial(pickled, protocol=protocol)


@pytest.fixture(params=COPIES)
def copied(request):
    return COPIES[request.param]


def check(twin, net):
    assert type(twin) is type(net)
    assert twin is not net
    assert twin.same_config(net)
    assert twin != net
    assert twin.params.tobytes() == net.params.tobytes()
    assert twin.forward(X).tobytes() == net.forward(X).tobytes()
    before = net.params.copy()
    twin.params += 1
    assert net.params.tobytes() == before.tobytes()


def test_a_copy_is_equal_and_independent(copied):
    check(copied(NET), NET)


def test_a_changed_network_is_copied_as_it_is(copied):
    net = bpfast.Network([3, 2], seed=0)
    net.params[:] = [np.nan, np.inf, -0.0, 5e-324, 1, 2, 3, 4]
    net.params.flags.writeable = False
    twin = copied(net)
    assert twin.params.tobytes() == net.params.tobytes()
    assert twin.params.flags.writeable


def test_a_subclass_with_attributes(copied):
    net = Named([3, 2], seed=0)
    net.notes = [1, 2]
    check(copied(net), net)
    assert copied(net).notes == [1, 2]


def test_deepcopy_copies_attributes_and_copy_shares_them():
    net = Named([3, 2], seed=0)
    net.notes = [1, 2]
    net.itself = net
    assert copy.copy(net).notes is net.notes
    twin = copy.deepcopy(net)
    assert twin.notes is not net.notes
    assert twin.itself is twin


def test_a_subclass_with_another_first_argument(copied):
    net = Rated(0.5, width=4)
    check(copied(net), net)
    assert copied(net).rate == 0.5


def test_a_subclass_with_slots(copied):
    net = Slotted([3, 2], seed=0)
    net.rate = 0.5
    check(copied(net), net)
    assert copied(net).rate == 0.5


def test_another_dtype():
    net = Named([3, 4, 2], hidden="relu", cost="huber", seed=0)
    net.notes = [1]
    for dtype in ("f4", np.float32, np.dtype("float32")):
        other = net.astype(dtype)
        assert (type(other), other.dtype, other.notes) == (Named, np.float32, [1])
        np.testing.assert_array_equal(other.params, net.params.astype("f4"))
        assert other.config == net.config | {"dtype": "float32"}
        assert not other.same_config(net)
    same = net.astype("f8")
    check(same, net)


def test_a_callable_cost_is_copied(copied):
    net = bpfast.Network([3, 2], cost=Cost(2.0), seed=0)
    twin = copied(net)
    check(twin, net)
    y = np.zeros((7, 2))
    assert copied(net).backprop(X, y).flat.tobytes() == net.backprop(X, y).flat.tobytes()
    assert net.config["cost"] == Cost(2.0)
    for other in (Cost(3.0), Cost(2.0).__call__, "quadratic"):
        assert not net.same_config(bpfast.Network([3, 2], cost=other, seed=0))


def test_a_cost_that_cannot_be_pickled_says_so():
    net = bpfast.Network([3, 2], cost=lambda a, y: None, seed=0)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(net)
    assert copy.deepcopy(net).same_config(net)


def test_the_configuration_makes_the_network_again():
    config = NET.config
    assert config == CONFIG | {"sizes": [3, 4, 5, 2], "dtype": "float32", "biases": True}
    assert bpfast.Network(**config).same_config(NET)
    assert bpfast.Network(**json.loads(json.dumps(config))).same_config(NET)
    config["hidden"][0] = config["sizes"] = None
    assert NET.config == bpfast.Network(**NET.config).config
    assert NET.config["hidden"] == ["tanh", "relu"]
    for name, value in {"config": {}, "sizes": (1, 2), "dtype": "f8"}.items():
        with pytest.raises(AttributeError):
            setattr(NET, name, value)


def test_the_same_configuration():
    same = bpfast.Network([3, 4, 5, 2], **CONFIG, dtype="float32", seed=1)
    assert same.same_config(NET)
    assert NET.same_config(same)
    assert Named([3, 4, 5, 2], **CONFIG, dtype="float32").same_config(NET)
    for other in (
        bpfast.Network([3, 4, 5, 2], **CONFIG),
        bpfast.Network([3, 4, 4, 2], **CONFIG, dtype="float32"),
        bpfast.Network([3, 4, 5, 2], **CONFIG | {"hidden": "relu"}, dtype="float32"),
        bpfast.Network([3, 4, 5, 2], **CONFIG | {"output": "sigmoid", "cost": "huber"}),
        bpfast.Network([3, 4, 5, 2], **CONFIG | {"cost": "quadratic"}, dtype="float32"),
    ):
        assert not other.same_config(NET)
        assert not NET.same_config(other)
    for other in (None, 3, "net", NET.config, bpfast.Network, bpfast.Gradient(NET)):
        with refuses(TypeError, "^other: expected a Network, got "):
            NET.same_config(other)


def test_repr_tells_what_it_is():
    for part in ("3-4-5-2", "tanh", "relu", "softmax", "log_likelihood", "float32", "53 param"):
        assert part in repr(NET)
    assert repr(bpfast.Network([784, 30, 10])) == (
        "<bpfast.Network 784-30-10: hidden sigmoid, output sigmoid, cost quadratic, float64, "
        "23860 parameters>"
    )
    assert "Named" in repr(Named([3, 2]))
    assert "hidden" not in repr(bpfast.Network([3, 2]))
    assert "Cost object" in repr(bpfast.Network([3, 2], cost=Cost(1)))


def test_from_parameters_of_a_subclass():
    net = Named.from_parameters(NET.weights, NET.biases, **CONFIG)
    assert type(net) is Named
    assert net.params.tobytes() == NET.params.tobytes()
    assert net.same_config(NET)
    doubles = bpfast.Network.from_parameters(NET.weights, NET.biases, **CONFIG, dtype="f8")
    assert doubles.dtype == np.float64
    mixed = bpfast.Network.from_parameters([w.astype("f8") for w in NET.weights], NET.biases)
    assert mixed.dtype == np.float64
    assert not np.shares_memory(mixed.params, net.params)


FLAT = np.zeros(6)
STATES: list[tuple[Any, str, Any]] = [
    (None, "state: expected a pair of {}, got NoneType", None),
    (3, "state: expected a pair of {}, got int", None),
    ((1,), "state: expected a pair of {}, got tuple", None),
    ((1, 2, 3), "state: expected a pair of {}, got tuple", None),
    ((None, 1.0), "flat: expected real numbers, got NoneType", bpfast.Gradient),
    ((FLAT, None), "cost: expected a float, got NoneType", bpfast.Gradient),
    ((FLAT, "1"), "cost: expected a float, got str", bpfast.Gradient),
    ((None, {}), "params: expected real numbers, got NoneType", bpfast.Network),
    ((FLAT, [1]), "attributes: expected a dict, or None, got list", bpfast.Network),
    ((FLAT, (None, 3)), "attributes: expected a dict, or None, got int", bpfast.Network),
    ((FLAT, {1: 2}), "attributes: expected names as keys, got int", bpfast.Network),
]


@pytest.mark.parametrize(("state", "message", "only"), STATES)
def test_an_invalid_state(state, message, only):
    net = bpfast.Network([2, 2], seed=0)
    gradient = net.backprop([[1.0, 2.0]], [[0.0, 1.0]])
    params, flat, cost = net.params.copy(), gradient.flat.copy(), gradient.cost
    parts = {bpfast.Network: "parameters and attributes", bpfast.Gradient: "flat and cost"}
    for made in (net, gradient):
        if only in (None, type(made)):
            with refuses(TypeError, f"^{re.escape(message.format(parts[type(made)]))}$"):
                made.__setstate__(state)
    with refuses(ValueError, r"^flat: expected shape \(6,\), got \(5,\)$"):
        gradient.__setstate__((FLAT[:5], 1.0))
    assert np.array_equal(net.params, params)
    assert np.array_equal(gradient.flat, flat)
    assert gradient.cost == cost
