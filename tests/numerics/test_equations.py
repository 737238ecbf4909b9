"""BP1 to BP4, each by itself: numbers worked by hand, and the reference."""

import numpy as np
import pytest

import bpfast
from tests.helpers.tolerance import close

DTYPES = ["float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_by_hand(dtype):
    # A network 2-2-1 of identity neurons, quadratic cost, two examples.
    #   W² = (1 2; 3 4), b² = (1, −1), W³ = (2 −1), b³ = (3), x = (1, 2) and (0, 1), y = 4 and 9.
    # z² = (1+4+1, 3+8−1) = (6, 10) and (2+1, 4−1) = (3, 3).
    # z³ = 12−10+3 = 5 and 6−3+3 = 6. a − y = 1 and −3, C = (½·1 + ½·9) / 2 = 2.5.
    # BP1: δ³ = (1/2, −3/2). BP2: δ² = δ³ W³ = (1, −1/2) and (−3, 3/2).
    # BP3: ∂C/∂b³ = −1, ∂C/∂b² = (−2, 1). BP4: ∂C/∂W³ = (6·½ − 3·3/2, 10·½ − 3·3/2) = (−1.5, 0.5),
    # ∂C/∂W² = (1·1 + (−3)·0, 1·2 + (−3)·1; −½·1 + 3/2·0, −½·2 + 3/2·1) = (1, −1; −½, ½).
    w2, b2 = np.array([[1, 2], [3, 4]], dtype), np.array([1, -1], dtype)
    w3, b3 = np.array([[2, -1]], dtype), np.array([3], dtype)
    x, y = np.array([[1, 2], [0, 1]], dtype), np.array([[4], [9]], dtype)
    z2, z3 = np.array([[6, 10], [3, 3]], dtype), np.array([[5], [6]], dtype)

    same = np.testing.assert_array_equal
    delta3 = bpfast.bp1(z3, y, output="identity")
    same(delta3, [[0.5], [-1.5]])
    delta2 = bpfast.bp2(delta3, w3, z2, activation="identity")
    same(delta2, [[1, -0.5], [-3, 1.5]])
    same(bpfast.bp3(delta3), [-1])
    same(bpfast.bp3(delta2), [-2, 1])
    same(bpfast.bp4(delta3, z2), [[-1.5, 0.5]])
    same(bpfast.bp4(delta2, x), [[1, -1], [-0.5, 0.5]])

    cost, nabla_w, nabla_b = bpfast.backprop(
        [w2, w3], [b2, b3], x, y, hidden="identity", output="identity"
    )
    assert cost == 2.5
    same(nabla_w[0], [[1, -1], [-0.5, 0.5]])
    same(nabla_w[1], [[-1.5, 0.5]])
    same(nabla_b[0], [-2, 1])
    same(nabla_b[1], [-1])
    assert {array.dtype.name for array in [delta3, delta2, *nabla_w, *nabla_b]} == {dtype}


def test_by_hand_sigmoid():
    # One neuron at z = ln 3: a = 3/4, σ' = 3/16. With y = 1/2: quadratic C = 1/32, δ = 3/64;
    # cross-entropy δ = 1/4, C = −½ ln(3/4) − ½ ln(1/4) = ½ ln(16/3).
    z, y = [[np.log(3)]], [[0.5]]
    assert bpfast.bp1(z, y)[0, 0] == pytest.approx(3 / 64, rel=1e-15)
    assert bpfast.bp1(z, y, cost="cross_entropy")[0, 0] == pytest.approx(1 / 4, rel=1e-15)
    one, zero = [[[1.0]]], [[0.0]]
    assert bpfast.cost(one, zero, z, y) == pytest.approx(1 / 32, rel=1e-15)
    entropy = bpfast.cost(one, zero, z, y, cost="cross_entropy")
    assert entropy == pytest.approx(np.log(16 / 3) / 2, rel=1e-15)


def test_by_hand_softmax():
    # z = (ln 1, ln 2, ln 5): a = (1, 2, 5)/8. Label 2: C = ln(8/5), δ = a − y = (1, 2, −3)/8.
    z = np.log([[1.0, 2.0, 5.0]])
    delta = bpfast.bp1(z, [2], output="softmax", cost="log_likelihood")
    np.testing.assert_allclose(delta, [[1 / 8, 2 / 8, -3 / 8]], rtol=1e-14)
    # Quadratic with y = (0, 0, 1): g = a − y = (1, 2, −3)/8, Σ a g = (1 + 4 − 15)/64 = −10/64,
    # δ_j = a_j (g_j − Σ a g) = (1·18, 2·26, 5·(−14)) / 512.
    delta = bpfast.bp1(z, [[0, 0, 1]], output="softmax")
    np.testing.assert_allclose(delta, np.array([[18, 52, -70]]) / 512, rtol=1e-14)


def test_the_weights_of_examples_are_in_bp1():
    z, y = np.zeros((3, 1)), np.ones((3, 1))
    plain = bpfast.bp1(z, y, output="identity", reduction="sum")
    np.testing.assert_array_equal(plain, [[-1], [-1], [-1]])
    weighted = bpfast.bp1(z, y, output="identity", sample_weight=[1, 0, 3])
    np.testing.assert_array_equal(weighted, [[-0.25], [0], [-0.75]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", [a for a in bpfast.ACTIVATIONS if a != "softmax"])
def test_bp2_is_the_references(activation, dtype):
    rng = np.random.default_rng(1)
    delta, w = rng.standard_normal((7, 5)).astype(dtype), rng.standard_normal((5, 9)).astype(dtype)
    z = rng.standard_normal((7, 9)).astype(dtype)
    got = bpfast.bp2(delta, w, z, activation=activation)
    assert close(got, bpfast.reference.bp2(delta, w, z, activation=activation), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bp3_and_bp4_are_the_references(dtype):
    rng = np.random.default_rng(2)
    delta, a = (
        rng.standard_normal((40, 6)).astype(dtype),
        rng.standard_normal((40, 3)).astype(dtype),
    )
    assert close(bpfast.bp3(delta), bpfast.reference.bp3(delta), dtype)
    assert close(bpfast.bp4(delta, a), bpfast.reference.bp4(delta, a), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_equations_chained_are_backprop(dtype):
    rng = np.random.default_rng(3)
    net = bpfast.Network([6, 5, 4, 3], hidden=["relu", "silu"], dtype=dtype, seed=rng)
    x, y = rng.standard_normal((8, 6)).astype(dtype), rng.uniform(size=(8, 3)).astype(dtype)
    t, g, deltas = net.trace(x), net.backprop(x, y), net.errors(x, y)
    delta = bpfast.bp1(t.z[-1], y)
    for k in (2, 1, 0):
        assert close(delta, deltas[k], dtype)
        assert close(bpfast.bp3(delta), g.biases[k], dtype)
        assert close(bpfast.bp4(delta, t.a[k]), g.weights[k], dtype)
        if k:
            activation = net.config["hidden"][k - 1]
            delta = bpfast.bp2(delta, net.weights[k], t.z[k - 1], activation=activation)


@pytest.mark.parametrize("dtype", DTYPES)
def test_out_is_where_the_result_goes(dtype):
    delta, a = np.ones((2, 3), dtype), np.full((2, 4), 2, dtype)
    z, w, y = np.zeros((2, 4), dtype), np.ones((3, 4), dtype), np.ones((2, 4), dtype)
    for call, shape in [
        (lambda out: bpfast.bp1(z, y, out=out), (2, 4)),
        (lambda out: bpfast.bp2(delta, w, z, out=out), (2, 4)),
        (lambda out: bpfast.bp3(delta, out=out), (3,)),
        (lambda out: bpfast.bp4(delta, a, out=out), (3, 4)),
    ]:
        out = np.full(shape, np.nan, dtype)
        assert call(out) is out
        np.testing.assert_array_equal(out, call(None))
