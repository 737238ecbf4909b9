"""Networks as models of ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._core import COSTS, __version__, replace_file
from bpfast._optional import optional
from bpfast._validation.paths import as_path, refuse_unwritable
from bpfast.formats._activations import name_and_parameter, of_layers
from bpfast.formats._onnx.activations import expression_for

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast._training.checkpoint.policy import AnyPath
    from bpfast.formats._onnx.expressions import Expression

OPSET, IR_VERSION = 13, 7
MAX_BYTES = 2**31 - 2**20  # bytes of a protobuf message, less what is not parameters
# Operators whose numbers are attributes.
ATTRIBUTES = {
    "LeakyRelu": ("alpha",),
    "Elu": ("alpha",),
    "Selu": ("alpha", "gamma"),
    "HardSigmoid": ("alpha", "beta"),
}


def to_onnx(net: Network, path: AnyPath | None = None) -> Any:
    """An ONNX model with the layers of a network: opset 13, IR version 7.

    Each layer is a ``Gemm`` with ``transB=1``, whose B is W^l and C is b^l, and the operators of
    its activation. The input ``x`` has the shape (n, n_1), the output ``a`` (n, n_L), for any n.

    Parameters
    ----------
    net : Network
    path : str, bytes or os.PathLike, optional
        Where to write the model too. An existing file is replaced, with its mode kept, and its
        owner where the system allows that; symbolic links are followed and stay.

    Returns
    -------
    onnx.ModelProto
        It has copies of the parameters, with the same bits and dtype. The name of the cost is in
        its metadata, where `from_onnx` finds it; a callable cost is not stored.

    Raises
    ------
    ValueError
        ONNX does not have an activation, the parameters exceed 2 GB, or ``path`` exists and is not
        a file.
    TypeError
        `net` is not a Network, or ``path`` is no path.
    OSError
        The file cannot be written: no such folder, no permission, or a full disk. The old file is
        unchanged.
    ImportError
        The package onnx is not installed.

    Notes
    -----
    A file is written as `Network.save` writes it: a temporary file in the same folder is flushed to
    disk and then renamed, so the old or the complete new file is there at any moment.

    Outputs agree with `Network.forward` to 1e-6 in float32 and 1e-14 in float64, relative to the
    largest. ONNX Runtime 1.x computes float64 for every activation except gelu, for which it has no
    ``Erf``.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([4, 8, 3], hidden="silu", output="softmax", dtype="float32", seed=0)
    >>> model = bpfast.formats.to_onnx(net)
    >>> [node.op_type for node in model.graph.node]
    ['Gemm', 'Sigmoid', 'Mul', 'Gemm', 'Softmax']
    """
    activations = of_layers(net)
    file = None if path is None else as_path("path", path)
    if file is not None:
        refuse_unwritable(file)
    onnx = optional("onnx", "to_onnx")
    if net.params.nbytes > MAX_BYTES:
        expected = "parameters of less than 2 GB, the limit of an ONNX file"
        raise ValueError(f"net: expected {expected}, got {net.params.nbytes} bytes")
    writer = _Writer(onnx, net.dtype)
    tensor = "x"
    last = len(activations) - 1
    for k, activation in enumerate(activations):
        layer = str(k + 2)
        end = "a" if k == last else f"a{layer}"
        z = end if activation == "identity" else f"z{layer}"
        inputs = [tensor, writer.array(f"W{layer}", net.weights[k])]
        if net.biases[k] is not None:
            inputs.append(writer.array(f"b{layer}", net.biases[k]))
        writer.node("Gemm", inputs, z, f"Gemm{layer}", transB=1)
        if activation == "softmax":
            writer.node("Softmax", [z], end, f"Softmax{layer}", axis=1)
        elif activation != "identity":
            writer.activation(activation, z, end, layer)
        tensor = end
    helper = onnx.helper
    kind = helper.np_dtype_to_tensor_dtype(net.dtype)
    graph = helper.make_graph(
        writer.nodes,
        "bpfast",
        [helper.make_tensor_value_info("x", kind, ["n", net.sizes[0]])],
        [helper.make_tensor_value_info("a", kind, ["n", net.sizes[-1]])],
        writer.tensors,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    model.producer_name, model.producer_version = "bpfast", __version__
    if net.config["cost"] in COSTS:
        helper.set_model_props(model, {"bpfast.cost": net.config["cost"]})
    if file is not None:
        replace_file(file, model.SerializeToString())
    return model


class _Writer:
    """Nodes and tensors of a graph."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.onnx, self.dtype = onnx, dtype
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []
        self.numbers: dict[float, str] = {}

    def node(self, op: str, inputs: list[str], output: str, name: str, **attributes: Any) -> None:
        """Add a node."""
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [output], name, **attributes))

    def array(self, name: str, array: Any) -> str:
        """Add parameters, and return their name."""
        self.tensors.append(self.onnx.numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def number(self, value: float) -> str:
        """The name of a constant."""
        if value not in self.numbers:
            self.numbers[value] = f"number{len(self.numbers)}"
            self.array(self.numbers[value], np.array(value, self.dtype))
        return self.numbers[value]

    def activation(self, activation: str, z: str, end: str, layer: str) -> None:
        """Add the nodes that make the tensor `end` from `z`.

        Raises
        ------
        ValueError
            ONNX does not have it.
        """
        name, parameter = name_and_parameter(activation)
        expression = expression_for(name, parameter, self.dtype)
        if expression is None:
            raise ValueError(f"net: expected activations that ONNX has, got {activation!r}")
        made: dict[Expression, str] = {"z": z}

        def tensor(part: Any, output: str | None = None) -> str:
            if isinstance(part, float):
                return self.number(part)
            if part in made:
                return made[part]
            op, *args = part
            attributes: dict[str, Any] = {}
            if op in ATTRIBUTES:
                attributes = dict(zip(ATTRIBUTES[op], args[1:], strict=True))
                args = args[:1]
            inputs = [tensor(arg) for arg in args]
            output = output or f"{layer}_{len(made)}"
            self.node(op, inputs, output, f"{op}{layer}_{len(made)}", **attributes)
            made[part] = output
            return output

        tensor(expression, end)
