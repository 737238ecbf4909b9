"""The file that `to_onnx` writes is replaced whole or not at all."""

import os
import stat
import threading

import pytest

pytest.importorskip("onnx")

from bpfast.formats import from_onnx, to_onnx
from tests.helpers.cases.models import network, same_bits

posix = pytest.mark.skipif(os.name != "posix", reason="as POSIX has it")


@posix
def test_a_symbolic_link_stays_and_the_mode_is_kept(tmp_path):
    target, link = tmp_path / "other" / "net.onnx", tmp_path / "link.onnx"
    target.parent.mkdir()
    target.write_bytes(b"another file")
    target.chmod(0o640)
    link.symlink_to(target)
    net = network("silu", "softmax")
    to_onnx(net, link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert same_bits(from_onnx(target), net)
    assert [file.name for file in target.parent.iterdir()] == ["net.onnx"]


def test_a_long_name(tmp_path):
    path = tmp_path / ("n" * 250 + ".onnx")
    to_onnx(network("silu", "softmax"), path)
    assert from_onnx(path).sizes == network("silu", "softmax").sizes


def test_threads_that_write_the_same_file(tmp_path):
    path, failed = tmp_path / "net.onnx", []
    net = network("silu", "softmax")

    def write():
        try:
            for _ in range(20):
                to_onnx(net, path)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert same_bits(from_onnx(path), net)
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]
