"""Activations with a parameter, by every way that a name goes in and comes out."""

import copy
import pickle

import numpy as np
import pytest

import bpfast
from tests.helpers.tolerance import close

CANONICAL = [
    ("leaky_relu(0.2)", "leaky_relu(0.2)"),
    ("leaky_relu(slope=0.2)", "leaky_relu(0.2)"),
    ("leaky_relu ( slope = .2 )", "leaky_relu(0.2)"),
    ("leaky_relu(0.01)", "leaky_relu"),
    ("leaky_relu(slope=1e-2)", "leaky_relu"),
    ("elu(1)", "elu"),
    ("elu(alpha=1.0)", "elu"),
    ("elu(3)", "elu(3.0)"),
    ("elu(1e-05)", "elu(1e-05)"),
    ("elu(123456789012345678)", "elu(1.2345678901234568e+17)"),
    ("elu(0.1234567890123456)", "elu(0.1234567890123456)"),
]
X, Y = np.array([[0.3, -2.0], [-1.5, 0.8]]), np.array([[0.2], [0.7]])


@pytest.mark.parametrize(("given", "canonical"), CANONICAL)
def test_names_as_they_come_back(given, canonical, tmp_path):
    net = bpfast.Network([2, 3, 1], hidden=given, output=given, seed=0)
    made = bpfast.Network.from_parameters(net.weights, net.biases, hidden=[given], output=given)
    net.save(path := tmp_path / "net.safetensors")
    others = [
        made, copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net)),
        net.astype("float32"), bpfast.Network(**net.config), bpfast.load(path),
    ]  # fmt: skip
    for other in [net, *others]:
        assert other.config["hidden"] == [canonical]
        assert other.config["output"] == canonical
        assert [layer.activation for layer in other.layers] == [canonical] * 2
        assert f"hidden {canonical}, output {canonical}," in repr(other)
        assert canonical in str(other.layers[0])
    np.testing.assert_array_equal(others[-1].forward(X), net.forward(X))


@pytest.mark.parametrize("name", ["leaky_relu(slope=0.3)", "leaky_relu(1.5)", "elu(alpha=0.5)"])
def test_every_way_to_compute_it(name):
    """Functions, methods and the reference agree, with the parameter in each."""
    net = bpfast.Network([2, 3, 1], hidden=name, output=name, seed=1)
    gradient = net.backprop(X, Y)
    parts, kinds = (net.weights, net.biases, X, Y), {"hidden": name, "output": name}
    for module in (bpfast, bpfast.reference):
        c, nabla_w, nabla_b = module.backprop(*parts, **kinds)
        assert c == pytest.approx(gradient.cost, rel=1e-14)
        for k in range(2):
            assert close(gradient.weights[k], nabla_w[k], "float64")
            assert close(gradient.biases[k], nabla_b[k], "float64")
    plain = bpfast.Network([2, 3, 1], hidden=name.partition("(")[0], output=name, seed=1)
    assert plain.cost(X, Y) != gradient.cost


def test_formulas():
    z = np.array([[-2.0, -0.5, 0.0, 0.5]])
    one = np.ones((1, 1))
    for name, a, slopes in [
        ("leaky_relu(0.25)", [-0.5, -0.125, 0, 0.5], [0.25, 0.25, 0.25, 1]),
        ("leaky_relu(4)", [-8, -2, 0, 0.5], [4, 4, 4, 1]),
        ("elu(0.5)", [0.5 * np.expm1(-2), 0.5 * np.expm1(-0.5), 0, 0.5],
         [0.5 * np.exp(-2), 0.5 * np.exp(-0.5), 0.5, 1]),
    ]:  # fmt: skip
        net = bpfast.Network.from_parameters([np.eye(4)], [np.zeros(4)], output=name)
        np.testing.assert_allclose(net.forward(z)[0], a, rtol=1e-15)
        got = bpfast.bp2(one, np.ones((1, 4)), z, activation=name)[0]
        np.testing.assert_allclose(got, slopes, rtol=4e-16)


def test_an_older_file_names_no_parameter(tmp_path):
    """The default is saved without a parameter, as it always was."""
    net = bpfast.Network([2, 3, 1], hidden="leaky_relu(0.01)", output="elu(1)", seed=0)
    net.save(tmp_path / "net.safetensors")
    text = (tmp_path / "net.safetensors").read_bytes()
    assert b'\\"hidden\\":[\\"leaky_relu\\"],\\"output\\":\\"elu\\"' in text
