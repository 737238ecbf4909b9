"""What fit calls forks: parent and child go on with the same bits, or the child ends."""

import os

import pytest

from tests.helpers.child import run
from tests.helpers.processes.forks import RIGHT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.mark.parametrize("kind", ["cost", "callback", "metric", "callback between batches"])
def test_forks_in_user_code_of_fit(kind):
    assert run("forks_in_user_code", kind) == [RIGHT, [RIGHT]]


def test_forks_in_an_iterable():
    """The child has the thread that fetches, not the one that trains, and ends with the first."""
    assert run("forks_in_user_code", "iterable") == [RIGHT, [0]]


def test_a_child_may_train_a_network_whose_training_ran_in_its_parent():
    assert run("forks_beside_a_training") == [0, [RIGHT]]
