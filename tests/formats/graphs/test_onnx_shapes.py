"""Declared shapes of x in ONNX models, and nodes that change a shape: rows remain examples."""

import numpy as np
import pytest

from bpfast.formats import from_onnx
from tests.helpers.cases.models import agree, inputs
from tests.helpers.refuses import refuses

pytest.importorskip("onnx")
from tests.helpers.formats.onnx_graphs import expected, model

X = inputs("float32", width=3)
SHAPES = {"rows": np.array([-1, 3]), "copied": np.array([0, 3]), "rest": np.array([0, -1])}


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("n", r"'x': expected x of shape \(n, 3\), got \[None\]$"),
        ("n, 5, 3", r"got \[None, 5, 3\]$"),
        ("n, 4", r"got \[None, 4\]$"),
    ],
)
def test_other_shapes_of_x(shape, message):
    with refuses(ValueError, message):
        from_onnx(model("y = Gemm<transB=1>(x, V, c)", shape=shape))


@pytest.mark.parametrize(
    ("shape", "nodes"),
    [
        *((s, "Reshape(x, rows)") for s in ("n, 6", "n, 2, 3", "n, 2, k, 3", "n", "5, 1")),
        *((s, "Reshape(x, copied)") for s in ("n, 2, 3", "n, 4")),
        *((s, "Reshape(x, rest)") for s in ("n, 2, 3", "n, 2, k")),
        *((s, "Flatten(x)") for s in ("n, 2, 3", "n, 4")),
        *((s, "Flatten<axis=-1>(x)") for s in ("n, 2, 3", "n", "n, 3, 1")),
    ],
)
def test_other_numbers_of_elements_before_a_reshape(shape, nodes):
    """The reshape would make several rows of an example, or one of several."""
    made = model(f"p = {nodes} y = Gemm<transB=1>(p, V, c)", shape=shape, **SHAPES)
    message = r"'x': expected x of shape \(n, 3\), or another one with 3 elements in an example"
    with refuses(ValueError, message + r", got \["):
        from_onnx(made)


@pytest.mark.parametrize(
    "nodes",
    [
        "p = Flatten<axis=0>(x)",
        "p = Flatten<axis=2>(x)",
        "p = Squeeze(x)",
        "p = Unsqueeze(x, axes)",
        "p = Transpose(x)",
    ],
)
def test_other_nodes_that_change_the_shape(nodes):
    made = model(f"{nodes} y = Gemm<transB=1>(p, V, c)", axes=np.array([0]))
    with refuses(ValueError, r"node 'p' \(\w+\): expected Gemm, MatMul and Add, or an activation"):
        from_onnx(made)


def test_a_reshape_of_hidden_outputs_does_not_allow_other_shapes_of_x():
    """MatMul takes x of three axes, whose second one the Flatten joins to the third."""
    nodes = "p = MatMul(x, Wt) h = Flatten(p) y = Gemm<transB=1>(h, V, c)"
    with refuses(ValueError, r"'x': expected x of shape \(n, 3\), got \[None, 1, 3\]$"):
        from_onnx(model(nodes, shape="n, 1, 3"))


def test_a_flatten_of_a_number():
    made = model("p = Flatten<axis=-1>(x) y = Gemm<transB=1>(p, V, c)", shape="1", **SHAPES)
    made.graph.input[0].type.tensor_type.shape.ClearField("dim")
    with refuses(ValueError, r"'x': expected x of shape \(n, 3\), .*, got \[\]"):
        from_onnx(made)


@pytest.mark.parametrize("shape", ["n, 1, 3", "n, 3, 1", "n, k, 3", "n, k", "0, 0, 0"])
@pytest.mark.parametrize("nodes", ["Flatten(x)", "Reshape(x, rest)", "Reshape(x, rows)"])
def test_x_of_more_axes_with_the_elements_of_an_example(nodes, shape):
    made = model(f"p = {nodes} y = Gemm<transB=1>(p, V, c)", shape=shape, **SHAPES)
    assert agree(from_onnx(made)(X), expected(made, X), "float32")


ROWS = (
    "s = Shape({of}) g = Gather<axis=0>(s, zero) u = Unsqueeze(g, axes) t = Concat<axis=0>(u, {})"
)
SIDES = {
    "zero": np.array(0),
    "one": np.array(1),
    "axes": np.array([0]),
    "end": np.array([-1]),
    "three": np.array([3]),
}


@pytest.mark.parametrize("shape", ["n, 3", "n, 1, 3", "n, k, 3"])
@pytest.mark.parametrize("last", ["end", "three"])
def test_a_reshape_to_the_rows_of_x(last, shape):
    """PyTorch's export of ``x.view(x.size(0), -1)``."""
    nodes = ROWS.format(last, of="x") + " p = Reshape(x, t) y = Gemm<transB=1>(p, V, c)"
    made = model(nodes, shape=shape, **SIDES)
    x = X if shape == "n, 3" else X[:, np.newaxis]
    assert agree(from_onnx(made)(X), expected(made, x), "float32")


def test_a_reshape_of_hidden_outputs_to_their_rows():
    nodes = "z = Gemm<transB=1>(x, W, b) h = Relu(z) " + ROWS.format("end", of="h")
    made = model(nodes + " p = Reshape(h, t) y = Gemm<transB=1>(p, V, c)", **SIDES)
    net = from_onnx(made)
    assert net.config["hidden"] == ["relu"]
    assert agree(net(X), expected(made, X), "float32")


@pytest.mark.parametrize(
    "nodes",
    [
        ROWS.format("end", of="x").replace("zero", "one") + " p = Reshape(x, t)",
        ROWS.format("end", of="x").replace("Shape", "Shape<start=1>") + " p = Reshape(x, t)",
        ROWS.format("end", of="W") + " p = Reshape(x, t)",
        ROWS.format("end", of="x") + " p = Reshape<allowzero=1>(x, t)",
        ROWS.format("u", of="x") + " p = Reshape(x, g)",
        "s = Shape(x) p = Reshape(x, s)",
    ],
)
def test_a_reshape_to_other_computed_sides(nodes):
    made = model(f"{nodes} y = Gemm<transB=1>(p, V, c)", opset=15, **SIDES)
    with refuses(ValueError, r"node 'p' \(Reshape\): expected a constant shape, got none$"):
        from_onnx(made)
