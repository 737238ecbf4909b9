"""Modules, state_dicts and files of PyTorch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from bpfast._optional import optional
from bpfast.formats._activations import name_and_parameter, of_layers
from bpfast.formats._chain import Chain, describe_type
from bpfast.formats._state_dict import add_layers, read_state_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfast._network import Network
    from bpfast._typing import Activation, Cost, HiddenActivation

# z above this is its own softplus, to the last bit of float64.
SOFTPLUS_THRESHOLD = 40.0


def from_torch(
    model: Any,
    *,
    hidden: HiddenActivation | Sequence[HiddenActivation] | None = None,
    output: Activation | None = None,
    cost: Cost = "quadratic",
    layers: Sequence[str] | None = None,
) -> Network:
    """The network of a PyTorch module, of a state_dict, or of a file that holds one.

    W^l is the ``weight`` of a ``Linear`` layer, of shape (out, in) as in bpfast, and b^l its
    ``bias``. Neither is transposed, also where a matrix is square.

    Parameters
    ----------
    model : torch.nn.Module, mapping of str to tensor or array, or path
        A module: a ``Sequential`` of ``Linear`` layers and activations, which may be nested, or a
        module whose ``forward`` `torch.fx` can trace to such a sequence. It is read in evaluation
        mode, whatever its mode is, and does not change.

        A state_dict: tensors or NumPy arrays by the names ``layer.weight`` and ``layer.bias``. It
        has no activations: name them as `hidden` and `output`.

        A path: a ``.safetensors`` file, for which PyTorch is not needed, or a ``.pt`` or ``.pth``
        file of a state_dict. That is read with ``torch.load(weights_only=True)``, which runs no
        code of the file; PyTorch 2.6 or later is needed.
    hidden : str or list of str, optional
        The hidden activations of a state_dict: one name for all, or a list. Not with a module.
    output : str, optional
        The output activation of a state_dict; "identity" if the last layer has none. With a module
        that ends with ``Linear``: an activation to add, such as "softmax" after logits.
    cost : str or callable, default "quadratic"
        The cost, which a model of PyTorch does not have.
    layers : list of str, optional
        The names of the layers of a state_dict in the order in which x passes them. Needed if the
        names differ in more than numbers: tensors in files are not in that order.

    Returns
    -------
    Network
        It has copies of the parameters, with the same bits, and their dtype. ``net(x)`` is what the
        module returns in evaluation mode: ``Dropout`` is left out (`Network.fit` has ``dropout``),
        and a ``Flatten`` at the start, as x has one row per example.

    Raises
    ------
    ValueError
        A layer or an argument of a layer is not in bpfast, such as ``BatchNorm1d`` or
        ``Softmax(dim=0)``; layers share parameters; shapes do not fit; ``hidden``, ``output`` or
        ``layers`` is missing; or the file is damaged or holds something else.
    TypeError
        ``model`` is something else, such as a class, a module of `torch.jit` or an exported
        program; or parameters are not of one dtype, float32 or float64.
    OSError
        The file cannot be read.
    ImportError
        PyTorch is not installed, for a module or a ``.pt`` file.

    Notes
    -----
    ``Softplus`` returns z above its threshold of 20, where ln(1 + e^z) - z is below 2.1e-9.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> state_dict = {"0.weight": np.ones((8, 4)), "0.bias": np.zeros(8),
    ...               "2.weight": np.ones((3, 8)), "2.bias": np.zeros(3)}
    >>> net = bpfast.formats.from_torch(state_dict, hidden="relu", output="softmax")
    >>> net.sizes
    (4, 8, 3)

    >>> import torch
    >>> linear, last = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)
    >>> module = torch.nn.Sequential(linear, torch.nn.Tanh(), last)
    >>> bpfast.formats.from_torch(module, output="softmax", cost="log_likelihood")
    <bpfast.Network 4-8-3: hidden tanh, output softmax, cost log_likelihood, float32, ...>
    """
    if isinstance(model, str | bytes | os.PathLike):
        chain = Chain("file")
        add_layers(chain, read_state_dict(model), layers)
        chain.set_activations(hidden, output)
    elif isinstance(model, type):
        _refuse(model)
    elif hasattr(model, "keys") and hasattr(model, "__getitem__"):
        chain = Chain("state_dict")
        add_layers(chain, model, layers)
        chain.set_activations(hidden, output)
    elif hasattr(model, "state_dict"):
        optional("torch", "from_torch")
        from bpfast.formats._torch_modules import add_modules

        if layers is not None:
            raise ValueError(f"layers: expected None, as a module has its order, got {layers!r}")
        chain = Chain("model")
        add_modules(chain, model)
        chain.append_output(hidden, output)
    else:
        _refuse(model)
    return chain.network(cost)


def _refuse(model: object) -> NoReturn:
    """Raise TypeError for a model of another kind."""
    expected = "a torch.nn.Module, a state_dict or the path of one"
    raise TypeError(f"model: expected {expected}, got {describe_type(model)}")


def to_torch(net: Network) -> Any:
    """A ``torch.nn.Sequential`` with the layers of a network.

    Parameters
    ----------
    net : Network

    Returns
    -------
    torch.nn.Sequential
        ``Linear`` layers, each followed by its activation unless that is the identity, on the CPU.
        Their parameters are copies with the same bits and dtype. The cost is not part of it. A
        softmax output is a ``Softmax(dim=1)``; `torch.nn.CrossEntropyLoss` expects the module
        without it, ``module[:-1]``.

    Raises
    ------
    TypeError
        `net` is not a Network.
    ImportError
        PyTorch is not installed.

    See Also
    --------
    bpfast.torch.as_function : the network itself inside a larger model of PyTorch.

    Examples
    --------
    >>> import bpfast, torch
    >>> net = bpfast.Network([4, 8, 3], hidden="tanh", output="softmax", dtype="float32", seed=0)
    >>> module = bpfast.formats.to_torch(net)
    >>> module
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): Tanh()
      (2): Linear(in_features=8, out_features=3, bias=True)
      (3): Softmax(dim=1)
    )
    """
    torch = optional("torch", "to_torch")
    nn, modules = torch.nn, []
    for activation, weights, biases in zip(of_layers(net), net.weights, net.biases, strict=True):
        n_out, n_in = weights.shape
        # On "meta" no random numbers are drawn for parameters that are replaced at once.
        linear = nn.Linear(n_in, n_out, bias=biases is not None, device="meta")
        linear.weight = nn.Parameter(torch.from_numpy(np.array(weights, order="C")))
        if biases is not None:
            linear.bias = nn.Parameter(torch.from_numpy(np.array(biases)))
        modules.append(linear)
        if activation != "identity":
            modules.append(_module(torch, activation))
    return nn.Sequential(*modules)


def _module(torch: Any, activation: str) -> Any:
    """The module of an activation."""
    name, parameter = name_and_parameter(activation)
    nn = torch.nn
    match name:
        case "leaky_relu":
            return nn.LeakyReLU(parameter)
        case "elu":
            return nn.ELU(parameter)
        case "softplus":
            return nn.Softplus(threshold=SOFTPLUS_THRESHOLD)
        case "softmax":
            return nn.Softmax(dim=1)
        case "gelu_tanh":
            return nn.GELU(approximate="tanh")
        case "sin":
            from bpfast.torch._sin import Sin

            return Sin()
    classes = {
        "sigmoid": "Sigmoid",
        "tanh": "Tanh",
        "relu": "ReLU",
        "gelu": "GELU",
        "silu": "SiLU",
        "selu": "SELU",
        "mish": "Mish",
        "hard_sigmoid": "Hardsigmoid",
        "hard_swish": "Hardswish",
    }
    if name not in classes:
        expected = "activations that torch.nn has"
        raise ValueError(f"net: expected {expected}, got {activation!r}")
    return getattr(nn, classes[name])()
