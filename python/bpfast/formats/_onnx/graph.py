"""A graph of ONNX: who makes each tensor, constants, attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from bpfast.formats._numbers import wrong_dtype

if TYPE_CHECKING:
    from bpfast._typing import AnyArray

# Operators of a graph that are computed when it is read, from constants.
MAX_DEPTH = 16


class Graph:
    """The graph of a model; `what` is the argument of the user, for errors."""

    def __init__(self, onnx: Any, model: Any, what: str) -> None:
        self.onnx, self.what = onnx, what
        graph = model.graph
        self.initializers = {tensor.name: tensor for tensor in graph.initializer}
        self.sparse = {tensor.values.name for tensor in graph.sparse_initializer}
        self.producers = {name: node for node in graph.node for name in node.output if name}
        self.inputs = [value for value in graph.input if value.name not in self.initializers]
        self.outputs = list(graph.output)
        self.arrays: dict[str, AnyArray] = {}  # of initializers that were read
        self.size = len(graph.node)
        versions = [entry.version for entry in model.opset_import if _is_standard(entry.domain)]
        self.opset = versions[0] if versions else 1

    def label(self, node: Any) -> str:
        """The name of a node, or that of its output."""
        name: str = node.name or next(iter(node.output), "")
        return name

    def producer(self, name: str) -> Any:
        """The node that makes the tensor `name`, or None.

        Raises
        ------
        ValueError
            Its operator is of another domain than ONNX's own.
        """
        node = self.producers.get(name)
        if node is not None and not _is_standard(node.domain):
            self.refuse(node, "expected operators of ONNX's own domain", f"{node.domain!r}")
        return node

    def attributes(self, node: Any) -> dict[str, Any]:
        """The attributes of a node.

        Raises
        ------
        ValueError
            One cannot be read.
        """
        try:
            return {a.name: self.onnx.helper.get_attribute_value(a) for a in node.attribute}
        except Exception as error:  # noqa: BLE001, of several kinds for damaged files
            self.refuse(node, "expected attributes with values", str(error))

    def constant(self, name: str, depth: int = 0) -> AnyArray | None:
        """The value of a tensor that does not depend on x, or None.

        Raises
        ------
        ValueError
            It cannot be read.
        """
        if name in self.sparse:
            raise ValueError(f"{self.what}: {name!r}: expected a dense tensor, got a sparse one")
        if name in self.initializers:
            if name not in self.arrays:
                self.arrays[name] = self.array(name, self.initializers[name])
            return self.arrays[name]
        node = self.producers.get(name)
        if node is None or depth > MAX_DEPTH or not _is_standard(node.domain):
            return None
        if node.op_type == "Constant":
            return self._of_constant(node)
        if node.op_type not in ("Identity", "Transpose", "Reshape", "Unsqueeze", "Squeeze", "Cast"):
            return None
        value = self.constant(node.input[0], depth + 1) if node.input else None
        if value is None:
            return None
        try:
            return self._folded(node, value, depth)
        except (IndexError, TypeError, ValueError) as error:
            self.refuse(node, f"expected {node.op_type} to fit shape {value.shape}", str(error))

    def _folded(self, node: Any, value: AnyArray, depth: int) -> AnyArray | None:
        attributes = self.attributes(node)
        match node.op_type:
            case "Transpose":
                return value.transpose(attributes.get("perm"))
            case "Reshape":
                shape = self.constant(node.input[1], depth + 1)
                if shape is None:
                    return None
                sides = [int(side) for side in shape]
                if not attributes.get("allowzero", 0):  # 0 is the side of the value
                    sides = [side or value.shape[k] for k, side in enumerate(sides)]
                return value.reshape(sides)
            case "Cast":
                same = self.dtype(attributes.get("to")) == value.dtype
                return value if same else None
            case "Unsqueeze" | "Squeeze":
                return None if value.size != 1 else value.reshape(-1)
        return value

    def _of_constant(self, node: Any) -> AnyArray:
        for key, value in self.attributes(node).items():
            if key == "value":
                return self.array(self.label(node), value)
            if key in ("value_float", "value_floats", "value_int", "value_ints"):
                return np.asarray(value, "f4" if "float" in key else "i8")
        return self.refuse(node, "expected a constant of numbers", "none")

    def array(self, name: str, tensor: Any) -> AnyArray:
        """The numbers of a tensor.

        Raises
        ------
        ValueError
            It is damaged, or its numbers are in another file.
        TypeError
            It is of bfloat16.
        """
        if tensor.data_location == self.onnx.TensorProto.EXTERNAL:
            hint = "pass the path, or call onnx.load_external_data_for_model"
            got = f"external data that is not loaded; {hint}"
            raise ValueError(f"{self.what}: {name!r}: expected numbers, got {got}")
        if (
            tensor.data_type == self.onnx.TensorProto.BFLOAT16
        ):  # float32 from older versions of onnx
            raise wrong_dtype(f"{self.what}: {name!r}", "bfloat16")
        try:
            value: AnyArray = self.onnx.numpy_helper.to_array(tensor)
        except Exception as error:
            got = f"a tensor that onnx cannot read: {error}"
            raise ValueError(f"{self.what}: {name!r}: expected numbers, got {got}") from error
        return value

    def dtype(self, elem_type: Any) -> np.dtype[Any] | None:
        """NumPy's dtype of an element type, or None."""
        try:
            found: np.dtype[Any] = self.onnx.helper.tensor_dtype_to_np_dtype(elem_type)
        except (KeyError, TypeError, ValueError):
            return None
        return found

    def refuse(self, node: Any, expected: str, got: str) -> NoReturn:
        """Raise ValueError about a node."""
        name = f"node {self.label(node)!r} ({node.op_type})"
        raise ValueError(f"{self.what}: {name}: {expected}, got {got}")


def _is_standard(domain: str) -> bool:
    return domain in ("", "ai.onnx")
