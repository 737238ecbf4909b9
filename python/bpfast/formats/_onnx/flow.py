"""Nodes that change no number, which a walk passes: their shapes and dtypes are checked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bpfast._typing import AnyArray
    from bpfast.formats._onnx.graph import Graph

# A Flatten leaves (n, width) as it is, as a Reshape to this shape does.
FLAT = [0, -1]


class Flow:
    """Where a walk passes such nodes, and those that it has passed."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.reshapes: list[tuple[Any, list[int]]] = []  # whose layer is not reached yet
        self.casts: list[Any] = []

    def through(self, tensor: str) -> str:
        """The tensor before nodes that change no number.

        Raises
        ------
        ValueError
            A Dropout is in training mode, or a Reshape has a shape that is not constant, other
            than the number of its rows.
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
                case "Dropout" if tensor == node.output[0]:  # the other one is the mask
                    mode = graph.constant(node.input[2]) if len(node.input) > 2 else None
                    if len(node.input) > 2 and node.input[2] and (mode is None or mode.any()):
                        graph.refuse(node, "expected Dropout of inference", "training_mode")
                case "Flatten" if graph.attributes(node).get("axis", 1) in (1, -1):
                    self.reshapes.append((node, FLAT))
                case "Reshape":
                    self.reshapes.append((node, self._sides(node)))
                case _:
                    return tensor
            tensor = node.input[0]
        raise ValueError(f"{graph.what}: expected a graph without cycles, got a cycle")

    def _sides(self, node: Any) -> list[int]:
        """The shape that a Reshape gives; 0 for the number of rows, also if the graph computes it.

        PyTorch writes ``x.view(x.size(0), -1)`` as Concat(Unsqueeze(Gather(Shape(x), 0)), -1).

        Raises
        ------
        ValueError
            It is another one that is not constant.
        """
        graph = self.graph
        given = node.input[1] if len(node.input) > 1 else ""
        joined = graph.producer(given)
        is_joined = joined is not None and joined.op_type == "Concat"
        sides: list[int] = []
        for part in joined.input if is_joined else [given]:
            value = graph.constant(part)
            if value is not None:
                sides += map(int, value.reshape(-1))
            elif is_joined and self._is_rows(part, node):
                sides.append(0)
            else:
                graph.refuse(node, "expected a constant shape", "none")
        return sides

    def _is_rows(self, tensor: str, reshape: Any) -> bool:
        """Whether a tensor is the number of rows of what is reshaped, for a Reshape that copies."""
        graph = self.graph
        for op_type in ("Unsqueeze", "Gather", "Shape"):
            node = graph.producer(tensor)
            if node is None or node.op_type != op_type or not node.input:
                return False
            if op_type == "Gather":
                index = graph.constant(node.input[1]) if len(node.input) > 1 else None
                if index is None or index.size != 1 or index.any():
                    return False
            if op_type == "Shape" and node.attribute:  # start or end
                return False
            tensor = node.input[0]
        return tensor == reshape.input[0] and not graph.attributes(reshape).get("allowzero", 0)

    def reach(self, width: int) -> None:
        """Check the reshapes since the last layer, for one with outputs of shape (n, width).

        Raises
        ------
        ValueError
            A Reshape gives another shape.
        """
        for node, shape in self.reshapes:
            self._check_reshape(node, shape, width)
        self.reshapes.clear()

    def _check_reshape(self, node: Any, shape: list[int], width: int) -> None:
        """Raise ValueError unless a Reshape leaves (n, width) as it is."""
        is_copied = not self.graph.attributes(node).get("allowzero", 0)  # 0 is the side of x
        keeps_rows = shape[:1] == [-1] or (shape[:1] == [0] and is_copied)
        if len(shape) == 2 and keeps_rows and (shape[1] == width or shape == FLAT):
            return
        hint = ""
        if shape == [-1, 1]:
            hint = "; skl2onnx does this to a regressor, use from_sklearn, or output_name="
        self.graph.refuse(node, f"expected the shape (n, {width})", f"{shape}{hint}")

    def check_input(self, value: Any, weights: AnyArray) -> None:
        """Check shape and dtype of x, and the casts, against the parameters.

        Raises
        ------
        ValueError
            x has other axes or, before a Reshape or Flatten, another number of elements in an
            example, so that its rows would not be examples; or a Cast is to another dtype.
        """
        graph, width = self.graph, weights.shape[1]
        is_reshaped = bool(self.reshapes)
        # axis=-1 makes a row of the last axis alone.
        is_last = any(graph.attributes(node).get("axis") == -1 for node, _ in self.reshapes)
        self.reach(width)
        for node in self.casts:
            to = graph.dtype(graph.attributes(node).get("to"))
            if to != weights.dtype:
                graph.refuse(node, f"expected {weights.dtype}, as of the parameters", f"{to}")
        kind = value.type.tensor_type
        if not kind.HasField("shape"):
            return
        # Some writers declare a side that they do not know as 0.
        sides = [(d.dim_value or None) if d.HasField("dim_value") else None for d in kind.shape.dim]
        known = math.prod(side for side in sides[1:] if side is not None)
        fits = width % known == 0 if None in sides[1:] else width == known
        fits = bool(sides) and fits and not (is_last and sides[-1] not in (None, width))
        if not fits or (len(sides) != 2 and not is_reshaped):
            expected = f"expected x of shape (n, {width})"
            if is_reshaped:
                expected += f", or another one with {width} elements in an example"
            raise ValueError(f"{graph.what}: {value.name!r}: {expected}, got {sides}")
