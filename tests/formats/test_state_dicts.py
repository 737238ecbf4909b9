"""state_dicts of PyTorch and files of them, without PyTorch."""

import importlib.util
import json
import struct

import numpy as np
import pytest

import bpfast
from bpfast._core import write_tensors
from bpfast.formats import from_torch
from tests.helpers.cases.models import DTYPES, agree
from tests.helpers.paths import ROOT
from tests.helpers.refuses import refuses

GOLDEN = ROOT / "tests" / "golden" / "torch_models"
RNG = np.random.default_rng(0)
WEIGHTS = [RNG.standard_normal((4, 4)), RNG.standard_normal((4, 4)), RNG.standard_normal((2, 4))]
BIASES = [RNG.standard_normal(4), RNG.standard_normal(4), RNG.standard_normal(2)]
NAMES = {"hidden": ["relu", "tanh"], "output": "softmax"}


def state_dict(*layers, dtype="float64"):
    pairs = zip(layers, WEIGHTS, BIASES, strict=True)
    return {
        f"{layer}.{kind}": array.astype(dtype)
        for layer, weight, bias in pairs
        for kind, array in (("weight", weight), ("bias", bias))
    }


def has_parameters(net):
    return all(
        (net.weights[k] == WEIGHTS[k].astype(net.dtype)).all()
        and (net.biases[k] == BIASES[k].astype(net.dtype)).all()
        for k in range(3)
    )


@pytest.mark.parametrize(
    ("name", "hidden", "output"), [("square", "tanh", "softmax"), ("deep", "silu", "identity")]
)
def test_recorded_models(name, hidden, output):
    """What PyTorch computed with the parameters in the file."""
    with np.load(GOLDEN / f"{name}.npz") as stored:
        x, a = stored["x"], stored["a"]
    net = from_torch(GOLDEN / f"{name}.safetensors", hidden=hidden, output=output)
    assert agree(net(x), a, a.dtype)
    with refuses(ValueError, "a PyTorch file: read it with bpfast.formats.from_torch$"):
        bpfast.load(GOLDEN / f"{name}.pt")
    with refuses(ValueError, "got 'pt'; read it with bpfast.formats.from_torch if it is a state_d"):
        bpfast.load(GOLDEN / f"{name}.safetensors")


@pytest.mark.skipif(bool(importlib.util.find_spec("torch")), reason="PyTorch is installed")
def test_files_that_need_torch():
    path = GOLDEN / "square.pt"
    with refuses(ImportError, r"^from_torch\('.*square.pt'\) needs torch: pip install \"bpfast\[t"):
        from_torch(path, hidden="tanh", output="softmax")
    for function in (bpfast.formats.to_torch, bpfast.torch.as_function):
        with refuses(ImportError, r"needs torch: pip install \"bpfast\[torch\]\"$"):
            function(bpfast.Network([2, 2]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "layers",
    [
        ("0", "2", "4"),
        ("8", "10", "12"),
        ("net.0", "net.1", "net.10"),
        ("fc1", "fc2", "fc3"),
        ("blocks.0.layers.9", "blocks.1.layers.0", "blocks.1.layers.3"),
        ("module.layer0", "module.layer1", "module.layer2"),
    ],
)
def test_numbers_in_the_names_are_the_order(layers, dtype):
    """In any order of the entries: files sort them as text, 10 before 2."""
    tensors = state_dict(*layers, dtype=dtype)
    for keys in (list(tensors), sorted(tensors), list(tensors)[::-1]):
        net = from_torch({key: tensors[key] for key in keys}, **NAMES)
        assert net.dtype == dtype
        assert has_parameters(net)
    assert net.config["hidden"] == ["relu", "tanh"]
    assert net.config["output"] == "softmax"


def test_names_without_an_order_need_one():
    tensors = state_dict("encoder", "body", "head")
    expected = r"^layers: expected a list of \['encoder', .* in the order .*, got None$"
    with refuses(ValueError, expected):
        from_torch(tensors, **NAMES)
    assert has_parameters(from_torch(tensors, layers=["encoder", "body", "head"], **NAMES))
    for wrong in (["encoder", "body"], ["encoder", "body", "body"], ["encoder", "body", "tail"]):
        with refuses(ValueError, r"^layers: expected each of \['encoder', 'body', 'head'\] once"):
            from_torch(tensors, layers=wrong, **NAMES)


def test_files(tmp_path):
    path = tmp_path / "model.safetensors"
    tensors = state_dict("8", "10", "12")
    write_tensors(path, tensors, {})
    assert has_parameters(from_torch(path, **NAMES))
    assert has_parameters(from_torch(str(path), **NAMES))
    assert has_parameters(from_torch(dict(sorted(tensors.items())), **NAMES))
    path.write_bytes(path.read_bytes()[:-1])
    with refuses(ValueError, "model.safetensors: expected a safetensors file, got "):
        from_torch(path, **NAMES)
    with pytest.raises(FileNotFoundError):
        from_torch(tmp_path / "missing.pt", **NAMES)
    for content in (b"", b"PK", b"\x80\x02", b"text"):
        path.write_bytes(content)
        with pytest.raises((ValueError, ImportError), match=r"model\.safetensors"):
            from_torch(path, **NAMES)
    bpfast.Network([2, 2]).save(path)
    with refuses(
        ValueError, "model.safetensors: expected a file of PyTorch, got one of bpfast.loa"
    ):
        from_torch(path, **NAMES)


@pytest.mark.parametrize("contents", [b"", b"weights"])
@pytest.mark.parametrize("suffix", [".pt", ".pth"])
def test_a_damaged_file_of_pytorch(contents, suffix, tmp_path):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(contents)
    expected = "a file of torch.save, or a safetensors file"
    with refuses(ValueError, f"model{suffix}: expected {expected}, got neither$"):
        from_torch(path, hidden="relu", output="identity")


@pytest.mark.parametrize(
    ("dtype", "size", "got"),
    [
        ("F16", 2, "float16; convert it first"),
        ("BF16", 2, "bfloat16; convert it first"),
        ("I64", 8, "int64$"),
        ("BOOL", 1, "bool$"),
        ("I32", 4, "int32$"),
        ("F8_E4M3", 1, "float8_e4m3fn$"),
    ],
)
def test_files_of_other_dtypes(tmp_path, dtype, size, got):
    entry = {"dtype": dtype, "shape": [2, 2], "data_offsets": [0, 4 * size]}
    header = json.dumps({"0.weight": entry}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4 * size))
    with refuses(TypeError, f"(0\\.weight|layer '0').*: expected float32 or float64, got {got}"):
        from_torch(path, output="identity")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"1.running_mean": np.ones(4)},
            "'1.running_mean': expected the weight and bias of Linear",
        ),
        ({"1.weight": np.ones(4), "1.bias": np.ones(4)}, r"layer '1': .*\(4,\), as of a normalisa"),
        ({"1.weight": np.ones((4, 4, 3))}, r"'1.weight': .*, got shape \(4, 4, 3\)$"),
        ({"5.bias": np.ones(2)}, "layer '5': expected a weight, got a bias alone$"),
        ({"6.weight": np.ones((2, 4)), "6.bias": np.ones(2)}, "layer '6': expected 2 inputs"),
        ({"0.bias": np.ones(5)}, r"layer '0': expected biases of shape \(4,\) for weights of"),
    ],
)
def test_other_entries(change, message):
    with refuses(ValueError, f"^state_dict: {message}"):
        from_torch(state_dict("0", "2", "4") | change, **NAMES)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (np.ones((4, 4), "f2"), "float16; convert it first"),
        (np.ones((4, 4), int), "int64"),
        (np.ones((4, 4), ">c16"), "complex128|>c16"),
        (np.ones((4, 4), "f4"), "expected one dtype, got weights of float32, biases of float64"),
    ],
)
def test_other_dtypes(value, got):
    with refuses(TypeError, f"^state_dict: .*layer '0': .*{got}"):
        from_torch(state_dict("0", "2", "4") | {"0.weight": value}, **NAMES)


def test_checkpoints_and_other_objects():
    tensors = state_dict("0", "2", "4")
    with refuses(TypeError, r"'model': expected a tensor .*, got dict; .* checkpoint\['model'\]$"):
        from_torch({"model": tensors, "epoch": 3})
    with refuses(TypeError, "^state_dict: 'epoch': expected a tensor or an array, got int$"):
        from_torch({"epoch": 3})
    with refuses(TypeError, "^state_dict: expected names as keys, got int$"):
        from_torch({0: np.ones((2, 2))})
    for other in (3, None, [np.ones((2, 2))], np.ones(3)):
        with refuses(
            TypeError, "^model: expected a torch.nn.Module, a state_dict or the path of o"
        ):
            from_torch(other)


def test_names_of_activations_are_needed():
    tensors = state_dict("0", "2", "4")
    with refuses(
        ValueError, "^output: expected the activation of the outputs, which the state_dic"
    ):
        from_torch(tensors, hidden="relu")
    with refuses(ValueError, "^hidden: expected the hidden activations, which the state_dict does"):
        from_torch(tensors, output="softmax")
    with refuses(ValueError, "^hidden"):
        from_torch(tensors, hidden="logistic", output="softmax")
    with refuses(ValueError, "^state_dict: expected an affine layer, got none$"):
        from_torch({}, output="softmax")
