"""Networks as ONNX models, run by ONNX Runtime, and back."""

import os

import numpy as np
import pytest

import bpfast
from bpfast.formats import from_onnx, from_torch, to_onnx
from tests.helpers.cases.models import DTYPES, KINDS, agree, inputs, network, same_bits
from tests.helpers.refuses import refuses

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

# ONNX Runtime has no kernel of Erf for float64.
ERF = ("gelu",)


def run(model, x):
    """The outputs that ONNX Runtime computes."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {session.get_inputs()[0].name: x})[0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("hidden", "output"), KINDS)
def test_round_trip(hidden, output, dtype):
    net = network(hidden, output, dtype)
    model = to_onnx(net)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 7
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 13)]
    again = from_onnx(model)
    assert same_bits(again, net)
    assert again.same_config(net)
    x = inputs(dtype)
    if dtype == "float64" and {hidden, output} & {*ERF}:
        with pytest.raises(Exception, match="Could not find an implementation for Erf"):
            run(model, x)
    else:
        assert agree(run(model, x), net(x), dtype)


@pytest.mark.parametrize("n", [1, 7])
def test_any_number_of_rows_and_several_outputs(n):
    net = bpfast.Network([3, 5, 2], hidden="relu", output="identity", dtype="float32", seed=0)
    a = run(to_onnx(net), inputs("float32", n, 3))
    assert a.shape == (n, 2)


def test_names_and_shapes():
    model = to_onnx(network("silu", "softmax"))
    assert [tensor.name for tensor in model.graph.initializer] == [
        "W2",
        "b2",
        "W3",
        "b3",
        "W4",
        "b4",
    ]
    assert model.producer_name == "bpfast"
    for value, name, width in ((model.graph.input[0], "x", 4), (model.graph.output[0], "a", 3)):
        sides = value.type.tensor_type.shape.dim
        assert (value.name, sides[0].dim_param, sides[1].dim_value) == (name, "n", width)


def test_files(tmp_path):
    net = network("tanh", "softmax")
    path = tmp_path / "net.onnx"
    path.write_bytes(b"another file")
    model = to_onnx(net, path)
    assert path.read_bytes() == model.SerializeToString()
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]
    for name in (path, str(path)):
        assert same_bits(from_onnx(name), net)
    with refuses(ValueError, "an ONNX model: read it with bpfast.formats.from_onnx"):
        bpfast.load(path)
    with pytest.raises(OSError, match="nowhere"):
        to_onnx(net, tmp_path / "nowhere" / "net.onnx")
    with pytest.raises(FileNotFoundError):
        from_onnx(tmp_path / "missing.onnx")


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        (".", IsADirectoryError, "'.'"),
        ("/", IsADirectoryError, "'/'"),
        ("", FileNotFoundError, "''$"),
        ("a\0b", ValueError, r"^path: expected a path without null bytes, got 'a\\x00b'$"),
        (3, TypeError, "^path: expected str, bytes or os.PathLike, got int$"),
    ],
)
def test_paths_of_no_file(path, kind, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with refuses(kind, message):
        to_onnx(network(), path)
    assert not [*tmp_path.iterdir()]


def test_the_contents_of_a_file_are_no_path():
    contents = to_onnx(network()).SerializeToString()
    hint = r"pass onnx.load_from_string\(model\)"
    with refuses(TypeError, f"^model: expected .*, got the bytes of a model; {hint}$"):
        from_onnx(contents)
    with refuses(ValueError, "^path: expected a path without null bytes, got .{100}…$"):
        to_onnx(network(), contents)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes in folders")
@pytest.mark.parametrize("read", [from_onnx, from_torch])
def test_a_pipe_is_not_opened_for_reading(tmp_path, read):
    """That would wait until something writes to it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    for source in (path, "/dev/zero"):
        with refuses(ValueError, f"^{source}: expected .*, got a pipe or a device$"):
            read(source)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes in folders")
def test_a_pipe_or_device_is_not_replaced(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with refuses(ValueError, "pipe: expected a file, or none, got a pipe or a device$"):
        to_onnx(network(), path)
    assert path.is_fifo()


def test_a_path_as_bytes(tmp_path):
    net, path = network(), os.fsencode(tmp_path / "net.onnx")
    to_onnx(net, path)
    assert same_bits(from_onnx(path), net)


def test_the_cost():
    def cost(a, y):
        return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

    net = network("tanh", "softmax")
    assert from_onnx(to_onnx(net)).config["cost"] == "log_likelihood"
    assert from_onnx(to_onnx(net), cost="huber").config["cost"] == "huber"
    net = bpfast.Network([2, 2], cost=cost)
    assert from_onnx(to_onnx(net)).config["cost"] == "quadratic"


def test_an_activation_after_logits():
    net = network("tanh", "identity")
    added = from_onnx(to_onnx(net), output="softmax", cost="log_likelihood")
    assert (added.trace(inputs("float64")).z[-1] == net(inputs("float64"))).all()
    with refuses(ValueError, "^output: expected None, as the model ends with softmax, got 'tanh'"):
        from_onnx(to_onnx(network("tanh", "softmax")), output="tanh")


def test_large_networks_are_refused_before_they_are_copied(monkeypatch):
    from bpfast.formats._onnx import write

    monkeypatch.setattr(write, "MAX_BYTES", 100)
    with refuses(ValueError, "^net: expected parameters of less than 2 GB.*, got 440 bytes$"):
        to_onnx(network())


def test_layers_without_biases():
    net = network("relu", "identity", biases=[False, True, False])
    model = to_onnx(net)
    assert [len(node.input) for node in model.graph.node if node.op_type == "Gemm"] == [2, 3, 2]
    assert same_bits(from_onnx(model), net)
    assert agree(run(model, inputs("float64")), net(inputs("float64")), "float64")


def test_no_bits_are_lost():
    net = network()
    net.params[:4] = [np.nan, np.inf, -0.0, 5e-324]
    assert same_bits(from_onnx(to_onnx(net)), net)


def test_many_layers():
    """No recursion over the layers."""
    net = bpfast.Network([2] * 1500, hidden="silu", output="identity", seed=0)
    assert same_bits(from_onnx(to_onnx(net)), net)


def test_float16_is_told_to_be_converted():
    model = to_onnx(network("relu", "identity", "float32"))
    for tensor in model.graph.initializer:
        half = onnx.numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(onnx.numpy_helper.from_array(half, tensor.name))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    with refuses(ValueError, "got ..* of float16..; convert the model to one of these dtypes$"):
        from_onnx(model)
