"""What fit calls forks: parent and child go on with the same bits, or the child ends."""

import os

import pytest

from tests.helpers.child import run
from tests.helpers.forks import RIGHT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.mark.parametrize("kind", ["cost", "callback", "metric", "callback between batches"])
def test_what_fit_calls_forks(kind):
    assert run("forks_in_user_code", kind) == [RIGHT, [RIGHT]]


def test_an_iterable_forks():
    """The child has the thread that fetches, not the one that trains, and ends with the first."""
    assert run("forks_in_user_code", "iterable") == [RIGHT, [0]]


def test_a_child_trains_the_network_of_a_training_that_is_not_there():
    assert run("forks_beside_a_training") == [0, [RIGHT]]
