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

from tests.helpers.child import LIMIT, environment
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

PRELUDE = """
import json, os, sys, time
import numpy as np
import bpfast
from tests.helpers.child import digest
bpfast.set_num_threads(2)
net = bpfast.Network([7100, 7100, 8], hidden="tanh", dtype="float32", init="zeros")
assert net.params.size > 5e7
def begin():
    row = np.random.default_rng(0).standard_normal(9973, "float32") / 100
    net.params[:] = np.resize(row, net.params.size)
begin()
"""

# Says "in" before the first step. What was done is then done once more, step by step.
FIT = """
rng = np.random.default_rng(1)
x, y = rng.standard_normal((40, 7100), "float32"), rng.random((40, 8), "float32")
said = []
def rate(step):
    if not said:
        print("in", flush=True)
    said.append(step)
    return 0.001
try:
    net.fit(x, y, epochs=1000, batch_size=20, seed=7, optimizer=bpfast.Adam(rate))
except KeyboardInterrupt:
    steps, history, bits = net.optimizer.steps, net.history, digest(net.params)
    assert history.stopped == "interrupted"
    assert 0 <= steps - 2 * len(history) <= 2, (steps, len(history))
    net.optimizer.reset()
    begin()
    for step in range(steps):
        order = bpfast._core.permutation(7, step // 2 + 1, 40)
        rows = order[:20] if step % 2 == 0 else order[20:]
        net.partial_fit(x[rows], y[rows])
    assert digest(net.params) == bits, steps
    print("whole", flush=True)
    raise
"""


def start(program, *arguments):
    """A child at work on `program`."""
    command = [sys.executable, "-c", PRELUDE + program, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes)


def ends_by_ctrl_c(process):
    """Whether Python has ended as Ctrl-C ends it, with nothing said but the traceback."""
    out, err = process.communicate(timeout=LIMIT)
    assert not out
    assert err.splitlines()[-1] == "KeyboardInterrupt", err
    return process.returncode == -signal.SIGINT


def test_a_training():
    with start(FIT) as process:
        try:
            assert process.stdout.readline() == "in\n", process.stderr.read()
            time.sleep(random.uniform(0.2, 2.5))  # the first step takes 1 s, others 0.5 s
            os.kill(process.pid, signal.SIGINT)
            assert process.stdout.readline() == "whole\n", process.stderr.read()
            assert ends_by_ctrl_c(process)
        finally:
            process.kill()


# Says how long the call takes that is left alone, then for each turn "in" and whether it was over.
FILE = """
path, turns = sys.argv[2], int(sys.argv[3])
net.save(path)
old = digest(net.params)
def save():
    net.save(path)
def load():
    bpfast.load(path)
call = {"save": save, "load": load}[sys.argv[1]]
start = time.monotonic()
call()
print(time.monotonic() - start, flush=True)
for _ in range(turns):
    over = False
    if call is save:
        net.params += 1
    new = digest(net.params)
    try:
        print("in", flush=True)
        call()
        over = True
        time.sleep(60)
    except KeyboardInterrupt:
        pass
    twin = bpfast.load(path)
    found = digest(twin.params)
    assert found in (old, new) and digest(net.params) == new
    assert found == new or not over
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]
    old = found
    print(json.dumps(over), flush=True)
del twin
print("in", flush=True)
call()
time.sleep(60)
"""
TURNS = 3


@pytest.mark.parametrize("call", ["save", "load"])
def test_a_file(call, tmp_path):
    with start(FILE, call, tmp_path / "net", str(TURNS)) as process:
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
