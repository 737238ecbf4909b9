"""bpfast.schedules: invalid arguments, and configs that can be saved and read."""

import copy
import json
import math
import pickle
from typing import Any

import numpy as np
import pytest

from bpfast import schedules
from bpfast.schedules._rates import as_schedule
from tests.helpers.cases.training.every_schedule import PLATEAU, every_kind
from tests.helpers.messages import A_CLASS
from tests.helpers.refuses import refuses

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (NAN, ValueError, "expected a finite rate, 0 or above, at step 12, got nan"),
        (math.inf, ValueError, "expected a finite rate, 0 or above, at step 12, got inf"),
        (10**400, ValueError, "expected a finite rate, 0 or above, at step 12, got inf"),
        (-0.5, ValueError, "expected a finite rate, 0 or above, at step 12, got -0.5"),
        (None, TypeError, "expected a number at step 12, got NoneType"),
        ("0.1", TypeError, "expected a number at step 12, got str"),
        (True, TypeError, "expected a number at step 12, got bool"),
        (1j, TypeError, "expected a number at step 12, got complex"),
        (np.array([0.1]), TypeError, "expected a number at step 12, got ndarray"),
        (np.array("0.1"), TypeError, "expected a number at step 12, got ndarray"),
        (np.array(True), TypeError, "expected a number at step 12, got ndarray"),
        (np.array(1j), TypeError, "expected a number at step 12, got ndarray"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda own: own, lambda own: schedules.WarmUp(own, 12)])
def test_rates_of_a_callable_are_checked(value, error, message, wrap):
    schedule = wrap(lambda step: value if step in (0, 12) else 0.1)
    with refuses(error, f"^learning_rate: {message}$"):
        schedules.rates(schedule, 12, 8)


@pytest.mark.parametrize("base", [schedules.Schedule, *dict.fromkeys(map(type, every_kind()))])
def test_subclasses_are_refused(base):
    """`fit` would not call what they override."""
    reason = "a schedule of your own can be any callable of a step"
    with refuses(TypeError, f"^Own: expected no subclass of {base.__name__}; {reason}$"):

        class Own(base):
            def __call__(self, step):
                return 0.1


def test_exceptions_of_a_callable_propagate():
    def own(step):
        raise KeyError(step)

    with refuses(KeyError, "3"):
        schedules.rates(own, 3, 1)
    with refuses(KeyError, "0"):
        schedules.WarmUp(own, 3)(2)


def positive(name):
    return [
        *((value, ValueError, f"^{name}: expected a positive number, got {value}$")
          for value in (0, -1, -0.5, NAN, math.inf)),
        *((value, TypeError, f"^{name}: expected a number, got {type(value).__name__}$")
          for value in ("0.1", None, True, 1j, [0.1])),
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "error", "message"), positive("rate"))
@pytest.mark.parametrize(
    "make",
    [
        schedules.Constant,
        lambda rate: schedules.Step(rate, 1),
        lambda rate: schedules.Cosine(rate, 1),
        schedules.Plateau,
    ],
)
def test_bad_rates(make, value, error, message):
    with refuses(error, message):
        make(value)


COUNT = "expected a positive integer, got"
INTEGER = "expected an integer, got"
BAD_VALUES = [
    (schedules.OneCycle, {"peak": -1, "steps": 3}, "peak: expected a positive number, got -1"),
    (schedules.OneCycle, {"peak": 1, "steps": 0}, f"steps: {COUNT} 0"),
    (schedules.Cosine, {"rate": 1, "steps": -3}, f"steps: {COUNT} -3"),
    (schedules.Cosine, {"rate": 1, "steps": 2**63}, r"steps: expected an integer below 2\^63"),
    (schedules.Cosine, {"rate": 1, "steps": 2, "final": -1}, "final: .*0 or above, got -1"),
    (schedules.Cosine, {"rate": 1, "steps": 2, "final": math.inf}, "final: .*finite.*got inf"),
    (schedules.Step, {"rate": 1, "every": 0}, f"every: {COUNT} 0"),
    (schedules.Step, {"rate": 1, "every": 1, "factor": 0}, "factor: .*above 0.*, got 0"),
    (schedules.Step, {"rate": 1, "every": 1, "factor": 1.1}, "factor: .*at most 1, got 1.1"),
    (schedules.OneCycle, {"peak": 1, "steps": 3, "warm_up": 1.5}, "warm_up: .*0 to 1, got 1.5"),
    (schedules.OneCycle, {"peak": 1, "steps": 3, "start": 2}, "start: .*from 0 to 1, got 2"),
    (schedules.OneCycle, {"peak": 1, "steps": 3, "final": NAN}, "final: .*from 0 to 1, got nan"),
    (schedules.WarmUp, {"schedule": -1, "steps": 3}, "schedule: .*positive number, got -1"),
    (schedules.WarmUp, {"schedule": 1, "steps": 0}, f"steps: {COUNT} 0"),
    (schedules.WarmUp, {"schedule": 1, "steps": 1, "start": -1}, "start: .*got -1"),
    (schedules.Plateau, {"rate": 1, "factor": 1}, "factor: .*below 1, got 1"),
    (schedules.Plateau, {"rate": 1, "patience": -1}, "patience: .*0 or above, got -1"),
    (schedules.Plateau, {"rate": 1, "cooldown": -1}, "cooldown: .*0 or above, got -1"),
    (schedules.Plateau, {"rate": 1, "threshold": 2}, "threshold: .*from 0 to 1, got 2"),
    (schedules.Plateau, {"rate": 1, "smallest": 2}, "smallest: .*from 0 to 1, got 2"),
    (schedules.Constant(1), {"step": -1}, "step: expected an integer, 0 or above, got -1"),
    (schedules.rates, {"schedule": 1, "first": -1, "count": 1}, "first: .*0 or above, got -1"),
    (schedules.rates, {"schedule": 1, "first": 0, "count": -1}, "count: .*0 or above, got -1"),
]
BAD_TYPES = [
    (schedules.Cosine, {"rate": 1, "steps": 2.0}, f"steps: {INTEGER} float"),
    (schedules.Cosine, {"rate": 1, "steps": True}, f"steps: {INTEGER} bool"),
    (schedules.Cosine, {"rate": 1, "steps": 2, "final": "0"}, "final: expected a number, got str"),
    (schedules.WarmUp, {"schedule": "x", "steps": 3}, "schedule: .*callable.*got str"),
    (schedules.Plateau, {"rate": 1, "patience": None}, f"patience: {INTEGER} NoneType"),
    (schedules.Plateau(1).report, {"value": None}, "value: expected a number, got NoneType"),
    (schedules.Constant(1), {"step": 1.0}, f"step: {INTEGER} float"),
    (schedules.rates, {"schedule": 1, "first": "0", "count": 1}, f"first: {INTEGER} str"),
]


@pytest.mark.parametrize(("call", "options", "message"), BAD_VALUES)
def test_bad_values(call, options, message):
    with refuses(ValueError, f"^{message}"):
        call(**options)


@pytest.mark.parametrize("schedule", every_kind(), ids=repr)
def test_bad_steps_of_rates(schedule):
    for name in ("first", "count"):
        for value in (-1, 2**63):
            with refuses(ValueError, f"^{name}: expected an integer"):
                schedule.rates(**{"first": 0, "count": 1} | {name: value})
        for value in (1.0, True, None):
            with refuses(TypeError, f"^{name}: expected an integer, got {type(value).__name__}$"):
                schedule.rates(**{"first": 0, "count": 1} | {name: value})


@pytest.mark.parametrize(("call", "options", "message"), BAD_TYPES)
def test_bad_types(call, options, message):
    with refuses(TypeError, f"^{message}$"):
        call(**options)


@pytest.mark.parametrize(("value", "error", "message"), positive("learning_rate")[:5])
def test_as_schedule_refuses(value, error, message):
    with refuses(error, message):
        as_schedule("learning_rate", value)


def test_as_schedule():
    assert as_schedule("learning_rate", np.float32(0.5)) == schedules.Constant(0.5)
    for schedule in (*every_kind(), lambda step: 0.1):
        assert as_schedule("learning_rate", schedule) is schedule
    with refuses(TypeError, "^learning_rate: expected a number or a callable.*, got NoneType$"):
        as_schedule("learning_rate", None)
    with refuses(TypeError, f"^{A_CLASS.format('learning_rate', 'Cosine')}$"):
        as_schedule("learning_rate", schedules.Cosine)


@pytest.mark.parametrize("schedule", every_kind(), ids=repr)
def test_config_round_trip(schedule):
    assert eval(repr(schedule), vars(schedules)) == schedule
    config = json.loads(json.dumps(schedule.config, allow_nan=False))
    assert schedules.from_config(config) == schedule
    for cost in (1.0, 2.0, 3.0):
        schedule.report(cost)
    for again in (
        pickle.loads(pickle.dumps(schedule)),
        copy.copy(schedule),
        copy.deepcopy(schedule),
    ):
        assert again == schedule
        assert [again(step) for step in range(12)] == [schedule(step) for step in range(12)]
    fresh = schedules.from_config(config)
    fresh.state = json.loads(json.dumps(schedule.state))
    assert fresh == schedule


def test_equality():
    kinds = every_kind()
    for i, one in enumerate(kinds):
        for k, other in enumerate(every_kind()):
            assert (one == other) is (i == k)
    assert schedules.Constant(0.1) != 0.1
    heard = schedules.Plateau(0.5)
    heard.report(1)
    assert heard != schedules.Plateau(0.5)
    with pytest.raises(TypeError, match="unhashable"):
        hash(heard)


def test_defaults_may_be_left_out_of_a_config():
    config = {"kind": "one_cycle", "peak": 0.1, "steps": 10}
    assert schedules.from_config(config) == schedules.OneCycle(0.1, 10)


COSINE = {"kind": "cosine", "rate": 0.1, "steps": 3}
NESTED = COSINE
for _ in range(100_000):
    NESTED = {"kind": "warm_up", "schedule": NESTED, "steps": 1}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {},
            "unknown kind None; valid: 'constant', 'step', 'cosine', 'one_cycle', 'warm_up', 'pl",
        ),
        ({"kind": "os.system"}, "unknown kind 'os.system'"),
        ({"kind": ["cosine"]}, "unknown kind"),
        ({"kind": "cosine", "rate": 0.1}, "expected rate, steps, final for .*, got rate"),
        ({"kind": "plateau"}, "expected .*, got none"),
        (COSINE | {"extra": 1}, "expected .*, got rate, steps, extra"),
        (COSINE | {1: 1}, "expected .*, got rate, steps, 1"),
        (COSINE | {"rate": "0.1"}, "rate: expected a number, got str"),
        (COSINE | {"steps": 10**400}, "steps: expected an integer"),
        ({"kind": "warm_up", "schedule": 0.1, "steps": 1}, "schedule: expected a mapping"),
        ({"kind": "warm_up", "schedule": {}, "steps": 1}, "unknown kind None"),
        (NESTED, "expected fewer schedules within schedules, got more than "),
    ],
    ids=lambda value: str(value)[:40] if value is not NESTED else "nested",
)
def test_bad_configs(config, message):
    with pytest.raises(ValueError, match=f"^config: {message}"):
        schedules.from_config(config)


def test_a_config_is_a_mapping_and_a_callable_has_none():
    with refuses(TypeError, "^config: expected a mapping, got list$"):
        schedules.from_config([])
    with refuses(TypeError, "^schedule: expected one of bpfast.schedules .*, got function$"):
        schedules.WarmUp(lambda step: 0.1, 3).config  # noqa: B018


GOOD: dict[str, Any] = {"rate": 0.5, "best": None, "bad": 0, "cooling": 0}


@pytest.mark.parametrize(
    "state",
    [
        None, 3, [], {}, "rate", {**GOOD, "more": 1}, {"rate": 0.5},
        *(GOOD | {"rate": rate} for rate in (0.6, 0.01, NAN, "0.5", None)),
        *(GOOD | {"best": best} for best in (NAN, math.inf, "1", [1.0])),
        *(GOOD | {"bad": bad} for bad in (-1, 2, 0.5, None)),
        *(GOOD | {"cooling": cooling} for cooling in (-1, 3, True)),
    ],
    ids=repr,
)  # fmt: skip
def test_bad_states_change_nothing(state):
    schedule = schedules.Plateau(0.5, **PLATEAU)
    schedule.report(1.0)
    before = schedule.state
    with refuses(ValueError, "^state: "):
        schedule.state = state
    assert schedule.state == before


@pytest.mark.parametrize("state", [None, GOOD, []])
def test_a_schedule_without_state_has_an_empty_state(state):
    for schedule in (schedules.Cosine(1, 2), schedules.WarmUp(lambda step: 1, 2)):
        schedule.state = {}
        assert schedule.state == {}
        with refuses(ValueError, "^state: expected an empty dict"):
            schedule.state = state


def test_the_base_class_is_no_schedule():
    """It could be made, and failed where it was first shown or compared."""
    with refuses(TypeError, "^Schedule: expected a subclass, such as Constant, got the base class"):
        schedules.Schedule()


def test_nested_warm_ups():
    """A config with thousands would be a RecursionError at the first call."""
    schedule, config = schedules.Constant(0.1), COSINE
    for _ in range(10):
        schedule = schedules.WarmUp(schedule, 1)
        config = {"kind": "warm_up", "schedule": config, "steps": 1}
    schedules.from_config(config)
    assert schedules.from_config(schedule.config) == schedule
    message = "schedule: expected 10 nested ramps or fewer, got more$"
    with pytest.raises(ValueError, match=f"^{message}"):
        schedules.WarmUp(schedule, 1)
    for _ in range(200):
        config = {"kind": "warm_up", "schedule": config, "steps": 1}
    with pytest.raises(ValueError, match=f"^config: {message}"):
        schedules.from_config(config)
