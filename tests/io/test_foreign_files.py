"""A file of another format is named, and what reads it: to `load`, and to `fit(resume=)`."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest

import bpfast
from bpfast._core import read_tensors, write_tensors
from tests.helpers.refuses import refuses

NET = bpfast.Network([3, 4, 2], hidden="tanh", seed=0)
X, Y = np.ones((5, 3)), np.zeros((5, 2))
ARRAYS = {"w": np.ones((4, 3)), "b": np.ones(4)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a file"


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"{}")
    return file.getvalue()


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("inside"))
    return file.getvalue()


HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(range(200))
OLD_TORCH = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + bytes(99)
# Field 1 is 8, field 2 is "pytorch", field 3 is "2.15.0"; and the same without a producer.
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x062.15.0:\x80\x04" + bytes(100)
ONNX_GRAPH = b"\x08\x0a:\x80\x04\n\x10\n\x01x\x12\x01y" + bytes(100)
JSON, NETWORK = "JSON: read it with json.load", json.dumps(NET.config)
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
FORMATS = "read it with bpfast.formats.from_"
PICKLE = "a Python pickle: read it with pickle.load .* if you trust .* bpfast.formats.from_sklearn$"
ZLIB = "a file compressed with zlib, such as joblib's: joblib.load .* bpfast.formats.from_sklearn"
# What is in a file, and what is said of it.
CONTENTS = {
    "npy": (npy(NET.params), "a NumPy .npy file: read it with numpy.load, and assign it to net.p"),
    "npy, one number": (npy(1.0), "a NumPy .npy file"),
    "npz": (zipped("w.npy", "b.npy"), "a NumPy .npz file: .* to Network.from_parameters$"),
    "torch": (zipped("model/data.pkl", "model/version"), f"a PyTorch file: {FORMATS}torch$"),
    "torch before 1.6": (OLD_TORCH, "a PyTorch file"),
    "keras": (zipped("metadata.json", "config.json"), f"a Keras file: {FORMATS}keras$"),
    "zip": (zipped("readme.txt"), "a ZIP archive$"),
    "empty zip": (zipped(), "a ZIP archive$"),
    "hdf5": (HDF5, "an HDF5 file: read it with bpfast.formats.from_keras .* h5py"),
    "onnx": (ONNX, "an ONNX model: read it with bpfast.formats.from_onnx$"),
    "onnx without a producer": (ONNX_GRAPH, "an ONNX model"),
    "pickle 2": (pickle.dumps(NET, 2), PICKLE),
    "pickle 3": (pickle.dumps(NET, 3), PICKLE),
    "pickle 4": (pickle.dumps(NET, 4), PICKLE),
    "pickle 5": (pickle.dumps(NET, 5), PICKLE),
    "gzip": (gzip.compress(HDF5), "a file compressed with gzip: decompress it first$"),
    "gzip, no time": (gzip.compress(HDF5, mtime=0), "a file compressed with gzip"),
    "bzip2": (bz2.compress(HDF5), "a file compressed with bzip2"),
    "xz": (lzma.compress(HDF5), "a file compressed with xz"),
    "zlib": (zlib.compress(HDF5), ZLIB),
    "zlib, fast": (zlib.compress(HDF5, 1), ZLIB),
    "tar": (tar(), "a tar archive"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(200), "a TensorFlow Lite model"),
    "json": (NETWORK.encode(), JSON),
    "json with white space": (f"\n [{NETWORK}, {NETWORK}, {NETWORK}, {NETWORK}]".encode(), JSON),
    "json, short": (b"{}", "2 bytes$"),
    "nothing": (b"", "0 bytes$"),
    "csv": (b"x,y\n" + b"1.0,2.0\n" * 200, "text$"),
    "umlauts": ("äöü".encode() * 999, "text$"),
    "cut umlaut": (b"x" + "äöü".encode() * 999, "text$"),
    "web page": (b"<!DOCTYPE html><html>404</html>", "a web page or XML$"),
    "lfs": (LFS.encode(), "a pointer of Git LFS .* git lfs pull"),
    "noise": (bytes(range(7, 207)), "a file in a format that bpfast does not know$"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_foreign_file_is_named(path, name):
    content, message = CONTENTS[name]
    path.write_bytes(content)
    expected = f"^{re.escape(str(path))}: expected a safetensors file, got {message}"
    with refuses(ValueError, expected):
        bpfast.load(path)
    for options in ({"resume": path}, {"checkpoint": path, "resume": True}):
        with refuses(ValueError, expected, NET):
            NET.fit(X, Y, **options)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_files_of_numpy(tmp_path, save):
    save(tmp_path / "w.npz", **ARRAYS)
    with refuses(ValueError, "got a NumPy .npz file"):
        bpfast.load(tmp_path / "w.npz")


def test_tensors_of_other_libraries(path):
    """A safetensors file of another program says how to read it."""
    hint = (
        "; read it with bpfast.formats.from_torch if .*, else with safetensors.numpy.load_file, "
        "and pass .*Network.from_parameters$"
    )
    for metadata, got in (({}, "none"), ({"format": "pt"}, "'pt'")):
        write_tensors(path, ARRAYS, metadata)
        with refuses(
            ValueError, f": format: expected a network that bpfast saved, got {got}{hint}"
        ):
            bpfast.load(path)
        with refuses(ValueError, f"format: expected 'bpfast.checkpoint', got {got}{hint}", NET):
            NET.fit(X, Y, resume=path)


def test_a_network_file_is_not_a_checkpoint(path):
    NET.save(path)
    got = "got 'bpfast.network', a network without its training: read it with bpfast.load"
    with refuses(ValueError, f"format: expected 'bpfast.checkpoint', {got}", NET):
        NET.fit(X, Y, resume=path)


def test_a_file_of_an_ensemble_says_what_reads_it(path):
    bpfast.Ensemble([NET]).save(path)
    got = "got 'bpfast.ensemble'; read the networks of an ensemble with bpfast.Ensemble.load$"
    with refuses(ValueError, f"format: expected a network that bpfast saved, {got}"):
        bpfast.load(path)
    got = "networks without their training: read it with bpfast.Ensemble.load$"
    with refuses(ValueError, f"expected 'bpfast.checkpoint', got 'bpfast.ensemble', {got}", NET):
        NET.fit(X, Y, resume=path)


@pytest.mark.parametrize(
    "magic", [b"PK\3\4", b"\x1f\x8b", b"\x78\x9c", b"\x80\x04", b"\x08\x08\x12"]
)
def test_a_header_whose_length_looks_like_a_magic_number(path, magic):
    """The first bytes of a file tell how long its header is: any numbers there are right."""
    length = struct.unpack("<Q", magic.ljust(8, b"\0"))[0]
    header = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    path.write_bytes(struct.pack("<Q", length) + header.ljust(length) + b"\x05")
    assert read_tensors(path)[0]["a"].tolist() == [5]
    path.write_bytes(path.read_bytes()[:-1])
    with refuses(ValueError, "a file with a bad header: its tensors take 1 bytes, and 0 follow it"):
        read_tensors(path)


def test_a_damaged_file_keeps_its_own_message(path):
    NET.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:7] + b"\x08" + whole[8:])
    got = f"a file of {len(whole)} bytes whose header would take 5764607523034"
    with refuses(ValueError, f": expected a safetensors file, got {got}"):
        bpfast.load(path)
