"""Forked and spawned children of a process whose pool has run: no hang, the same bits."""

import os
import subprocess
import sys

import pytest

from tests.helpers.child import LIMIT, case, environment, outcome, run
from tests.helpers.paths import ROOT

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

# What children run. Every generation forks after its own pool has run.
FAMILY = """
import json, os, sys
import bpfast
from tests.helpers.child import case, outcome
batch = case("mnist", 1000, "float32")
bpfast.set_num_threads(3)
def generation(depth):
    found = [outcome(*batch), outcome(*case("tiny", 5000, "float64"))]
    if depth == 0:
        return [found]
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(there, "w") as out:
            json.dump(generation(depth - 1), out)
        os._exit(0)
    os.close(there)
    with os.fdopen(here) as answer:
        below = json.load(answer)
    assert os.waitpid(child, 0)[1] == 0
    assert [outcome(*batch), outcome(*case("tiny", 5000, "float64"))] == found
    return [found, *below]
print(json.dumps(generation(3)))
"""


@forks
def test_children_of_children_have_the_same_bits():
    found = run(FAMILY)
    assert found == [[outcome(*case("mnist", 1000, "float32")),
                      outcome(*case("tiny", 5000, "float64"))]] * 4  # fmt: skip


# The child uses the very network and batch that the parent's threads are busy with.
FORK_IN_THE_MIDDLE = """
import json, os, sys, threading
import numpy as np
import bpfast
from tests.helpers.child import case, digest
bpfast.set_num_threads(3)
net, x, y = case("mnist", 2000, "float32")
g, own = bpfast.Gradient(net), bpfast.Gradient(net)
expected = digest(net.backprop(x, y, out=own).flat)
stop = threading.Event()
def busy():
    while not stop.is_set():
        net.backprop(x, y, out=g)
threads = [threading.Thread(target=busy)]
threads.append(threading.Thread(target=lambda: [net.trace(x) for _ in iter(stop.is_set, True)]))
for thread in threads:
    thread.start()
def child():
    assert digest(net.backprop(x, y, out=own).flat) == expected
    assert digest(net.backprop(x, y).flat) == expected
    assert digest(net.copy().backprop(x, y).flat) == expected
    # Nobody in this process uses what the parent's threads use there.
    if "params" in sys.argv:
        net.params = net.params * 1
        net.weights[0] = net.weights[0] * 1
        assert digest(net.backprop(x, y).flat) == expected
    if "out" in sys.argv:
        assert digest(net.backprop(x, y, out=g).flat) == expected
failed = []
for turn in range(15):
    here, there = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(here)
        try:
            child()
        except BaseException as error:
            os.write(there, repr(error).encode())
            os._exit(1)
        os._exit(0)
    os.close(there)
    with os.fdopen(here) as said:
        failed.append(said.read())
    os.waitpid(pid, 0)
stop.set()
for thread in threads:
    thread.join()
print(json.dumps([said for said in failed if said]))
"""


@forks
@pytest.mark.parametrize("also", ["", "params", "out"])
def test_a_fork_while_other_threads_are_in_a_call(also):
    assert run(FORK_IN_THE_MIDDLE, also) == []


POOL = """
import json, multiprocessing, sys
import bpfast
from tests.helpers.child import case, outcome
def work(name):
    bpfast.set_num_threads(2)
    return outcome(*case(name, 1000, "float32"))
if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    here = [work(name) for name in ("mnist", "tiny", "deep")] * 2
    with multiprocessing.Pool(4) as pool:
        there = pool.map(work, ("mnist", "tiny", "deep") * 2, chunksize=1)
    print(json.dumps(here == there))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing(tmp_path, method):
    if method != "spawn" and not hasattr(os, "fork"):
        pytest.skip("needs os.fork")
    program = tmp_path / "work.py"
    program.write_text(POOL, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, method],
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "true"), done.stderr
