"""Models of ONNX as networks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._optional import optional
from bpfast._validation.paths import as_path, refuse_pipe
from bpfast.formats._activations import spelled
from bpfast.formats._chain import Chain, describe_type
from bpfast.formats._onnx.activations import recognised
from bpfast.formats._onnx.graph import Graph
from bpfast.formats._onnx.layers import Walk

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast._typing import Activation, Cost

# Gemm, Add and Mul broadcast otherwise before 7. No operator that is read changes up to 28.
OPSETS = (7, 28)


def from_onnx(
    model: Any,
    *,
    output: Activation | None = None,
    cost: Cost | None = None,
    output_name: str | None = None,
) -> Network:
    """The network of an ONNX model, which is read and not run.

    The graph is a sequence of affine layers (``Gemm``, or ``MatMul`` and ``Add``) and activations.
    An activation is one operator, or several that compute it, as in x · Sigmoid(x). W^l is B of
    ``Gemm`` with ``transB=1``, and Bᵀ without and in ``MatMul``, also where it is square.

    Parameters
    ----------
    model : onnx.ModelProto or path
        The model, of opset 7 to 28. With a path, tensors in other files are read too.
    output : str, optional
        With a graph that ends with an affine layer: an activation to add, such as "softmax" after
        logits.
    cost : str or callable, optional
        The cost. By default the one that `to_onnx` wrote, or "quadratic".
    output_name : str, optional
        The tensor of the graph to read as a^L: any of its tensors. Needed if the graph has
        several outputs of float32 or float64.

    Returns
    -------
    Network
        It has copies of the parameters, with the same bits, and their dtype; with ``alpha`` or
        ``beta`` of ``Gemm`` they are multiplied. ``Dropout`` is left out, and at the start a
        ``Cast`` to the dtype of the parameters and a ``Flatten``.

    Raises
    ------
    ValueError
        bpfast has no counterpart of a node, which the message names; x is the second factor of a
        product, so its examples are columns; a softmax is not over the outputs of an example; the
        opset is out of range; or the file is damaged.
    TypeError
        ``model`` is something else, or parameters are not of one dtype, float32 or float64.
    OSError
        The file, or one with its tensors, cannot be read.
    ImportError
        The package onnx is not installed.

    Notes
    -----
    The constants of an activation, such as 1/√2 in gelu, are compared to 1e-6, since ONNX stores
    attributes as float32.

    Graphs of skl2onnx: a classifier has outputs for labels and probabilities, of which the latter
    is taken. With two classes it joins 1 - a and a: pass the name of a as `output_name`. Of a
    regressor with several outputs it makes one column, which is refused; use `from_sklearn`.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([4, 8, 3], hidden="gelu", output="softmax", cost="log_likelihood")
    >>> model = bpfast.formats.to_onnx(net)
    >>> again = bpfast.formats.from_onnx(model)
    >>> again.same_config(net), bool((again.params == net.params).all())
    (True, True)
    """
    onnx = optional("onnx", "from_onnx")
    if isinstance(model, bytes) and b"\0" in model:
        expected, hint = "an onnx.ModelProto or a path", "pass onnx.load_from_string(model)"
        raise TypeError(f"model: expected {expected}, got the bytes of a model; {hint}")
    if isinstance(model, str | bytes | os.PathLike):
        model = _loaded(onnx, as_path("model", model))
    elif not isinstance(model, onnx.ModelProto):
        expected = "an onnx.ModelProto or a path"
        raise TypeError(f"model: expected {expected}, got {describe_type(model)}")
    graph = Graph(onnx, model, "model")
    least, most = OPSETS
    if not least <= graph.opset <= most:
        hint = "convert it with onnx.version_converter"
        raise ValueError(f"model: expected opset {least} to {most}, got {graph.opset}; {hint}")
    if len(graph.inputs) != 1:
        names = [value.name for value in graph.inputs]
        raise ValueError(f"model: expected one input besides parameters, got {names}")
    walk = Walk(graph)
    layers = walk.layers(_output(graph, output_name))
    chain = Chain("model")
    for layer in reversed(layers):
        chain.add_affine(layer.name, layer.weights, layer.biases)
        found = recognised(layer.expression)
        if found is None:
            expected = "expected an activation of bpfast after it"
            chain.refuse(layer.name, expected, f"{_text(layer.expression)} of its output z")
        name, parameter = found
        if parameter == parameter:
            name = spelled(name, _shortest(parameter, layer.weights.dtype))
        chain.add_activation(layer.name, name)
    if chain.weights:
        walk.flow.check_input(graph.inputs[0], chain.weights[0])
    chain.append_output(None, output)
    written = {entry.key: entry.value for entry in model.metadata_props}
    stored: Any = written.get("bpfast.cost", "quadratic")
    return chain.network(stored if cost is None else cost)


def _loaded(onnx: Any, name: str) -> Any:
    """The model in a file, and in those with its tensors.

    Raises
    ------
    OSError
        A file cannot be read.
    ValueError
        It is damaged.
    """
    refuse_pipe(name, "an ONNX model")
    try:
        model = onnx.load(name)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ValueError(f"{name}: expected an ONNX model, got: {reason}") from error
    if not model.graph.node:
        raise ValueError(f"{name}: expected an ONNX model, got one without nodes")
    return model


def _output(graph: Graph, output_name: str | None) -> str:
    """The tensor to read as a^L.

    Raises
    ------
    ValueError
        There is no such tensor, or several outputs.
    """
    if output_name is not None:
        if output_name not in graph.producers:
            outputs = [value.name for value in graph.outputs]
            expected = f"a tensor of the graph, such as one of its outputs {outputs}"
            raise ValueError(f"output_name: expected {expected}, got {output_name!r}")
        return output_name
    names: list[str] = []
    for value in graph.outputs:
        node = graph.producers.get(value.name)
        if node is not None and node.op_type == "ZipMap" and node.input:
            names.append(node.input[0])
        elif graph.dtype(value.type.tensor_type.elem_type) in (np.float32, np.float64):
            names.append(value.name)
    if len(names) != 1:
        got = [value.name for value in graph.outputs]
        hint = "pass its name as output_name="
        if len(got) == 1:
            dtype = graph.dtype(graph.outputs[0].type.tensor_type.elem_type)
            got, hint = [f"{got[0]} of {dtype}"], "convert the model to one of these dtypes"
        raise ValueError(f"model: expected one output of float32 or float64, got {got}; {hint}")
    return names[0]


def _shortest(parameter: float, dtype: np.dtype[Any]) -> float:
    """The parameter as a float64 of few digits, with the same bits in the dtype of the network."""
    return float(str(np.float32(parameter))) if dtype == np.float32 else parameter


def _text(expression: Any) -> str:
    if isinstance(expression, tuple):
        return f"{expression[0]}({', '.join(map(_text, expression[1:]))})"
    return f"{expression:.7g}" if isinstance(expression, float) else str(expression)
