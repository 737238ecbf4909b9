"""Whatever NumPy takes as an array gives the same bits as the plain array, and stays as it was."""

import numpy as np
import pytest

import bpfast
from tests.helpers.bits import bits
from tests.helpers.invalid.entry_points import functions
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
# Whole numbers: every dtype holds them exactly.
X = RNG.integers(-3, 4, size=(70, 6)).astype(float)
Y = RNG.integers(0, 2, size=(70, 4)).astype(float)
S = RNG.integers(0, 3, size=70).astype(float)
W = [RNG.integers(-2, 3, size=shape).astype(float) for shape in [(5, 6), (4, 5)]]
B = [RNG.integers(-2, 3, size=shape).astype(float) for shape in [5, 4]]
DELTA = RNG.integers(-2, 3, size=(70, 4)).astype(float)
Z = RNG.integers(-2, 3, size=(70, 5)).astype(float)


def strided(a):
    wide = np.repeat(np.repeat(a, 2, axis=0), 3, axis=-1)
    return wide[::2, ::3] if a.ndim > 1 else wide[::6]


def reversed_strides(a):
    return np.ascontiguousarray(np.flip(a))[(slice(None, None, -1),) * a.ndim]


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def unaligned(a):
    memory = bytearray(a.nbytes + 1)
    odd = np.frombuffer(memory, a.dtype, offset=1).reshape(a.shape)
    odd[...] = a
    assert not odd.flags.aligned or a.itemsize == 1
    return odd


class Subclass(np.ndarray):
    """An array that is not to be calculated with."""

    def __array_ufunc__(self, *args, **kwargs):
        raise AssertionError


class Arrayish:
    def __init__(self, a):
        self.a = a

    def __array__(self, dtype=None, copy=None):
        return self.a


LIKES = {
    "the same": lambda a: a,
    "list": lambda a: a.tolist(),
    "tuples": lambda a: tuple(map(tuple, a)) if a.ndim > 1 else tuple(a),
    "list of rows": list,
    "int8": lambda a: a.astype(np.int8),
    "int64": lambda a: a.astype(np.int64),
    "float16": lambda a: a.astype(np.float16),
    "float32": lambda a: a.astype(np.float32),
    "long double": lambda a: a.astype(np.longdouble),
    "big-endian": lambda a: a.astype(">f8"),
    "little-endian": lambda a: a.astype("<f8"),
    "big-endian ints": lambda a: a.astype(">i2"),
    "Fortran": np.asfortranarray,
    "strided": strided,
    "negative strides": reversed_strides,
    "middle": lambda a: np.pad(a, 2)[(slice(2, -2),) * a.ndim],
    "read-only": read_only,
    "unaligned": unaligned,
    "matrix": lambda a: a.view(np.matrix) if a.ndim > 1 else a,
    "subclass": lambda a: a.view(Subclass),
    "masked array": np.ma.array,
    "__array__": Arrayish,
    "memoryview": lambda a: np.ascontiguousarray(a).data,
}


KINDS = {"hidden": "tanh", "output": "softmax"}
LOSS = {"x": X, "y": Y, "sample_weight": S}
PARTS = {"weights": W, "biases": B}
CALLS = functions(PARTS, LOSS, DELTA, {"delta": DELTA, "weights": W[1], "z": Z})
# float32 parameters, z or δ would make float32 results; these may be of any dtype.
FREE = {"x", "y", "sample_weight"}


def liken(like, value):
    return [LIKES[like](v) for v in value] if isinstance(value, list) else LIKES[like](value)


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("name", CALLS)
def test_a_function_gives_the_same_bits(name, like):
    kinds = KINDS if "weights" in CALLS[name] and name != "bp2" else {}
    function, arguments = getattr(bpfast, name), CALLS[name]
    expected = bits(function(**arguments, **kinds))
    likened = {
        key: liken(like, value) if like != "float32" or key in FREE else value
        for key, value in arguments.items()
    }
    before = repr(likened)
    assert bits(function(**likened, **kinds)) == expected
    assert repr(likened) == before


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_gives_the_same_bits(dtype, like):
    net = bpfast.Network.from_parameters(W, B, **KINDS, dtype=dtype)
    same = bpfast.Network.from_parameters(liken(like, W), liken(like, B), **KINDS, dtype=dtype)
    assert bits(same.params) == bits(net.params)
    same.params = 0 * same.params
    same.weights, same.biases = liken(like, W), liken(like, B)
    assert bits(same.params) == bits(net.params)
    same.params = liken(like, net.params.astype(float))
    assert bits(same.params) == bits(net.params)

    loss = {key: liken(like, value) for key, value in LOSS.items()}
    for method in ("cost", "errors", "backprop"):
        assert bits(getattr(net, method)(**loss)) == bits(getattr(net, method)(**LOSS))
    for method in ("forward", "trace", "__call__"):
        assert bits(getattr(net, method)(loss["x"])) == bits(getattr(net, method)(X))


@pytest.mark.parametrize("dtype", [bool, *"bhilqBHILQ", ">i4"])
def test_labels_of_any_integer_dtype(dtype):
    net = bpfast.Network([6, 4], output="softmax", cost="log_likelihood", seed=0)
    labels = RNG.integers(0, 2, size=70)
    expected = bits(net.backprop(X, np.eye(4)[labels]))
    for like in ("the same", "strided", "negative strides", "read-only", "list", "unaligned"):
        y = LIKES[like](labels.astype(dtype))
        assert bits(net.backprop(X, y)) == expected
        assert bits(bpfast.bp1(DELTA, y, output="softmax", cost="log_likelihood")) == bits(
            bpfast.bp1(DELTA, np.eye(4)[labels], output="softmax", cost="log_likelihood")
        )


def test_one_row_for_all_by_broadcasting():
    net = bpfast.Network.from_parameters(W, B, **KINDS)
    rows, targets = np.broadcast_to(X[0], X.shape), np.broadcast_to(Y[:, :1], Y.shape)
    weights = np.broadcast_to(2.0, 70)
    assert 0 in rows.strides
    expected = net.backprop(rows.copy(), targets.copy(), sample_weight=weights.copy())
    assert bits(net.backprop(rows, targets, sample_weight=weights)) == bits(expected)
    flat = np.broadcast_to(0.5, net.params.shape)
    net.params = flat
    assert (net.params == 0.5).all()


def test_a_memory_map(tmp_path):
    np.save(tmp_path / "x.npy", X)
    net = bpfast.Network.from_parameters(W, B, **KINDS)
    expected = bits(net.forward(X))
    for mode in ("r", "r+", "c"):
        x = np.load(tmp_path / "x.npy", mmap_mode=mode)
        assert isinstance(x, np.memmap)
        assert bits(net.forward(x)) == expected
    out = np.memmap(tmp_path / "out", float, "w+", shape=(70, 4))
    assert net.forward(X, out=out) is out
    assert out.tobytes() == net.forward(X).tobytes()


def test_inexact_numbers_are_rounded_once():
    net = bpfast.Network.from_parameters(W, B, **KINDS, dtype="float32")
    x = RNG.normal(size=X.shape)
    assert bits(net.forward(x)) == bits(net.forward(x.astype("f4")))
    wide = x.astype(np.longdouble) + np.longdouble(1e-18)
    doubles = net.astype("f8")
    assert bits(doubles.forward(wide)) == bits(doubles.forward(wide.astype("f8")))


@pytest.mark.parametrize("name", CALLS)
def test_float32_gives_float32(name):
    kinds = KINDS if "weights" in CALLS[name] and name != "bp2" else {}
    arguments = {
        key: [v.astype("f4") for v in value] if isinstance(value, list) else value.astype("f4")
        for key, value in CALLS[name].items()
    }
    found = []

    def collect(value):
        if isinstance(value, np.ndarray):
            found.append(value.dtype)
        elif not isinstance(value, float):
            for entry in value:
                collect(entry)

    collect(getattr(bpfast, name)(**arguments, **kinds))
    assert set(found) <= {np.dtype("f4")}
    assert found or name == "cost"


def test_an_exception_of_an_array_conversion_propagates():
    class Lazy:
        def __array__(self, dtype=None, copy=None):
            raise KeyError("mine")

    net = bpfast.Network([3, 2], seed=0)
    with pytest.raises(KeyError, match="mine") as caught:
        net.forward(Lazy())
    assert caught.value.__notes__ == ["This happened in the conversion of x to an array."]


CONVERTING = {
    "x": [
        lambda net, bad: net.forward(bad),
        lambda net, bad: net.fit([bad] * 2, np.zeros((2, 2)), epochs=1),
        lambda net, bad: bpfast.forward_many([net], bad),
        lambda net, bad: bpfast.distributed.fit(net, bad, np.zeros((1, 2))),
        lambda net, bad: bpfast.least_squares(net, bad, np.zeros((1, 2))),
    ],
    "y": [
        lambda net, bad: net.cost(np.ones((1, 3)), bad),
        lambda net, bad: net.fit(np.ones((1, 3)), bad, epochs=1),
        lambda net, bad: bpfast.metrics.r2(np.ones((1, 3)), bad),
    ],
    "sample_weight": [
        lambda net, bad: net.cost(np.ones((1, 3)), np.ones((1, 2)), sample_weight=bad),
        lambda net, bad: net.evaluate(np.ones((1, 3)), np.ones((1, 2)), sample_weight=bad),
        lambda net, bad: bpfast.least_squares(net, np.ones((1, 3)), [0, 1], sample_weight=bad),
        lambda net, bad: bpfast.fit_many([net], [[1, 2, 3]], [[0, 1]], sample_weight=bad),
    ],
}


@pytest.mark.parametrize(("argument", "call"), [(k, f) for k, fs in CONVERTING.items() for f in fs])
def test_a_runtime_error_of_an_array_conversion_names_the_argument(argument, call):
    class Tensor:  # of PyTorch, that requires a gradient
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("Use tensor.detach().numpy() instead.")

    net = bpfast.Network([3, 2], output="identity", seed=0)
    with pytest.raises(RuntimeError, match=rf"^(nets\[0\]: )?{argument}: Use tensor.detach"):
        call(net, Tensor())


def test_a_delayed_object_of_dask_is_told_to_be_computed():
    dask = pytest.importorskip("dask")
    net = bpfast.Network([2, 1], seed=0)
    message = r"^x: expected real numbers, got Delayed.*; x.compute\(\) has them$"
    with refuses(TypeError, message, net):
        net.forward(dask.delayed(np.ones((3, 2))))
