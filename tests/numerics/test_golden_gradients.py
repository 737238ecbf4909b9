"""C and gradients of every activation and cost are those that PyTorch's autograd gave."""

import numpy as np
import pytest

import bpfast
from bpfast import reference
from tests.golden import TORCH, floats
from tests.helpers.cases import small_networks
from tests.helpers.tolerance import close

GRADIENTS = TORCH["gradients"]


def ours(module, kind, dtype):
    hidden, output, cost = kind
    weights, biases = small_networks.parameters()
    x, y, share = small_networks.batch(cost)
    if module is bpfast:
        weights, biases = ([part.astype(dtype) for part in parts] for parts in (weights, biases))
    names = {"hidden": hidden, "output": output, "cost": cost}
    c, of_weights, of_biases = module.backprop(weights, biases, x, y, sample_weight=share, **names)
    return c, np.concatenate([np.ravel(part) for part in (*of_weights, *of_biases)])


def test_every_activation_and_cost_is_tested():
    assert set(GRADIENTS) == {" ".join(kind) for kind in small_networks.KINDS}
    hidden, outputs, costs = (set(names) for names in zip(*small_networks.KINDS, strict=True))
    with_parameter = set(small_networks.WITH_PARAMETER)
    assert hidden == with_parameter.union(bpfast.ACTIVATIONS) - {"softmax"}
    assert outputs == set(bpfast.ACTIVATIONS)
    assert costs == set(bpfast.COSTS)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", small_networks.KINDS, ids=" ".join)
def test_gradients(kind, dtype):
    cost, gradient = ours(bpfast, kind, dtype)
    expected = floats(GRADIENTS[" ".join(kind)])
    assert close(cost, expected[0], dtype)
    assert close(gradient, expected[1:], dtype)


@pytest.mark.parametrize("kind", small_networks.KINDS, ids=" ".join)
def test_gradients_of_the_reference(kind):
    cost, gradient = ours(reference, kind, None)
    expected = floats(GRADIENTS[" ".join(kind)])
    assert close(cost, expected[0], "float64")
    assert close(gradient, expected[1:], "float64")
