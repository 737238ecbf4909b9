"""Models, files and lists of weights of Keras 3."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._optional import optional
from bpfast._validation.paths import as_path, refuse_pipe
from bpfast.formats._activations import name_and_parameter, of_layers
from bpfast.formats._chain import Chain, describe_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfast._network import Network
    from bpfast._typing import Activation, Cost, HiddenActivation


# Before this version a crafted file could run code despite safe_mode=True (CVE-2025-1550,
# CVE-2025-9905 and others).
MIN_VERSION = (3, 12)
# Of models, also of those that are none of Keras 3.
MODEL_ATTRIBUTES = ("layers", "get_weights")


def from_keras(
    model: Any,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] | None = None,
    output: Activation | None = None,
    cost: Cost = "quadratic",
) -> Network:
    """The network of a Keras 3 model, of a file of one, or of a list of weights.

    W^l is ``kernel.T``, since Keras stores kernels as (in, out), and b^l is ``bias``. All kernels
    are transposed, also square ones.

    Parameters
    ----------
    model : keras.Model, path, or list of array_like
        A model: ``Sequential`` or functional, of ``Dense`` layers and activations one after the
        other; models inside it are taken too.

        A path: a ``.keras`` file, or an ``.h5`` file of a whole model. It is read with
        ``keras.saving.load_model(compile=False, safe_mode=True)``, for which Keras 3.12 or later is
        needed.

        A list: what ``model.get_weights()`` returns for ``Dense`` layers, that is kernels, each
        followed by its bias if the layer has one. Keras is not needed for it. It has no
        activations: name them as `hidden` and `output`.
    hidden : str or list of str, optional
        The hidden activations of a list of weights: one name for all, or a list. Not with a model.
    output : str, optional
        The output activation of a list of weights; "identity" if the last layer has none. With a
        model whose last layer has none: an activation to add, such as "softmax" after logits.
    cost : str or callable, default "quadratic"
        The cost. The loss of a compiled model is not read.

    Returns
    -------
    Network
        It has copies of the parameters, with the same bits, and their dtype. ``net(x)`` is what the
        model returns with ``training=False``: dropout and noise layers are left out, also
        regularizers and constraints, and a ``Flatten`` at the start.

    Raises
    ------
    ValueError
        A layer or an argument of a layer is not in bpfast, such as ``BatchNormalization`` or
        ``Softmax(axis=0)``; layers branch or share parameters; shapes do not fit; ``hidden`` or
        ``output`` is missing; or the file is damaged.
    TypeError
        ``model`` is something else, or parameters are not of one dtype, float32 or float64, or a
        layer computes in another dtype than it stores.
    OSError
        The file cannot be read.
    ImportError
        Keras is not installed.

    Notes
    -----
    The slope of "leaky_relu" is 0.2 as an activation of ``Dense`` and 0.3 as the layer
    ``LeakyReLU`` of Keras, and 0.01 in bpfast: it is carried over as "leaky_relu(0.2)". A list of
    weights does not have it: name it yourself.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> weights = [np.ones((4, 8)), np.zeros(8), np.ones((8, 3)), np.zeros(3)]
    >>> net = bpfast.formats.from_keras(weights, hidden="relu", output="softmax")
    >>> net.weights[0].shape
    (8, 4)

    >>> import keras
    >>> layers = [keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)]
    >>> bpfast.formats.from_keras(keras.Sequential(layers))
    <bpfast.Network 4-8-3: hidden tanh, output identity, cost quadratic, float32, ...>
    """
    if isinstance(model, list | tuple):
        chain = Chain("list of weights")
        _add_weights(chain, model)
        chain.set_activations(hidden, output)
        return chain.network(cost)
    chain = Chain("model")
    if isinstance(model, str | bytes | os.PathLike):
        model = _loaded(as_path("model", model))
    elif isinstance(model, type) or not all(hasattr(model, name) for name in MODEL_ATTRIBUTES):
        expected = "a keras.Model, the path of one, or its list of weights"
        raise TypeError(f"model: expected {expected}, got {describe_type(model)}")
    else:
        _check_version(optional("keras", "from_keras"))
    from bpfast.formats._keras_layers import add_layers

    add_layers(chain, model)
    chain.append_output(hidden, output)
    return chain.network(cost)


def _add_weights(chain: Chain, arrays: Sequence[Any]) -> None:
    """Add kernels and biases in the order of ``get_weights``.

    Raises
    ------
    ValueError
        There is something else than kernels and biases.
    """
    ranks = [np.ndim(array) for array in arrays]
    k = 0
    while k < len(arrays):
        if ranks[k] != 2:
            got = f"shape {np.shape(arrays[k])}"
            chain.refuse(f"arrays[{k}]", "expected a kernel of a Dense layer, (in, out)", got)
        has_bias = k + 1 < len(arrays) and ranks[k + 1] == 1
        kernel = np.asanyarray(arrays[k])  # masked ones are refused below
        chain.add_affine(f"arrays[{k}]", kernel.T, arrays[k + 1] if has_bias else None)
        k += 1 + has_bias


def _loaded(name: str) -> Any:
    """The model in a file.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is damaged, or holds weights without a model.
    """
    refuse_pipe(name, "a file of Keras")
    with open(name, "rb"):  # noqa: PTH123, whose errors are those of open
        pass
    if name.endswith(".weights.h5"):
        hint = "load them into the model with model.load_weights, and pass the model"
        raise ValueError(f"{name}: expected a whole model, got weights alone; {hint}")
    keras = optional("keras", f"from_keras({name!r})")
    _check_version(keras, MIN_VERSION)
    if name.endswith(".keras"):
        from zipfile import is_zipfile  # its import takes 2 ms

        if not is_zipfile(name):  # Keras says that there is no file
            raise ValueError(f"{name}: expected a model of Keras 3, got: no whole ZIP archive")
    try:
        return keras.saving.load_model(name, compile=False, safe_mode=True)
    except MemoryError:
        raise
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ValueError(f"{name}: expected a model of Keras 3, got: {reason}") from error


def _check_version(keras: Any, oldest: tuple[int, int] = (3, 0)) -> None:
    """Raise ImportError for an older Keras."""
    version = tuple(map(int, keras.__version__.split(".")[:2]))
    if version < oldest:
        needed = ".".join(map(str, oldest))
        raise ImportError(
            f"bpfast.formats: expected Keras {needed} or later, got {keras.__version__}"
        )


def to_keras(net: Network) -> Any:
    """A ``keras.Sequential`` with the layers of a network.

    Parameters
    ----------
    net : Network

    Returns
    -------
    keras.Sequential
        ``Dense`` layers with activations. ``leaky_relu``, and ``elu`` with an α, are layers of
        their own, since Keras has other slopes by default. The parameters are copies with the same
        bits and dtype. The cost is not part of it: call ``model.compile(loss=...)`` to train it.

    Raises
    ------
    ValueError
        Keras does not have an activation (gelu_tanh, sin), or its backend does not hold float64:
        JAX needs ``jax.config.update("jax_enable_x64", True)``.
    TypeError
        `net` is not a Network.
    ImportError
        Keras 3 is not installed.

    Notes
    -----
    Outputs agree with `Network.forward` to 1e-6, relative to the largest, also in float64: Keras
    computes many functions of float64 in float32.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([4, 8, 3], hidden="tanh", output="softmax", dtype="float32", seed=0)
    >>> model = bpfast.formats.to_keras(net)
    >>> [(layer.units, layer.activation.__name__) for layer in model.layers]
    [(8, 'tanh'), (3, 'softmax')]
    """
    activations = of_layers(net)
    keras = optional("keras", "to_keras")
    _check_version(keras)
    dtype = net.dtype.name
    model = keras.Sequential([keras.Input((net.sizes[0],), dtype=dtype)])
    for activation, weights, biases in zip(activations, net.weights, net.biases, strict=True):
        inside, after = _activation(keras, activation, dtype)
        # "zeros": Keras draws no random numbers for weights that are replaced at once.
        dense = keras.layers.Dense(
            len(weights),
            activation=inside,
            use_bias=biases is not None,
            kernel_initializer="zeros",
            dtype=dtype,
        )
        model.add(dense)
        dense.kernel.assign(np.array(weights.T, order="C"))
        if biases is not None:
            dense.bias.assign(np.array(biases))
        stored = keras.ops.convert_to_numpy(dense.kernel.value).dtype
        if stored != net.dtype:
            hint = "jax.config.update('jax_enable_x64', True) lets JAX hold float64"
            got = f"{stored} from the backend {keras.backend.backend()}"
            raise ValueError(f"net: expected weights of {dtype}, got {got}; {hint}")
        if after is not None:
            model.add(after)
    return model


def _activation(keras: Any, activation: str, dtype: str) -> tuple[str | None, Any]:
    """The activation of a Dense layer, and the layer after it, or None."""
    name, parameter = name_and_parameter(activation)
    if name == "leaky_relu":
        return None, keras.layers.LeakyReLU(negative_slope=parameter, dtype=dtype)
    if name == "elu" and parameter != 1:
        return None, keras.layers.ELU(alpha=parameter, dtype=dtype)
    if name == "identity":
        return None, None
    names = ("sigmoid", "tanh", "relu", "elu", "gelu", "silu", "softplus", "softmax")
    if name not in (*names, "selu", "mish", "hard_sigmoid", "hard_swish"):
        raise ValueError(f"net: expected activations that Keras has, got {activation!r}")
    return name, None
