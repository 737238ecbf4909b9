"""Models of Keras as networks, and back."""

import warnings

import numpy as np
import pytest

import bpfast
from bpfast.formats import from_keras, to_keras
from tests.helpers import optional  # noqa: F401, before Keras is imported
from tests.helpers.cases.models import KINDS, agree, inputs, network, same_bits
from tests.helpers.refuses import refuses

pytest.importorskip("keras")
jax = pytest.importorskip("jax")
import keras  # noqa: E402
from keras import layers  # noqa: E402

# Of Keras itself, with its backend JAX and NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
X = inputs("float32")


@pytest.fixture
def float64():
    """JAX with float64."""
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def dense(units, activation=None, **options):
    return layers.Dense(units, activation, bias_initializer="normal", **options)


def sequential(*inside, width=4):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((width,)), *inside])


def outputs_of(model, x):  # with any backend of Keras
    return keras.ops.convert_to_numpy(model(x, training=False))


@pytest.mark.parametrize(("hidden", "output"), KINDS)
def test_round_trip(hidden, output):
    net = network(hidden, output, "float32")
    if {hidden, output} & {"gelu_tanh", "sin"}:
        with refuses(ValueError, "^net: expected activations that Keras has, got "):
            to_keras(net)
        return
    model = to_keras(net)
    assert same_bits(from_keras(model), net)
    assert agree(outputs_of(model, X), net(X), "float32")


def test_float64(float64):
    net = network("silu", "softmax", "float64")
    model = to_keras(net)
    assert same_bits(from_keras(model), net)
    x = inputs("float64")
    # Keras computes many functions of float64 in float32.
    np.testing.assert_allclose(outputs_of(model, x), net(x), rtol=0, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="other backends have float64")
def test_float64_without_x64_is_refused():
    message = "^net: expected weights of float64, got float32 from the backend jax; jax.config"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX's, that float64 is not there
        with refuses(ValueError, message):
            to_keras(network("tanh", "identity", "float64"))


def test_kernels_are_transposed_also_square_ones():
    model = sequential(dense(4, "tanh"), dense(4))
    net = from_keras(model)
    for k, layer in enumerate(model.layers):
        assert net.weights[k].tobytes("F") == keras.ops.convert_to_numpy(layer.kernel).tobytes()
    assert agree(outputs_of(model, X), net(X), "float32")
    again = from_keras(model.get_weights(), hidden="tanh", output="identity")
    assert same_bits(again, net)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_files(tmp_path, suffix):
    model = sequential(dense(4, "relu"), layers.Dropout(0.5), dense(3, "softmax"))
    path = tmp_path / f"model.{suffix}"
    model.save(path)
    net = from_keras(path)
    assert net.config["output"] == "softmax"
    assert same_bits(net, from_keras(model))
    assert same_bits(net, from_keras(str(path)))
    with refuses(ValueError, "read it with bpfast.formats.from_keras"):
        bpfast.load(path)


def test_functional_and_nested_models():
    inside = sequential(dense(4), layers.Activation("tanh"))
    given = keras.Input((4,))
    model = keras.Model(given, dense(2)(layers.Dropout(0.5)(inside(given))))
    net = from_keras(model)
    assert net.config["hidden"] == ["tanh"]
    assert agree(outputs_of(model, X), net(X), "float32")
    assert same_bits(from_keras(sequential(model)), net)


# Layers between two Dense layers, and our name.
ACTIVATIONS = {
    "function leaky_relu": ([dense(4, "leaky_relu")], "leaky_relu(0.2)"),
    "layer LeakyReLU": ([dense(4), layers.LeakyReLU()], "leaky_relu(0.3)"),
    "LeakyReLU in Dense": ([dense(4, layers.LeakyReLU(negative_slope=0.01))], "leaky_relu"),
    "slope 0": ([dense(4), layers.LeakyReLU(negative_slope=0)], "relu"),
    "ELU": ([dense(4), layers.ELU(alpha=0.5)], "elu(0.5)"),
    "function elu": ([dense(4, "elu")], "elu"),
    "ReLU": ([dense(4), layers.ReLU()], "relu"),
    "ReLU with a slope": ([dense(4), layers.ReLU(negative_slope=0.2)], "leaky_relu(0.2)"),
    "gelu": ([dense(4, "gelu")], "gelu"),
    "swish": ([dense(4, "swish")], "silu"),
    "softplus": ([dense(4, "softplus")], "softplus"),
    "linear": ([dense(4, "linear")], "identity"),
    "hard_sigmoid": ([dense(4, "hard_sigmoid")], "hard_sigmoid"),
    "hard_silu": ([dense(4, "hard_silu")], "hard_swish"),
    "mish": ([dense(4, "mish")], "mish"),
    "selu": ([dense(4, "selu")], "selu"),
    "noise": ([dense(4), layers.GaussianNoise(1.0), layers.Activation("tanh")], "tanh"),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    inside, ours = ACTIVATIONS[name]
    model = sequential(*inside, dense(2))
    net = from_keras(model)
    assert net.config["hidden"] == [ours]
    assert agree(outputs_of(model, X), net(X), "float32")


def test_layers_without_biases():
    net = network("relu", "identity", "float32", biases=[False, True, False])
    model = to_keras(net)
    assert [layer.use_bias for layer in model.layers] == [False, True, False]
    assert same_bits(from_keras(model), net)
    assert same_bits(from_keras(model.get_weights(), hidden="relu", output="identity"), net)
    assert agree(outputs_of(model, X), net(X), "float32")


def test_an_activation_after_logits():
    net = from_keras(sequential(dense(3)), output="softmax", cost="log_likelihood")
    assert net.config["output"] == "softmax"
    with refuses(ValueError, "^hidden: expected None, as the model has its activations, got '"):
        from_keras(sequential(dense(3)), hidden="relu")


class Custom(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = dense(2)

    def call(self, x):
        return self.dense(x)


def branched():
    given = keras.Input((4,))
    return keras.Model(given, layers.Add()([dense(4)(given), given]))


def shared():
    layer = dense(4)
    return sequential(layer, layers.Activation("tanh"), layer)


def unbuilt():
    return keras.Sequential([dense(3)])


def doubled(kind):
    """A subclass whose call returns twice what that of Keras returns."""
    return type("Doubled", (kind,), {"call": lambda self, x, **_: 2 * kind.call(self, x)})


def functional(kind):
    given = keras.Input((4,))
    return kind(given, dense(2)(given), name="model")


def own_call():
    model = sequential(dense(3, name="own"))
    model.layers[0].call = lambda x: x
    return model


class Called(layers.Dense):
    def __call__(self, x, **options):
        return 2 * super().__call__(x, **options)


def axes(*inside):
    return keras.Sequential([keras.Input((1, 4)), *inside])


PYTHON = "is Python code; pass model.get_weights"
AXES = r"expected x of shape \(n, n_1\), got input_shape \(None, 1, 4\)$"


REFUSED = {
    "BatchNormalization": (
        lambda: sequential(dense(4), layers.BatchNormalization(name="norm"), dense(2)),
        "^model: layer 'norm': expected Dense, .*, got BatchNormalization; fold its",
    ),
    "Conv1D": (lambda: sequential(layers.Reshape((4, 1)), layers.Conv1D(2, 2)), "got Reshape$"),
    "softmax axis": (lambda: sequential(dense(3), layers.Softmax(axis=0)), r"Softmax\(axis=0\)$"),
    "ReLU6": (lambda: sequential(dense(3), layers.ReLU(6)), r"got ReLU\(max_value=6"),
    "relu6": (lambda: sequential(dense(3, "relu6")), "got the activation 'relu6'$"),
    "PReLU": (lambda: sequential(dense(3), layers.PReLU()), "got PReLU, whose slope is"),
    "a function": (lambda: sequential(dense(3, lambda z: z)), "got the activation '<lambda>'$"),
    "another gelu": (
        lambda: sequential(dense(3, type("gelu", (), {"__call__": lambda self, z: z})())),
        "got the activation <",
    ),
    "two activations": (
        lambda: sequential(dense(3, "tanh"), layers.ReLU()),
        "expected one activation after each affine layer, got relu after tanh$",
    ),
    "hidden softmax": (
        lambda: sequential(dense(3, "softmax", name="first"), dense(3)),
        "^model: layer 'first': expected softmax after the last layer only",
    ),
    "branch": (branched, "expected layers one after the other, got Add of 2 tensors$"),
    "shared": (shared, "expected parameters of its own"),
    "custom": (Custom, "got Custom, whose call is Python code; pass model.get_weights"),
    "unbuilt": (unbuilt, "a layer that is not built; call the model once$"),
    "a Sequential's call": (
        lambda: doubled(keras.Sequential)([keras.Input((4,)), dense(3)]),
        f"expected a Sequential or functional model, got Doubled, whose call {PYTHON}",
    ),
    "inside": (
        lambda: sequential(doubled(keras.Sequential)([keras.Input((4,)), dense(3)])),
        f"got Doubled, whose call {PYTHON}",
    ),
    "a functional model's call": (
        lambda: functional(doubled(keras.Model)),
        f"^model: layer 'model': .*, got Doubled, whose call {PYTHON}",
    ),
    "a layer's call": (lambda: sequential(doubled(layers.Dense)(3)), f"got Doubled.* {PYTHON}"),
    "that of an activation": (
        lambda: sequential(dense(3), doubled(layers.Activation)("tanh")),
        f"got Doubled, whose call {PYTHON}",
    ),
    "LeakyReLU's call": (lambda: sequential(dense(3), doubled(layers.LeakyReLU)()), PYTHON),
    "Softmax's call": (lambda: sequential(dense(3), doubled(layers.Softmax)()), PYTHON),
    "Flatten's call": (lambda: sequential(doubled(layers.Flatten)(), dense(3)), PYTHON),
    "Dropout's call": (lambda: sequential(doubled(layers.Dropout)(0.5), dense(3)), PYTHON),
    "call inside Dense": (lambda: sequential(dense(3, doubled(layers.LeakyReLU)())), PYTHON),
    "call of one layer": (own_call, f"layer 'own': .*, got Dense, whose call {PYTHON}"),
    "__call__": (lambda: sequential(Called(3)), f"got Called, whose __call__ {PYTHON}"),
    "threshold": (
        lambda: sequential(dense(3), layers.ReLU(threshold=1)),
        r"got ReLU\(max_value=None, negative_slope=0.0, threshold=1\)$",
    ),
    "axes after Dropout": (lambda: axes(layers.Dropout(0.5), dense(3), layers.Softmax(1)), AXES),
    "axes before Flatten": (lambda: axes(dense(3), layers.Flatten()), AXES),
    "three axes": (
        lambda: keras.Sequential([keras.Input((5, 4)), dense(3, name="first")]),
        r"layer 'first': expected x of shape \(n, n_1\), got input_shape \(None, 5, 4\)$",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_network_is(name):
    make, message = REFUSED[name]
    model = make()
    with refuses(ValueError, message):
        from_keras(model)


def test_other_dtypes():
    half = sequential(dense(3, dtype="float16", name="half"))
    with refuses(TypeError, "^model: weights of layer 'half': expected .*, got float16; convert"):
        from_keras(half)
    mixed = sequential(dense(3, dtype="mixed_float16", name="mixed"))
    with refuses(
        TypeError, "layer 'mixed': expected one dtype, got float16 for weights of float32"
    ):
        from_keras(mixed)


@pytest.mark.parametrize("layer", [layers.Dropout, layers.LeakyReLU])
def test_layers_that_round_to_another_dtype(layer):
    model = sequential(dense(3), layer(0.5, dtype="float16", name="half"))
    got = f"got float16, to which {layer.__name__} casts"
    with refuses(TypeError, f"^model: layer 'half': expected one dtype, {got}$"):
        from_keras(model)


def test_files_of_another_kind(tmp_path):
    with pytest.raises(FileNotFoundError):
        from_keras(tmp_path / "missing.keras")
    for name in ("a.keras", "a.h5"):
        path = tmp_path / name
        for content in (b"", b"noise" * 99, *([] if name == "a.h5" else [b"PK\x03\x04"])):
            path.write_bytes(content)
            with refuses(ValueError, f"{name}: expected a model of Keras 3, got: ") as caught:
                from_keras(path)
            assert "not found: filepath" not in str(caught.value)
    path = tmp_path / "a.weights.h5"
    sequential(dense(3)).save_weights(path)
    with refuses(ValueError, "expected a whole model, got weights alone; load them"):
        from_keras(path)
    path = tmp_path / "lambda.keras"
    sequential(layers.Lambda(lambda x: x), dense(3)).save(path)
    with refuses(ValueError, "expected a model of Keras 3, got: .*[Ll]ambda"):
        from_keras(path)
    expected = "^model: expected a keras.Model, the path of one, or its list of weights"
    for given, got in ((3, "int"), (keras.Sequential, "the class Sequential itself")):
        with refuses(TypeError, f"{expected}, got {got}$"):
            from_keras(given)


def test_subclasses_with_the_call_of_keras():
    model = sequential(
        type("Drop", (layers.Dropout,), {})(0.5),
        type("Own", (layers.Dense,), {})(4, "tanh"),
        type("Leaky", (layers.LeakyReLU,), {})(negative_slope=1.0, name="leaky"),
    )
    with refuses(ValueError, "layer 'leaky': expected one activation after each affine layer"):
        from_keras(model)
    model.pop()
    assert agree(outputs_of(model, X), from_keras(model)(X), "float32")
    named = functional(type("Own", (keras.Model,), {}))
    assert agree(outputs_of(named, X), from_keras(named)(X), "float32")
