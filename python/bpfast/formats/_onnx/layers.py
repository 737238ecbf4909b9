"""The layers of a graph, read from its output to its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast.formats._numbers import numbers
from bpfast.formats._onnx.activations import recognised
from bpfast.formats._onnx.expressions import unshifted

if TYPE_CHECKING:
    from bpfast._typing import AnyArray
    from bpfast.formats._onnx.expressions import Expression
    from bpfast.formats._onnx.graph import Graph

# The attributes of elementwise operators that count, with their defaults, in order.
ELEMENTWISE: dict[str, tuple[tuple[str, Any], ...]] = {
    **dict.fromkeys(("Sigmoid", "Tanh", "Relu", "Softplus", "Erf", "Exp", "Log", "Abs"), ()),
    **dict.fromkeys(("Neg", "Sin", "Mish", "HardSwish", "Softsign", "Sqrt", "Reciprocal"), ()),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "PRelu"), ()),
    **dict.fromkeys(("Where", "Greater", "Less", "Sign", "Floor", "Ceil", "Cos", "Atan"), ()),
    "LeakyRelu": (("alpha", 0.01),),
    "Elu": (("alpha", 1.0),),
    "Celu": (("alpha", 1.0),),
    "ThresholdedRelu": (("alpha", 1.0),),
    "Selu": (("alpha", 1.67326319217681884765625), ("gamma", 1.05070102214813232421875)),
    "HardSigmoid": (("alpha", 0.2), ("beta", 0.5)),
    "Swish": (("alpha", 1.0),),
    "Gelu": (("approximate", b"none"),),
    "Clip": (("min", None), ("max", None)),
}
LOWEST, HIGHEST = -3.5e38, 3.5e38
MAX_NODES = 64  # of an activation; ours have up to 16
Z: Expression = "z"


@dataclass
class GraphLayer:
    """An affine layer and the function of its output z."""

    name: str
    weights: AnyArray
    biases: AnyArray | None
    expression: Expression
    is_softmax: bool


class Walk:
    """A walk through a graph against its direction."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.reshapes: list[tuple[Any, list[int]]] = []  # whose layer is not reached yet
        self.casts: list[Any] = []
        self.is_flattened = False

    def layers(self, tensor: str) -> list[GraphLayer]:
        """The layers that make `tensor`, the last one first.

        Raises
        ------
        ValueError
            A node is not supported.
        """
        found: list[GraphLayer] = []
        graph = self.graph
        while True:
            tensor = self.through(tensor)
            if tensor == graph.inputs[0].name:
                return found
            if len(found) > graph.size:
                raise ValueError(f"{graph.what}: expected a graph without cycles, got a cycle")
            softmax = self._softmax(tensor)
            leaf, expression = (softmax, Z) if softmax else self._activation(tensor)
            node = graph.producer(leaf)
            if node is None or node.op_type not in ("MatMul", "Gemm", "Add"):
                self._refuse_leaf(leaf, node)
            name, weights, biases, tensor = self._affine(node)
            if biases is None and recognised(expression) is None:
                # A number that is added is a bias, if it is no part of an activation.
                expression, c = unshifted(expression) or (expression, None)
                biases = None if c is None else np.full(len(weights), c, weights.dtype)
            for reshape, shape in self.reshapes:
                self._check_reshape(reshape, shape, len(weights))
            self.reshapes.clear()
            found.append(GraphLayer(name, weights, biases, expression, bool(softmax)))

    def _refuse_leaf(self, leaf: str, node: Any) -> None:
        graph = self.graph
        if leaf == graph.inputs[0].name:
            raise ValueError(f"{graph.what}: expected an affine layer first, got an activation")
        if node is None:
            raise ValueError(f"{graph.what}: tensor {leaf!r}: expected a node that makes it")
        expected = "expected Gemm, MatMul and Add, or an activation"
        hint = "; output_name= takes the name of a tensor before it" if len(node.input) else ""
        graph.refuse(node, expected, f"inputs {[*node.input]}{hint}")

    def through(self, tensor: str) -> str:
        """The tensor before nodes that change no number.

        Raises
        ------
        ValueError
            A Dropout is in training mode, or a Reshape has a shape that is not constant.
        """
        graph = self.graph
        for _ in range(graph.size + 1):
            node = graph.producer(tensor)
            if node is None or not node.input or graph.constant(tensor) is not None:
                return tensor
            match node.op_type:
                case "Identity":
                    pass
                case "Cast":
                    self.casts.append(node)
                case "Dropout":
                    mode = graph.constant(node.input[2]) if len(node.input) > 2 else None
                    if len(node.input) > 2 and node.input[2] and (mode is None or mode.any()):
                        graph.refuse(node, "expected Dropout of inference", "training_mode")
                case "Flatten" if graph.attributes(node).get("axis", 1) in (1, -1):
                    self.is_flattened = True
                case "Reshape":
                    shape = graph.constant(node.input[1]) if len(node.input) > 1 else None
                    if shape is None:
                        graph.refuse(node, "expected a constant shape", "none")
                    self.reshapes.append((node, [int(side) for side in shape.reshape(-1)]))
                case _:
                    return tensor
            tensor = node.input[0]
        raise ValueError(f"{graph.what}: expected a graph without cycles, got a cycle")

    def _check_reshape(self, node: Any, shape: list[int], width: int) -> None:
        """Raise ValueError unless a Reshape leaves (n, width) as it is."""
        keeps_rows = shape[:1] in ([-1], [0])
        if len(shape) == 2 and keeps_rows and (shape[1] == width or shape == [0, -1]):
            return
        hint = ""
        if shape == [-1, 1]:
            hint = "; skl2onnx does this to a regressor, use from_sklearn, or output_name="
        self.graph.refuse(node, f"expected the shape (n, {width})", f"{shape}{hint}")

    def _softmax(self, tensor: str) -> str:
        """The input of the Softmax that makes `tensor`, or "" if none does.

        Raises
        ------
        ValueError
            It is not over the outputs of an example.
        """
        graph = self.graph
        node = graph.producer(tensor)
        if node is None or node.op_type != "Softmax" or not node.input:
            return ""
        # Before opset 13 the axes from `axis` on are one, all before another; then one axis counts.
        axis = graph.attributes(node).get("axis", 1 if graph.opset < 13 else -1)
        if axis not in (1, -1):
            graph.refuse(node, "expected a softmax over the outputs, axis 1 of 2", f"axis={axis}")
        return self.through(node.input[0])

    def _activation(self, tensor: str) -> tuple[str, Expression]:
        """The output z of an affine layer, and `tensor` as an expression of it.

        Raises
        ------
        ValueError
            There are several, or an operator has a constant that is no number.
        """
        leaves: list[str] = []
        count = 0

        def expression(name: str) -> Expression:
            nonlocal count
            count += 1
            name = self.through(name)
            node = self.graph.producer(name)
            value = self.graph.constant(name)
            if value is not None:
                if value.size != 1 or value.dtype.kind not in "fiu":
                    raise ValueError(
                        f"{self.graph.what}: tensor {name!r}: expected one number in an "
                        f"activation, got shape {value.shape}"
                    )
                return float(value.reshape(-1)[0])
            if node is None or node.op_type not in ELEMENTWISE or self._is_bias(node):
                leaves.append(name)
                return Z
            if count > MAX_NODES:
                self.graph.refuse(node, "expected an activation of bpfast", "a larger expression")
            return (node.op_type, *map(expression, filter(None, node.input)), *self._values(node))

        found = expression(tensor)
        if not leaves:
            raise ValueError(
                f"{self.graph.what}: {tensor!r}: expected to depend on x, got a constant"
            )
        if len({*leaves}) != 1:
            node = self.graph.producer(tensor)
            got = f"several: {sorted({*leaves})}"
            self.graph.refuse(node, "expected a function of one layer", got)
        return leaves[0], found

    def _values(self, node: Any) -> list[float]:
        """The attributes of an elementwise operator as numbers."""
        given = self.graph.attributes(node)
        values: list[float] = []
        for key, default in ELEMENTWISE[node.op_type]:
            value = given.get(key, default)
            if node.op_type == "Clip":  # attributes before opset 11, inputs after
                bounds = dict(zip(("min", "max"), [*node.input][1:], strict=False))
                if bounds.get(key):
                    continue
                value = {"min": LOWEST, "max": HIGHEST}[key] if value is None else value
            if node.op_type == "Gelu":
                value = value == b"tanh"
            values.append(float(value))
        return values

    def _is_bias(self, node: Any) -> bool:
        """Whether a node adds a vector to a product."""
        if node.op_type != "Add" or len(node.input) != 2:
            return False
        for flow, other in (node.input, [*node.input][::-1]):
            value = self.graph.constant(other)
            if value is not None and value.ndim > 0:
                before = self.graph.producer(self.through(flow))
                return before is not None and before.op_type in ("MatMul", "Gemm")
        return False

    def _affine(self, node: Any) -> tuple[str, AnyArray, AnyArray | None, str]:
        """Name, weights, biases and input of an affine layer.

        Raises
        ------
        ValueError
            A product has no constant second factor, or biases have another shape.
        """
        graph, added = self.graph, None
        if node.op_type == "Add":
            first, second = node.input
            flow, other = (second, first) if graph.constant(first) is not None else (first, second)
            added, node = graph.constant(other), graph.producer(self.through(flow))
        name, given = graph.label(node), graph.attributes(node)
        if len(node.input) < 2:
            graph.refuse(node, "expected two factors", f"{len(node.input)}")
        what = f"{graph.what}: weights of layer {name!r}"
        factor = graph.constant(node.input[1])
        if factor is None or given.get("transA", 0):
            expected = "expected x as the first factor, with examples as rows, and weights"
            is_other = graph.constant(node.input[0]) is not None
            got = "weights as the first" if is_other else "transA, or a product of two tensors"
            graph.refuse(node, expected, got)
        factor = numbers(what, factor)
        if factor.ndim != 2:
            graph.refuse(node, "expected a matrix of weights", f"shape {factor.shape}")
        weights = factor if given.get("transB", 0) else factor.T
        biases = None
        if node.op_type == "Gemm":
            weights = _scaled(weights, given.get("alpha", 1.0))
            biases = (
                graph.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else None
            )
            if len(node.input) > 2 and node.input[2] and biases is None:
                graph.refuse(node, "expected constant biases", repr(node.input[2]))
            if biases is not None:
                biases = self._vector(node, biases, len(weights), given.get("beta", 1.0))
        if added is not None:
            if biases is not None:
                graph.refuse(node, "expected biases once", "an Add after Gemm with C")
            biases = self._vector(node, added, len(weights), 1.0)
        return name, weights, biases, node.input[0]

    def _vector(self, node: Any, value: AnyArray, width: int, factor: float) -> AnyArray:
        """Biases of shape (width,), from any shape that is broadcast to (n, width) the same way."""
        value = _scaled(
            numbers(f"{self.graph.what}: biases of {self.graph.label(node)!r}", value), factor
        )
        row = value.shape[-1] if value.ndim else 1
        if value.ndim > 2 or value.size != row or row not in (1, width):
            expected = f"expected biases of shape ({width},)"
            self.graph.refuse(node, expected, f"shape {value.shape}")
        return np.broadcast_to(value.reshape(-1), (width,))

    def check_input(self, value: Any, weights: AnyArray) -> None:
        """Check shape and dtype of x, and the casts, against the parameters.

        Raises
        ------
        ValueError
            x has other axes, or a Cast is to another dtype.
        """
        graph = self.graph
        for reshape, shape in self.reshapes:
            self._check_reshape(reshape, shape, weights.shape[1])
        for node in self.casts:
            to = graph.dtype(graph.attributes(node).get("to"))
            if to != weights.dtype:
                graph.refuse(node, f"expected {weights.dtype}, as of the parameters", f"{to}")
        kind = value.type.tensor_type
        if not self.is_flattened and not self.reshapes and kind.HasField("shape"):
            sides = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
            if len(sides) != 2 or sides[1] not in (None, 0, weights.shape[1]):
                expected = f"expected x of shape (n, {weights.shape[1]})"
                raise ValueError(f"{graph.what}: {value.name!r}: {expected}, got {sides}")


def _scaled(array: AnyArray, factor: float) -> AnyArray:
    """The product, in the dtype of the array; the array itself for 1."""
    return array if factor == 1 else array * array.dtype.type(factor)
