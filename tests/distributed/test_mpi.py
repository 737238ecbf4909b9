"""The same bits on MPI ranks as in one process, and errors that all ranks raise."""

import json
import shutil
import subprocess

import pytest

import bpfast
from tests.distributed.case import data, digest, examples, hashes, train
from tests.helpers.child import command, environment, finish
from tests.helpers.paths import ROOT

pytest.importorskip("mpi4py")
MPIRUN = shutil.which("mpirun")
pytestmark = pytest.mark.skipif(MPIRUN is None, reason="needs mpirun: Debian's openmpi-bin")
# By default, Open MPI does not start as root, nor with more ranks than CPUs. These allow both.
ROOT_MAY = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def on_ranks(count, folder, what):
    """What rank 0 prints, with `count` ranks."""
    started = [MPIRUN, "--oversubscribe", "-n", str(count)]
    process = subprocess.Popen(
        [*started, *command("mpi_trainings", folder, what)], cwd=ROOT, text=True,
        env=environment(**ROOT_MAY, BPFAST_NUM_THREADS="1"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            out, err = finish(process)
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mpi")


@pytest.fixture(scope="module")
def three(folder):
    return on_ranks(3, folder, "all")


def test_same_bits_on_three_ranks(three):
    assert three["hashes"] == {name: [found] * 3 for name, found in hashes().items()}


def test_each_rank_loads_its_own_shards(three):
    assert three["calls"] == [[0, 1], [2, 3, 4], [5, 6, 7]]
    assert three["own shards"] == [hashes(["full"])["full"]] * 3


def test_a_cost_that_cannot_be_sent(three):
    assert len(three["own cost"]) == 3
    assert len(set(three["own cost"])) == 1


def test_a_rate_that_cannot_be_sent(three):
    net = bpfast.Network([6, 4, 2], output="identity", seed=0)
    bpfast.distributed.fit(
        net, *data()[:2], method="local", shard_rows=100, epochs=2, seed=0,
        learning_rate=lambda step: 0.1 / (1 + step),
    )  # fmt: skip
    assert three["own rate"] == [digest(net)] * 3


@pytest.mark.parametrize("count", [2, 8])
def test_resumed_on_another_number_of_ranks(three, folder, count):
    found = on_ranks(count, folder, "resume")
    for name, on_each in found["hashes"].items():
        assert on_each == [three["hashes"][name][0]] * count
    expected, _ = train("classes", *examples("classes"), epochs=3)
    assert found["resumed"] == [digest(expected)] * count


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "with_nan",
            "ValueError: shard 5: x[320]: expected finite numbers, got nan",
        ),
        ("raised_by_a_callback", "RuntimeError: mine"),
        ("of_another_version", "RuntimeError: rank 2: expected bpfast "),
        ("of_another_network", "RuntimeError: rank 1: expected the network of rank 0"),
        ("with_an_error_that_cannot_be_sent", "RuntimeError: MineError: mine"),
        ("with_an_error_that_cannot_be_read", "RuntimeError: TwoArgumentsError: file: bad"),
    ],
)
def test_all_ranks_raise_the_same_error(three, name, message):
    found = three["messages"][name]
    assert len(found) == 3
    assert found[0].startswith(message)
    assert len(set(found)) == 1


def test_ctrl_c_on_one_rank_ends_all(three):
    """None of them waits for a message of another one."""
    assert three["interrupted"] == [["KeyboardInterrupt"] * 3] * 3
