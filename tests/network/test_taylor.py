"""Derivatives by x along directions, and the gradient of a cost of them."""

import numpy as np
import pytest

import bpfast
from bpfast import reference
from tests.helpers.tolerance import RELATIVE, close

SMOOTH = ["identity", "sigmoid", "tanh", "gelu", "silu", "softplus"]
PAIRS = [(hidden, output) for hidden in SMOOTH for output in SMOOTH]
PAIRS += [("gelu_tanh", "mish"), ("mish", "sin"), ("sin", "gelu_tanh"), ("mish", "mish")]
SIZES = [3, 6, 5, 2]


def cost(taylor):
    """C_x = Σ a² + Σ_v (Σ ȧ³ + Σ sin ä) and its derivatives, for arrays or nested lists."""
    a, da = np.asarray(taylor.value), np.asarray(taylor.first)
    c, nabla = (a**2).sum(axis=1) + (da**3).sum(axis=(0, 2)), [2 * a, 3 * da**2]
    if taylor.second is not None:
        dda = np.asarray(taylor.second)
        c, nabla = c + np.sin(dda).sum(axis=(0, 2)), [*nabla, np.cos(dda)]
    return c, nabla


def network(hidden="tanh", output="identity", dtype="float64", sizes=SIZES):
    rng = np.random.default_rng(4)
    net = bpfast.Network(sizes, hidden=hidden, output=output, dtype=dtype, init="xavier", seed=rng)
    for b in net.biases:
        b[:] = 0.3 * rng.standard_normal(b.shape)
    return net


def data(n, k=2, each=False, dtype="float64", width=SIZES[0]):
    rng = np.random.default_rng(n)
    shape = (k, n, width) if each else (k, width)
    return rng.normal(size=(n, width)).astype(dtype), rng.normal(size=shape).astype(dtype)


def functions(net):
    return (net.weights, net.biases), {k: net.config[k] for k in ("hidden", "output")}


def flat(nabla_w, nabla_b):
    parts = zip(nabla_w, nabla_b, strict=True)
    return np.concatenate([np.ravel(part) for pair in parts for part in pair])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("hidden", "output"), PAIRS)
def test_parity_with_the_reference(hidden, output, order, each, dtype):
    net = network(hidden, output, dtype)
    x, v = data(4, each=each, dtype=dtype)
    parts, names = functions(net)
    got = net.taylor(x, v, order)
    expected = reference.taylor(*parts, x, v, order=order, **names)
    # z keeps the rounding of terms of order 1, which σ'' and σ''' pass on.
    scale = float(np.sqrt(got.first.size))
    assert close(got.value, expected.value, dtype, scale=scale)
    assert close(got.first, expected.first, dtype, scale=scale)
    if order == 1:
        assert got.second is None
        assert expected.second is None
    else:
        assert close(got.second, expected.second, dtype, scale=scale)
    how = {"sample_weight": [1, 0, 2, 0.5], "reduction": "sum" if each else "mean", "order": order}
    g = net.backprop_taylor(x, v, cost, **how)
    c, *nabla = reference.backprop_taylor(*parts, x, v, cost, **how, **names)
    assert g.cost == pytest.approx(c, rel=RELATIVE[dtype], abs=RELATIVE[dtype])
    mine = flat(g.weights, g.biases)
    assert close(mine, flat(*nabla), dtype, scale=10.0)


# Few examples are summed in blocks, many in groups of chunks; wide layers divide otherwise.
SHAPES = [
    ([1, 1], 1),
    ([1, 8, 1], 3),
    ([2, 50, 50, 1], 700),
    ([5, 7, 9, 3], 600),
    ([3, 400, 350, 2], 40),
    ([20, 4, 1], 130),
]


@pytest.mark.parametrize(("sizes", "n"), SHAPES, ids=str)
@pytest.mark.parametrize("each", [False, True])
def test_finite_differences(sizes, n, each):
    """Central differences of step h err by h² and by rounding / h², some 1e-8 and 1e-6 here."""
    net = network("silu", "tanh", sizes=sizes)
    x, v = data(n, each=each, width=sizes[0])
    v /= np.sqrt(sizes[0])
    got, h = net.taylor(x, v), 1e-4
    assert np.array_equal(got.value, net(x))
    for first, second, along in zip(got.first, got.second, v, strict=True):
        before, after = net(x - h * along), net(x + h * along)
        assert np.allclose(first, (after - before) / (2 * h), rtol=1e-6, atol=1e-7)
        assert np.allclose(second, (after - 2 * got.value + before) / h**2, rtol=1e-4, atol=1e-5)
    g = net.backprop_taylor(x, v, cost)
    start, step = net.params.copy(), np.random.default_rng(1).normal(size=net.params.shape)
    step /= np.linalg.norm(step)
    costs = []
    for sign in (-1, 1):
        net.params[:] = start + sign * h * step
        costs.append(cost(net.taylor(x, v))[0].mean())
    assert g.flat @ step == pytest.approx((costs[1] - costs[0]) / (2 * h), rel=1e-5, abs=1e-7)


def test_mixed_derivatives():
    """By polarisation, of u = tanh(w · x): ∂²u/∂x_0∂x_1 = w_0 w_1 tanh''."""
    net = bpfast.Network.from_parameters([[[0.5, -1.5]]], [[0.2]], output="tanh")
    x = np.array([[0.3, 0.1]])
    along = net.taylor(x, [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).second
    a = net(x)
    wanted = 0.5 * -1.5 * -2 * a * (1 - a**2)
    assert (along[2] - along[0] - along[1]) / 2 == pytest.approx(wanted, rel=1e-12)


def test_the_first_derivative_is_the_jvp():
    net, (x, v) = network(), data(300, k=1)
    _, along = net.jvp(x, dx=np.broadcast_to(v[0], x.shape))
    assert net.taylor(x, v, 1).first[0].tobytes() == along.tobytes()


def test_forms_of_directions():
    net, (x, v) = network(), data(40)
    expected = net.taylor(x, v)
    each = np.repeat(v[:, None], len(x), axis=1)
    for form in (
        v.tolist(), tuple(v), list(v), np.asfortranarray(v), np.repeat(v, 2, axis=1)[:, ::2], each,
        list(each), [v[0], each[1]], [each[0], v[1].tolist()],
    ):  # fmt: skip
        for got, wanted in zip(net.taylor(x, form), expected, strict=True):
            assert got.tobytes() == wanted.tobytes()
    for got, wanted in zip(net.taylor(x, v[1]), expected, strict=True):
        assert got[-1].tobytes() == wanted[-1].tobytes()
    ints = net.taylor(x, np.eye(3, dtype=int))
    assert ints.second.tobytes() == net.taylor(x, np.eye(3)).second.tobytes()


@pytest.mark.parametrize(("sizes", "n"), SHAPES, ids=str)
def test_directions_of_all_examples_are_those_of_each(sizes, n):
    net = network(sizes=sizes)
    x, v = data(n, k=1, width=sizes[0])
    each = np.repeat(v[:, None], n, axis=1)
    shared, repeated = (net.backprop_taylor(x, along, cost).flat for along in (v, each))
    assert shared.tobytes() == repeated.tobytes()


def test_none_is_zero():
    net, (x, v) = network("gelu", "softplus"), data(700)

    def only(part, none):
        def spare(taylor):
            zeros = [None if none else np.zeros_like(array) for array in taylor]
            zeros[part] = np.ones_like(taylor[part])
            return taylor[part].sum(axis=(0, 2) if part else 1), zeros

        return net.backprop_taylor(x, v, spare).flat

    for part in range(3):
        assert only(part, True).tobytes() == only(part, False).tobytes()


def test_a_cost_of_the_value_alone_is_backprop():
    """To the rounding of the sums: the examples are added in other groups."""
    net, (x, v) = network(), data(1000)
    y = np.random.default_rng(0).normal(size=(len(x), 2))

    def quadratic(taylor):
        r = taylor.value - y
        return (r**2).sum(axis=1) / 2, (r, None, None)

    wanted = net.backprop(x, y)
    got = net.backprop_taylor(x, v, quadratic)
    assert close(got.flat, wanted.flat, "float64", scale=1.0)
    assert got.cost == pytest.approx(wanted.cost, rel=1e-12)


@pytest.mark.parametrize("form", ["csr", "csc"])
@pytest.mark.parametrize("n", [30, 800])
def test_sparse_x(form, n):
    sparse = pytest.importorskip("scipy.sparse")
    x, v = data(n)
    x[np.random.default_rng(0).random(x.shape) < 0.6] = 0
    net, rows = network(), getattr(sparse, f"{form}_array")(x)
    for got, wanted in zip(net.taylor(rows, v), net.taylor(x, v), strict=True):
        assert close(got, wanted, "float64")
    got, wanted = (net.backprop_taylor(given, v, cost).flat for given in (rows, x))
    assert close(got, wanted, "float64")


def test_out():
    net, (x, v) = network(), data(50)
    out = bpfast.Gradient(net)
    expected = net.backprop_taylor(x, v, cost)
    assert net.backprop_taylor(x, v, cost, out=out) is out
    assert (out.flat.tobytes(), out.cost) == (expected.flat.tobytes(), expected.cost)


def test_inputs_are_not_changed_and_may_be_of_any_layout():
    net, (x, v) = network(), data(600, each=True)
    expected = net.backprop_taylor(x, v, cost).flat.tobytes()
    copies = x.copy(), v.copy()
    for array in (x, v):
        array.flags.writeable = False
    for change in (np.asfortranarray, lambda a: a.astype(">f8"), lambda a: a[..., ::-1][..., ::-1]):
        assert net.backprop_taylor(change(x), change(v), cost).flat.tobytes() == expected
    assert np.array_equal(x, copies[0])
    assert np.array_equal(v, copies[1])
