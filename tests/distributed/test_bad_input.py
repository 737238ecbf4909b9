"""Arguments of `bpfast.distributed.fit` and `LocalShards` that are refused, each with its name."""

import re
import threading

import numpy as np
import pytest

import bpfast
from tests.distributed.case import data, network
from tests.helpers.refuses import refuses

X, Y, WEIGHT = data(20)
PART = X[:5], Y[:5]
with_nan = X.copy()
with_nan[[3, 17], 1] = np.inf


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        ((X, Y), {"method": "lbgfs"}, ValueError, "method: unknown name 'lbgfs'; did you mean"),
        ((X, Y), {"method": 1}, TypeError, "method: expected a str, got int"),
        ((X, Y), {"epochs": 0}, ValueError, "epochs: expected a positive integer, got 0"),
        ((X, Y), {"shard_rows": 0}, ValueError, "shard_rows: expected a positive integer"),
        ((X, Y), {"average_every": 2}, ValueError, "average_every: expected none with method="),
        ((X, Y), {"method": "full", "batch_size": 3}, ValueError, "batch_size: expected none"),
        ((X, Y), {"method": "full", "shuffle": False}, ValueError, "shuffle: expected none"),
        ((X, Y), {"method": "lbfgs", "optimizer": "sgd"}, ValueError, "optimizer: expected none"),
        ((X, Y), {"method": "lbfgs", "l1": 0.1}, ValueError, "l1: expected none with method="),
        ((X, Y), {"method": "lbfgs", "checkpoint": "f"}, ValueError, "checkpoint: expected none"),
        ((X, Y), {"method": "local", "average_every": 0}, ValueError, "average_every: expected a"),
        ((X, Y), {"method": "lbfgs", "progress": True}, ValueError, "progress: expected none with"),
        ((X, Y), {"progress": 1}, TypeError, "progress: expected True or False, got int"),
        ((X, Y), {"metrics": "r2"}, ValueError, "metrics: expected validation, which they measure"),
        ((X, Y), {"validation": 1.0}, ValueError, "validation: expected a fraction above 0 and"),
        ((X, Y), {"validation": 0.01}, ValueError, "leaves examples on both sides, got 0.01 of 20"),
        ((X, Y), {"validation": "0.2"}, TypeError, "validation: expected (x, y), (x, y, sample_we"),
        (
            (X, Y), {"validation": 0.5, "sample_weight": np.where(WEIGHT > 0.2, -1.0, 1.0)},
            ValueError, "]: expected a finite weight, 0 or above, of the examples for validation",
        ),
        (
            (X, Y), {"validation": 0.5, "sample_weight": np.eye(20)[3]},
            ValueError, "validation: expected a fraction that leaves weights above 0 on both sides",
        ),
        ((X, Y), {"dropout": 1.0}, ValueError, "dropout: expected a number from 0 and below 1"),
        ((X, Y), {"dropout": [0.1, 0.2]}, ValueError, "dropout: expected 1, one per hidden layer"),
        ((X, Y), {"dropout": "much"}, TypeError, "dropout: expected a number, or one per hidden"),
        ((X, Y), {"method": "lbfgs", "dropout": 0.1}, ValueError, "dropout: expected none with"),
        ((X, Y), {"class_weight": "equal"}, ValueError, "class_weight: expected 'balanced' or a d"),
        ((X, Y), {"class_weight": {2: 1.0}}, ValueError, "class_weight: expected classes from 0"),
        ((X, Y), {"class_weight": {0: -1.0}}, ValueError, "class_weight[0]: expected "),
        ((X, Y), {"class_weight": 3}, TypeError, "class_weight: expected 'balanced' or a dict"),
        (
            (X, Y), {"class_weight": "balanced", "shard_rows": 8},
            ValueError, "shard 0: class_weight: expected labels, or outputs that are 0 or 1, as y",
        ),
        (
            (X, np.eye(2)[Y.argmax(1)]), {"class_weight": {0: 0.0, 1: 0.0}},
            ValueError, "class_weight: expected a weight above 0 for at least one example, got all",
        ),
        ((X, Y), {"client": 1, "comm": 2}, ValueError, "comm: expected only one of client and"),
        (
            (X, Y), {"callbacks": bpfast.inside.Monitor(X, Y, every_steps=1)},
            ValueError, "callbacks[0]: expected a Monitor of epochs",
        ),
        ((X, Y), {"lr": 0.1}, TypeError, "did you mean 'learning_rate'"),
        ((X, Y[:19]), {}, ValueError, "y: expected 20 rows, one per row of x, got shape (19, 2)"),
        ((X[:0], Y[:0]), {}, ValueError, "x: expected one example or more, got an empty batch"),
        ((X[:, :5], Y), {}, ValueError, "shard 0: x: expected shape (20, 6), got (20, 5)"),
        ((X, Y), {"sample_weight": WEIGHT[:19]}, ValueError, "sample_weight: expected shape (20,)"),
        (
            (X, Y), {"sample_weight": 0 * WEIGHT},
            ValueError, "sample_weight: expected a weight above 0 for at least one example, got al",
        ),
        (
            (X, Y), {"sample_weight": np.where(np.arange(20) == 9, -1, 0), "shard_rows": 8},
            ValueError, "got none, and -1 for example 9 in shard 1",
        ),
        ((X,), {}, TypeError, "y: expected the targets of x, or a list of shards as x"),
        (([],), {}, ValueError, "x: expected one shard or more, got an empty list"),
        (([PART, 5],), {}, TypeError, "x: expected (x, y), a callable or a path as shard 1"),
        (([PART],), {"shard_rows": 4}, ValueError, "shard_rows: expected none with a list"),
        (([PART, (*PART, 1, 2)],), {}, TypeError, "shard 1: expected (x, y) or (x, y, sample"),
        (([PART, lambda: 3],), {}, TypeError, "shard 1: expected (x, y) or (x, y, sample_weight)"),
        (
            (with_nan, Y), {"shard_rows": 4},
            ValueError, "shard 0: x[3]: expected finite numbers, got inf",
        ),
        (
            (X, np.where(np.arange(20)[:, None] == 13, np.nan, Y)), {"shard_rows": 6},
            ValueError, "shard 2: y[13]: expected finite numbers, got nan",
        ),
        (
            (bpfast.distributed.LocalShards(X, Y),), {"shard_rows": 6},
            ValueError, "shard_rows: expected none with LocalShards",
        ),
    ],
)  # fmt: skip
def test_refused(given, options, error, message):
    net = network("float64")
    before = net.params.copy()
    with pytest.raises(error) as caught:
        bpfast.distributed.fit(net, *given, **options)
    assert message in str(caught.value)
    assert (net.params == before).all()


def test_wrong_network():
    with pytest.raises(TypeError, match=r"^net: expected a Network, got int$"):
        bpfast.distributed.fit(3, X, Y)


def test_wrong_client_and_comm():
    pytest.importorskip("distributed")
    with pytest.raises(TypeError, match=r"^client: expected a dask.distributed.Client, got int$"):
        bpfast.distributed.fit(network(), X, Y, client=5)


def test_labels_out_of_range_have_global_rows():
    net = bpfast.Network([6, 3], output="softmax", cost="log_likelihood", seed=0)
    labels = np.zeros(20, int)
    labels[12] = 3
    with pytest.raises(ValueError, match=r"^shard 2: y\[12\]: "):
        bpfast.distributed.fit(net, X, labels, shard_rows=5)


def test_files_that_do_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        bpfast.distributed.fit(network(), [PART, tmp_path / "none.npz"])
    assert caught.value.__notes__ == ["This happened in shard 1."]


def test_numbers_that_float32_cannot_hold():
    message = r"^shard 1: x\[8\]: expected finite numbers that float32 can hold, got inf$"
    with pytest.raises(ValueError, match=message):
        bpfast.distributed.fit(
            network(), np.where(np.arange(20)[:, None] == 8, 1e300, X), Y, shard_rows=6
        )


def test_weights_whose_sum_is_infinite():
    with pytest.raises(ValueError, match=r"^sample_weight: expected a finite sum, got inf$"):
        bpfast.distributed.fit(network(), X, Y, sample_weight=np.full(20, 1e308))
    with pytest.raises(ValueError, match=r"^sample_weight: expected a finite sum, got inf$"):
        bpfast.distributed.fit(network(), X, Y, sample_weight=np.full(20, 1e308), shard_rows=1)


BAD = [7, 9, 19]  # in shards of 6: rows 1 and 3 of shard 1, row 1 of shard 3


@pytest.mark.parametrize("name", ["x", "y", "sample_weight"])
@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("form", ["arrays", "parts"])
def test_rows_have_one_number_in_all_arrays(name, bad, form):
    """The number of the row among all, and the shard."""
    given = {"x": X.copy(), "y": Y.copy(), "sample_weight": WEIGHT.copy()}
    given[name][BAD] = bad
    options = {"shard_rows": 6}
    if form == "parts":
        x, y, weight = given.values()
        parts = [(x[k : k + 6], y[k : k + 6], weight[k : k + 6]) for k in range(0, 20, 6)]
        given, options = {"x": parts}, {}
    message = (
        rf"shard 1: {name}\[7\]: expected finite numbers, got {bad}, and in 2 rows in all: 7, 9"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        bpfast.distributed.fit(network("float64"), **given, **options)
    if name == "sample_weight":  # without weights there is no step
        options["check_finite"] = False
        with pytest.raises(ValueError, match=f"^{message}$"):
            bpfast.distributed.fit(network(), **given, **options)


def test_a_negative_weight_of_a_held_out_example():
    weight = np.where(np.arange(20) == 13, 1.0, -1.0)
    weight[:3] = 1.0
    message = r"^shard \d: sample_weight\[\d+\]: expected a finite weight, 0 or above, of the exam"
    with pytest.raises(ValueError, match=message) as caught:
        bpfast.distributed.fit(
            network(), X, Y, sample_weight=weight, shard_rows=5, validation=0.4, seed=0
        )
    shard, row = map(int, re.findall(r"shard (\d+): sample_weight\[(\d+)\]", str(caught.value))[0])
    assert shard == row // 5
    assert weight[row] < 0


def test_data_that_become_nan_during_a_training():
    """A callable that is called again may return anything."""
    calls = []

    def part():
        calls.append(0)
        return (with_nan if len(calls) > 3 else X), Y

    net = network("float64")
    shards = bpfast.distributed.LocalShards([part], keep=False)
    with pytest.raises(ValueError, match=r"^shard 0: x\[3\]: expected finite numbers, got inf"):
        bpfast.distributed.fit(net, shards, method="full", epochs=5)
    assert np.isfinite(net.params).all()
    assert net.optimizer.steps == 1


@pytest.mark.parametrize(  # with seed 1, row 16 is held out and row 17 is not
    ("row", "validation"), [(17, None), (17, 0.25), (16, 0.25)]
)
@pytest.mark.parametrize("method", ["full", "steps", "local"])
@pytest.mark.parametrize("name", ["sample_weight", "y"])
def test_a_later_use_of_a_callable_names_the_row_of_the_data(name, method, row, validation):
    """And not that of the step or of the examples that are trained on."""
    labels, uses = np.arange(20) % 2, []

    def part():
        uses.append(0)
        y, weight = labels[10:].copy(), WEIGHT[10:].copy()
        if len(uses) > 6:  # all before the first step
            bad, wrong = (y, 2) if name == "y" else (weight, np.nan)
            bad[row - 10] = wrong
        return X[10:], y, weight

    net = bpfast.Network([6, 2], output="softmax", cost="log_likelihood", seed=0)
    shards = bpfast.distributed.LocalShards([(X[:10], labels[:10], WEIGHT[:10]), part], keep=False)
    options = {} if method == "full" else {"batch_size": 5}
    expected = {"y": "a label from 0 to 1, got 2", "sample_weight": "finite numbers, got nan"}
    message = rf"^shard 1: {name}\[{row}\]: expected {expected[name]}"
    with pytest.raises(ValueError, match=message):
        bpfast.distributed.fit(
            net, shards, method=method, epochs=30, validation=validation, seed=1, **options
        )


RELOADED = {
    "fewer rows": (lambda: (X[:3], Y[:3]), "expected 10 rows, as at the start, got 3"),
    "more rows": (lambda: (X[:11], Y[:11]), "expected 10 rows, as at the start, got 11"),
    "more columns of x": (lambda: (np.ones((10, 7)), Y[:10]), r"x: expected shape \(10, 6\), got"),
    "fewer columns of y": (
        lambda: (X[:10], np.ones((10, 1))),
        r"y: expected entries of shape \(2,\), as at the start, got \(1,\)",
    ),
    "weights": (
        lambda: (X[:10], Y[:10], np.ones(10)),
        "sample_weight: expected none, as at the start, got weights",
    ),
}


@pytest.mark.parametrize("uses", [1, 4])
@pytest.mark.parametrize("method", ["full", "steps", "local"])
@pytest.mark.parametrize("name", RELOADED)
def test_a_later_use_of_a_callable_has_the_same_form(name, method, uses):
    other, message = RELOADED[name]
    calls = []

    def part():
        calls.append(0)
        return (X[:10], Y[:10]) if len(calls) <= uses else other()

    shards = bpfast.distributed.LocalShards([(X[:10], Y[:10]), part], keep=False)
    options = {} if method == "full" else {"batch_size": 5}
    with pytest.raises(ValueError, match=f"^shard 1: {message}"):
        bpfast.distributed.fit(network(), shards, method=method, epochs=5, seed=1, **options)


def test_without_memory_for_a_lock(monkeypatch):
    def refuse():
        raise RuntimeError("can't allocate lock")

    monkeypatch.setattr(threading, "Lock", refuse)
    with refuses(MemoryError, "cannot allocate a lock"):
        bpfast.distributed.fit(network(), X, Y)


def test_local_shards():
    shards = bpfast.distributed.LocalShards(X, Y, WEIGHT, shard_rows=8)
    assert (len(shards), shards.shard_rows) == (3, 8)
    assert [len(part[0]) for part in shards] == [8, 8, 4]
    assert (shards[-1][2] == WEIGHT[16:]).all()
    with pytest.raises(IndexError, match=r"^number: expected one of 3 shards, got 3$"):
        shards[3]
    for wrong in ("a", 1.0, slice(2)):
        kind = type(wrong).__name__
        with pytest.raises(
            TypeError, match=f"^number: expected the number of a shard, got {kind}$"
        ):
            shards[wrong]
    assert repr(bpfast.distributed.LocalShards([PART])) == "LocalShards(1 shard)"
    with pytest.raises(TypeError, match=r"^keep: expected True or False, got int$"):
        bpfast.distributed.LocalShards([PART], keep=1)
