"""bpfast.optimizers: state and config: saving, reading, copying, comparing, reset."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import bpfast
from bpfast import optimizers, schedules
from tests.helpers.cases.training.every_optimizer import CASES, START, gradient
from tests.helpers.cases.training.optimizer_steps import go, plateau
from tests.helpers.refuses import refuses

STATE_NAMES = {"SGD": ("velocity",), "Adam": ("mean", "square"), "AdamW": ("mean", "square")}


def keeps(case):
    if case.name == "SGD" and "momentum" not in case.options:
        return ()
    return STATE_NAMES.get(case.name, ("square",))


def some_params(single):
    if single:
        return START.copy()
    return [START.copy(), np.asfortranarray(np.resize(START, (3, 4)).astype("f4")), np.array(1.5)]


RESTORE = {
    "state": lambda case, opt: restored(case, opt.state),
    "state from a pickle": lambda case, opt: restored(case, pickle.loads(pickle.dumps(opt.state))),
    "pickle": lambda case, opt: pickle.loads(pickle.dumps(opt)),
    "copy": lambda case, opt: copy.copy(opt),
    "deepcopy": lambda case, opt: copy.deepcopy(opt),
}


def restored(case, state):
    opt = case.make()
    opt.state = state
    return opt


@pytest.mark.parametrize("way", RESTORE)
@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_steps_continue_with_the_same_bits(case, single, way):
    opt, params = case.make(), some_params(single)
    go(opt, params, 0, 3)
    other, copies = RESTORE[way](case, opt), copy.deepcopy(params)
    assert other.config == opt.config
    assert other.steps == 3
    expected = go(opt, params, 3, 4)
    assert go(other, copies, 3, 4) == expected
    same(other.state, opt.state)


def same(one, other):
    assert list(one) == list(other)
    for name, value in one.items():
        assert type(value) is type(other[name])
        arrays = [value] if not isinstance(value, list) else value
        others = [other[name]] if not isinstance(value, list) else other[name]
        for mine, theirs in zip(arrays, others, strict=True):
            np.testing.assert_array_equal(mine, theirs, strict=True)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_state_is_copies_in_the_shapes_of_the_parameters(case):
    opt, p = case.make(), np.asfortranarray(np.resize(START, (2, 3)).astype("f4"))
    assert opt.state == {"steps": 0}
    opt.step(p, gradient(p, 0))
    state = opt.state
    assert tuple(state) == ("steps", *keeps(case))
    before = copy.deepcopy(state)
    for name in keeps(case):
        assert (state[name].shape, state[name].dtype) == (p.shape, p.dtype)
        state[name][...] = np.nan
    same(opt.state, before)
    opt.state = state = copy.deepcopy(before)
    for name in keeps(case):
        state[name][...] = np.nan
    same(opt.state, before)
    opt.step([p], [gradient(p, 0)])
    assert all(isinstance(opt.state[name], list) for name in keeps(case))


def test_a_state_from_a_file(tmp_path):
    opt, p = bpfast.Adam(), START.copy()
    go(opt, p, 0, 3)
    np.savez(tmp_path / "state.npz", **opt.state)
    other = bpfast.Adam()
    with np.load(tmp_path / "state.npz") as file:
        other.state = dict(file)
        other.state = {k: v.astype(v.dtype.newbyteorder(">")) for k, v in file.items()}
    same(other.state, opt.state)
    nan = opt.state | {"mean": np.full(5, np.nan), "square": np.full(5, np.inf)}
    other.state = nan
    same(other.state, nan)


MEAN: dict[str, Any] = {"steps": 1, "mean": np.ones(3), "square": np.ones(3)}


LISTS: dict[str, Any] = {
    "steps": 1,
    "mean": [np.ones(3), np.ones(2)],
    "square": [np.ones(3), np.ones(2)],
}


BAD_STATES = [
    (3, TypeError, "expected a mapping, got int"),
    ([("steps", 1)], TypeError, "expected a mapping, got list"),
    ({}, ValueError, "expected steps, mean, square, got "),
    ({"steps": 3}, ValueError, "expected steps, mean, square after 3 steps, got steps"),
    ({"steps": 1, "mean": np.ones(3)}, ValueError, "expected steps, .*, got steps, mean"),
    (MEAN | {"x": 1}, ValueError, "expected steps, mean, square, got steps, mean, square, x"),
    (MEAN | {"schedule": {"rate": 1}}, ValueError, "expected steps, .*, got .*, schedule"),
    (MEAN | {1: 2}, ValueError, "expected steps, mean, square, got steps, mean, square, 1"),
    (MEAN | {"steps": -1}, ValueError, "steps: expected an integer, 0 or above, got -1"),
    (MEAN | {"steps": 2**63}, ValueError, r"steps: expected an integer below 2\^63, got one above"),
    (MEAN | {"steps": 1.0}, ValueError, "steps: expected an integer, got float"),
    (MEAN | {"steps": True}, ValueError, "steps: expected an integer, got bool"),
    (MEAN | {"steps": None}, ValueError, "steps: expected an integer, got NoneType"),
    (MEAN | {"mean": 3.0}, ValueError, "mean: expected a list of arrays, got float"),
    (MEAN | {"square": None}, ValueError, "square: expected an array, got NoneType"),
    (MEAN | {"square": [np.ones(3)]}, ValueError, "square: expected an array, got list"),
    (LISTS | {"square": np.ones(3)}, ValueError, "square: expected a list of arrays, got ndarray"),
    (LISTS | {"square": "ab"}, ValueError, "square: expected a list of arrays, got str"),
    (LISTS | {"square": [[1.0], [1.0]]}, ValueError, "square: expected NumPy arrays, got list"),
    (LISTS | {"square": LISTS["mean"][:1]}, ValueError, "square: expected 2 as mean, got 1"),
    (MEAN | {"square": np.ones(4)}, ValueError, r"square: expected shape \(3,\) as mean, .*\(4,\)"),
    (
        MEAN | {"square": np.ones(3, np.float32)},
        ValueError,
        "square: expected dtype float64 as mean, got float32",
    ),
    (
        MEAN | {"mean": np.ones(3, int)},
        ValueError,
        "mean: expected dtype float32 or float64, got int64",
    ),
    (
        MEAN | {"mean": np.ones(3, object)},
        ValueError,
        "mean: expected dtype float32 or float64, got object",
    ),
    (LISTS | {"mean": [], "square": []}, ValueError, "mean: expected one array or more, got none"),
    (
        MEAN | {"square": np.array([1.0, -0.5, -2.0])},
        ValueError,
        "square: expected numbers of 0 or above, got -0.5",
    ),
    (
        LISTS | {"square": [np.ones(3), np.array([1, -np.inf])]},
        ValueError,
        "square: expected numbers of 0 or above, got -inf",
    ),
]


@pytest.mark.parametrize(("state", "error", "message"), BAD_STATES)
def test_a_bad_state_is_refused_and_changes_nothing(state, error, message):
    opt, p = bpfast.Adam(), np.ones(2)
    go(opt, p, 0, 2)
    before = opt.state
    with refuses(error, f"^state: {message}$", p):
        opt.state = state
    same(opt.state, before)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_negative_square_is_refused_by_each_optimizer(case):
    if "square" not in keeps(case):
        return
    opt, p = case.make(), np.ones(2)
    opt.step(p, p + 1)
    for square in (np.array([-1e-300, 0.0]), np.array([1.0, -1.0], np.float32)):
        bad = {"steps": 1, **dict.fromkeys(keeps(case), square)}
        with refuses(ValueError, "^state: square: expected numbers of 0 or above, got -1"):
            opt.state = bad
    opt.state = opt.state | {"square": np.array([-0.0, np.nan])}


@pytest.mark.parametrize("make", [plateau, lambda: schedules.WarmUp(plateau(), 2)])
def test_reported_costs_are_part_of_the_state(make):
    opt, p = bpfast.Adam(make()), START.copy()
    go(opt, p, 0, 2)
    for cost in (1.0, 1.0, 1.0):
        opt.learning_rate.report(cost)
    assert opt.learning_rate(5) == 0.125
    state = opt.state
    assert state["schedule"]["rate"] == 0.125
    other = bpfast.Adam(make())
    other.state = state
    assert other.learning_rate(5) == 0.125
    for missing in ("schedule", "steps"):
        bad = {name: value for name, value in state.items() if name != missing}
        with refuses(ValueError, "^state: expected schedule, steps, mean, square, got "):
            other.state = bad
    for bad in ({"rate": 3}, None, [], {**state["schedule"], "rate": 7.0}):
        with refuses(ValueError, "^state: schedule: "):
            other.state = state | {"schedule": bad, "steps": 77}
        same({k: v for k, v in other.state.items() if k != "schedule"},
             {k: v for k, v in state.items() if k != "schedule"})  # fmt: skip
        assert other.learning_rate(5) == 0.125
    twin = copy.copy(opt)
    for _ in range(3):
        twin.learning_rate.report(2.0)
    assert opt.learning_rate(5) == 0.125
    opt.reset()
    assert opt.learning_rate(5) == 0.5
    assert opt.config == bpfast.Adam(make()).config
    same(opt.state, bpfast.Adam(make()).state)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_reset_starts_from_the_beginning(case):
    opt, p = case.make(), START.copy()
    first = go(opt, p, 0, 4)
    opt.reset()
    assert opt.state == {"steps": 0}
    again = START.copy()
    assert go(opt, again, 0, 4) == first
    opt.reset()
    go(opt, some_params(single=False), 0, 1)


def test_it_is_part_of_the_package():
    assert bpfast.optimizers is optimizers
    for name in optimizers.__all__:
        made = getattr(optimizers, name)
        assert name in ("Optimizer", "from_config") or getattr(bpfast, name) is made
