"""The config and the learning rate of an optimizer."""

import copy
import json
import math
import pickle

import numpy as np
import pytest

import bpfast
from bpfast import optimizers, schedules
from tests.helpers.cases.training.every_optimizer import CASES, START
from tests.helpers.cases.training.optimizer_steps import go, plateau
from tests.helpers.refuses import refuses


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


def test_omitted_entries_of_a_config_have_their_defaults():
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
    ({"kind": "sgd", "nesterov": True}, ValueError, "nesterov: expected a momentum .*"),
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
        "learning_rate: expected fewer schedules within schedules, got more .*",
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


def test_configs_have_the_kind_and_the_arguments():
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
def test_the_learning_rate_is_returned_as_given(kind):
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
