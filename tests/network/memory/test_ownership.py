"""The memory of parameters and gradients is Rust's: nothing done to an array moves or frees it."""

import gc
import pickle

import numpy as np
import pytest

import bpfast
from tests.helpers.child import run

SIZES = [3, 4, 2]
X, Y = np.linspace(0, 1, 15).reshape(5, 3), np.linspace(1, 0, 10).reshape(5, 2)
OLD_NUMPY = int(np.__version__.partition(".")[0]) < 2  # where `data` of an array can be assigned


def everything(net, tmp_path):
    """Every array that shows memory of Rust's, by the way to it."""
    net.fit(X, Y, epochs=1, optimizer=bpfast.Adam())
    net.save(tmp_path / "net.safetensors")
    nets = {
        "made": net,
        "loaded": bpfast.load(tmp_path / "net.safetensors"),
        "copied": net.copy(),
        "unpickled": pickle.loads(pickle.dumps(net)),
        "converted": net.astype("float32"),
        "from parameters": bpfast.Network.from_parameters(net.weights, net.biases),
    }
    for name, one in nets.items():
        yield f"{name}.params", one.params
        yield from ((f"{name}.weights", w) for w in one.weights)
        yield from ((f"{name}.biases", b) for b in one.biases)
        g = one.backprop(X, Y)
        yield f"{name}.backprop.flat", g.flat
        yield from ((f"{name}.backprop.weights", w) for w in [*g.weights, *g.biases])
    _, weights, biases = bpfast.backprop(net.weights, net.biases, X, Y)
    yield from (("bpfast.backprop", array) for array in [*weights, *biases])
    yield "Gradient", bpfast.Gradient(net).flat


def test_the_base_of_each_array_is_opaque(tmp_path):
    for name, array in everything(bpfast.Network(SIZES, seed=0), tmp_path):
        base = array.base
        assert type(base).__name__ == "Allocation", name
        assert not array.flags.owndata
        for attribute in ("data", "shape", "strides", "dtype", "base", "anything"):
            with pytest.raises(AttributeError):
                setattr(base, attribute, np.zeros(3))
        with pytest.raises(TypeError):
            memoryview(base)
        with pytest.raises(TypeError):
            type(base)()


def test_an_array_keeps_the_memory_alive():
    net = bpfast.Network(SIZES, seed=0)
    expected = [np.array(array) for array in (net.params, *net.weights, *net.biases)]
    arrays = [net.params[:], *(w[:] for w in net.weights), *(b[:] for b in net.biases)]
    del net
    gc.collect()
    [bpfast.Network(SIZES, seed=k) for k in range(1, 20)]  # what was freed would be used again
    for array, values in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, values)


def test_arrays_cannot_be_resized():
    net = bpfast.Network(SIZES, seed=0)
    g = net.backprop(X, Y)
    for array in (net.params, net.biases[0], g.flat, g.biases[1]):
        with pytest.raises(ValueError, match="resize"):
            array.resize(1000, refcheck=False)


@pytest.mark.skipif(not OLD_NUMPY, reason="NumPy 2 does not let `data` be assigned")
@pytest.mark.filterwarnings("ignore:Assigning the 'data' attribute")
def test_a_network_keeps_its_memory_where_an_array_gets_another(tmp_path):
    for way in (lambda n: n.params, lambda n: n.weights[0].T, lambda n: n.biases[1]):
        net = bpfast.Network(SIZES, seed=0)
        params, answer = net.params.copy(), net.forward(X)
        array = way(net)
        array.data = memoryview(bytearray(array.nbytes))
        gc.collect()
        assert net.forward(X).tobytes() == answer.tobytes()
        assert net.params.tobytes() == params.tobytes()
        assert net.weights[0].any()
        assert net.biases[1].any()
        net.params[:] = 0
        assert (net.forward(X) == 0.5).all()


@pytest.mark.parametrize("kind", ["data", "header"])
def test_arrays_changed_during_a_call_of_another_thread(kind):
    """`net.params.base.data = ...` once ended in SIGSEGV."""
    assert run("abused_arrays", kind) == [True, []]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [[1, 1], SIZES, [300, 400, 10]], ids=str)
def test_parameters_and_gradients_start_at_a_cache_line(sizes, dtype, tmp_path):
    net = bpfast.Network(sizes, dtype=dtype, seed=0)
    net.save(tmp_path / "net.safetensors")
    nets = [net, net.copy(), bpfast.load(tmp_path / "net.safetensors")]
    nets += [
        pickle.loads(pickle.dumps(net)),
        bpfast.Network.from_parameters(net.weights, net.biases),
    ]
    x, y = np.ones((2, sizes[0]), dtype), np.ones((2, sizes[-1]), dtype)
    vectors = [vector for each in nets for vector in (each.params, each.backprop(x, y).flat)]
    assert [vector.ctypes.data % 64 for vector in vectors] == [0] * len(vectors)
