"""What is known of an activation by its name: bounds of σ and σ'."""

import numpy as np
import pytest

import bpfast
from bpfast._activations import activation_names, range_of, top_slope

STEP = 1e-4
# A multiple of the step, so that the kinks at -3, 0 and 3 are among them.
Z = np.arange(-400_000, 400_001)[:, np.newaxis] * STEP
NAMES = [
    *(name for name in bpfast.ACTIVATIONS if name != "softmax"),
    "elu(0.5)", "elu(2.5)", "leaky_relu(0.2)", "leaky_relu(1.5)",
]  # fmt: skip


def slopes(name):
    return bpfast.bp2(np.ones((len(Z), 1)), np.ones((1, 1)), Z, activation=name)


@pytest.mark.parametrize("name", NAMES)
def test_the_top_slope(name):
    most = np.abs(slopes(name)).max()
    assert most <= top_slope(name) * (1 + 1e-15)  # rounding of σ'
    # Beside a jump of σ', a step misses |σ''| STEP of the supremum; σ'' is at most 2.5 there.
    assert most >= top_slope(name) - 2.5 * STEP


def test_the_top_slope_of_softmax():
    a = np.linspace(0, 1, 1001)
    assert (a * (1 - a)).max() == top_slope("softmax")


@pytest.mark.parametrize("name", NAMES)
def test_the_range(name):
    net = bpfast.Network.from_parameters([[[1.0]]], [[0.0]], output=name)
    a = net.forward(Z)
    low, high = range_of(net.config["output"])
    assert low <= a.min()
    assert a.max() <= high
    # Infima are rounded to two or three digits.
    assert a.min() <= low + 0.01 or (np.isinf(low) and a.min() <= -0.01 * Z.max())
    assert a.max() >= high - STEP**2 or (np.isinf(high) and a.max() >= 0.9 * Z.max())


def test_the_names_of_a_network():
    net = bpfast.Network([2, 3, 4, 1], hidden=["tanh", "elu(0.5)"], output="identity")
    assert activation_names(net) == ["tanh", "elu(0.5)", "identity"]
