"""The layers of a graph, read from its output to its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from bpfast.formats._onnx.activations import recognised
from bpfast.formats._onnx.affine import affine, product_and_bias
from bpfast.formats._onnx.expressions import unshifted
from bpfast.formats._onnx.flow import Flow

if TYPE_CHECKING:
    from bpfast._typing import AnyArray
    from bpfast.formats._onnx.expressions import Expression
    from bpfast.formats._onnx.graph import Graph

# The attributes of an activation's operators that count, with their defaults, in order.
OPERATORS: dict[str, tuple[tuple[str, Any], ...]] = {
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
    "Softmax": (),  # its axis is checked
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


class Walk:
    """A walk through a graph against its direction."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.flow = graph, Flow(graph)

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
            tensor = self.flow.through(tensor)
            if tensor == graph.inputs[0].name:
                return found
            if len(found) > graph.size:
                raise ValueError(f"{graph.what}: expected a graph without cycles, got a cycle")
            leaf, expression = self._activation(tensor)
            node = graph.producer(leaf)
            parts = None if node is None else product_and_bias(self.flow, node)
            if parts is None:
                self._refuse_leaf(leaf, node, tensor)
            weights, biases = affine(graph, *parts)
            if biases is None and recognised(expression) is None:
                # A number that is added is a bias, if it is no part of an activation.
                expression, c = unshifted(expression) or (expression, None)
                biases = None if c is None else np.full(len(weights), c, weights.dtype)
            self.flow.reach(len(weights))
            found.append(GraphLayer(graph.label(parts[0]), weights, biases, expression))
            tensor = parts[0].input[0]

    def _refuse_leaf(self, leaf: str, node: Any, tensor: str) -> NoReturn:
        graph = self.graph
        if leaf == graph.inputs[0].name:
            made = graph.producer(tensor)
            graph.refuse(made, "expected an affine layer before it", f"the input {leaf!r}")
        if node is None:
            expected = "expected a node that makes it"
            raise ValueError(f"{graph.what}: tensor {leaf!r}: {expected}, got none")
        expected = "expected Gemm, MatMul and Add, or an activation"
        hint = "; output_name= takes the name of a tensor before it" if len(node.input) else ""
        graph.refuse(node, expected, f"inputs {[*node.input]}{hint}")

    def _activation(self, tensor: str) -> tuple[str, Expression]:
        """The output z of an affine layer, and `tensor` as an expression of it.

        Raises
        ------
        ValueError
            There are several, an operator has a constant that is no number, or a softmax is not
            over the outputs of an example.
        """
        leaves: list[str] = []
        count = 0

        def expression(name: str) -> Expression:
            nonlocal count
            count += 1
            name = self.flow.through(name)
            node = self.graph.producer(name)
            value = self.graph.constant(name)
            if value is not None:
                if value.size != 1 or value.ndim > 2 or value.dtype.kind not in "fiu":
                    expected = "expected one number in an activation, or biases after a product"
                    got = f"{value.dtype} of shape {value.shape}"
                    raise ValueError(f"{self.graph.what}: tensor {name!r}: {expected}, got {got}")
                return float(value.reshape(-1)[0])
            if node is None or node.op_type not in OPERATORS or product_and_bias(self.flow, node):
                leaves.append(name)
                return Z
            if count > MAX_NODES:
                self.graph.refuse(node, "expected an activation of bpfast", "a larger expression")
            if node.op_type == "Softmax":
                self._check_softmax(node)
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

    def _check_softmax(self, node: Any) -> None:
        """Raise ValueError unless a Softmax is over the outputs of an example."""
        # Before opset 13 the axes from `axis` on are one, all before another; then one axis counts.
        axis = self.graph.attributes(node).get("axis", 1 if self.graph.opset < 13 else -1)
        if axis not in (1, -1):
            expected = "expected a softmax over the outputs, axis 1 of 2"
            self.graph.refuse(node, expected, f"axis={axis}")

    def _values(self, node: Any) -> list[float]:
        """The attributes of an operator as numbers."""
        given = self.graph.attributes(node)
        values: list[float] = []
        for key, default in OPERATORS[node.op_type]:
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
