"""`Network.layers` and `Network.summary`, and the tables that a notebook shows."""

import copy
import pickle
from html.parser import HTMLParser

import numpy as np
import pytest

import bpfast


@pytest.fixture(params=["float32", "float64"])
def net(request):
    sizes, hidden = [5, 4, 3, 2], ["tanh", "relu"]
    return bpfast.Network(sizes, hidden=hidden, output="softmax", dtype=request.param, seed=0)


def test_a_layer_has_the_views_and_sizes_of_the_network(net):
    assert len(net.layers) == 3
    for k, layer in enumerate(net.layers):
        assert layer.weights is net.weights[k]
        assert layer.biases is net.biases[k]
        assert (layer.n_in, layer.n_out) == net.sizes[k : k + 2]
        assert layer.activation == ("tanh", "relu", "softmax")[k]
        assert layer.n_params == layer.weights.size + layer.biases.size
    assert sum(layer.n_params for layer in net.layers) == net.params.size
    assert repr(net.layers[-1]) == "Layer(3 -> 2, softmax, 8 parameters)"


def test_a_network_without_hidden_layers():
    (layer,) = bpfast.Network([3, 1], output="identity").layers
    assert repr(layer) == "Layer(3 -> 1, identity, 4 parameters)"


def test_assignment_writes_to_the_network(net):
    layer, before = net.layers[1], net.params.copy()
    layer.weights -= 1
    layer.biases = [1, 2, 3]
    assert layer.weights is net.weights[1]
    assert net.biases[1].tolist() == [1, 2, 3]
    assert (net.params != before).sum() == layer.n_params
    with pytest.raises(ValueError, match=r"biases\[1\]: expected shape \(3,\)"):
        layer.biases = [1, 2]


@pytest.mark.parametrize("name", ["activation", "n_in", "n_out", "n_params", "other", "_k"])
def test_nothing_else_can_be_set(net, name):
    with pytest.raises(AttributeError, match=f"^{name}: "):
        setattr(net.layers[0], name, 1)
    with pytest.raises(AttributeError):
        delattr(net.layers[0], name)


def test_a_layer_keeps_its_network_alive(net):
    layer = net.layers[0]
    net.params = np.arange(net.params.size)
    np.testing.assert_array_equal(layer.weights, net.weights[0])
    expected = net.weights[0].copy()
    del net
    np.testing.assert_array_equal(layer.weights, expected)


def test_equality_and_copies(net):
    assert net.layers[0] == net.layers[0]
    assert len({*net.layers, *net.layers}) == 3
    assert net.layers[0] != net.layers[1]
    assert net.layers[0] != net.copy().layers[0]
    for action in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"^a Layer is a view of its network: "):
            action(net.layers[0])


def test_the_summary_names_every_layer_and_the_total(net):
    lines = net.summary().splitlines()
    assert lines[0] == f"Network: cost quadratic, {net.dtype}"
    cells = [line.split() for line in lines[1:]]
    assert cells[0] == ["layer", "in", "out", "activation", "parameters"]
    assert cells[2:5] == [
        ["2", "5", "4", "tanh", "24"],
        ["3", "4", "3", "relu", "15"],
        ["4", "3", "2", "softmax", "8"],
    ]
    assert cells[6] == ["total", str(net.params.size)]


def test_a_subclass_and_a_cost_of_its_own_are_named():
    class Own(bpfast.Network):
        pass

    def quartic(a, y):
        return ((a - y) ** 4).sum(axis=1), 4 * (a - y) ** 3

    assert Own([2, 1], cost=quartic).summary().startswith("Own: cost quartic, float64\n")


class Cells(HTMLParser):
    """The text of each cell, row by row; every tag is closed."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def test_the_table_of_a_network(net):
    rows = Cells(net._repr_html_()).rows
    assert rows[1] == ["2", "5", "4", "tanh", "24"]
    assert rows[-1] == ["total", str(net.params.size)]


@pytest.mark.parametrize("epochs", [0, 1, 20, 21, 50])
def test_the_table_of_a_history(epochs):
    history = bpfast.History()
    for k in range(epochs):
        history.append({"cost": k, "seconds": 1, "learning_rate": 0.1, "<i>": float("nan")})
    rows = Cells(history._repr_html_()).rows
    assert rows[0] == [*history.names]
    assert len(rows) - 1 == (epochs if epochs <= 20 else 21)
    if epochs:
        assert rows[-1] == [str(epochs), str(epochs - 1), "1", "0.1", "nan"]
    assert (["…"] * 5 in rows) == (epochs > 20)


def test_the_table_of_a_gradient(net):
    g = net.backprop(np.ones((2, 5)), np.zeros((2, 2)))
    rows = Cells(g._repr_html_()).rows
    assert [row[0] for row in rows[1:]] == ["2", "3", "4"]
    assert rows[1] == [
        "2", "(4, 5)", f"{abs(g.weights[0]).max():.6g}", "(4,)", f"{abs(g.biases[0]).max():.6g}"
    ]  # fmt: skip
