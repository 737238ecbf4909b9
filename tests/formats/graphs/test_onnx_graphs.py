"""ONNX graphs of other writers: products, biases, activations, softmax."""

import numpy as np
import pytest

from bpfast.formats import from_onnx
from tests.helpers.cases.models import agree, inputs
from tests.helpers.refuses import refuses

pytest.importorskip("onnx")
from tests.helpers.formats.onnx_graphs import B, C, V, W, expected, model, one_activation

X = inputs("float32", width=3)
HALF = {"half": np.float32(0.5)}
GEMMS = {
    "transB": "h = Gemm<transB=1>(x, W, b)",
    "Gemm": "h = Gemm(x, Wt, b)",
    "alpha and beta": "h = Gemm<transB=1, alpha=0.5, beta=2.0>(x, W, b)",
    "MatMul and Add": "p = MatMul(x, Wt) h = Add(p, b)",
    "Add, the other way": "p = MatMul(x, Wt) h = Add(b, p)",
    "Gemm and Add": "p = Gemm<transB=1>(x, W) h = Add(p, b)",
    "added number": "p = MatMul(x, Wt) h = Add(p, half)",
    "number, the other way": "p = Gemm<transB=1>(x, W) h = Add(half, p)",
    "row of biases": "p = MatMul(x, Wt) h = Add(p, row)",
    "one bias": "h = Gemm(x, Wt, one)",
    "number of bias": "h = Gemm(x, Wt, half)",
    "transposed matrix": "t = Transpose<perm=[1,0]>(W) p = MatMul(x, t) h = Add(p, b)",
    "transposed twice": "t = Transpose(W) u = Transpose(t) h = Gemm<transB=1>(x, u, b)",
    "shared by name": "t = Identity(W) h = Gemm<transB=1>(x, t, b)",
    "reshaped": "t = Reshape(flat, three) h = Gemm<transB=1>(x, t, b)",
    "reshaped, 0 as the side": "t = Reshape(W, copied) h = Gemm<transB=1>(x, t, b)",
    "cast": "t = Cast<to=1>(W) h = Gemm<transB=1>(x, t, b)",
    "identity": "p = Identity(x) q = Gemm<transB=1>(p, W, b) h = Identity(q)",
    "dropout": "p = Gemm<transB=1>(x, W, b) h, mask = Dropout(p)",
    "dropout, not training": "p = Gemm<transB=1>(x, W, b) h = Dropout(p, half, no)",
    "flat": "p = Flatten(x) h = Gemm<transB=1>(p, W, b)",
    "reshape of x": "p = Reshape(x, rows) h = Gemm<transB=1>(p, W, b)",
    "reshape of the outputs": "p = Gemm<transB=1>(x, W, b) h = Reshape(p, zeros)",
}
MORE = {
    "row": B.astype("f4")[None],
    "one": np.full(1, 0.5, "f4"),
    **HALF,
    "flat": W.astype("f4").ravel(),
    "three": np.array([3, 3]),
    "rows": np.array([-1, 3]),
    "zeros": np.array([0, -1]),
    "copied": np.array([0, 3]),
    "no": np.array(False),
}


@pytest.mark.parametrize("name", GEMMS)
def test_affine_layers(name):
    """The matrix is square, so its orientation comes from the operators alone."""
    made = model(f"{GEMMS[name]} y = Gemm<transB=1>(h, V, c)", **MORE)
    net = from_onnx(made)
    assert agree(net(X), expected(made, X), "float32")
    if not {"alpha", "one", "number", "number,"} & {*name.split()}:
        assert net.weights[0].tobytes() == W.astype("f4").tobytes()
        assert net.biases[0].tobytes() == B.astype("f4").tobytes()
    assert net.weights[1].tobytes() == V.astype("f4").tobytes()


def test_a_number_before_an_activation():
    for nodes, activation in (
        ("p = MatMul(x, Wt) q = Add(p, half) h = Relu(q)", "relu"),
        ("p = MatMul(x, Wt) q = Add(p, half) s = Sigmoid(q) h = Mul(q, s)", "silu"),
    ):
        made = model(f"{nodes} y = Gemm<transB=1>(h, V, c)", **HALF)
        net = from_onnx(made)
        assert net.config["hidden"] == [activation]
        assert (net.biases[0] == 0.5).all()
        assert agree(net(X), expected(made, X), "float32")


def test_a_number_of_an_activation():
    """hard_sigmoid of a layer without biases: 3 is not a bias."""
    nodes = "z = MatMul(x, Wt) p = Add(z, three) q = Clip(p, zero, six) h = Div(q, six)"
    made = model(f"{nodes} y = Gemm<transB=1>(h, V, c)", **NUMBERS)
    net = from_onnx(made)
    assert (net.config["hidden"], net.biases[0]) == (["hard_sigmoid"], None)
    assert agree(net(X), expected(made, X), "float32")


SQRT2, SQRT2PI = np.float32(2**0.5), np.float32((2 / np.pi) ** 0.5)
NUMBERS = {
    "r2": SQRT2,
    "rpi": SQRT2PI,
    "k": np.float32(0.044715),
    "one": np.float32(1),
    "half": np.float32(0.5),
    "zero": np.float32(0),
    "three": np.float32(3),
    "six": np.float32(6),
    "twenty": np.float32(20),
    "slope": np.float32(0.2),
    "slopes": np.full(1, 0.2, "f4"),
}
INNER = "u = Mul(k, p) v = Add(z, u) w = Mul(rpi, v) t = Tanh(w)"
# The nodes of an activation, its name, and the opset if they are newer.
ACTIVATIONS = {
    "Sigmoid": ("h = Sigmoid(z)", "sigmoid", 13),
    "Tanh": ("h = Tanh(z)", "tanh", 13),
    "Relu": ("h = Relu(z)", "relu", 13),
    "Max": ("h = Max(z, zero)", "relu", 13),
    "Clip": ("h = Clip(z, zero)", "relu", 13),
    "LeakyRelu": ("h = LeakyRelu(z)", "leaky_relu", 13),
    "LeakyRelu 0.2": ("h = LeakyRelu<alpha=0.2>(z)", "leaky_relu(0.2)", 13),
    "LeakyRelu 0": ("h = LeakyRelu<alpha=0.0>(z)", "relu", 13),
    "PRelu": ("h = PRelu(z, slopes)", "leaky_relu(0.2)", 13),
    "Where": ("m = Less(z, zero) p = Mul(slope, z) h = Where(m, p, z)", "leaky_relu(0.2)", 13),
    "maximum": ("p = Mul(slope, z) h = Max(p, z)", "leaky_relu(0.2)", 13),
    "Elu": ("h = Elu(z)", "elu", 13),
    "Elu 0.5": ("h = Elu<alpha=0.5>(z)", "elu(0.5)", 13),
    "Softplus": ("h = Softplus(z)", "softplus", 13),
    "Softplus of PyTorch": (
        "p = Softplus(z) m = Greater(z, twenty) h = Where(m, z, p)",
        "softplus",
        13,
    ),
    "Gelu of PyTorch": (
        "d = Div(z, r2) e = Erf(d) f = Add(e, one) g = Mul(z, f) h = Mul(g, half)",
        "gelu",
        13,
    ),
    "Gelu of TensorFlow": (
        "d = Div(z, r2) e = Erf(d) f = Add(one, e) g = Mul(half, f) h = Mul(z, g)",
        "gelu",
        13,
    ),
    "Gelu": ("h = Gelu(z)", "gelu", 20),
    "Gelu by tanh": ('h = Gelu<approximate="tanh">(z)', "gelu_tanh", 20),
    "Gelu by tanh of PyTorch": (
        f"q = Mul(z, z) p = Mul(z, q) {INNER} s = Add(one, t) g = Mul(z, s) h = Mul(half, g)",
        "gelu_tanh",
        13,
    ),
    "Gelu by tanh with Pow": (
        f"p = Pow(z, three) {INNER} s = Add(t, one) g = Mul(half, s) h = Mul(z, g)",
        "gelu_tanh",
        13,
    ),
    "silu": ("s = Sigmoid(z) h = Mul(s, z)", "silu", 13),
    "mish": ("s = Softplus(z) t = Tanh(s) h = Mul(z, t)", "mish", 13),
    "Mish": ("h = Mish(z)", "mish", 18),
    "Selu": ("h = Selu(z)", "selu", 13),
    "HardSigmoid": ("h = HardSigmoid<alpha=0.16666667>(z)", "hard_sigmoid", 13),
    "HardSwish": ("h = HardSwish(z)", "hard_swish", 14),
    "relu6": ("p = Add(z, three) q = Clip(p, zero, six) h = Div(q, six)", "hard_sigmoid", 13),
    "Sin": ("h = Sin(z)", "sin", 13),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    nodes, ours, opset = ACTIVATIONS[name]
    made = one_activation(nodes, opset=opset, **NUMBERS)
    net = from_onnx(made)
    assert net.config["hidden"] == [ours]
    assert agree(net(X), expected(made, X), "float32")


@pytest.mark.parametrize("opset", [7, 12, 13, 21, 28])
@pytest.mark.parametrize("axis", ["", "<axis=1>", "<axis=-1>"])
def test_softmax_over_the_outputs(axis, opset):
    """Without an axis it is 1 before opset 13, and the last one since: the same for (n, n_L)."""
    made = model(f"z = Gemm<transB=1>(x, V, c) y = Softmax{axis}(z)", opset=opset)
    net = from_onnx(made)
    assert net.config["output"] == "softmax"
    if opset < 13 and axis != "<axis=1>":  # the reference of onnx has the later operator
        made = model("z = Gemm<transB=1>(x, V, c) y = Softmax<axis=1>(z)")
    assert agree(net(X), expected(made, X), "float32")


@pytest.mark.parametrize(
    "nodes",
    [
        "h = MatMul(x, Vt)",
        "p = MatMul(x, Vt) h = Add(p, c)",
        "p = MatMul(x, Vt) h = Add(c, p)",
        "p = MatMul(x, Vt) q = Identity(p) r = Add(c, q) h = Reshape(r, zeros)",
        "p = MatMul(x, Vt) h = Add(half, p)",
        "h = Gemm<transB=1>(x, V)",
        "p = Gemm<transB=1>(x, V) h = Add(p, half)",
        "p = Gemm<transB=1>(x, V) h = Add(row, p)",
    ],
)
def test_biases_before_softmax(nodes):
    more = {"zeros": np.array([0, -1]), "row": C.astype("f4")[None], **HALF}
    made = model(f"{nodes} y = Softmax(h)", **more)
    net = from_onnx(made)
    assert net.config["output"] == "softmax"
    assert agree(net(X), expected(made, X), "float32")


@pytest.mark.parametrize("opset", [12, 13])
def test_softmax_over_the_examples_is_refused(opset):
    """Before opset 13 it is over the whole batch, afterwards over each column."""
    made = model("z = Gemm<transB=1>(x, V, c) y = Softmax<axis=0>(z)", opset=opset)
    with refuses(ValueError, r"node 'y' \(Softmax\): expected a softmax over .*, got axis=0$"):
        from_onnx(made)


def test_float64_attributes_are_float32():
    """A slope of 0.2 as an attribute is 0.2 in float32, also in a float64 graph."""
    made = one_activation("h = LeakyRelu<alpha=0.2>(z)", dtype=np.float64)
    net = from_onnx(made)
    assert net.config["hidden"] == ["leaky_relu(0.20000000298023224)"]
    assert agree(net(X.astype("f8")), expected(made, X.astype("f8")), "float64")


def test_a_cast_of_x():
    made = model("p = Cast<to=1>(x) y = Gemm<transB=1>(p, V, c)", dtype=np.float64)
    for tensor, array in zip(made.graph.initializer, (V, C), strict=True):
        tensor.raw_data, tensor.data_type = array.astype("f4").tobytes(), 1
    assert from_onnx(made).dtype == "float32"
    made.graph.node[0].attribute[0].i = 11
    with refuses(ValueError, r"\(Cast\): expected float32, as of the parameters, got float64$"):
        from_onnx(made)


def test_one_output_of_several():
    nodes = "z = Gemm<transB=1>(x, V, c) y = Softmax(z) label = ArgMax<axis=1>(y) "
    made = model(f"{nodes} map = ai.onnx.ml.ZipMap<classlabels_int64s=[0,1]>(y)")
    del made.graph.output[:]
    made.graph.output.add(name="label").type.tensor_type.elem_type = 7
    made.graph.output.add(name="map").type.sequence_type.SetInParent()
    net = from_onnx(made)
    assert net.config["output"] == "softmax"
    assert from_onnx(made, output_name="z").config["output"] == "identity"
    made.graph.output.add(name="z").type.tensor_type.elem_type = 1
    with refuses(ValueError, r"expected one output of float32 .*\['label', 'map', 'z'\]; pass its"):
        from_onnx(made)
    with refuses(ValueError, "^output_name: expected a tensor of the graph.*, got 'q'$"):
        from_onnx(made, output_name="q")
