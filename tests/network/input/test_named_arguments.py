"""Errors name the argument also where a function hands it on to NumPy or to Python itself."""

import numpy as np
import pytest

import bpfast

X, Y = np.ones((6, 3)), np.ones((6, 2))
RAGGED = [[1, 2], [3]]


def network():
    return bpfast.Network([3, 2], output="identity", seed=0)


@pytest.mark.parametrize("bound", ["a", np.ones(3), 0.5])
@pytest.mark.parametrize("argument", ["start", "stop"])
def test_index_of_views(argument, bound):
    weights = network().weights
    bounds = (bound,) if argument == "start" else (0, bound)
    with pytest.raises(TypeError, match=f"^{argument}: expected an integer, got "):
        weights.index(weights[0], *bounds)
    assert weights.index(weights[0], np.int8(-1), 10**30) == 0


def test_callback_of_least_squares():
    net = network()
    before = net.params.copy()
    with pytest.raises(TypeError, match=r"^callback: expected a callable, got int$"):
        bpfast.least_squares(net, X, Y, callback=3)
    assert net.params.tobytes() == before.tobytes()


@pytest.mark.parametrize("y", [Y[:5], np.ones(17), [1], 3.0, Y[..., np.newaxis]])
def test_targets_of_cross_validate(y):
    with pytest.raises(ValueError, match=r"^y: expected 6 rows, one per row of x, got shape "):
        bpfast.cross_validate(network(), X, y, 3, epochs=1, learning_rate=0.1)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("argument", ["y", "sample_weight"])
def test_ragged_lists_of_curvature(argument, traced):
    net = network()
    x = net.trace(X) if traced else X
    arguments = {"y": Y} | {argument: RAGGED}
    with pytest.raises(ValueError, match=rf"^{argument}: "):
        net.curvature(x, **arguments)


def test_numbers_beyond_float64_of_the_reference():
    given = [[[1.0, 2, 3]]], [[0.0]], [[1.0, 2, 3]], [[1.0]]
    with pytest.raises(ValueError, match=r"^max_norm: expected a number that float64 can"):
        bpfast.reference.clipped_backprop(*given, 10**400)


@pytest.mark.parametrize("argument", ["weights", "biases"])
def test_parameters_without_axes_of_the_reference(argument):
    given = {"weights": [[[1.0, 2, 3]]], "biases": [[0.0]]} | {argument: np.array(3)}
    for function in bpfast.reference.empirical_fisher_vp, bpfast.reference.hvp:
        with pytest.raises(TypeError, match=rf"^{argument}: expected a sequence of arrays, got nd"):
            function(*given.values(), [[1.0, 2, 3]], [[1.0]], [[[1.0, 2, 3]]], [[0.0]])
