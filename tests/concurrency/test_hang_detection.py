"""How tests tell a child process that hangs from one that a busy machine lets wait."""

import subprocess
import sys

import pytest

from tests.helpers import child
from tests.helpers.child import cpu_time, finished

SLEEPS = "import time; time.sleep({}); print('awake')"


def used(monkeypatch, seconds):
    """Let the CPU time of every process grow by this much each time it is asked for."""
    total = 0.0

    def cpu_time(pid):
        nonlocal total
        total += seconds
        return total

    monkeypatch.setattr(child, "cpu_time", cpu_time)


def test_what_computes_is_awaited(monkeypatch):
    used(monkeypatch, 0.2)
    done = finished(SLEEPS.format(1), limit=0.3)
    assert (done.returncode, done.stdout) == (0, "awake\n")


@pytest.mark.parametrize("seconds", [0.05, 2.0])
def test_what_waits_or_never_ends_is_killed(monkeypatch, seconds):
    used(monkeypatch, seconds)
    with pytest.raises(subprocess.TimeoutExpired):
        finished(SLEEPS.format(1000), limit=0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_time_of_descendants_counts():
    computes = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {computes!r}])"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", parent], **pipes) as process:
        assert process.stdout.readline() == b"\n"
        assert 0.4 <= cpu_time(process.pid) < 60  # in ticks of 0.01 s for each process
        process.stdin.write(b"\n")
