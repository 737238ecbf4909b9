"""Files of tensors: every dtype comes back, hostile files are refused before anything is taken."""

import json
import os
import re
import struct
import sys

import numpy as np
import pytest

from bpfast._core import read_tensors, write_tensors
from tests.helpers.cases.tensors import DTYPES, arrays
from tests.helpers.child import run
from tests.helpers.refuses import refuses


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.safetensors"


def same(read, written):
    assert read.keys() == written.keys()
    for name, array in written.items():
        assert (read[name].shape, read[name].dtype) == (array.shape, array.dtype)
        assert read[name].tobytes() == array.tobytes()


def test_every_dtype_and_shape(path):
    tensors, metadata = arrays(), {"who": "we", "": "", 'q"\\\n\0': "ä網\U0001f600"}
    write_tensors(path, tensors, metadata)
    read, text = read_tensors(path)
    same(read, tensors)
    assert text == metadata
    assert all(array.flags.writeable and array.flags.c_contiguous for array in read.values())
    widths = [array.itemsize for array in read.values()]
    assert widths == sorted(widths, reverse=True)  # so each starts at a multiple of its own


def test_nothing_at_all(path):
    write_tensors(path, {}, {})
    assert read_tensors(path) == ({}, {})


def test_numbers_of_several_blocks(path):
    rng = np.random.default_rng(0)
    tensors = {dtype: rng.integers(0, 2, 3_000_001).astype(dtype) for dtype in DTYPES}
    write_tensors(path, tensors, {})
    same(read_tensors(path)[0], tensors)


def test_any_layout(path):
    base = np.arange(24.0).reshape(4, 6)
    odd = np.frombuffer(b"x" + base.tobytes(), np.uint8)[1:].view("f8")
    odd.flags.writeable = False
    tensors = {"T": base.T, "F": np.asfortranarray(base), "steps": base[::-2, ::3], "odd": odd}
    write_tensors(path, tensors, {})
    same(read_tensors(path)[0], tensors)
    write_tensors(path, {"b": np.array([0, 1, 2, 255], np.uint8).view(bool)}, {})
    assert read_tensors(path)[0]["b"].view(np.uint8).tolist() == [0, 1, 1, 1]


def test_the_same_arrays_make_the_same_bytes(path):
    metadata = {str(k): "x" for k in range(30)}
    write_tensors(path, arrays(), metadata)
    first = path.read_bytes()
    write_tensors(path, arrays(), dict(reversed(metadata.items())))
    assert path.read_bytes() == first
    program = f"""
from bpfast._core import write_tensors
from tests.helpers.cases.tensors import arrays
write_tensors({str(path)!r}, arrays(), {metadata!r})
print(1)
"""
    run(program)
    assert path.read_bytes() == first


def test_other_programs_read_and_write_the_same(path):
    safetensors = pytest.importorskip("safetensors")
    numpy = pytest.importorskip("safetensors.numpy")
    tensors = {name: array for name, array in arrays().items() if array.ndim < 32}
    write_tensors(path, tensors, {"who": "we"})
    same(numpy.load_file(path), tensors)
    with safetensors.safe_open(path, "numpy") as file:
        assert file.metadata() == {"who": "we"}
    numpy.save_file(tensors, path, {"who": "they"})
    read, metadata = read_tensors(path)
    same(read, tensors)
    assert metadata == {"who": "they"}
    numpy.save_file({"half": np.zeros(3, "f2")}, path)
    with refuses(ValueError, ': "half": expected dtype F32, .*, got F16$'):
        read_tensors(path)


ONE = np.zeros(1)
BAD = [
    ([ONE], {}, TypeError, "tensors: expected a dict of arrays, got list"),
    ({"a": ONE}, None, TypeError, "metadata: expected a dict of str, got NoneType"),
    ({1: ONE}, {}, TypeError, "tensors: expected keys and text of type str, got int"),
    ({"a": ONE}, {"k": 1}, TypeError, "metadata: expected keys and text of type str, got int"),
    ({"a": ONE}, {1: "v"}, TypeError, "metadata: expected keys and text of type str, got int"),
    ({"a": [1.0]}, {}, TypeError, r"tensors\['a'\]: expected a NumPy array, got list"),
    ({"a": ONE * 1j}, {}, TypeError, r"tensors\['a'\]: expected dtype float32, .* got complex128"),
    ({"a": ONE.astype("f2")}, {}, TypeError, r"tensors\['a'\]: expected dtype .* got float16"),
    ({"a": ONE.astype(">f8")}, {}, TypeError, r"tensors\['a'\]: expected dtype .* got >f8"),
    ({"a": ONE.astype(object)}, {}, TypeError, r"tensors\['a'\]: expected dtype .* got object"),
    ({"a": ONE.astype("M8[s]")}, {}, TypeError, r"tensors\['a'\]: expected dtype .* got datetime"),
    ({"\ud800": ONE}, {}, ValueError, r"tensors: expected text that UTF-8 can hold, got '\\ud800'"),
    ({"a": ONE}, {"k": "\ud800"}, ValueError, "metadata: expected text that UTF-8 can hold"),
    ({"__metadata__": ONE}, {}, ValueError, r"tensors\['__metadata__'\]: expected another name"),
    ({"a": np.zeros((1,) * 33)}, {}, ValueError, 'tensors: .*, got "a" has 33 dimensions, over 32')
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0"
    else ([], {}, TypeError, "tensors"),
]


@pytest.mark.parametrize(("tensors", "metadata", "kind", "message"), BAD)
def test_arrays_that_cannot_be_written(path, tensors, metadata, kind, message):
    path.write_text("old")
    with refuses(kind, f"^{message}"):
        write_tensors(path, tensors, metadata)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def file(header, numbers=b"", size=None):
    """The bytes of a file with a header that may be anything."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header) if size is None else size) + header + numbers


def info(shape=(1,), offsets=(0, 8), dtype="F64"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


A = json.dumps(info()).encode()
DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
HOSTILE = {
    "empty": b"",
    "seven bytes": b"\0" * 7,
    "no header": b"\0" * 8,
    "a length of 2^63": file({"a": info()}, bytes(8), 2**63),
    "a length of 2^64 - 1": file({"a": info()}, bytes(8), 2**64 - 1),
    "a length of 2^64 - 8": file({"a": info()}, bytes(8), 2**64 - 8),
    "a length one too long": file({"a": info()}, b"", len(A) + 7),
    "text": b"this is a text, and no tensors at all",
    "a pickle": b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00}",
    "a zip": b"PK\x03\x04" + bytes(30),
    "no object": file([info()], bytes(8)),
    "no UTF-8": file(b'{"\xff":' + A + b"}", bytes(8)),
    "no UTF-8 in the metadata": file(b'{"__metadata__":{"a":"\xc3"}}'),
    "half a surrogate": file(b'{"\\ud800":' + A + b"}", bytes(8)),
    "no JSON": file(b"{'a':" + A + b"}", bytes(8)),
    "two documents": file(b'{"a":' + A + b"} {}", bytes(8)),
    "deep": file(DEEP),
    "deep in an unknown field": file(DEEP.replace(b'"a"', b'"a":{"x"') + b"}"),
    "deep in the metadata": file(DEEP.replace(b"a", b"__metadata__")),
    "trailing bytes": file({"a": info()}, bytes(9)),
    "missing bytes": file({"a": info()}, bytes(7)),
    "bytes of nobody": file({}, bytes(8)),
    "one name twice": file(b'{"a":' + A + b',"a":' + A + b"}", bytes(8)),
    "one name twice, empty": file(
        b'{"a":%b,"a":%b}' % ((json.dumps(info((0,), (0, 0))).encode(),) * 2)
    ),
    "metadata twice": file(b'{"__metadata__":{},"__metadata__":{}}'),
    "a key of the metadata twice": file(b'{"__metadata__":{"a":"1","a":"2"}}'),
    "metadata that is no text": file({"__metadata__": {"a": 1}}),
    "metadata that is no object": file({"__metadata__": "a"}),
    "offsets that overlap": file({"a": info(), "b": info()}, bytes(8)),
    "offsets that half overlap": file({"a": info(), "b": info((1,), (4, 12))}, bytes(12)),
    "a gap": file({"a": info(), "b": info((1,), (16, 24))}, bytes(24)),
    "a start behind 0": file({"a": info((1,), (8, 16))}, bytes(16)),
    "offsets out of range": file({"a": info((2**20,), (0, 2**23))}, bytes(8)),
    "offsets near 2^64": file({"a": info((1,), (2**64 - 8, 2**64 - 1))}, bytes(8)),
    "offsets backwards": file({"a": info((1,), (8, 0))}, bytes(8)),
    "negative offsets": file({"a": info((1,), (-8, 0))}, bytes(8)),
    "offsets too large": file({"a": info((1,), (0, 2**70))}, bytes(8)),
    "offsets of three": file({"a": info((1,), (0, 8, 16))}, bytes(8)),
    "an unknown dtype": file({"a": info(dtype="F65")}, bytes(8)),
    "a narrower dtype": file({"a": info(dtype="F32")}, bytes(8)),
    "no dtype": file({"a": {"shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
    "another shape": file({"a": info((2,))}, bytes(8)),
    "a negative side": file({"a": info((-1,))}, bytes(8)),
    "a side that is no integer": file({"a": info((1.0,))}, bytes(8)),
    "2^40 numbers": file({"a": info((2**40,), (0, 2**43))}),
    "2^40 numbers, few bytes": file({"a": info((2**40,))}, bytes(8)),
    "a shape of 2^64 numbers": file({"a": info((2**32, 2**32))}, bytes(8)),
    "a shape of 2^64 + 1 numbers": file({"a": info((274177, 67280421310721))}, bytes(8)),
    "a huge side beside a 0": file({"a": info((2**62, 0), (0, 0))}),
    "a 0 beside huge sides": file({"a": info((0, 2**40, 2**40), (0, 0))}),
    "a side over 2^63": file({"a": info((0, 2**63), (0, 0))}),
    "33 dimensions": file({"a": info((1,) * 33)}, bytes(8)),
    "a million dimensions": file({"a": info((1,) * 10**6)}, bytes(8)),
    "a bool of 2": file({"a": info((8,), dtype="BOOL")}, bytes([0, 1] * 3 + [2, 0])),
    "half a byte": file({"a": info((1,), (0, 1), dtype="F4")}, bytes(1)),
    "a dtype of others": file({"a": info((4,), dtype="BF16")}, bytes(8)),
    "complex": file({"a": info(dtype="C64")}, bytes(8)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(path, name):
    path.write_bytes(HOSTILE[name])
    with refuses(ValueError, rf"^{re.escape(str(path))}(: \"a\")?: expected .*, got ") as caught:
        read_tensors(path)
    assert len(str(caught.value)) < 400


# What the errors say, by example.
SAYS = {
    "empty": "expected a safetensors file, got 0 bytes",
    "a length of 2^63": f"got a file of {8 + len(A) + 7 + 8} bytes whose header would take {2**63}",
    "offsets that overlap": "bad header: invalid offset for tensor",
    "trailing bytes": "bad header: its tensors take 8 bytes, and 9 follow it",
    "one name twice": 'bad header: two tensors are called "a"',
    "deep": "bad header: ",
    "2^40 numbers": f"bad header: its tensors take {2**43} bytes, and 0 follow it",
    "a bool of 2": '"a": expected bytes of 0 and 1 for dtype BOOL, got 2',
    "a dtype of others": '"a": expected dtype F32, F64, I64, U64, U8 or BOOL, got BF16',
}


@pytest.mark.parametrize("name", SAYS)
def test_errors_say_what_is_wrong(path, name):
    path.write_bytes(HOSTILE[name])
    with refuses(ValueError, re.escape(SAYS[name])):
        read_tensors(path)


def test_every_truncation_and_addition_is_seen(path):
    write_tensors(path, {"a": np.arange(3), "b": np.ones(2, bool)}, {"who": "we"})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with refuses(ValueError, "expected a safetensors file, got "):
            read_tensors(path)
    for more in (b"\0", b"\0" * 8, whole):
        path.write_bytes(whole + more)
        with refuses(ValueError, "expected a safetensors file, got "):
            read_tensors(path)


def test_paths_that_are_not_files(path):
    with pytest.raises(FileNotFoundError) as caught:
        read_tensors(path)
    assert caught.value.filename == str(path)
    assert caught.value.errno == 2
    path.mkdir()
    with refuses(ValueError, "expected a safetensors file, got a directory"):
        read_tensors(path)
    if os.name == "posix":
        with pytest.raises(NotADirectoryError):
            read_tensors(b"/dev/null/x")
        for device in ("/dev/zero", "/dev/null"):
            with refuses(ValueError, f"{device}: expected .*, got a pipe or a device"):
                read_tensors(device)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs os.mkfifo")
def test_a_pipe_does_not_hang(path):
    os.mkfifo(path)
    program = f"""
import json
from bpfast._core import read_tensors, write_tensors
words = []
for door in (read_tensors, lambda path: write_tensors(path, {{}}, {{}})):
    try:
        door({str(path)!r})
    except ValueError as error:
        words.append(str(error))
print(json.dumps(words))
"""
    assert all("got a pipe or a device" in words for words in run(program, limit=20))


ROOM = """
import json, resource, sys
from bpfast._core import read_tensors
def read(path):
    try:
        read_tensors(path)
    except Exception as error:
        return type(error).__name__
read("nowhere")
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**25, used + 2**25))
print(json.dumps([read(path) for path in sys.argv[1:]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited by RLIMIT_AS")
def test_header_lengths_are_checked_before_allocation(tmp_path):
    claims = {
        "header": file({"a": info()}, bytes(8), 2**35),
        "numbers": file({"a": info((2**40,), (0, 2**43))}),
    }
    for name, content in claims.items():
        (tmp_path / name).write_bytes(content)
    # A file that does have its size, of holes: the header's must not be taken either, and numbers
    # that are there but fit no memory are what MemoryError is for.
    for name, content in (("long", file(b"", size=2**35)), ("true", claims["numbers"])):
        (tmp_path / name).write_bytes(content)
        os.truncate(tmp_path / name, len(content) + 2**43)
    paths = [tmp_path / name for name in ("header", "numbers", "long", "true")]
    assert run(ROOM, *paths) == ["ValueError"] * 3 + ["MemoryError"]
