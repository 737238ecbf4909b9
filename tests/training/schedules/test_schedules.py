"""bpfast.schedules: PyTorch's numbers, the edges, and what can be written down and read back."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bpfast
from bpfast import schedules
from tests.golden import TORCH, floats
from tests.helpers.cases.any_speed import ANY_SPEED
from tests.helpers.cases.training.every_schedule import MORE, PLATEAU, SCHEDULES, every_kind

# Both compute in float64, in another order of the same few operations.
RELATIVE = 1e-12

NAN = math.nan
COSTS = [3, 2, 1.99, 1.985, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, NAN, 1, 1, 1, 1, 1, 1, 1]
# The rate after each of COSTS, from torch 2.15.0.
FALLS = [*[0.5] * 3, *[0.25] * 4, *[0.125] * 6, *[0.1] * 5]


EVERY = [schedules.Constant(0.2), *SCHEDULES, *MORE]


@pytest.mark.parametrize("schedule", EVERY, ids=repr)
def test_agrees_with_pytorch(schedule):
    expected = floats(TORCH["schedules"][repr(schedule)])
    found = schedules.rates(schedule, 0, len(expected))
    np.testing.assert_allclose(found, expected, rtol=RELATIVE, atol=1e-17)


def test_plateau_golden_numbers():
    schedule, found = schedules.Plateau(0.5, **PLATEAU), []
    for cost in COSTS:
        schedule.report(cost)
        found.append(schedule(0))
    np.testing.assert_allclose(found, FALLS, rtol=RELATIVE)


@pytest.mark.parametrize("case", TORCH["plateaus"], ids=lambda case: str(case["options"]))
def test_plateau_agrees_with_pytorch(case):
    schedule, found = schedules.Plateau(0.5, **case["options"]), []
    for cost in floats(case["costs"]):
        schedule.report(cost)
        found.append(schedule(0))
    np.testing.assert_allclose(found, floats(case["rates"]), rtol=RELATIVE)


@pytest.mark.parametrize("best", [5.0, -2.0, -1e6])
@pytest.mark.parametrize("is_behind_a_ramp", [False, True])
def test_the_threshold_of_a_plateau_is_relative_to_the_best(best, is_behind_a_ramp):
    schedule = schedules.Plateau(1.0, factor=0.5, patience=0, threshold=0.01)
    if is_behind_a_ramp:
        schedule = schedules.WarmUp(schedule, 1)
    margin = 0.01 * abs(best)
    for value, rate in (
        (best, 1.0),
        (best, 0.5),
        (best - 0.9 * margin, 0.25),
        (best - 1.1 * margin, 0.25),
        (best - 1.1 * margin, 0.125),
    ):
        schedule.report(value)
        assert schedule(9) == rate, value


def test_a_plateau_whose_best_is_zero():
    """Every lower value is an improvement then."""
    for threshold in (0.0, 0.5, 1.0):
        schedule = schedules.Plateau(1.0, factor=0.5, patience=0, threshold=threshold)
        for value, rate in ((0.0, 1.0), (0.0, 0.5), (-1e-300, 0.5), (-1e-300, 0.25)):
            schedule.report(value)
            assert schedule(0) == rate, (threshold, value)


def test_schedules_reach_their_ends_exactly():
    cosine = schedules.Cosine(0.1, 7, 0.03)
    assert [cosine(step) for step in (0, 7, 8, 2**62)] == [0.1, 0.03, 0.03, 0.03]
    cycle = schedules.OneCycle(0.1, 10, start=0.03, final=0.007)
    assert [cycle(step) for step in (0, 2, 9, 10, 2**62)] == [0.03, 0.1, 0.007, 0.007, 0.007]
    ramp = schedules.WarmUp(cosine, 3, start=0.01)
    assert [ramp(step) for step in (0, 3, 10, 11)] == [0.01, 0.1, 0.03, 0.03]
    step = schedules.Step(0.1, 5)
    assert [step(t) for t in (0, 4, 2**62)] == [0.1, 0.1, 0.0]
    assert step(5) == pytest.approx(0.01, rel=RELATIVE)


@pytest.mark.parametrize(
    ("steps", "warm_up", "expected"),
    [(1, 0.3, [0.1]), (1, 1, [1]), (2, 0.5, [1, 0.1]), (2, 1, [0.5, 1]), (3, 1, [0.5, 0.75, 1])],
)
def test_the_shortest_cycles(steps, warm_up, expected):
    cycle = schedules.OneCycle(1, steps, warm_up, start=0.5, final=0.1)
    np.testing.assert_allclose([cycle(step) for step in range(steps)], expected, rtol=RELATIVE)
    assert cycle(steps) == 0.1


RATE = st.floats(1e-12, 1e6)


@ANY_SPEED
@given(rate=RATE, final=st.floats(0, 1e6), steps=st.integers(1, 200))
def test_cosine_stays_between_its_ends_and_goes_one_way(rate, final, steps):
    found = schedules.rates(schedules.Cosine(rate, steps, final), 0, steps + 2)
    low, high = min(rate, final), max(rate, final)
    assert ((low <= found) & (found <= high)).all()
    assert (found[0], found[-2]) == (rate, final)
    moves = np.diff(found) * (1 if final > rate else -1)
    assert (moves >= -1e-15 * high).all()
    # Continuous: the cosine is steepest halfway, π/2 times the mean slope.
    assert np.abs(moves).max() <= math.pi / 2 * (high - low) / steps * (1 + 1e-9) + 1e-15 * high


@ANY_SPEED
@given(peak=RATE, steps=st.integers(1, 200), warm_up=st.floats(0, 1))
def test_one_cycle_rises_then_falls_without_a_jump(peak, steps, warm_up):
    cycle = schedules.OneCycle(peak, steps, warm_up)
    found = schedules.rates(cycle, 0, steps)
    assert ((cycle.final <= found) & (found <= peak)).all()
    top = warm_up * steps - 1
    moves = np.diff(found)
    ends = np.arange(1, steps)
    assert (moves[ends <= top] >= -1e-15 * peak).all()
    assert (moves[ends - 1 >= top] <= 1e-15 * peak).all()
    for half, length in ((moves[ends <= top], top), (moves[ends - 1 >= top], steps - 1 - top)):
        if half.size:
            assert np.abs(half).max() <= math.pi / 2 * peak / length * (1 + 1e-9)


@ANY_SPEED
@given(
    costs=st.lists(st.floats(allow_nan=True), max_size=50),
    smallest=st.floats(0, 1),
    patience=st.integers(0, 3),
)
def test_plateau_never_rises_and_keeps_its_bound(costs, smallest, patience):
    schedule, last = schedules.Plateau(1, patience=patience, smallest=smallest), 1.0
    for cost in costs:
        schedule.report(cost)
        assert smallest <= schedule(0) <= last
        last = schedule(0)
        json.dumps(schedule.state, allow_nan=False)
        again = schedules.Plateau(1, patience=patience, smallest=smallest)
        again.state = json.loads(json.dumps(schedule.state))
        assert again == schedule


def test_a_warm_up_forwards_reports():
    schedule = schedules.WarmUp(schedules.Plateau(0.8, factor=0.5, patience=0), 4)
    for cost in (1.0, 2.0):
        schedule.report(cost)
    assert [schedule(step) for step in (0, 2, 4, 9)] == [0.0, 0.2, 0.4, 0.4]
    assert schedule.state == schedule.schedule.state != {}
    schedules.WarmUp(lambda step: 0.1, 4).report(1.0)

    class Listens:
        def __call__(self, step):
            return 0.1

        def report(self, value):
            self.heard = value

    schedules.WarmUp(listener := Listens(), 4).report(3.0)
    assert not hasattr(listener, "heard")  # what a report of the user's is, is not known


@pytest.mark.parametrize("schedule", every_kind(), ids=repr)
def test_rates_are_single_calls(schedule):
    schedule.report(1.0)
    for first, count in ((0, 30), (7, 3), (5, 0), (2**62, 2)):
        found = schedules.rates(schedule, first, count)
        assert found.dtype == np.float64
        assert found.tolist() == [schedule(step) for step in range(first, first + count)]
        own = schedule.rates(first=np.int64(first), count=count)
        assert (own.shape, own.dtype, own.tolist()) == ((count,), np.float64, found.tolist())


def test_rates_of_a_number_and_of_a_callable():
    assert schedules.rates(0.1, 3, 2).tolist() == [0.1, 0.1]
    seen = []
    values = [1, np.float32(0.5), np.array(0.25), np.int64(2), 0]

    def own(step):
        seen.append(step)
        return values[step - 10]

    assert schedules.rates(own, np.int64(10), 5).tolist() == [1, 0.5, 0.25, 2, 0]
    assert seen == [10, 11, 12, 13, 14]
    assert all(type(step) is int for step in seen)


def test_it_is_part_of_the_package():
    assert bpfast.schedules is schedules
    assert "schedules" in bpfast.__all__
