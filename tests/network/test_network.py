"""A network's parameters are one vector, and every view of it is that vector."""

import warnings

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import close

SIZES = [3, 4, 2]
X, Y = np.random.default_rng(1).uniform(size=(2, 6, 4))
X, Y = X[:, :3], Y[:, :2]


@pytest.fixture(params=["float32", "float64"])
def net(request):
    return bpfast.Network(SIZES, hidden="tanh", dtype=request.param, seed=0)


def laid_out(weights, biases):
    """The vector that the docs describe: for each layer (W^l)ᵀ row by row, then b^l."""
    parts = [part.ravel() for w, b in zip(weights, biases, strict=True) for part in (w.T, b)]
    return np.concatenate(parts)


def test_the_vector_and_its_views(net):
    assert net.params.shape == (3 * 4 + 4 + 4 * 2 + 2,)
    assert [w.shape for w in net.weights] == [(4, 3), (2, 4)]
    assert [b.shape for b in net.biases] == [(4,), (2,)]
    for view in (net.params, *net.weights, *net.biases):
        assert view.dtype == net.dtype
        assert view.flags.writeable
        assert np.shares_memory(view, net.params)
    np.testing.assert_array_equal(net.params, laid_out(net.weights, net.biases))


def test_it_is_the_same_vector_both_ways(net):
    net.params[:] = np.arange(len(net.params))
    np.testing.assert_array_equal(net.params, laid_out(net.weights, net.biases))
    net.weights[0][1, 2] = -1
    net.biases[1][0] = -2
    assert sorted(net.params)[:2] == [-2, -1]
    np.testing.assert_array_equal(net.params, laid_out(net.weights, net.biases))
    net.params[:] = 0
    assert (net.forward(X) == 0.5).all()
    net.biases[1][:] += 1
    assert (net.forward(X) > 0.7).all()


def test_a_step_changes_the_network(net):
    start, g = net.params.copy(), net.backprop(X, Y)
    params = net.params
    net.params -= 0.5 * g.flat
    np.testing.assert_array_equal(net.params, start - net.dtype.type(0.5) * g.flat)
    assert net.params is params or np.shares_memory(net.params, params)
    assert net.cost(X, Y) < g.cost

    net.params = start
    for k in range(2):
        net.weights[k] -= 0.5 * g.weights[k]
        net.biases[k] -= 0.5 * g.biases[k]
    np.testing.assert_array_equal(net.params, start - net.dtype.type(0.5) * g.flat)


def test_assigning_copies_in(net):
    values = np.arange(len(net.params), dtype=float)
    net.params = values
    values[:] = 0
    assert net.params[-1] == len(net.params) - 1
    net.params = list(range(len(net.params)))
    weights, biases = [w + 1 for w in net.weights], [b.tolist() for b in net.biases]
    net.weights, net.biases = weights, biases
    np.testing.assert_array_equal(net.weights[1], weights[1])
    weights[1][:] = 0
    assert net.weights[1].all()
    net.weights[-1] = np.full((2, 4), 7, dtype=np.int8, order="F")
    net.biases[0] = (1, 2, 3, True)
    weights, biases = [weights[0], np.full((2, 4), 7)], [np.array([1, 2, 3, 1]), net.biases[1]]
    np.testing.assert_array_equal(net.params, laid_out(weights, biases))
    net.params = net.params[::-1]
    net.params = net.params
    net.weights, net.biases = net.weights, net.biases


def test_layers_can_be_exchanged():
    net = bpfast.Network([3, 3, 3], seed=0)
    (w0, w1), (b0, b1) = ([a.copy() for a in views] for views in (net.weights, net.biases))
    net.weights, net.biases = net.weights[::-1], [net.biases[1], net.biases[0]]
    np.testing.assert_array_equal(net.params, laid_out([w1, w0], [b1, b0]))
    net.weights[0] = net.weights[0].T
    np.testing.assert_array_equal(net.weights[0], w1.T)


def test_assigning_is_all_or_nothing(net):
    for wrong in ([np.ones((4, 3)), np.ones((4, 2))], [np.ones((4, 3)), [["a"] * 4] * 2]):
        with refuses(ValueError if isinstance(wrong[1], np.ndarray) else TypeError, "", net):
            net.weights = wrong
    net.weights[1].flags.writeable = False
    with refuses(ValueError, "read-only", net):
        net.weights = [np.ones((4, 3)), np.ones((2, 4))]


def test_views_are_a_sequence(net):
    views = net.weights
    assert isinstance(views, bpfast.Views)
    assert len(views) == 2
    first, last = views
    assert views[0].shape == first.shape == views[-2].shape
    assert [w.shape for w in views[::-1]] == [w.shape for w in reversed(views)] == [(2, 4), (4, 3)]
    assert views[np.int64(1)].shape == last.shape
    assert [w.shape for w in views[5:]] == []
    assert isinstance(views[:1], list)
    same = bpfast.Network.from_parameters(net.weights, net.biases, hidden="tanh")
    assert same.same_config(net)
    assert same.params.tobytes() == net.params.tobytes()
    assert bpfast.forward(net.weights, net.biases, X, hidden="tanh").tobytes() == (
        net.forward(X).tobytes()
    )


def reshape(view):
    view.shape = (1, -1)


def reinterpret(view):
    view.dtype = "i4"


def restride(view):
    view.strides = (0,) * view.ndim


HOSTILE = [reshape, reinterpret, restride, lambda view: view.setflags(write=False)]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("of", [lambda n: n.params, lambda n: n.weights[0], lambda n: n.biases[0]])
def test_changing_the_shape_of_a_view_affects_only_the_view(net, of, hostile):
    params, answer = net.params.copy(), net.forward(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # NumPy would rather not
        try:
            hostile(of(net))
        except (AttributeError, ValueError) as error:
            pytest.skip(f"NumPy refuses: {error}")
    assert net.forward(X).tobytes() == answer.tobytes()
    assert net.backprop(X, Y).flat.shape == params.shape
    for copied in (net.copy(), net.astype(net.dtype)):
        assert copied.params.tobytes() == params.tobytes()
        copied.params = params + 1
        assert copied.params.tobytes() == (params + 1).tobytes()
    assert bpfast.Gradient(net).flat.shape == params.shape


@pytest.mark.parametrize("hostile", HOSTILE[:3])
def test_changing_the_shape_of_a_gradients_view_affects_only_the_view(net, hostile):
    g, expected = bpfast.Gradient(net), net.backprop(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        hostile(g.flat)
    net.backprop(X, Y, out=g)
    assert g.weights[0].tobytes() == expected.weights[0].tobytes()


def test_a_gradient_has_the_layout_of_the_parameters(net):
    g = net.backprop(X, Y)
    assert (g.flat.shape, g.flat.dtype) == (net.params.shape, net.dtype)
    np.testing.assert_array_equal(g.flat, laid_out(g.weights, g.biases))
    g.flat[:] = 1
    assert all(w.min() == w.max() == 1 for w in (*g.weights, *g.biases))
    assert isinstance(g.cost, float)
    assert repr(g).startswith("<bpfast.Gradient cost=")
    empty = bpfast.Gradient(net)
    assert (empty.cost, empty.flat.any(), empty.flat.shape) == (0, False, g.flat.shape)
    for name in ("cost", "weights"):
        with pytest.raises(AttributeError):
            setattr(g, name, 1)


def test_a_result_outlives_its_network():
    params, g = bpfast.Network(SIZES, seed=0).params, bpfast.Network(SIZES, seed=0).backprop(X, Y)
    weights = bpfast.Gradient(bpfast.Network(SIZES)).weights
    assert params.shape == g.flat.shape
    assert [w.any() for w in weights] == [False, False]


def test_the_trace(net):
    trace = net.trace(X)
    z, a = trace
    assert [v.shape for v in z] == [(6, 4), (6, 2)]
    assert [v.shape for v in a] == [(6, 3), (6, 4), (6, 2)]
    assert all(v.dtype == net.dtype for v in (*z, *a))
    np.testing.assert_array_equal(a[0], X.astype(net.dtype))
    assert not np.shares_memory(a[0], X)
    assert close(a[1], np.tanh(z[0]), net.dtype.name)
    assert a[-1].tobytes() == net.forward(X).tobytes() == net(X).tobytes()
    assert trace.z[0] is z[0]
    assert trace.a[-1] is a[-1]


def test_errors_are_a_list_of_layers(net):
    delta = net.errors(X, Y)
    assert [d.shape for d in delta] == [(6, 4), (6, 2)]
    g = net.backprop(X, Y)
    for k, d in enumerate(delta):
        assert close(d.sum(axis=0), g.biases[k], net.dtype.name)
