"""Ctrl-C where a network is large: training, saving and loading one of fifty million parameters.

A real signal ends a process of its own, which first looks at what is left. How soon it is heard is
test_interrupt.py's affair: a step of so many parameters is not cut short.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.helpers.child import command, environment, finish
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")


def start(program, *arguments):
    """A child at work on `program`."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command(program, *arguments), cwd=ROOT, env=environment(), **pipes)


def ends_by_ctrl_c(process):
    """Whether Python has ended as Ctrl-C ends it, with nothing said but the traceback."""
    out, err = finish(process)
    assert not out
    assert err.splitlines()[-1] == "KeyboardInterrupt", err
    return process.returncode == -signal.SIGINT


@pytest.mark.slow
def test_a_training():
    with start("large_interrupted_fit") as process:
        try:
            assert process.stdout.readline() == "in\n", process.stderr.read()
            time.sleep(random.uniform(0.2, 2.5))  # the first step takes 1 s, others 0.5 s
            os.kill(process.pid, signal.SIGINT)
            assert process.stdout.readline() == "whole\n", process.stderr.read()
            assert ends_by_ctrl_c(process)
        finally:
            process.kill()


TURNS = 3


@pytest.mark.clock
@pytest.mark.parametrize("call", ["save", "load"])
def test_a_file(call, tmp_path):
    with start("large_interrupted_file", call, tmp_path / "net", str(TURNS)) as process:
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            cut_short = 0
            for _ in range(TURNS):
                assert process.stdout.readline() == "in\n", process.stderr.read()
                time.sleep(random.uniform(0.0, 0.7) * float(line))
                os.kill(process.pid, signal.SIGINT)
                said = process.stdout.readline()
                assert said, process.stderr.read()
                cut_short += not json.loads(said)
            assert cut_short > 0, "each call was over before the signal"
            assert process.stdout.readline() == "in\n", process.stderr.read()
            os.kill(process.pid, signal.SIGINT)
            assert ends_by_ctrl_c(process)
        finally:
            process.kill()
