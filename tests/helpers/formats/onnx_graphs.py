"""ONNX models in ONNX's text form, with a square and another matrix."""

from typing import Any

import numpy as np
import onnx
import onnx.parser
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

W, B = np.arange(9.0).reshape(3, 3) / 8 - 0.4, np.array([0.1, -0.2, 0.3])
V, C = np.arange(6.0).reshape(2, 3) / 5 - 0.6, np.array([0.7, -0.8])
SHAPES = {np.float32: "float", np.float64: "double"}


def model(
    nodes: str,
    dtype: Any = np.float32,
    opset: int = 13,
    shape: str = "n, 3",
    out: str = "n, 2",
    **more: Any,
) -> Any:
    """A model of the nodes, from x to y, with initializers W, Wt, b, V, Vt, c and those of `more`.

    W is (3, 3) and V (2, 3), as (out, in); Wt and Vt are their transposes.
    """
    kind = SHAPES[dtype]
    text = f'<ir_version: 7, opset_import: ["" : {opset}, "other" : 1, "ai.onnx.ml" : 1]>'
    text += f" g ({kind}[{shape}] x) => ({kind}[{out}] y) {{ {nodes} }}"
    made = onnx.parser.parse_model(text)
    arrays = {"W": W, "Wt": W.T, "b": B, "V": V, "Vt": V.T, "c": C}
    arrays = {name: array.astype(dtype) for name, array in arrays.items()} | more
    used = {name for node in made.graph.node for name in node.input}
    made.graph.initializer.extend(
        numpy_helper.from_array(np.array(array, order="C"), name)
        for name, array in arrays.items()
        if name in used
    )
    return made


FIRST = "z = Gemm<transB=1>(x, W, b)"
LAST = "y = Gemm<transB=1>(h, V, c)"


def one_activation(nodes: str, **options: Any) -> Any:
    """A model whose hidden activation makes h from z."""
    return model(f"{FIRST} {nodes} {LAST}", **options)


def expected(made: Any, x: Any) -> Any:
    """What ONNX's own reference computes."""
    return ReferenceEvaluator(made).run(None, {"x": x})[0]
