"""Ctrl-C anywhere in fit: it stops soon, after a completed step, and the history is set.

Real signals, from another process, as in test_interrupt.py. What was done is done once more without
an interrupt: the same steps leave the same bits.
"""

import json
import random
import subprocess
import sys
import time

import pytest

from tests.helpers.child import LIMIT, command, environment, run
from tests.helpers.paths import ROOT
from tests.helpers.processes.interrupts import Waits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")


NAMES = [
    "small steps",
    "one step an epoch",
    "wide",
    "cost",
    "batches",
    "waiting for a batch",
    "callback",
    "metric",
    "validation",
    "schedule",
    "progress",
]
TURNS = 3


def interrupted(name, turns):
    """Interrupt a training so often: the times from each signal until fit had raised."""
    started = command("interrupted_fits", json.dumps([name, turns]))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(started, cwd=ROOT, env=environment(), **pipes) as process:
        waits = Waits(process.pid)
        try:
            for _ in range(turns):
                line = process.stdout.readline()
                assert line == "in\n", process.stderr.read()
                time.sleep(random.uniform(0.01, 0.2))
                waits.interrupt()
                line = process.stdout.readline().strip()
                assert line != "the call is over"
                waits.heard(line)
            assert process.stdout.readline() == "whole\n", process.stderr.read()
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()
    return waits


@pytest.mark.parametrize("name", NAMES)
def test_ctrl_c_leaves_whole_steps(name):
    interrupted(name, 1)


@pytest.mark.clock
@pytest.mark.parametrize("name", NAMES)
def test_ctrl_c_is_noticed(name):
    interrupted(name, TURNS).check()


def test_a_signal_at_any_moment():
    assert run("interrupts_at_any_moment")


def test_other_signals():
    assert run("other_signals_in_fit") == [
        ["Enough", "Enough", True],
        ["SystemExit", "SystemExit", True],
        [1, True],
    ]
