"""ONNX models that no network is: each is refused, and the node is named."""

import random

import numpy as np
import pytest

import bpfast
from bpfast.formats import from_onnx, to_onnx
from tests.helpers.cases.models import network
from tests.helpers.refuses import refuses

onnx = pytest.importorskip("onnx")
from tests.helpers.formats.onnx_graphs import FIRST, LAST, W, model, one_activation  # noqa: E402

NUMBERS = {
    "row": np.full(3, 2, "f4"),
    "column": np.full((2, 1), 2, "f4"),
    "half": np.float32(0.5),
    "two": np.float32(2),
    "yes": np.array(True),
    "three": np.array([-1, 1]),
    "none": np.array([0, 2]),
    "deep": np.full((1, 1, 1), 2, "f4"),
}
HALF = W.astype("f2")
SEVERAL = r"node 'y' \(Softmax\): expected a function of one layer, got several: "
ONE_NUMBER = "expected one number in an activation, or biases after a product, got float32 of "
# What Softmax is of.
BEFORE_SOFTMAX = {
    "branch": (
        "p = Gemm<transB=1>(x, V, c) q = Gemm<transB=1>(x, V) h = Add(p, q) y = Softmax(h)",
        SEVERAL + r"\['p', 'q'\]$",
    ),
    "skip": (f"{FIRST} h = Add(z, x) y = Softmax(h)", SEVERAL + r"\['x', 'z'\]$"),
    "skip, without biases": (
        "z = MatMul(x, W) h = Add(x, z) y = Softmax(h)",
        SEVERAL + r"\['x', 'z'\]$",
    ),
    "skip over biases": (
        "z = MatMul(x, W) p = Add(z, b) h = Add(p, z) y = Softmax(h)",
        SEVERAL + r"\['p', 'z'\]$",
    ),
    "difference": (f"{FIRST} h = Sub(z, x) y = Softmax(h)", SEVERAL + r"\['x', 'z'\]$"),
    **{
        f"{op} of a matrix": (
            f"{FIRST} p = {op}(z, W) h = Add(p, b) y = Softmax(h)",
            ONE_NUMBER + r"shape \(3(, 3)?\b.*\)$",
        )
        for op in ("Sub", "Div", "Mul", "Pow", "Max", "Add")
    },
    "x twice": (
        "h = Add(x, x) y = Softmax(h)",
        r"node 'y' \(Softmax\): expected an affine layer before it, got the input 'x'$",
    ),
    "x and biases": ("h = Add(x, b) y = Softmax(h)", "tensor 'b': " + ONE_NUMBER),
    "a layer twice": (
        f"{FIRST} h = Add(z, z) y = Softmax(h)",
        r"layer 'z': expected .*, got Softmax\(Add\(z, z\)\) of its output z$",
    ),
    "constants": ("h = Add(b, b) y = Softmax(h)", "tensor 'b': " + ONE_NUMBER),
    "numbers": ("h = Add(half, two) y = Softmax(h)", "'y': expected to depend on x, got a constan"),
    "biases twice": (f"{FIRST} h = Add(z, b) y = Softmax(h)", "expected biases once"),
    "biases and a number": (
        f"{FIRST} h = Add(z, half) y = Softmax(h)",
        r"layer 'z': .*, got Softmax\(Add\(z, 0.5\)\) of its output z$",
    ),
    "biases of the batch": (
        "z = MatMul(x, Vt) h = Add(z, column) y = Softmax(h)",
        r"biases of shape \(2,\), got shape \(2, 1\)$",
    ),
    "temperature": (f"{FIRST} h = Div(z, two) y = Softmax(h)", r"got Softmax\(Div\(z, 2\)\)"),
    "activation": (f"{FIRST} h = Relu(z) y = Softmax(h)", r"got Softmax\(Relu\(z\)\) of its out"),
    "softmax": (f"{FIRST} h = Softmax(z) y = Softmax(h)", r"got Softmax\(Softmax\(z\)\) of its"),
}
# Nodes, and what the message names.
REFUSED = {
    "x as the second factor": ("y = MatMul(W, x)", r"\(MatMul\): .* weights as the first$"),
    "transA": ("y = Gemm<transA=1>(x, W)", r"\(Gemm\): .* got transA"),
    "two tensors": ("p = Gemm(x, W) y = MatMul(x, p)", "product of two tensors$"),
    "BatchNormalization": (
        f"{FIRST} h = BatchNormalization(z, b, b, b, b) {LAST}",
        r"node 'h' \(BatchNormalization\): expected Gemm, MatMul and Add, or an activation",
    ),
    "Conv": ("y = Conv(x, W)", r"node 'y' \(Conv\)"),
    "branch": (
        "p = Gemm<transB=1>(x, W, b) q = Gemm<transB=1>(x, W, b) h = Add(p, q) " + LAST,
        r"node 'h' \(Add\): expected a function of one layer, got several: \['p', 'q'\]$",
    ),
    "skip": (f"{FIRST} r = Relu(z) h = Add(r, x) {LAST}", "got several: .*'x', 'z'"),
    "scaled neurons": (f"{FIRST} h = Mul(z, row) {LAST}", r"'row': expected one number .*\(3,\)$"),
    "LogSoftmax": ("z = Gemm<transB=1>(x, V, c) y = LogSoftmax(z)", r"node 'y' \(LogSoftmax\)"),
    **{f"{name}, softmax": row for name, row in BEFORE_SOFTMAX.items()},
    "softmax in a hidden layer": (f"{FIRST} h = Softmax(z) {LAST}", "layer 'z': expected softmax"),
    "Softsign": (f"{FIRST} h = Softsign(z) {LAST}", r"layer 'z': .*, got Softsign\(z\) of its"),
    "ReLU6": (f"{FIRST} h = Clip(z, zero, six) {LAST}", r"got Clip\(z, 0, 6\) of its output z$"),
    "scaled sigmoid": (
        f"{FIRST} p = Mul(z, two) h = Sigmoid(p) {LAST}",
        r"got Sigmoid\(Mul\(z, 2\)\) of its output z$",
    ),
    "HardSigmoid of ONNX": (f"{FIRST} h = HardSigmoid(z) {LAST}", r"HardSigmoid\(z, 0.2, 0.5\)"),
    "Selu with another scale": (f"{FIRST} h = Selu<gamma=2.0>(z) {LAST}", r"Selu\(z, 1.67.*, 2\)"),
    "Celu": (f"{FIRST} h = Celu(z) {LAST}", r"Celu\(z, 1\)"),
    "two activations": (f"{FIRST} p = Tanh(z) h = Relu(p) {LAST}", r"Relu\(Tanh\(z\)\)"),
    "an activation first": (
        "p = Tanh(x) y = Gemm<transB=1>(p, V, c)",
        r"node 'p' \(Tanh\): expected an affine layer before it, got the input 'x'$",
    ),
    "Dropout that trains": (f"{FIRST} h = Dropout(z, half, yes) {LAST}", "of inference, got train"),
    "biases twice": ("p = Gemm<transB=1>(x, V, c) y = Add(p, c)", "expected biases once"),
    "biases of the batch": ("y = Gemm<transB=1>(x, V, column)", r"biases of shape \(2,\), got sha"),
    "biases from x": ("y = Gemm(x, W, x)", "expected constant biases, got 'x'$"),
    "mask of Dropout": (
        f"{FIRST} h, m = Dropout(z) p = Cast<to=1>(m) y = Gemm<transB=1>(p, V, c)",
        r"\(Dropout\): expected Gemm, MatMul and Add, or an activation",
    ),
    "a number of three axes": (f"{FIRST} h = Mul(z, deep) {LAST}", r"of shape \(1, 1, 1\)$"),
    "Reshape to no examples": (
        "p = Gemm<transB=1>(x, V, c) y = Reshape<allowzero=1>(p, none)",
        r"\(Reshape\): expected the shape \(n, 2\), got \[0, 2\]$",
    ),
    "one column": (
        "p = Gemm<transB=1>(x, V, c) y = Reshape(p, three)",
        r"\(Reshape\): expected the shape \(n, 2\), got \[-1, 1\]; skl2onnx does this",
    ),
    "Reshape to a computed shape": (
        "s = Shape(x) p = Gemm<transB=1>(x, V, c) y = Reshape(p, s)",
        "expected a constant shape",
    ),
    "another domain": ("y = other.Gemm<transB=1>(x, V, c)", "ONNX's own domain, got 'other'$"),
    "inputs that do not fit": ("p = Gemm<transB=1>(x, V, c) y = Gemm(p, W)", "layer 'y': expected"),
    "a matrix of three axes": ("y = MatMul(x, cube)", r"\(MatMul\): expected a matrix of weights"),
    "quantized": ("p = QuantizeLinear(x, half) y = Gemm(p, W)", r"node 'p' \(QuantizeLinear\)"),
    "nothing": ("y = Identity(x)", "^model: expected an affine layer, got none$"),
    "constant": (
        "p = Identity(W) y = Relu(p)",
        "tensor .p.: expected one number in an activation, .*, got float32 of shape",
    ),
    "unknown tensor": (
        "y = Gemm(unknown, W)",
        "tensor 'unknown': expected a node that makes it, got none$",
    ),
    "no inputs": ("y = Gemm(x)", "expected two factors, got 1$"),
    "cycle": ("p = Gemm(q, W) q = Relu(p) y = Gemm(q, W)", "a cycle$"),
    "cycle of identities": ("p = Identity(q) q = Identity(p) y = Gemm(q, W)", "a cycle$"),
    "cycle in an activation": ("p = Add(q, half) q = Relu(p) y = Relu(q)", "larger expression"),
    "transposed by a wrong order": (
        "t = Transpose<perm=[5,1]>(W) y = MatMul(x, t)",
        r"node 't' \(Transpose\): expected Transpose to fit shape \(3, 3\), got ",
    ),
}


@pytest.mark.parametrize("operator", ["LeakyRelu", "Elu", "PRelu"])
def test_a_parameter_that_is_no_number(operator):
    """NaN was taken for no parameter, so the activation got its default."""
    slope = {"slope": np.array([np.nan], "f4")} if operator == "PRelu" else {}
    made = one_activation(f"h = {operator}({', '.join(['z', *slope])})", **slope)
    if not slope:
        made.graph.node[1].attribute.append(onnx.helper.make_attribute("alpha", np.nan))
    with refuses(ValueError, rf"got {operator}\(z, nan\) of its output z$"):
        from_onnx(made)


@pytest.mark.parametrize("name", REFUSED)
def test_a_graph_that_no_network_is(name):
    nodes, message = REFUSED[name]
    more = {"zero": np.float32(0), "six": np.float32(6), "cube": np.ones((1, 3, 2), "f4")}
    with refuses(ValueError, f"^model.*{message.removeprefix('^model')}"):
        from_onnx(model(nodes, **NUMBERS, **more))


@pytest.mark.parametrize("opset", [1, 6, 29, 99])
def test_opsets_out_of_range(opset):
    with refuses(ValueError, f"^model: expected opset 7 to 28, got {opset}; convert it with onnx"):
        from_onnx(model("y = Gemm<transB=1>(x, V, c)", opset=opset))


def test_two_inputs():
    made = model("y = Gemm<transB=1>(x, V, c)")
    made.graph.input.add(name="x2")
    with refuses(ValueError, r"^model: expected one input besides parameters, got \['x', 'x2'\]$"):
        from_onnx(made)
    made.graph.input[1].name = "V"  # before IR version 4 parameters are inputs too
    assert from_onnx(made).sizes == (3, 2)


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (HALF, "float16; convert it first"),
        (np.ones((3, 3), int), "int64"),
        (np.ones((3, 3), bool), "bool"),
        (np.ones((3, 3), complex), "complex128"),
    ],
)
def test_other_dtypes(array, got):
    with refuses(TypeError, f"weights of layer 'y': expected float32 or float64, got {got}"):
        from_onnx(model("y = Gemm(x, other)", other=array))


def test_bfloat16():
    made = model("y = Gemm(x, W)")
    made.graph.initializer[0].CopyFrom(onnx.helper.make_tensor("W", 16, (1, 1), [1.0]))
    with refuses(TypeError, "^model: 'W': expected float32 or float64, got bfloat16; convert it"):
        from_onnx(made)


def test_mixed_dtypes():
    made = model("y = Gemm(x, W, other)", other=np.ones(3))
    with refuses(TypeError, "layer 'y': expected one dtype, got weights of float32, biases of fl"):
        from_onnx(made)


def test_parameters_in_another_file(tmp_path):
    net = network("tanh", "softmax", "float32")
    path = tmp_path / "net.onnx"
    onnx.save(to_onnx(net), path, save_as_external_data=True, size_threshold=0, location="data")
    assert (from_onnx(path).params == net.params).all()
    with refuses(ValueError, "'W4': expected numbers, got external data that is not loaded; pass"):
        from_onnx(onnx.load(path, load_external_data=False))
    (tmp_path / "data").write_bytes(b"short")
    with refuses(ValueError, "expected an ONNX model, got: .|expected numbers, got a tensor that"):
        from_onnx(path)
    (tmp_path / "data").unlink()
    with pytest.raises((OSError, ValueError), match="data"):
        from_onnx(path)


def test_data_outside_the_folder_is_not_read(tmp_path):
    made = to_onnx(network(dtype="float32"))
    tensor = made.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    tensor.external_data.add(key="location", value="../../../../../etc/passwd")
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    with pytest.raises((OSError, ValueError)):
        from_onnx(path)


def test_damaged_tensors():
    made = model("y = Gemm<transB=1>(x, V, c)")
    made.graph.initializer[0].raw_data = b"123"
    with refuses(ValueError, "'V': expected numbers, got a tensor that onnx cannot read: "):
        from_onnx(made)


def test_files_of_another_kind(tmp_path):
    path = tmp_path / "file"
    for content in (b"", b"\x00\x01", b"text", bytes(range(256))):
        path.write_bytes(content)
        with refuses(ValueError, "file: expected an ONNX model, got"):
            from_onnx(path)
    bpfast.Network([2, 2]).save(path)
    with refuses(ValueError, "file: expected an ONNX model, got"):
        from_onnx(path)
    for other in (3, None, {"W": 1}, bpfast.Network([2, 2])):
        with refuses(TypeError, "^model: expected an onnx.ModelProto or a path, got "):
            from_onnx(other)


def test_damaged_files_raise_an_error_or_give_a_network(tmp_path):
    """Bytes of a model changed or cut off: nothing but the documented errors."""
    whole = one_activation("s = Sigmoid(z) h = Mul(z, s)").SerializeToString()
    path, rng = tmp_path / "damaged.onnx", random.Random(0)
    refused = 0
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(content[: rng.choice([len(content), rng.randrange(len(content))])])
        try:
            from_onnx(path)
        except (OSError, TypeError, ValueError):
            refused += 1
    assert refused > 200
