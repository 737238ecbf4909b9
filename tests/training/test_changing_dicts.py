"""Dicts of the user that user code changes while a call goes through them."""

import copy

import numpy as np
import pytest

import bpfast


class Adding(float):
    """A number that adds an entry to a dict when it is converted."""

    def __new__(cls, value, place, entry):
        self = super().__new__(cls, value)
        self.place, self.entry = place, entry
        return self

    def __float__(self):
        self.place.update(self.entry)
        return float.__float__(self)


def test_class_weights():
    x, y = np.eye(4, 3), [0, 1, 0, 1]
    nets = [bpfast.Network([3, 2], output="softmax", cost="log_likelihood", seed=0) for _ in "ab"]
    weights = {}
    weights |= {0: Adding(2.0, weights, {1: 1.0})}
    nets[0].fit(x, y, epochs=1, seed=0, class_weight=weights)
    nets[1].fit(x, y, epochs=1, seed=0, class_weight={0: 2.0, 1: 1.0})
    assert np.array_equal(nets[0].params, nets[1].params)


def test_rows_and_columns_of_a_history():
    row = {"seconds": 1.0, "learning_rate": 0.1}
    row = {"cost": Adding(0.5, row, {"other": 1.0})} | row
    row["cost"].place = row
    history = bpfast.History()
    history.append(row)
    assert history.names == ("epoch", "cost", "seconds", "learning_rate")

    columns = {"cost": [], "seconds": [1.0], "learning_rate": [0.1]}
    columns["cost"].append(Adding(0.5, columns, {"other": [1.0]}))
    state = {"seed": None, "stopped": None, "columns": columns}
    assert bpfast.History.from_state(state).names == history.names


class Follower(bpfast.Network):
    """A network that writes to another one whenever an attribute of its own is set."""

    leader = None

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if self.leader is not None:
            vars(self.leader)[f"set {len(vars(self.leader))}"] = name


@pytest.mark.parametrize(
    "call", [copy.copy, copy.deepcopy, Follower.copy, lambda net: net.astype("float32")]
)
def test_attributes_of_a_copied_network(call):
    net = Follower([2, 2], seed=0)
    net.first, net.second = 1, 2
    net.leader = net
    copied = call(net)
    assert (copied.first, copied.second) == (1, 2)


class Mask(np.ndarray):
    """An array whose mask is looked for in `vars` of a matrix, and adds to them."""

    @property
    def mask(self):
        self.matrix.found = True
        return np.zeros(self.shape, bool)


def test_arrays_of_a_sparse_matrix():
    sparse = pytest.importorskip("scipy.sparse")
    x = sparse.csr_array(np.eye(3))
    net = bpfast.Network([3, 2], seed=0)
    expected = net(x)
    x.data = x.data.view(Mask)
    x.data.matrix = x
    y = np.ones((3, 2))
    net.fit(x, y, epochs=1, optimizer=bpfast.SGD(1e-300))
    assert np.array_equal(net(x), expected)


class AddingName(str):
    """A name that adds an entry to a dict when it is compared."""

    __slots__ = ("place",)
    __hash__ = str.__hash__
    __eq__ = str.__eq__

    def __ne__(self, other):
        self.place["other"] = 1
        return str.__ne__(self, other)


@pytest.mark.parametrize("module", [bpfast.optimizers, bpfast.schedules])
def test_configs(module):
    config = {"kind": "sgd"} if module is bpfast.optimizers else {"kind": "step", "every": 2}
    name = AddingName("learning_rate" if module is bpfast.optimizers else "rate")
    name.place = config
    config[name] = 0.5
    assert 0.5 in module.from_config(config).config.values()
    assert "other" in config
