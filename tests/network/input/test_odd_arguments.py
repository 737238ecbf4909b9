"""Arguments of wrong types in functions written in Python: the error names the argument."""

import array
from typing import Any

import numpy as np
import pytest

import bpfast
from bpfast import schedules
from tests.helpers.refuses import refuses

X, Y = np.ones((4, 3)), np.zeros((4, 2))
NET = bpfast.Network([3, 2], dtype="float32", seed=0)
# Without types, because the calls below are wrong on purpose.
check_gradients: Any = bpfast.testing.check_gradients
minimize: Any = bpfast.scipy_minimize
Stopping: Any = bpfast.EarlyStopping
Trace: Any = bpfast.Trace
Adam: Any = bpfast.Adam
GRID: Any = np.ones((2, 2)).data  # a memoryview of two axes cannot be gone through


def history():
    made = bpfast.History()
    made.append({"cost": 1.0, "seconds": 1.0, "learning_rate": 0.1})
    return made


@pytest.mark.parametrize("net", [np.arange(8), np.int64(3), [1, 2], None, "net", history()])
def test_no_network(net):
    message = f"^net: expected a Network, got {type(net).__name__}$"
    with refuses(TypeError, message):
        check_gradients(net, X, Y)
    with refuses(TypeError, message):
        minimize(net, X, Y)


STOPPING = Stopping(3)
CASES: list[Any] = [
    (lambda: check_gradients(NET, X, Y, directions=1.5), "directions: expected an integer, got fl"),
    (
        lambda: check_gradients(NET, X, Y, parameters="all"),
        "parameters: expected an integer",
    ),
    (
        lambda: check_gradients(NET, X, Y, weighted_inputs=np.ones(2)),
        "weighted_inputs: expected an integer, got nd",
    ),
    (lambda: check_gradients(NET, X, Y, rtol="low"), "rtol: expected a number, got str"),
    (lambda: check_gradients(NET, X, Y, rtol=np.ones(2)), "rtol: expected a number, got ndarray"),
    (lambda: check_gradients(NET, X, Y, seed="a"), "seed: "),
    (lambda: minimize(NET, {}, Y), "x: expected real numbers, got dict"),
    (lambda: minimize(NET, X, Y, options=3), "options: expected a dict, got int"),
    (lambda: minimize(NET, X, Y, options=[1]), "options: expected a dict, got list"),
    (
        lambda: minimize(NET, X, Y, callback=3),
        "callback: expected a callable",
    ),
    (
        lambda: minimize(NET, X, Y, tolerance="x"),
        "tolerance: expected a number",
    ),
    (lambda: Stopping(mode=np.ones(2)), "mode: expected 'min' or 'max', got ndarray"),
    (
        lambda: STOPPING.column(3),
        "names: expected a list, .* got int",
    ),
    (lambda: STOPPING.column("cost"), "names: expected a list, .* got str"),
    (lambda: STOPPING.column(GRID), "names: expected a list, .* got memoryview"),
    (lambda: STOPPING.column([["cost"]]), "names: expected names that are text, got list"),
    (lambda: STOPPING.is_better(1, [1.0]), "row: expected a mapping, got list"),
    (lambda: STOPPING.is_better(1, {"cost": "low"}), r"row\['cost'\]: expected a number, got str"),
    (lambda: STOPPING.is_better("1", {"cost": 1.0}), "epoch: expected an integer, got str"),
    (lambda: STOPPING.is_over(None), "epoch: expected an integer, got NoneType"),
    (lambda: setattr(STOPPING, "state", 3), "state: expected a mapping, got int"),
    (lambda: history().best("cost", mode=3), "mode: expected 'min' or 'max', got int"),
    (lambda: history().plot(3), "axes: expected Axes of matplotlib, got int"),
    (lambda: history().plot([3]), "axes: expected Axes of matplotlib, got int"),
    (lambda: history().plot(GRID), "axes: expected Axes of matplotlib, got memoryview"),
    (lambda: Trace(3, []), "z: expected a list of arrays, got int"),
    (lambda: Trace([], {}), "a: expected a list of arrays, got dict"),
    (
        lambda: Adam().step(GRID, GRID),
        "params: expected an array or a list",
    ),
    (lambda: NET.fit(X, Y, dropout=GRID), r"dropout\[0\]: expected a number, got list"),
]


@pytest.mark.parametrize(("call", "message"), CASES)
def test_an_odd_argument_is_named(call, message):
    with refuses(TypeError, f"^({message})", NET):
        call()


def test_a_two_dimensional_memoryview_is_a_matrix():
    assert bpfast.reference.bp3(GRID) == bpfast.bp3(GRID).tolist() == [2.0, 2.0]
    wide = np.ones((3, 2)).data
    found = bpfast.reference.forward([wide], [[0, 0, 0]], GRID, output="identity")
    assert found == bpfast.forward([wide], [[0, 0, 0]], GRID, output="identity").tolist()


@pytest.mark.parametrize("state", [3, GRID, np.ones(2), [1], "rate"])
@pytest.mark.parametrize("schedule", [schedules.Constant(0.1), schedules.Plateau(0.1)])
def test_a_state_of_a_schedule_is_a_mapping(schedule, state):
    with refuses(ValueError, "^state: expected (an empty dict|a mapping), got "):
        schedule.state = state


def test_keys_of_other_types_are_not_in_a_history():
    for name in (3, None, np.ones(2), array.array("d"), ["cost"]):
        assert name not in history()
        with refuses(KeyError, "name: expected one of epoch, cost, seconds, learning_rate, got "):
            history()[name]
        with refuses(ValueError, "^column: expected one of epoch, cost, .* got "):
            history().best(name)


def test_a_trace_is_indexed_as_a_pair_is():
    trace = NET.trace(X)
    assert trace[-2] is trace.z
    assert trace[True] is trace.a
    assert trace[:1] == (trace.z,)
    for index in (2, -3, 2**70):
        with pytest.raises(IndexError):
            trace[index]
    with pytest.raises(TypeError):
        trace["z"]


def test_a_subclass_is_a_network():
    class Own(bpfast.Network):
        pass

    check_gradients(Own([3, 2], seed=0), X, Y)
