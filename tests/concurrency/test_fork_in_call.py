"""A signal handler forks in the middle of a call: no hang, no crash, no wrong number in either."""

import os

import pytest

from tests.helpers.child import run
from tests.helpers.processes.forks import RAISED, REFUSED, RIGHT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
FORKS = 3

CALLS = ["backprop", "backprop of many examples", "forward", "forward of few examples", "trace",
         "backprop_touched", "fit", "fit of a file", "fit of batches", "forward_many",
         "backprop_many", "fit_many", "save", "load"]  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_signal_handler_forks(name):
    parent, children = run("forks_in_a_call", name, FORKS)
    assert parent == RIGHT
    assert len(children) == FORKS
    assert set(children) <= {RIGHT, REFUSED}


def test_exceptions_of_a_handler_propagate_in_the_child():
    assert run("forks_in_a_call", "backprop", FORKS, "raises") == [RIGHT, [RAISED] * FORKS]


def test_the_error_in_a_child_says_why_its_call_ended():
    """Not every fork finds threads at work, but of many one does."""
    _, children = run("forks_in_a_call", "backprop", 20)
    assert REFUSED in children
