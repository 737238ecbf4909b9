"""Threads: how many, when they start, and several Python threads at once."""

import itertools
import os
import sys
import threading
import time

import numpy as np
import pytest

import bpfast
from tests.helpers.child import case, digest, outcome, run
from tests.helpers.messages import IN_USE, TRAINING
from tests.helpers.processes.in_a_step import in_a_step, long_step, needs_timer, said
from tests.helpers.processes.python_threads import in_threads

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

GET = "import bpfast; print(bpfast.get_num_threads())"


@pytest.mark.parametrize(
    ("variables", "threads"),
    [
        ({"BPFAST_NUM_THREADS": "3", "RAYON_NUM_THREADS": "5", "OMP_NUM_THREADS": "7"}, 3),
        ({"RAYON_NUM_THREADS": "5", "OMP_NUM_THREADS": "7"}, 5),
        ({"OMP_NUM_THREADS": "7"}, 7),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"BPFAST_NUM_THREADS": " 6 "}, 6),
        ({"BPFAST_NUM_THREADS": "99999999999999999999"}, 1024),
        ({"BPFAST_NUM_THREADS": "", "RAYON_NUM_THREADS": "5"}, 5),
        # What others set is not ours to judge.
        ({"RAYON_NUM_THREADS": "0", "OMP_NUM_THREADS": "2"}, 2),
        ({"RAYON_NUM_THREADS": "many", "OMP_NUM_THREADS": "2"}, 2),
    ],
)
def test_the_environment_caps_the_threads(variables, threads):
    assert run(GET, **variables) == threads


@pytest.mark.parametrize("value", ["0", "-1", "two", "2.5", "4,2"])
def test_an_invalid_number_of_threads(value):
    program = """
import json
import bpfast
net = bpfast.Network([2, 1])
said = []
for call in (bpfast.get_num_threads, lambda: net.forward([[1, 2]]), bpfast.get_num_threads):
    try:
        call()
    except ValueError as error:
        said.append(str(error))
bpfast.set_num_threads(2)
net.forward([[1, 2]])
print(json.dumps(said))
"""
    said = run(program, BPFAST_NUM_THREADS=value)
    assert said == [f"BPFAST_NUM_THREADS: expected a positive integer, got '{value}'"] * 3


def test_the_number_of_threads_is_limited():
    assert run(GET, BPFAST_NUM_THREADS="1000000") == 1024


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
def test_affinity_caps_the_threads():
    program = f"import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); {GET}"
    assert run(program) == 1


@linux
def test_threads_start_with_the_first_call_that_needs_them():
    assert run("thread_counts") == {
        "import": 0,
        "small calls": 0,
        "one": 0,
        "with 2": 1,
        "with 3": 2,
        "with 8": 7,
        "with 4": 7,  # the seven stay, four of them asleep
    }


@pytest.mark.parametrize("count", [1, 2, 4])
def test_threads_on_one_network_and_on_several(count):
    """Each has its own answer, whether it shares the network or not."""
    shared, x, _ = case("mnist", 1000, "float32")
    batches = [(x * scale, np.arange(1000) % 10) for scale in (1, 2, 3)]
    alone = [outcome(shared, *batch) for batch in batches]
    own = [case("deep", 1000 + turn, "float64") for turn in range(2)]
    own_alone = [outcome(*each) for each in own]

    def turns(net, *batch):
        with bpfast.num_threads(count):
            return [outcome(net, *batch) for _ in range(5)]

    works = [lambda batch=batch: turns(shared, *batch) for batch in batches]
    works += [lambda each=each: turns(*each) for each in own]
    for found, expected in zip(in_threads(*works), alone + own_alone, strict=True):
        assert found == [expected] * 5


def test_two_threads_write_to_one_gradient():
    """The second is told so, or comes after the first; neither writes into the other's sums."""
    net, x, y = case("mnist", 2000, "float32")
    g = bpfast.Gradient(net)
    expected = digest(net.backprop(x, y).flat)

    def turns():
        said = []
        for _ in range(20):
            try:
                net.backprop(x, y, out=g)
                said.append("done")
            except ValueError as error:
                said.append(str(error))
        return said

    said = {*itertools.chain(*in_threads(turns, turns))}
    busy = IN_USE.format("out")
    assert "done" in said
    assert said <= {"done", busy}
    assert digest(g.flat) == expected


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", ["backprop", "forward", "trace", "cost", "errors", "bp4"])
def test_other_python_threads_run_during_a_call(name, count):
    """Pure Python in one thread counts on while another is in one long call."""
    net = bpfast.Network([512, 512, 512], dtype=np.float32, seed=0)
    n = 3000 if name == "backprop" else 6000
    x, y = np.ones((n, 512), np.float32), np.ones((n, 512), np.float32)
    function = bpfast.bp4 if name == "bp4" else getattr(net, name)
    arguments = [x] if name in ("forward", "trace") else [x, y]
    # A call that holds the GIL leaves one gap as long as itself each time.
    assert any(longest_gap(function, arguments, count) < 1 / 2 for _ in range(10))


def longest_gap(function, arguments, count):
    """Make a call in one thread while another counts: the longest pause as a share of the call."""
    inside, beats = threading.Event(), []

    def call():
        with bpfast.num_threads(count):
            start = time.monotonic()
            inside.set()
            function(*arguments)
            return start, time.monotonic()

    def tick():
        inside.wait()
        until = time.monotonic() + 30
        while caller.is_alive() and time.monotonic() < until:
            beats.append(time.monotonic())

    ends = []
    caller = threading.Thread(target=lambda: ends.append(call()))
    ticker = threading.Thread(target=tick)
    caller.start()
    ticker.start()
    caller.join()
    ticker.join()
    [(start, end)] = ends
    during = [start, *(beat for beat in beats if start < beat < end), end]
    return np.diff(during).max() / (end - start)


@needs_timer
def test_other_calls_are_refused_during_a_training():
    net, x, y = long_step()
    calls = [net, net.forward, net.trace]
    texts = in_a_step(lambda: [said(lambda: call(x)) for call in calls], net, x, y)  # noqa: B023
    running = TRAINING.format("params")
    assert texts == [running] * len(calls)
    net.forward(x)
