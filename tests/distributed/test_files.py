"""Shards in `.npz` files: what is wrong with a file is said with its name."""

import io
import os
import zipfile

import numpy as np
import pytest

import bpfast
from tests.distributed.case import data, network
from tests.helpers.refuses import refuses

X, Y, WEIGHT = data(20)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archive(**members):
    """A zip archive of members that are any bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for name, content in members.items():
            written.writestr(name, content)
    return file.getvalue()


def damaged(content, where, what):
    at = content.index(where)
    return content[:at] + what + content[at + len(what) :]


GOOD = npz(x=X, y=Y)
OF_X = "expected an array of numbers as x, got one that cannot be read: "
WRONG = {
    "empty": (b"", "expected an .npz file, got a file of another format"),
    "text": (b"x,y\n1,2\n", "expected an .npz file, got a file of another format"),
    "npy": (npy(X), "expected an .npz file, got a file of another format"),
    "cut": (GOOD[: len(GOOD) // 2], "expected an .npz file, got one that cannot be read: File is"),
    "begin": (GOOD[:4], "expected an .npz file, got one that cannot be read: File is not a zip"),
    "no arrays": (archive(), "expected arrays x and y, got none"),
    "another name": (npz(x=X, targets=Y), "expected arrays x and y, got x, targets"),
    "changed": (
        damaged(GOOD, X[3].tobytes(), b"\0" * 8), OF_X + "Bad CRC-32 for file 'x.npy'",
    ),
    "objects": (
        npz(x=np.array([[1, "a"]] * 20, object), y=Y),
        OF_X + "Object arrays cannot be loaded when allow_pickle=False",
    ),
    "a member of another format": (
        archive(**{"x": b"text", "y.npy": npy(Y)}),
        "expected an array of numbers as x, got bytes",
    ),
    "a short member": (archive(**{"x.npy": npy(X)[:300], "y.npy": npy(Y)}), OF_X),
    "a damaged header": (archive(**{"x.npy": npy(X)[:20], "y.npy": npy(Y)}), OF_X),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("keep", [True, False])
def test_damaged_files(tmp_path, name, keep):
    content, message = WRONG[name]
    good, path = tmp_path / "0.npz", tmp_path / "1.npz"
    good.write_bytes(GOOD)
    path.write_bytes(content)
    net = network()
    with refuses(ValueError, f"^shard 1: .*1.npz: {message}", net):
        bpfast.distributed.fit(net, bpfast.distributed.LocalShards([good, path], keep=keep))
    with refuses(ValueError, f"^.*1.npz: {message}"):
        bpfast.distributed.LocalShards([good, path])[1]


def test_numbers_of_files_are_named_by_their_shard(tmp_path):
    path = tmp_path / "part.npz"
    np.savez(path, x=X.astype(str), y=Y)
    with refuses(TypeError, "^shard 0: x: expected real numbers, got "):
        bpfast.distributed.fit(network(), [path])


@pytest.mark.skipif(os.name == "nt", reason="a folder cannot be opened in another way there")
def test_files_that_cannot_be_opened(tmp_path):
    with refuses(IsADirectoryError, str(tmp_path)) as caught:
        bpfast.distributed.fit(network(), [tmp_path])
    assert caught.value.__notes__ == ["This happened in shard 0."]


def test_a_path_with_a_null_byte():
    with refuses(ValueError, r"^shard 0: expected a path without null bytes, got 'a\\x00b'$"):
        bpfast.distributed.fit(network(), ["a\0b"])


def test_memory_that_runs_out_is_not_taken_for_damage(tmp_path, monkeypatch):
    path = tmp_path / "part.npz"
    path.write_bytes(GOOD)

    def without_memory(*_, **__):
        raise MemoryError

    monkeypatch.setattr(np.lib.format, "read_array", without_memory)
    with pytest.raises(MemoryError):
        bpfast.distributed.LocalShards([path])[0]
