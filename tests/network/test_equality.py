"""What `==` and `hash` mean: objects with a state of their own are equal to themselves alone."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bpfast
from bpfast import schedules
from tests.helpers.cases.training.every_optimizer import CASES as OPTIMIZERS
from tests.helpers.cases.training.every_schedule import SCHEDULES as OF_STEPS
from tests.helpers.refuses import refuses

X = np.random.default_rng(0).normal(size=(7, 3))
NET = bpfast.Network([3, 4, 2], seed=0)
ROW = {"cost": 0.5, "seconds": 2.0, "learning_rate": 0.1}

# A maker of each kind of object that has a state or arrays: no two that it makes are equal.
BY_IDENTITY: dict[str, Callable[[], Any]] = {
    "network": lambda: bpfast.Network([3, 4, 2], seed=0),
    "subclass": lambda: type("Own", (bpfast.Network,), {})([3, 4, 2], seed=0),
    "gradient": lambda: bpfast.Gradient(NET),
    "trace": lambda: NET.trace(X),
    "views": lambda: NET.copy().weights,
    "early stopping": lambda: bpfast.EarlyStopping(3),
    "threads": lambda: bpfast.num_threads(1),
    "prediction": lambda: bpfast.Ensemble([NET, NET.copy()]).predict(X),
    "taylor": lambda: NET.taylor(X, np.eye(2, 3)),
    "folds": lambda: bpfast.cross_validate(NET, X, np.zeros((7, 2)), folds=2, epochs=1),
    "per example": lambda: NET.per_example_gradients(X, np.zeros((7, 2))),
    "statistics": lambda: NET.gradient_statistics(X, np.zeros((7, 2))),
} | {repr(case): case.make for case in OPTIMIZERS}


@pytest.mark.parametrize("name", BY_IDENTITY)
def test_stateful_objects_compare_by_identity(name):
    make = BY_IDENTITY[name]
    objects = [make() for _ in range(5)]
    assert [objects.index(one) for one in objects] == [0, 1, 2, 3, 4]
    assert len(set(objects)) == 5
    scores = {one: k for k, one in enumerate(objects)}
    assert [scores[one] for one in objects] == [0, 1, 2, 3, 4]
    assert all((one == other) is (one is other) for one in objects for other in objects)
    assert all((one != other) is (one is not other) for one in objects for other in objects)
    assert objects[0] not in (None, 3, name, objects[1:])


def test_a_copy_of_a_network_is_another_key():
    nets = [NET, NET.copy(), NET.astype("f8"), pickle.loads(pickle.dumps(NET))]
    assert len(dict.fromkeys(nets)) == 4
    assert all(net.same_config(NET) for net in nets)


def test_the_hash_of_a_network_outlives_training():
    net = bpfast.Network([3, 2], seed=0)
    scores = {net: 1}
    net.fit(X, np.zeros((7, 2)), epochs=1)
    net.params += 1
    assert scores[net] == 1


SCHEDULES = [schedules.Constant(0.1), schedules.Plateau(0.1), *OF_STEPS]


@pytest.mark.parametrize("one", SCHEDULES, ids=repr)
def test_schedules_compare_by_value(one):
    assert one == copy.deepcopy(one)
    assert [other for other in SCHEDULES if other == one] == [one]
    with refuses(TypeError, "unhashable"):  # its arguments can be assigned, a report may change it
        hash(one)


def test_reported_costs_affect_equality():
    one, other = schedules.Plateau(0.5, patience=0), schedules.Plateau(0.5, patience=0)
    ramps = schedules.WarmUp(one, 3), schedules.WarmUp(other, 3)
    one.report(1.0)
    assert one != other
    assert ramps[0] != ramps[1]
    other.report(1.0)
    assert one == other
    assert ramps[0] == ramps[1]


def history(*, seed: int | None = 3, stopped: str | None = None, **row: float) -> bpfast.History:
    made = bpfast.History(seed)
    made.append(ROW | row)
    made.stopped = stopped
    return made


def test_histories_compare_by_value():
    assert history() == history()
    assert history(cost=float("nan")) == history(cost=float("nan"))
    for other in (
        history(seed=4),
        history(seed=None),
        history(stopped="callback"),
        history(cost=0.25),
        history(cost=float("nan")),
        history(cost=float("inf")),
        history(accuracy=1.0),
        bpfast.History(3),
    ):
        assert history() != other
    with refuses(TypeError, "unhashable"):
        hash(history())


def test_two_reports_with_other_numbers_differ():
    y = np.zeros((7, 2))
    reports = [bpfast.testing.check_gradients(NET, X, y, seed=seed) for seed in (0, 0, 1)]
    assert reports[0] == reports[1] != reports[2]
    assert hash(reports[0]) == hash(reports[1])
