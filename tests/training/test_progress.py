"""Progress: a bar or lines on stderr, or nothing, and no stream ends a training."""

import errno
import io
import os
import re
import subprocess
import sys
import threading

import pytest

import bpfast
from bpfast._training.progress import Progress
from tests.helpers.refuses import refuses

ROW = {"cost": 0.25, "seconds": 1.0, "learning_rate": 0.1, "accuracy": 0.9}
CHECKED = ROW | {"validation_cost": 0.5, "validation_accuracy": 0.98765}


@pytest.fixture(params=["tqdm", "lines"])
def way(request, monkeypatch):
    """Both ways of reporting: with tqdm, and with tqdm out of reach."""
    if request.param == "lines":
        hide_tqdm(monkeypatch)
    return request.param


@pytest.fixture
def lines(monkeypatch):
    hide_tqdm(monkeypatch)


def hide_tqdm(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "tqdm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tqdm", None)


def train(progress, epochs=3, examples=100, row=CHECKED, **options):
    with Progress(progress, epochs, examples, **options) as report:
        for _ in range(epochs):
            for _ in range(4):
                report.advance(25)
            report.epoch(row)


def test_nothing_is_printed_if_not_asked(way, capfd):
    train(False)
    assert capfd.readouterr() == ("", "")


def test_nothing_is_imported_if_not_asked():
    code = """
import sys
import bpfast
from bpfast._training.progress import Progress
with Progress(False, 1, 1) as report:
    report.advance(1)
    report.epoch({"cost": 1.0})
assert not [name for name in sys.modules if name.split(".")[0] == "tqdm"]
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True, timeout=600)


def test_progress_lines(lines, capfd):
    train(True)
    out, err = capfd.readouterr()
    assert out == ""
    said = err.splitlines()
    assert len(said) == 3
    for number, line in enumerate(said, 1):
        figures = f"epoch {number}/3: cost 0.25, validation_cost 0.5, validation_accuracy 0.9877, "
        assert line.startswith(figures)
        assert re.fullmatch(r"[\d,]+ examples/s, \d\d:\d\d left", line.removeprefix(figures))


def test_progress_lines_have_the_rate_and_the_remaining_time(lines, capfd, monkeypatch):
    seconds = iter([1000.0, 1002.0, 1004.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(seconds))
    with Progress(True, 2000, None) as report:
        for _ in range(2):
            report.advance(10_000)
            report.epoch({"cost": 1.0})
    assert capfd.readouterr().err.splitlines() == [
        "epoch 1/2000: cost 1, 5,000 examples/s, 1:06:38 left",
        "epoch 2/2000: cost 1, 5,000 examples/s, 1:06:36 left",
    ]


def test_a_progress_bar(capfd):
    pytest.importorskip("tqdm")
    train(True)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith("\n")
    last = err.rstrip("\n").split("\r")[-1]
    assert last.startswith("epoch 3/3: 100%")
    assert re.search(r" 300/300 \[\d\d:\d\d<00:00, .* examples/s, ", last)
    assert "cost 0.25, validation_cost 0.5, validation_accuracy 0.9877" in last
    assert "learning_rate" not in last
    assert err.split("\r")[1].startswith("epoch 1/3:   0%")


def test_a_progress_bar_takes_the_number_of_examples_of_the_first_epoch(capfd):
    pytest.importorskip("tqdm")
    with Progress(True, 4, None) as report:
        report.advance(50)
        report.epoch(ROW)
        report.advance(20)
    last = capfd.readouterr().err.rstrip("\n").split("\r")[-1]
    assert last.startswith("epoch 2/4:  35%")
    assert "70.0/200 [" in last


def test_a_bar_starts_no_thread(capfd):
    pytest.importorskip("tqdm")
    before = threading.active_count()
    with Progress(True, 1, 10) as report:
        report.advance(10)
        assert threading.active_count() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_exception_propagates_and_the_bar_is_closed(way, error, capfd):
    report = Progress(True, 2, 100)

    def fails():
        with report:
            report.advance(25)
            raise error

    with pytest.raises(error):
        fails()
    err = capfd.readouterr().err
    if way == "tqdm":
        assert "25.0/200" in err
        assert err.endswith("\n")
        from tqdm.std import tqdm

        assert not list(tqdm._instances)
    report.advance(25)  # reports after the end say nothing
    report.epoch(ROW)
    assert capfd.readouterr().err == ""


class Breaks(io.StringIO):
    """A stream whose reader is gone."""

    def __init__(self, error, after):
        super().__init__()
        self.error, self.left = error, after

    def write(self, text):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return len(text)

    def flush(self):
        if self.left < 0:
            raise self.error


ERRORS = [
    BrokenPipeError(errno.EPIPE, "broken pipe"),
    OSError(errno.EIO, "input/output error"),
    ValueError("I/O operation on closed file"),
    UnicodeEncodeError("ascii", "█", 0, 1, "ordinal not in range"),
]


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_broken_stream_does_not_end_a_training(way, error, after, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Breaks(error, after))
    train(True)


class Writes:
    """A stream with the one method that a print needs."""

    def write(self, text):
        return len(text)


def test_a_stream_without_other_methods(way, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Writes())
    train(True)


def test_a_stream_closed_during_a_training(way, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(True, 2, 100) as report:
        report.advance(100)
        stream.close()
        report.epoch(ROW)
        report.advance(100)
        report.epoch(ROW)


def test_a_program_without_stderr(way, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    train(True)


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise on Windows")
@pytest.mark.parametrize("hidden", [True, False])
def test_a_closed_pipe_does_not_end_a_training(hidden):
    code = f"""
import sys
if {hidden}:
    sys.modules["tqdm"] = None
sys.stdin.readline()
import bpfast
from bpfast._training.progress import Progress
with Progress(True, 100, 1000) as report:
    for _ in range(100):
        report.advance(1000)
        report.epoch({{"cost": 1.0}})
print("trained")
sys.stdout.flush()
import os
os._exit(0)  # Python itself complains when it cannot flush stderr
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-P", "-c", code], **pipes) as child:
        child.stderr.close()
        child.stdin.write(b"go\n")
        child.stdin.close()
        assert child.stdout.read() == b"trained\n"
        assert child.wait(timeout=600) == 0


def test_it_takes_a_bool():
    for value in ("yes", 1, None, print):
        with refuses(TypeError, "^progress: expected True or False, got "):
            bpfast.Network([1, 1]).fit([[0.0]], [[0.0]], progress=value)
