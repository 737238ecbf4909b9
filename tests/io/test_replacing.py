"""A file is replaced whole or not at all, whatever fails, and whenever the process is killed."""

import errno
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import bpfast
from bpfast._core import read_tensors, write_tensors
from tests.helpers.child import command, environment, run
from tests.helpers.paths import ROOT
from tests.helpers.processes.ctrl_c import ctrl_c_raises

posix = pytest.mark.skipif(os.name != "posix", reason="as POSIX has it")
linux = pytest.mark.skipif(sys.platform != "linux", reason="as Linux has it")

OLD, NEW = {"a": np.zeros(3)}, {"a": np.ones(3)}


@pytest.fixture
def path(tmp_path):
    write_tensors(tmp_path / "x", OLD, {})
    return tmp_path / "x"


def is_new(path):
    return bool(read_tensors(path)[0]["a"][0])


def names(folder):
    return sorted(entry.name for entry in Path(folder).iterdir())


def test_a_file_is_replaced_by_another(path):
    with path.open("rb") as old:
        before = old.read()
        write_tensors(path, NEW, {})
        old.seek(0)
        assert old.read() == before  # who has it open keeps the old one
    assert is_new(path)
    assert names(path.parent) == ["x"]


def test_a_missing_folder(tmp_path):
    target = tmp_path / "no" / "x"
    for call in (
        lambda: write_tensors(target, OLD, {}),
        lambda: bpfast.Network([2, 1]).save(target),
        lambda: bpfast.load(target),
    ):
        with pytest.raises(FileNotFoundError) as caught:
            call()
        assert caught.value.filename == str(target)
        assert str(caught.value) == f"[Errno {errno.ENOENT}] {os.strerror(errno.ENOENT)}: " + repr(
            str(target)
        )
    assert names(tmp_path) == []


@posix
def test_a_folder_is_not_a_file(tmp_path):
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "folder", tmp_path, f"{tmp_path}/folder/", f"{tmp_path}/folder/.."):
        with pytest.raises(IsADirectoryError) as caught:
            write_tensors(target, OLD, {})
        assert caught.value.filename == str(target)
    with pytest.raises(OSError, match=r"Not a directory|No such file"):
        write_tensors(f"{tmp_path}/new/", OLD, {})
    with pytest.raises(NotADirectoryError):
        write_tensors("/dev/null/x", OLD, {})
    assert names(tmp_path) == ["folder"]


@posix
def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    write_tensors(tmp_path / ("x" * longest), OLD, {})
    with pytest.raises(OSError, match="too long") as caught:
        write_tensors(tmp_path / ("y" * (longest + 1)), OLD, {})
    assert caught.value.errno == errno.ENAMETOOLONG
    assert names(tmp_path) == ["x" * longest]


@posix
def test_modes(path):
    for mode in (0o600, 0o644, 0o666, 0o664, 0o755):
        path.chmod(mode)
        write_tensors(path, NEW, {})
        assert stat.S_IMODE(path.stat().st_mode) == mode
    before = os.umask(0o027)
    try:
        write_tensors(path.with_name("new"), NEW, {})
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.with_name("new").stat().st_mode) == 0o640


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_root_keeps_the_owner_of_a_file(path):
    os.chown(path, 12345, 23456)
    write_tensors(path, NEW, {})
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


@posix
def test_symbolic_links_are_followed(path):
    folder = path.parent
    (folder / "far").mkdir()
    (folder / "far" / "link").symlink_to("../x")
    (folder / "chain").symlink_to(folder / "far" / "link")
    write_tensors(folder / "chain", NEW, {})
    assert is_new(path)
    assert (folder / "chain").is_symlink()
    assert (folder / "far" / "link").is_symlink()
    assert not path.is_symlink()
    (folder / "ahead").symlink_to("far/made")
    write_tensors(folder / "ahead", NEW, {})
    assert (folder / "ahead").is_symlink()
    assert is_new(folder / "far" / "made")
    (folder / "ring").symlink_to("ring")
    with pytest.raises(OSError, match="symbolic links") as caught:
        write_tensors(folder / "ring", NEW, {})
    assert caught.value.errno == errno.ELOOP
    assert names(folder) == ["ahead", "chain", "far", "ring", "x"]
    assert names(folder / "far") == ["link", "made"]


@posix
def test_no_permission(path):
    folder = path.parent
    (folder / "open").mkdir()
    guarded = folder / "open" / "guarded"
    write_tensors(guarded, OLD, {})
    for what, mode in ((path, 0o444), (guarded, 0o444), (folder / "open", 0o777), (folder, 0o555)):
        what.chmod(mode)
    try:
        denied = ["PermissionError", errno.EACCES]
        assert run("writes_without_permission", folder) == [
            [*denied, "x", 0, ["open", "x"]],
            [*denied, "new", None, ["open", "x"]],
            # The folder would allow a rename; the file is there to be read only.
            [*denied, "open/guarded", 0, ["guarded"]],
        ]
    finally:
        folder.chmod(0o755)


@posix
@pytest.mark.parametrize("room", [1000, 1_000_000, 2**20 + 100, 3_999_999])
def test_a_file_that_grows_too_long(path, room):
    too_long, fits = run("writes_too_much", path, room)
    assert too_long == ["OSError", errno.EFBIG, str(path), 0, ["x"]]
    assert fits == ["written", 0, ["x"]]


@linux
def test_a_full_disk(tmp_path):
    # A disk of 1 MiB in a namespace of its own, where the system allows that.
    space = ["unshare", "--map-root-user", "--mount"]
    mount = f"mount -t tmpfs -o size=1m tmpfs '{tmp_path}' && exec \"$@\""
    shell = [*space, "sh", "-c", mount, "sh"]
    try:
        subprocess.run([*shell, "true"], check=True, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("no file system can be mounted here")
    done = subprocess.run(
        [*shell, *command("writes_to_a_full_disk", tmp_path)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    full = ["OSError", errno.ENOSPC]
    assert json.loads(done.stdout) == [
        [*full, f"{tmp_path}/x", 0, ["x"]],
        [*full, f"{tmp_path}/y", None, ["x"]],
        ["written", 0, ["x"]],
        [errno.ENOSPC, True],
    ]


SAVES = """
import sys
import bpfast
path = sys.argv[1]
nets = [bpfast.Network([300, 200], dtype="float32", seed=k) for k in range(2)]
nets[0].save(path)
print("ready", flush=True)
while True:
    for net in nets:
        net.save(path)
"""


def test_a_process_killed_while_it_saves_leaves_a_whole_file(tmp_path):
    path = tmp_path / "x"
    nets = [bpfast.Network([300, 200], dtype="float32", seed=k) for k in range(2)]
    whole = {net.params.tobytes() for net in nets}
    rng = np.random.default_rng(0)
    for _ in range(25):
        child = subprocess.Popen(
            command(SAVES, path), stdout=subprocess.PIPE, env=environment(), cwd=ROOT
        )
        with child:
            assert child.stdout.readline() == b"ready\n"
            time.sleep(rng.uniform(0, 0.02))
            child.kill()
        assert bpfast.load(path).params.tobytes() in whole
    # What the killed ones left is beside it, and in nobody's way.
    assert all(name == "x" or name.startswith(".bpfast-") for name in names(tmp_path))
    nets[0].save(path)
    assert bpfast.load(path).params.tobytes() == nets[0].params.tobytes()


@posix
def test_an_interrupt_leaves_the_old_file(tmp_path):
    with ctrl_c_raises():  # also in the child
        assert run("interrupted_write", tmp_path / "x") == ["interrupted", 1, ["x"]]
