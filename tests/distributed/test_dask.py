"""The same bits on Dask workers as in one process, also if workers or the scheduler are lost."""

import pytest

from bpfast.distributed._engines.dask_data import array_of_frame
from tests.distributed.case import CASES, digest, examples, hashes, train
from tests.helpers.child import run
from tests.helpers.processes.simd_levels import FUSED
from tests.helpers.refuses import refuses

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def local():
    return hashes()


@pytest.fixture(scope="module")
def threads(tmp_path_factory):
    """Clusters of 8 workers and of 1, in threads of one process."""
    return run("dask_in_threads", tmp_path_factory.mktemp("dask"))


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """A cluster of 3 workers in processes, of which one dies; and one whose scheduler dies."""
    return run("dask_in_processes", tmp_path_factory.mktemp("dask"))


@pytest.mark.parametrize("case", CASES)
def test_same_bits_on_any_number_of_workers(threads, processes, local, case):
    assert threads["hashes"]["8"][case] == local[case]
    assert threads["hashes"]["1"].get(case, local[case]) == local[case]
    if case == "full":
        for name in ("8, as if large", "8, by the scheduler"):
            assert threads["hashes"][name][case] == local[case], name
    if case == "classes":
        assert processes["3 workers"] == local[case]


@pytest.mark.parametrize(
    "source", ["arrays", "persisted", "frames", "nullable", "delayed", "futures", "callables"]
)
def test_same_bits_from_every_kind_of_data(threads, local, source):
    assert threads["sources"][source] == local["full"]


def test_columns_that_are_not_numeric_are_named():
    dataframe, pandas = pytest.importorskip("dask.dataframe"), pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"], "c": [True, False]})
    frame = dataframe.from_pandas(table, npartitions=2)
    with refuses(TypeError, "^x: expected real numbers, got column 'b' of dtype string$"):
        array_of_frame("x", frame)
    assert array_of_frame("x", frame[["a", "c"]]).compute().tolist() == [[1.0, 1.0], [2.0, 0.0]]
    assert array_of_frame("y", frame["b"]).compute().tolist() == ["x", "y"]


def test_a_worker_that_dies_changes_no_bit(processes):
    assert processes["died"] == 1
    assert processes["one died"] == processes["none died"]


def test_a_cluster_that_loses_all_its_workers_and_gets_new_ones(processes):
    """Also an error that cannot be read again, which left the next training a broken connection."""
    found = processes["all lost"]
    assert found["replaced"]
    assert found["message"] == ["TwoArgumentsError: file: bad", "This happened in shard 1."]
    assert found["hash"] == found["again"] == digest(train("full", *examples("full"), epochs=4)[0])


def test_resumed_with_another_number_of_workers(threads):
    expected, _ = train("classes", *examples("classes"), epochs=3)
    assert threads["resumed"] == digest(expected)


def test_task_names(threads):
    names = {"add", "change", "check", "count", "count-classes", "gradient", "local-steps"}
    names |= {"shard", "validation-cost", "validation-outputs"}
    assert {*threads["names"]} >= {f"bpfast-{name}" for name in names}


def test_lost_scheduler(processes):
    assert processes["lost scheduler"] == {
        "message": "client: the connection to the scheduler ADDRESS is lost; the network has the "
        "parameters of its last completed step",
        "epochs": 2,
        "kept": True,
        "stopped": "ConnectionError",
    }


def test_workers_that_give_other_bits_are_refused(processes):
    found = processes["refused"]
    assert found["without_bpfast"].startswith("worker WORKER: cannot import bpfast.distributed")
    assert found["with_another_version"].endswith(", as here, got 0.0.1")
    if FUSED:
        assert "fused multiply-add" in found["without_fused_multiply_add"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", "shard 1: x: expected one example or more, got an empty batch"),
        ("width", "shard 2: x: expected shape (9, 6), got (9, 5)"),
        ("y", "shard 1: y: expected entries of shape (2,), as in shard 0, got (1,)"),
        ("rows", "shard 1: y: expected 9 rows, one per row of x, got shape (8, 2)"),
        ("nan weight", "shard 2: sample_weight[23]: expected finite numbers, got nan"),
        ("no weights", "shard 1: sample_weight: expected weights as in shard 0, got none"),
        (
            "nan",
            "shard 2: x[22]: expected finite numbers, got nan, and in 2 rows in all: 22, 25",
        ),
    ],
)
def test_bad_shards_are_named(threads, name, message):
    for kind in ("dask", "local"):
        assert threads["messages"][f"{name} {kind}"] == f"ValueError: {message}"


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """Trainings that lose a worker, whose shard is another one when it is made again."""
    return run("dask_changed_shards", tmp_path_factory.mktemp("dask"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("more_rows steps", "shard 1: expected 40 rows, as at the start, got 80"),
        ("more_rows full", "shard 1: expected 40 rows, as at the start, got 80"),
        (
            "other_numbers steps",
            "shard 1: expected the same numbers as at the start, got others when it was made again",
        ),
        (
            "with_weights steps",
            "shard 1: sample_weight: expected none, as at the start, got weights",
        ),
        ("the_same steps", None),
    ],
)
def test_a_shard_that_is_another_one_when_it_is_made_again(changed, name, message):
    assert changed[name] == message


def test_a_closed_client(threads):
    message = "ValueError: client: expected a connected one, got one that is closed"
    assert threads["messages"]["closed"] == message


@pytest.fixture(scope="module")
def interrupts():
    """Ctrl-C where Python drops its exception."""
    return run("dask_interrupts")


@pytest.mark.parametrize("method", ["steps", "full", "lbfgs", "local"])
def test_a_dropped_interrupt_ends_the_training(interrupts, method):
    found = interrupts[method]
    assert found["raised"] == "KeyboardInterrupt"
    assert found["stopped"] == "interrupted"
    assert found["epochs"] in (2, 3)
    assert not found["armed"]
    assert found["handler"]


def test_an_interrupt_that_the_user_has_caught_ends_nothing(interrupts):
    found = interrupts["caught"]
    assert (found["raised"], found["epochs"], found["handler"]) == (None, 4, True)
    found = interrupts["own handler"]
    assert (found["raised"], found["epochs"], found["handler"]) == (None, 4, True)
    assert (found["armed"], found["calls"]) == (False, 1)
