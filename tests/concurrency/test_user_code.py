"""User code that runs in the middle of a call and changes the arrays of that call.

The answer is right, or an error says what was changed. Each case runs in a process with all others:
what reads or writes memory that is not there ends it.
"""

import numpy as np
import pytest

import bpfast
from tests.helpers.child import run

# Beside ValueError: NumPy's own, where rows of y are gone, and a gradient that is found wrong.
OTHERS = {
    "AssertionError": "check_gradients",
    "IndexError": "fit, cost and y",
    "TypeError": "fit, cost and y",
}


def test_user_code_that_changes_the_arrays_of_its_call():
    pytest.importorskip("scipy")
    found = run("user_code_changes_arrays")
    assert len(found) > 350
    errors = {name: text for name, text in found.items() if text != "done"}
    for name, text in errors.items():
        kind, _, message = text.partition(": ")
        assert kind == "ValueError" or OTHERS.get(kind, "?") in name, f"{name}: {text}"
        assert message, name
    # The change is noticed: what reads x after a cost has resized it cannot be right.
    for method in ("cost", "errors", "backprop"):
        for change in ("resize", "grow", "retype", "reshape"):
            assert "x: expected shape" in found[f"{method}, cost and x, {change}"]
            assert "x: expected" in found[f"{method}, y and x, {change}"]
        assert found[f"{method}, cost and y, resize"] == "done"


def quadratic(a, y):
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


def test_changes_of_y_by_a_cost_have_no_effect():
    rng = np.random.default_rng(0)
    x, y = rng.random((500, 6)), rng.random((500, 3))
    expected = bpfast.Network([6, 5, 3], cost=quadratic, seed=0).backprop(x, y)
    given = y.copy()

    def cost(a, y):
        found = quadratic(a, y)
        given.resize((1,), refcheck=False)
        return found

    g = bpfast.Network([6, 5, 3], cost=cost, seed=0).backprop(x, given)
    assert (g.cost, g.flat.tobytes()) == (expected.cost, expected.flat.tobytes())


def test_a_cost_that_writes_x_is_refused():
    """Its outputs are those of the old x, and BP4 would read the new one."""
    x, y = np.ones((4, 1)), np.zeros((4, 1))

    def cost(a, y):
        assert a.tobytes() == np.ones((4, 1)).tobytes()
        x[...] = 3
        return np.zeros(4), np.ones((4, 1))

    net = bpfast.Network([1, 1], output="identity", cost=cost, init="zeros")
    net.weights[0][...] = 1
    with pytest.raises(ValueError, match=r"^cost: expected to leave x unchanged"):
        net.backprop(x, y)


def test_arrays_are_converted_once():
    """Of x and of the weights, however often the call reads them."""
    calls = []

    class Counted:
        def __init__(self, name, value):
            self.name, self.value = name, value

        def __array__(self, dtype=None, copy=None):
            calls.append(self.name)
            return np.array(self.value, dtype)

    for cost in (quadratic, "quadratic"):
        net = bpfast.Network([2, 1], cost=cost, seed=0)
        for method in (net.cost, net.errors, net.backprop):
            calls.clear()
            x, y = Counted("x", np.ones((3, 2))), Counted("y", np.ones((3, 1)))
            method(x, y, sample_weight=Counted("s", np.ones(3)))
            assert sorted(calls) == ["s", "x", "y"]
