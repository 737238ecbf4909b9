"""Forked and spawned children of a process whose pool has run: no hang, the same bits."""

import os

import pytest

from tests.helpers.child import case, finished, outcome, run

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@forks
def test_children_of_children_have_the_same_bits():
    found = run("three_generations")
    assert found == [[outcome(*case("mnist", 1000, "float32")),
                      outcome(*case("tiny", 5000, "float64"))]] * 4  # fmt: skip


@forks
@pytest.mark.parametrize("also", ["", "params", "out"])
def test_a_fork_while_other_threads_are_in_a_call(also):
    assert run("forks_beside_calls", also) == []


@forks
def test_a_fork_while_another_thread_is_in_the_first_call():
    assert set(run("forks_in_a_first_call")) == {0}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing(method):
    if method != "spawn" and not hasattr(os, "fork"):
        pytest.skip("needs os.fork")
    done = finished("multiprocessing_pool", method)
    assert (done.returncode, done.stdout.strip()) == (0, "true"), done.stderr
