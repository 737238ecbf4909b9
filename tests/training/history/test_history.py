"""bpfast.History: rows in, columns out, the best epoch, a picture, and a state for a file."""

import math
import sys
from typing import Any

import numpy as np
import pytest

import bpfast
from bpfast import History
from tests.helpers.cases.training.histories import (
    ACCURACY,
    COSTS,
    ROW,
    VALIDATION,
    example,
    one_column,
)
from tests.helpers.refuses import refuses


def test_columns():
    history = example()
    assert len(history) == 3
    assert history.names == (
        "epoch", "cost", "seconds", "learning_rate",
        "accuracy", "validation_cost", "validation_accuracy",
    )  # fmt: skip
    assert history.epoch.dtype == np.int64
    assert history.epoch.tolist() == [1, 2, 3]
    assert history.cost.dtype == np.float64
    assert history.cost.tolist() == history["cost"].tolist() == COSTS
    assert history.seed == 3
    assert history.stopped is None
    assert set(history.names) <= set(dir(history))


def test_arrays_are_fresh_and_read_only():
    history = example()
    cost = history.cost
    for array in (cost, history.epoch):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
    history.append(dict.fromkeys(history.names[1:], 1.0))
    assert len(cost) == 3
    assert len(history.cost) == 4


def test_an_empty_history():
    history = History()
    assert len(history) == 0
    assert history.seed is None
    assert history.names == ("epoch", "cost", "seconds", "learning_rate")
    assert history.cost.shape == history.epoch.shape == (0,)
    assert repr(history) == "History(0 epochs)"
    assert history.to_dict() == {name: [] for name in history.names}
    assert len(history.to_pandas()) == 0
    assert History.from_state(history.state) == history
    with refuses(ValueError, "^cost: expected a finite number in one epoch or more, got none$"):
        history.best("cost")
    with refuses(ValueError, "^history: expected one epoch or more, got none$"):
        history.plot()


def test_unknown_names():
    history = example()
    assert "accuracy" in history
    assert "epoch" in history
    assert "f1" not in history
    assert [] not in history
    with pytest.raises(KeyError, match=r"expected one of epoch, cost, .*, got 'f1'"):
        history["f1"]
    with pytest.raises(KeyError, match="got 0"):
        history[0]
    with pytest.raises(AttributeError, match=r"expected one of epoch, cost, .*, got 'f1'"):
        history.f1  # noqa: B018


def test_a_column_named_as_a_method_is_an_item():
    history = one_column([0.3, 0.4], name="plot")
    assert history["plot"].tolist() == [0.3, 0.4]
    assert callable(history.plot)


def test_a_row_may_name_its_epoch_and_be_of_any_number():
    history = History()
    history.append({"epoch": 1, "cost": np.float32(0.5), "seconds": 2, "learning_rate": True + 0})
    history.append(
        {"epoch": np.int64(2), "cost": math.nan, "seconds": math.inf} | {"learning_rate": 0}
    )
    assert history.epoch.tolist() == [1, 2]
    assert history.cost[0] == 0.5
    assert math.isnan(history.cost[1])


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ({}, ValueError, "row: expected cost, .*, accuracy, got none"),
        (ROW, ValueError, "row: expected cost, .*, accuracy, got cost, seconds, learning_rate"),
        (ROW | {"accuracy": 1, "f1": 1}, ValueError, "row: expected .*, got .*, accuracy, f1"),
        (ROW | {"accuracy": 1, "epoch": 3}, ValueError, r"row\['epoch'\]: expected 2, got 3"),
        (ROW | {"accuracy": 1, "epoch": math.nan}, ValueError, r"row\['epoch'\]: .*, got nan"),
        (ROW | {"accuracy": "1"}, TypeError, r"row\['accuracy'\]: expected a number, got str"),
        (ROW | {"accuracy": None}, TypeError, r"row\['accuracy'\]: .*, got NoneType"),
        (ROW | {"accuracy": True}, TypeError, r"row\['accuracy'\]: .*, got bool"),
        (ROW | {"accuracy": [1.0]}, TypeError, r"row\['accuracy'\]: .*, got list"),
        (ROW | {1: 1.0}, TypeError, "row: expected names that are text, got int"),
        ([("cost", 1.0)], TypeError, "row: expected a mapping, got list"),
        (None, TypeError, "row: expected a mapping, got NoneType"),
    ],
)
def test_a_refused_row_adds_nothing(row, error, message):
    history = one_column([0.5], name="accuracy")
    before = history.state
    with refuses(error, f"^{message}$"):
        history.append(row)
    assert history.state == before


def test_the_first_row_needs_what_every_history_has():
    history = History()
    with refuses(ValueError, "^row: expected cost, seconds, learning_rate and others, got cost$"):
        history.append({"cost": 1.0})
    assert len(history) == 0


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("values", "name", "mode", "epoch"),
    [
        (VALIDATION, "validation_cost", None, 2),
        (ACCURACY, "validation_accuracy", None, 2),  # the first of two
        (ACCURACY, "top_5_accuracy", "max", 2),
        ([0.3, 0.1, 0.1], "validation_cost", None, 2),
        ([0.3, 0.1, 0.2], "validation_cost", "max", 1),
        ([0.3, 0.1, 0.2], "f1", "min", 2),
        ([0.3, 0.5, 0.2], "validation_r2", None, 2),
        ([0.3, 0.1, 0.2], "mean_absolute_error", None, 2),
        ([NAN, 0.2, 0.1], "accuracy", None, 2),
        ([-3.0, -1.0, -2.0], "cost", None, 1),
        ([-3.0, -1.0, -2.0], "neg_mean_squared_error", "max", 2),
        ([NAN, INF, 0.1, NAN], "validation_cost", None, 3),
        ([0.3, -INF, 0.1], "cost", None, 3),  # an overflow is no success
        ([0.3, INF, 0.1], "validation_accuracy", None, 1),
    ],
)
def test_best(values, name, mode, epoch):
    found = one_column(values, name).best(name, mode)
    assert found == epoch
    assert type(found) is int


def test_best_of_the_validation_cost_is_the_default():
    assert example().best() == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "column: expected one of epoch, cost, seconds, .*, got 'validation_cost'"),
        ({"column": None}, "column: expected one of .*, got None"),
        (
            {"column": "f1"},
            "mode: expected mode='min' or mode='max', as 'f1' has no known direction, got None",
        ),
        (
            {"column": "f1", "mode": "highest"},
            "mode: expected 'min' or 'max' for .*, got 'highest'",
        ),
        ({"column": "cost", "mode": "auto"}, "mode: expected .*, got 'auto'"),
        (
            {"column": "f1", "mode": "max"},
            "f1: expected a finite number in one epoch or more, got none",
        ),
    ],
)
def test_best_refuses(options, message):
    with refuses(ValueError, f"^{message}$"):
        one_column([NAN, NAN], "f1").best(**options)


@pytest.mark.parametrize("values", [[NAN, INF], [NAN, -INF], [INF, -INF], [INF, INF]])
@pytest.mark.parametrize("name", ["validation_cost", "validation_accuracy"])
def test_an_infinite_value_is_never_best(values, name):
    with refuses(ValueError, f"^{name}: expected a finite number in one epoch or more, got none$"):
        one_column(values, name).best(name)


def test_dict_and_pandas():
    history = example()
    columns = history.to_dict()
    assert columns["epoch"] == [1, 2, 3]
    assert columns["cost"] == COSTS
    assert tuple(columns) == history.names
    frame = history.to_pandas()
    assert frame.index.name == "epoch"
    assert frame.index.tolist() == [1, 2, 3]
    assert tuple(frame.columns) == history.names[1:]
    assert frame.loc[2, "validation_cost"] == 0.5


@pytest.mark.parametrize(("method", "package"), [("plot", "matplotlib"), ("to_pandas", "pandas")])
def test_missing_entries_are_named(method, package, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with refuses(ImportError, f"^{method} needs {package}: pip install {package}$"):
        getattr(example(), method)()


def test_repr():
    history = example()
    history.stopped = "early stopping"
    assert repr(history) == (
        "History(3 epochs in 6 s: cost 0.2, learning_rate 0.1, accuracy 1, "
        "validation_cost 0.6, validation_accuracy 0.9; early stopping)"
    )
    assert repr(one_column([0.5])).startswith("History(1 epoch in 2 s: cost 0.5")
    empty = History()
    empty.stopped = "interrupted"
    assert repr(empty) == "History(0 epochs; interrupted)"


GOOD: dict[str, Any] = {"seed": None, "stopped": None, "columns": {name: [1.0] for name in ROW}}


def columns(**more):
    return GOOD | {"columns": GOOD["columns"] | more}


@pytest.mark.parametrize(("name", "sign"), [("cost", -1), ("accuracy", 1)])
def test_an_infinite_cost_is_no_improvement(name, sign):
    stopping = bpfast.EarlyStopping(3, name)
    values = [NAN, sign * INF, sign * 1.0, sign * INF, -sign * INF, sign * 2.0, sign * 1.5]
    rows = [{"cost": 0.0, "seconds": 0.0, "learning_rate": 0.0, name: value} for value in values]
    better = [stopping.is_better(k, row) for k, row in enumerate(rows, 1)]
    assert better == [False, False, True, False, False, True, False]
    assert (stopping.best, stopping.best_epoch) == (sign * 2.0, 6)
    with refuses(ValueError, "^best: expected the finite value of epoch 2, got -?inf$"):
        stopping.state = {"best": sign * INF, "best_epoch": 2}
    stopping.state = {"best": -sign * INF, "best_epoch": 0}  # before the first
    assert stopping.is_better(1, rows[2])
    stopping.reset()
    for epoch in (0, -1):  # 0 would leave it without a best epoch
        with refuses(ValueError, f"^epoch: expected a positive integer, got {epoch}$"):
            stopping.is_better(epoch, rows[0])


@pytest.mark.parametrize(
    ("monitor", "mode"), [("matthews_corrcoef", "max"), ("validation_brier_score_loss", "min")]
)
def test_directions_of_functions_of_scikit_learn(monitor, mode):
    assert bpfast.EarlyStopping(monitor=monitor).mode == mode
    with refuses(ValueError, "^state: expected best and best_epoch, got 5, a$"):
        bpfast.EarlyStopping(monitor=monitor).state = {5: 1, "a": 2}
