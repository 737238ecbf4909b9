"""bpfast.optimizers: what is kept, written down, read back, copied, compared, and forgotten."""

import copy
import json
import math
import pickle
from typing import Any

import numpy as np
import pytest

import bpfast
from bpfast import optimizers, schedules
from tests.helpers.every_optimizer import CASES, START, gradient
from tests.helpers.refuses import refuses

STATE_NAMES = {"SGD": ("velocity",), "Adam": ("mean", "square"), "AdamW": ("mean", "square")}


def keeps(case):
    if case.name == "SGD" and "momentum" not in case.options:
        return ()
    return STATE_NAMES.get(case.name, ("square",))


def go(opt, params, first, count):
    for step in range(first, first + count):
        arrays = [params] if isinstance(params, np.ndarray) else params
        gradients = [gradient(p, step) for p in arrays]
        opt.step(params, gradients[0] if arrays is not params else gradients)
    return [p.tobytes() for p in arrays]


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
def test_steps_go_on_with_the_same_bits(case, single, way):
    opt, params = case.make(), some_params(single)
    go(opt, params, 0, 3)
    other, copies = RESTORE[way](case, opt), copy.deepcopy(params)
    assert other.config == opt.config
    assert other.steps == 3
    wanted = go(opt, params, 3, 4)
    assert go(other, copies, 3, 4) == wanted
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
]


@pytest.mark.parametrize(("state", "error", "message"), BAD_STATES)
def test_a_bad_state_is_refused_and_changes_nothing(state, error, message):
    opt, p = bpfast.Adam(), np.ones(2)
    go(opt, p, 0, 2)
    before = opt.state
    with refuses(error, f"^state: {message}$", p):
        opt.state = state
    same(opt.state, before)


def plateau():
    return schedules.Plateau(0.5, factor=0.5, patience=0)


@pytest.mark.parametrize("make", [plateau, lambda: schedules.WarmUp(plateau(), 2)])
def test_what_a_schedule_has_heard_is_part_of_the_state(make):
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
def test_reset_begins_anew(case):
    opt, p = case.make(), START.copy()
    first = go(opt, p, 0, 4)
    opt.reset()
    assert opt.state == {"steps": 0}
    again = START.copy()
    assert go(opt, again, 0, 4) == first
    opt.reset()
    go(opt, some_params(single=False), 0, 1)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_config_goes_through_json(case):
    opt = case.make()
    go(opt, START.copy(), 0, 2)
    config = opt.config
    assert config["kind"] == case.name.lower()
    again = optimizers.from_config(json.loads(json.dumps(config, allow_nan=False)))
    assert type(again) is type(opt)
    assert again.config == config
    assert again.steps == 0
    if not isinstance(config["learning_rate"], float):
        config["learning_rate"]["kind"] = "spoilt"
        assert opt.config != config


def test_what_is_left_out_of_a_config_has_its_default():
    for kind in (bpfast.SGD, bpfast.Adam, bpfast.AdamW, bpfast.RMSprop, bpfast.Adagrad):
        found = optimizers.from_config({"kind": kind.__name__.lower()})
        assert type(found) is kind
        assert found.config == kind().config
    found = optimizers.from_config({"kind": "sgd", "learning_rate": 3})
    assert found.config == bpfast.SGD(3).config


def deep(depth):
    config = {"kind": "constant", "rate": 1.0}
    for _ in range(depth):
        config = {"kind": "warm_up", "schedule": config, "steps": 1}
    return config


BAD_CONFIGS = [
    (None, TypeError, "expected a mapping, got NoneType"),
    ("adam", TypeError, "expected a mapping, got str"),
    ({}, ValueError, "unknown kind None; valid: 'sgd', 'adam', 'adamw', 'rmsprop', 'adagrad'"),
    ({"kind": "Adam"}, ValueError, "unknown kind 'Adam'; did you mean 'adam'\\? valid: .*"),
    ({"kind": ["adam"]}, ValueError, r"unknown kind \['adam'\]; valid: .*"),
    ({"kind": "__init__"}, ValueError, "unknown kind .*"),
    ({"kind": "adam", "momentum": 1}, ValueError, "expected beta1, .* for 'adam', got momentum"),
    ({"kind": "adam", "self": 1}, ValueError, "expected beta1, .* for 'adam', got self"),
    ({"kind": "adam", 3: 1}, ValueError, "expected beta1, .* for 'adam', got 3"),
    ({"kind": "adam", "beta1": "0.9"}, ValueError, "beta1: expected a number, got str"),
    (
        {"kind": "adam", "beta1": 2},
        ValueError,
        "beta1: expected a number from 0 and below 1, got 2",
    ),
    ({"kind": "adam", "epsilon": float("nan")}, ValueError, "epsilon: expected .*, got nan"),
    ({"kind": "sgd", "nesterov": 1}, ValueError, "nesterov: expected True or False, got int"),
    ({"kind": "sgd", "nesterov": True}, ValueError, "nesterov: expected with a momentum .*"),
    ({"kind": "sgd", "learning_rate": -1}, ValueError, "learning_rate: expected .*, got -1"),
    ({"kind": "sgd", "learning_rate": 10**400}, ValueError, "learning_rate: expected .*, got inf"),
    (
        {"kind": "sgd", "learning_rate": None},
        ValueError,
        "learning_rate: expected a mapping, got NoneType",
    ),
    (
        {"kind": "sgd", "learning_rate": print},
        ValueError,
        "learning_rate: expected a mapping, got builtin_function_or_method",
    ),
    (
        {"kind": "sgd", "learning_rate": {"kind": "os.system"}},
        ValueError,
        "learning_rate: unknown kind 'os.system'; valid: .*",
    ),
    (
        {"kind": "sgd", "learning_rate": {"kind": "cosine", "rate": 1, "steps": 0}},
        ValueError,
        "learning_rate: steps: expected a positive integer, got 0",
    ),
    (
        {"kind": "sgd", "learning_rate": deep(100_000)},
        ValueError,
        "learning_rate: expected fewer schedules within schedules",
    ),
]


@pytest.mark.parametrize(
    ("config", "error", "message"), BAD_CONFIGS, ids=[message for *_, message in BAD_CONFIGS]
)
def test_a_bad_config(config, error, message):
    with refuses(error, f"^config: {message}$"):
        optimizers.from_config(config)


def test_a_callable_has_no_config():
    message = "expected one of bpfast.schedules for a config, got function"
    with refuses(TypeError, f"^learning_rate: {message}$"):
        _ = bpfast.SGD(lambda step: 0.1).config
    with refuses(TypeError, "^schedule: "):
        _ = bpfast.SGD(schedules.WarmUp(lambda step: 0.1, 3)).config


def test_configs_tell_kinds_and_arguments_apart():
    everything = [case.make() for case in CASES]
    for k, one in enumerate(everything):
        for j, other in enumerate(everything):
            assert (one.config == other.config) == (k == j)
    assert bpfast.AdamW(weight_decay=0.0).config != bpfast.Adam().config


def test_repr_is_the_call():
    names = vars(bpfast) | vars(schedules)
    for case in CASES:
        assert eval(repr(case.make()), names).config == case.make().config
    assert repr(bpfast.Adagrad(1)) == "Adagrad(1.0, epsilon=1e-10, weight_decay=0.0)"


def test_the_learning_rate_can_be_changed_between_steps():
    opt, p = bpfast.SGD(1.0), np.zeros(1)
    opt.step(p, [1.0])
    opt.learning_rate = 0.5
    opt.step(p, [1.0])
    opt.learning_rate = lambda step: step
    opt.step(p, [1.0])  # step 2
    assert p == -3.5
    with refuses(AttributeError, ""):
        opt.steps = 3


SAME = {"copy": copy.copy, "pickle": lambda opt: pickle.loads(pickle.dumps(opt))}


@pytest.mark.parametrize("kind", [bpfast.SGD, bpfast.Adam, bpfast.RMSprop])
def test_the_learning_rate_comes_back_as_it_was_given(kind):
    ways = SAME | {
        "config": lambda opt: optimizers.from_config(json.loads(json.dumps(opt.config))),
        "repr": lambda opt: eval(repr(opt), vars(bpfast) | vars(schedules)),
    }
    for given in (0.01, 3, np.float32(0.5), 10**20):
        opt = kind(given)
        for other in (opt, *(way(opt) for way in ways.values())):
            assert type(other.learning_rate) is float
            assert other.learning_rate == float(given)
        assert opt.config["learning_rate"] == given
    for given in (schedules.Constant(0.01), schedules.Cosine(0.1, 5), plateau()):
        opt = kind(given)
        assert opt.learning_rate is given
        for way in ways.values():
            other = way(opt)
            assert type(other.learning_rate) is type(given)
            assert other.learning_rate == given
            assert other.config == opt.config

    def own(step):
        return 0.1

    assert kind(own).learning_rate is own
    # Equal steps make equal optimizers, however the rate was written.


def test_the_learning_rate_can_be_computed_with():
    opt, p = bpfast.SGD(0.5), np.zeros(1)
    opt.step(p, [1.0])
    opt.learning_rate *= 0.5
    assert opt.learning_rate == 0.25 < opt.learning_rate + 1
    opt.step(p, [1.0])
    assert p == -0.75
    assert opt.steps == 2
    opt.learning_rate = schedules.Constant(1.0)
    opt.state = opt.state
    assert opt.learning_rate == schedules.Constant(1.0)
    opt.learning_rate = 2.0
    opt.reset()
    assert opt.learning_rate == 2.0
    for bad in (0, -1, math.nan):
        with refuses(ValueError, "^learning_rate: expected a positive number, got "):
            opt.learning_rate = bad
        assert opt.learning_rate == 2.0


def test_it_is_part_of_the_package():
    assert bpfast.optimizers is optimizers
    for name in optimizers.__all__:
        made = getattr(optimizers, name)
        assert name in ("Optimizer", "from_config") or getattr(bpfast, name) is made
