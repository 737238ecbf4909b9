"""A history written down, read back, copied and compared."""

import copy
import json
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bpfast
from bpfast import History
from tests.helpers.cases.any_speed import ANY_SPEED
from tests.helpers.cases.training.histories import ROW, example, one_column
from tests.helpers.refuses import refuses

NAN, INF = math.nan, math.inf


def test_equality():
    assert example() == example()
    assert example() != example(seed=4)
    assert example() != example().state
    assert one_column([NAN]) == one_column([NAN])
    assert one_column([NAN]) != one_column([INF])
    stopped = example()
    stopped.stopped = "interrupted"
    assert stopped != example()
    with pytest.raises(TypeError, match="unhashable"):
        hash(stopped)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda h: pickle.loads(pickle.dumps(h))]
)
def test_copies_are_independent(again):
    history = example()
    history.stopped = "diverged"
    copied = again(history)
    assert copied == history
    assert type(copied) is History
    copied.append(dict.fromkeys(history.names[1:], 1.0))
    assert len(history) == 3


@ANY_SPEED
@given(
    rows=st.lists(st.tuples(*[st.floats()] * 4), max_size=8),
    seed=st.none() | st.integers(0, 2**128),
    stopped=st.none() | st.text(),
)
def test_a_state_goes_through_strict_json(rows, seed, stopped):
    history = History(seed)
    history.stopped = stopped
    for row in rows:
        history.append(dict(zip((*ROW, "f1"), row, strict=True)))
    text = json.dumps(history.state, allow_nan=False)
    again = History.from_state(json.loads(text))
    assert again == history
    for name in history.names:
        np.testing.assert_array_equal(again[name], history[name])


GOOD: dict[str, Any] = {"seed": None, "stopped": None, "columns": {name: [1.0] for name in ROW}}


def columns(**more):
    return GOOD | {"columns": GOOD["columns"] | more}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (None, "expected a mapping with seed, stopped, columns, got NoneType$"),
        ([], "expected a mapping"),
        ({}, "expected a mapping"),
        (GOOD | {"more": 1}, "expected a mapping"),
        (GOOD | {"seed": 1.5}, "seed: expected an integer or None, got float"),
        (GOOD | {"seed": True}, "seed: expected an integer or None, got bool"),
        (GOOD | {"stopped": 1}, "stopped: expected a reason or None, got int"),
        (GOOD | {"columns": None}, "columns: expected a mapping with cost, .*, got NoneType$"),
        (GOOD | {"columns": {}}, "columns: expected a mapping with cost, .*, got no entries$"),
        (GOOD | {"columns": {"cost": [1.0]}}, "columns: expected a mapping with .*, got cost$"),
        (columns(epoch=[1]), "columns: expected no epoch"),
        (columns(f1=[]), r"columns: expected one length, got \[0, 1\]"),
        (columns(f1=1.0), "f1: expected a list, got float"),
        (columns(f1="nan"), "f1: expected a list, got str"),
        (columns(f1=["1.0"]), r"f1\[0\]: expected a number, got str"),
        (columns(f1=["Infinity"]), r"f1\[0\]: expected a number, got str"),
        (columns(f1=[None]), r"f1\[0\]: expected a number, got NoneType"),
        (columns(f1=[True]), r"f1\[0\]: expected a number, got bool"),
        (columns(f1=[[1.0]]), r"f1\[0\]: expected a number, got list"),
        (GOOD | {"columns": GOOD["columns"] | {1: [1.0]}}, "columns: expected names that are text"),
    ],
)
def test_bad_states(state, message):
    with refuses(ValueError, f"^state: {message}"):
        History.from_state(state)


def test_bad_seeds_and_reasons():
    for seed in (1.5, "1", True, [1]):
        with refuses(TypeError, "^seed: expected an integer or None, got "):
            History(seed)
    assert History(np.uint64(7)).seed == 7
    history = History()
    with refuses(TypeError, "^stopped: expected a reason or None, got int$"):
        history.stopped = 3
    with pytest.raises(AttributeError):
        history.seed = 3
    assert "History" in bpfast.__all__
