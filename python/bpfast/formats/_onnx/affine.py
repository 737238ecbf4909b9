"""An affine layer of a graph: a product with constant weights, and constant biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast.formats._numbers import numbers

if TYPE_CHECKING:
    from bpfast._typing import AnyArray
    from bpfast.formats._onnx.flow import Flow
    from bpfast.formats._onnx.graph import Graph

PRODUCTS = ("MatMul", "Gemm")


def product_and_bias(flow: Flow, node: Any) -> tuple[Any, AnyArray | None] | None:
    """The product that ends at `node` and the vector that it adds; None if it is no such node.

    A number that is added may be part of an activation instead, so it is no vector.
    """
    if node.op_type in PRODUCTS:
        return node, None
    if node.op_type != "Add" or len(node.input) != 2:
        return None
    graph = flow.graph
    for other, bias in (node.input, [*node.input][::-1]):
        value = graph.constant(bias)
        if value is not None and value.ndim > 0:
            before = graph.producer(flow.through(other))
            is_product = before is not None and before.op_type in PRODUCTS
            return (before, value) if is_product else None
    return None


def affine(graph: Graph, node: Any, added: AnyArray | None) -> tuple[AnyArray, AnyArray | None]:
    """Weights and biases of a product and of what is added to it; its input is x.

    Raises
    ------
    ValueError
        The product has no constant second factor, or biases have another shape.
    """
    given = graph.attributes(node)
    if len(node.input) < 2:
        graph.refuse(node, "expected two factors", f"{len(node.input)}")
    factor = graph.constant(node.input[1])
    if factor is None or given.get("transA", 0):
        expected = "expected x as the first factor, with examples as rows, and weights"
        is_other = graph.constant(node.input[0]) is not None
        got = "weights as the first" if is_other else "transA, or a product of two tensors"
        graph.refuse(node, expected, got)
    factor = numbers(f"{graph.what}: weights of layer {graph.label(node)!r}", factor)
    if factor.ndim != 2:
        graph.refuse(node, "expected a matrix of weights", f"shape {factor.shape}")
    weights = factor if given.get("transB", 0) else factor.T
    biases = None
    if node.op_type == "Gemm":
        weights = _scaled(weights, given.get("alpha", 1.0))
        c = node.input[2] if len(node.input) > 2 else ""
        biases = graph.constant(c) if c else None
        if c and biases is None:
            graph.refuse(node, "expected constant biases", repr(c))
        if biases is not None:
            biases = _vector(graph, node, biases, len(weights))
            biases = _scaled(biases, given.get("beta", 1.0))
    if added is not None:
        if biases is not None:
            graph.refuse(node, "expected biases once", "an Add after Gemm with C")
        biases = _vector(graph, node, added, len(weights))
    return weights, biases


def _vector(graph: Graph, node: Any, value: AnyArray, width: int) -> AnyArray:
    """Biases of shape (width,), from any shape that is broadcast to (n, width) the same way."""
    value = numbers(f"{graph.what}: biases of {graph.label(node)!r}", value)
    row = value.shape[-1] if value.ndim else 1
    if value.ndim > 2 or value.size != row or row not in (1, width):
        graph.refuse(node, f"expected biases of shape ({width},)", f"shape {value.shape}")
    return np.broadcast_to(value.reshape(-1), (width,))


def _scaled(array: AnyArray, factor: float) -> AnyArray:
    """The product, in the dtype of the array; the array itself for 1."""
    return array if factor == 1 else array * array.dtype.type(factor)
