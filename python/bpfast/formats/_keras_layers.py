"""The layers of a Keras model. Importing this file imports Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from bpfast.formats._activations import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfast.formats._chain import Chain

# Without effect on one row per example when the model does not train.
DROPPED = (
    *(layers.InputLayer, layers.Identity, layers.Flatten, layers.ActivityRegularization),
    *(layers.Dropout, layers.AlphaDropout, layers.GaussianDropout, layers.GaussianNoise),
)
# Functions of keras.activations by the name that Keras serializes. leaky_relu has another default.
FUNCTIONS = {
    "linear": "identity",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "elu": "elu",
    "gelu": "gelu",
    "silu": "silu",
    "swish": "silu",
    "softplus": "softplus",
    "softmax": "softmax",
    "selu": "selu",
    "mish": "mish",
    "hard_sigmoid": "hard_sigmoid",
    "hard_silu": "hard_swish",
    "hard_swish": "hard_swish",
    "leaky_relu": spelled("leaky_relu", 0.2),
}
ADVICE = {
    "BatchNormalization": "; fold its scale and shift into the Dense layer before it",
    "Normalization": "; scale x before",
    "Rescaling": "; scale x before",
    "PReLU": ", whose slope is a parameter",
}
# What a refused layer has been given.
REPORTED_OPTIONS = {"Softmax": ("axis",), "ReLU": ("max_value", "negative_slope", "threshold")}
EXPECTED_LAYER = "expected Dense, an activation of bpfast, or Dropout"
HALF = ("float16", "bfloat16")
EXPECTED_MODEL = "expected a Sequential or functional model"


def add_layers(chain: Chain, model: Any) -> None:
    """Add the layers of `model` to `chain`.

    Raises
    ------
    ValueError
        A layer is not supported, or used twice, or the model is no sequence of layers.
    TypeError
        `model` is not of Keras 3.
    """
    if not isinstance(model, keras.Model):
        kind = f"{type(model).__module__}.{type(model).__name__}"
        raise TypeError(f"{chain.what}: expected a model of Keras 3, got {kind}")
    seen: set[int] = set()
    is_flat = False
    for name, layer in _sequence(chain, "", model):
        if isinstance(layer, layers.Flatten) and not is_flat:
            _check_order(chain, name, layer, model)
            is_flat = True
        if not isinstance(layer, layers.Dense) and getattr(layer, "compute_dtype", "") in HALF:
            chain.refuse_dtype(
                name, f"{layer.compute_dtype}, to which {type(layer).__name__} casts"
            )
        if isinstance(layer, DROPPED):
            continue
        if not is_flat:
            _check_rank(chain, name, model)
            is_flat = True
        if isinstance(layer, layers.Dense):
            if id(layer) in seen:
                got = "a layer that is used twice"
                chain.refuse(name, "expected parameters of its own, as in bpfast", got)
            seen.add(id(layer))
            _add_dense(chain, name, layer)
        else:
            chain.add_activation(name, _of_layer(chain, name, layer))


def _check_rank(chain: Chain, name: str, model: Any) -> None:
    """Raise ValueError if x has more axes at its first layer. Dense would loop over them."""
    shape = _input_shape(model)
    if shape and len(shape) != 2:
        chain.refuse(name, "expected x of shape (n, n_1)", f"input_shape {shape}")


def _check_order(chain: Chain, name: str, layer: Any, model: Any) -> None:
    """Raise ValueError if a flattened x has another order than its axes."""
    if layer.data_format == "channels_first" and len(_input_shape(model) or (0, 0, 0)) > 2:
        got = "Flatten(data_format='channels_first'), which puts the channels last"
        chain.refuse(name, "expected a Flatten that keeps the order of the inputs", got)


def _input_shape(model: Any) -> tuple[int | None, ...]:
    """The shape of x; empty if it is not known."""
    inputs = getattr(model, "inputs", None)  # a Sequential that is not built has none
    return tuple(inputs[0].shape) if inputs else ()


def _add_dense(chain: Chain, name: str, layer: Any) -> None:
    if not layer.built:
        chain.refuse(name, "expected weights", "a layer that is not built; call the model once")
    if layer.quantization_mode is not None or getattr(layer, "lora_enabled", False):
        chain.refuse(name, "expected a kernel and a bias", "a quantized layer, or one with LoRA")
    if layer.compute_dtype != layer.variable_dtype:
        got = f"{layer.compute_dtype} for weights of {layer.variable_dtype}"
        chain.refuse_dtype(name, got)
    kernel = np.asarray(keras.ops.convert_to_numpy(layer.kernel.value))
    bias = keras.ops.convert_to_numpy(layer.bias.value) if layer.use_bias else None
    chain.add_affine(name, kernel.T, bias)
    chain.add_activation(name, _of_function(chain, name, layer.activation))


def _of_layer(chain: Chain, name: str, layer: Any) -> str:
    """The name of what a layer without weights computes.

    Raises
    ------
    ValueError
        bpfast does not have it.
    """
    if isinstance(layer, DROPPED):
        return "identity"
    match layer:
        case layers.Activation():
            return _of_function(chain, name, layer.activation)
        case layers.LeakyReLU():
            return spelled("leaky_relu", float(layer.negative_slope))
        case layers.ELU():
            return spelled("elu", float(layer.alpha))
        case layers.ReLU() if layer.max_value is None and not layer.threshold:
            slope = float(layer.negative_slope)
            return spelled("leaky_relu", slope) if slope else "relu"
        case layers.Softmax() if layer.axis in (-1, 1):
            return "softmax"
    kind = type(layer).__name__
    given = [f"{key}={getattr(layer, key)}" for key in REPORTED_OPTIONS.get(kind, ())]
    options = f"({', '.join(given)})" if given else ""
    return chain.refuse(name, EXPECTED_LAYER, f"{kind}{options}{ADVICE.get(kind, '')}")


def _of_function(chain: Chain, name: str, function: Any) -> str:
    """The name of a function of ``keras.activations``, or of a layer in its place."""
    if function is None:
        return "identity"
    if isinstance(function, layers.Layer):
        _refuse_other_calls(chain, name, function)
        return _of_layer(chain, name, function)
    called = getattr(function, "__name__", "")
    if called not in FUNCTIONS or getattr(keras.activations, called, None) is not function:
        chain.refuse(name, EXPECTED_LAYER, f"the activation {called or function!r}")
    return FUNCTIONS[called]


def _sequence(chain: Chain, name: str, model: Any) -> Iterator[tuple[str, Any]]:
    """The layers inside `model` with their names, in the order in which x passes them."""
    _refuse_other_calls(chain, name or model.name, model)
    if isinstance(model, keras.Sequential):
        inner = model.layers
    elif hasattr(model, "operations"):
        inner = _backwards(chain, name, model)[::-1]
    else:
        chain.refuse(name or model.name, EXPECTED_MODEL, type(model).__name__)
    for layer in inner:
        label = f"{name}/{layer.name}" if name else layer.name
        if isinstance(layer, keras.Model):
            yield from _sequence(chain, label, layer)
        else:
            _refuse_other_calls(chain, label, layer)
            yield label, layer


def _refuse_other_calls(chain: Chain, name: str, layer: Any) -> None:
    """Raise ValueError if a call of a layer or model runs a method that is not of Keras."""
    kind = type(layer)
    for method in ("call", "__call__"):
        owner = next((base for base in kind.__mro__ if method in vars(base)), kind)
        if method in vars(layer) or not owner.__module__.startswith("keras."):
            hint = "pass model.get_weights() with hidden= and output="
            expected = EXPECTED_MODEL if isinstance(layer, keras.Model) else EXPECTED_LAYER
            chain.refuse(name, expected, f"{kind.__name__}, whose {method} is Python code; {hint}")


def _backwards(chain: Chain, name: str, model: Any) -> list[Any]:
    """The operations of a functional model from its output to its input.

    Raises
    ------
    ValueError
        They are no sequence.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        got = f"{len(model.inputs)} inputs, {len(model.outputs)} outputs"
        chain.refuse(name or model.name, "expected one input and one output", got)
    found, tensor = [], model.outputs[0]
    while tensor is not model.inputs[0]:
        operation, index, _ = tensor._keras_history  # noqa: SLF001, there is no other way
        inputs = operation._inbound_nodes[index].input_tensors  # noqa: SLF001
        if len(inputs) != 1:
            got = f"{type(operation).__name__} of {len(inputs)} tensors"
            chain.refuse(operation.name, "expected layers one after the other", got)
        found.append(operation)
        tensor = inputs[0]
    return found
