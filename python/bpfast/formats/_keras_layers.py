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
EXPECTED = "expected Dense, an activation of bpfast, or Dropout"


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
    first = True
    for name, layer in _sequence(chain, "", model):
        if isinstance(layer, layers.Flatten | layers.InputLayer):
            continue
        if first and isinstance(layer, layers.Dense) and layer.built:
            _check_rank(chain, name, model)
        first = False
        if isinstance(layer, layers.Dense) and type(layer).call is layers.Dense.call:
            if id(layer) in seen:
                got = "a layer that is used twice"
                chain.refuse(name, "expected parameters of its own, as in bpfast", got)
            seen.add(id(layer))
            _add_dense(chain, name, layer)
        else:
            chain.add_activation(name, _of_layer(chain, name, layer))


def _check_rank(chain: Chain, name: str, model: Any) -> None:
    """Raise ValueError if x has more axes, over which Dense would loop."""
    shape = model.input_shape
    flat = any(isinstance(layer, layers.Flatten) for _, layer in _sequence(chain, "", model))
    if not flat and isinstance(shape, tuple) and len(shape) != 2:
        chain.refuse(name, "expected x of shape (n, n_1)", f"input_shape {shape}")


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
    if type(layer) in DROPPED:
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
    given = {"Softmax": "axis", "ReLU": "max_value"}.get(kind)
    options = f"({given}={getattr(layer, given)})" if given else ""
    return chain.refuse(name, EXPECTED, f"{kind}{options}{ADVICE.get(kind, '')}")


def _of_function(chain: Chain, name: str, function: Any) -> str:
    """The name of a function of ``keras.activations``, or of a layer in its place."""
    if function is None:
        return "identity"
    if isinstance(function, layers.Layer):
        return _of_layer(chain, name, function)
    called = getattr(function, "__name__", "")
    if called not in FUNCTIONS or keras.activations.get(called) is not function:
        chain.refuse(name, EXPECTED, f"the activation {called or function!r}")
    return FUNCTIONS[called]


def _sequence(chain: Chain, name: str, model: Any) -> Iterator[tuple[str, Any]]:
    """The layers inside `model` with their names, in the order in which x passes them."""
    if isinstance(model, keras.Sequential):
        inner = model.layers
    elif hasattr(model, "operations"):
        inner = _backwards(chain, name, model)[::-1]
    else:
        hint = "pass model.get_weights() with hidden= and output="
        got = f"{type(model).__name__}, whose call is Python code; {hint}"
        chain.refuse(name or model.name, "expected a Sequential or functional model", got)
    for layer in inner:
        label = f"{name}/{layer.name}" if name else layer.name
        if isinstance(layer, keras.Model):
            yield from _sequence(chain, label, layer)
        else:
            yield label, layer


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
