"""The benchmarks run on small cases and print their results; times are not checked."""

import json
import os
import platform
import re
import subprocess
import sys

import pytest

from benches.report import PAGES, introduction
from tests.helpers.paths import ROOT

CASES = ["nielsen30", "nielsen100", "rl64-1", "rl64-64"]

# A core type that no machine of the last fifteen years has, and NumPy's BLAS knows.
OLD = "Nehalem"


def run(program, folder, *arguments):
    command = [sys.executable, "-m", f"benches.{program}", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_CORETYPE": OLD, "XLA_FLAGS": "--no_such_flag"},
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the programs wrote."""
    made = tmp_path_factory.mktemp("bench")
    quick = ["--quick", "--output", str(made)]
    run("compare", made, *quick, "--peers", "numpy")
    run("epoch", made, *quick, "--peers", "numpy", "--threads", "1")
    run("fit", made, *quick)
    return made


def read(folder, name):
    """The figures of a program at the machine's widest level."""
    (path,) = folder.glob(f"{name}-*.json")
    return json.loads(path.read_text(encoding="utf-8"))


def test_compare_times_each_case_call_peer_and_number_of_threads(folder):
    result = read(folder, "compare")
    assert [case["name"] for case in result["cases"]] == CASES
    assert list(result["peers"]) == ["bpfast", "numpy"]
    assert result["left_out"] == []
    found = {
        (row["case"], row["batch"], row["call"], row["peer"], row["threads"])
        for row in result["times"]
        if 0 < row["low"] <= row["median"] <= row["high"]
    }
    expected = {
        (case["name"], *call, peer, threads)
        for case in result["cases"]
        for call in ((case["batch"], "gradient"), (case["batch"], "forward"), (1, "forward"))
        for peer in result["peers"]
        for threads in result["threads"]
    }
    assert found >= expected


def test_compare_measures_the_rest(folder):
    result = read(folder, "compare")
    for name in ("by_batch", "by_weights", "callers"):
        assert {row["peer"] for row in result[name]} == {"bpfast", "numpy"}, name
    assert result["start"]["import"]["bpfast"]["median"] > 0
    assert result["peak"] is None
    assert result["peak_missing"]


def test_the_environment_does_not_choose_a_peers_kernels(folder):
    result = read(folder, "compare")
    assert result["kernels"].keys() == {"bpfast", "numpy"}
    assert result["kernels"]["bpfast"] == [result["level"]]
    found = "; ".join(result["kernels"]["numpy"])
    if found.startswith("openblas"):  # as on every system but macOS
        assert OLD not in found
        program = "import threadpoolctl, numpy; print(threadpoolctl.threadpool_info())"
        command = [sys.executable, "-c", program]
        hindered = os.environ | {"OPENBLAS_CORETYPE": OLD}
        said = subprocess.run(command, env=hindered, capture_output=True, text=True, check=True)
        if platform.machine() in ("x86_64", "AMD64"):
            assert OLD in said.stdout  # else this test proves nothing
    assert f"- NumPy: {found}." in (folder / f"compare-{result['level']}.md").read_text(
        encoding="utf-8"
    )


def test_every_gradient_was_checked(folder):
    result = read(folder, "compare")
    assert {check["peer"] for check in result["checks"]} == {"bpfast", "numpy"}
    for check in result["checks"]:
        found = [check[call] for call in ("gradient", "forward") if call in check]
        assert 0 < max(found) <= check["tolerance"]
    asked = {(check["case"], check["batch"]) for check in result["checks"] if "gradient" in check}
    assert asked >= {(case["name"], case["batch"]) for case in result["cases"]}


def test_a_wrong_gradient_is_not_timed(tmp_path):
    program = """
import sys
from benches.cases.cases import BY_NAME
from benches.machine.levels import widest
from benches.processes.measure import Bench
from benches.processes.workers import Team

with Team([("bpfast", "tests.helpers.wrong_peer:WrongPeer", 1)], widest()) as team:
    bench = Bench(team, 1, 1.0)
    assert bench.table(BY_NAME["rl64-1"]) == []
    (row,) = bench.left_out
    assert "wrong by 1.0e-03" in row["why"], row
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr


def test_epoch_times_every_trainer(folder):
    result = read(folder, "epoch")
    ours = ["bpfast", "bpfast-sparse", "bpfast-csr", "bpfast-loop"]
    assert list(result["peers"]) == [*ours, "book", "numpy"]
    found = [(row["peer"], row["threads"]) for row in result["times"]]
    assert found == [(peer, k) for peer in result["peers"] for k in result["threads"]]
    assert all(row["accuracy"] > 0.3 for row in result["times"])  # of ten digits: it learns
    assert result["left_out"] == []


def test_fit_times_a_step_of_each_optimizer(folder):
    result = read(folder, "fit")
    calls = [(row["case"], row["threads"], row["call"]) for row in result["steps"]]
    expected = [("rl64-64", k, c) for k in result["threads"] for c in ("gradient", "sgd", "adam")]
    assert sorted(calls) == sorted(expected)
    assert all(row["median"] > 0 for row in result["steps"])


def test_the_pages_have_every_case(folder):
    result = read(folder, "compare")
    level, threads = result["level"], len(result["threads"])
    for name in ("compare", "epoch"):
        assert "| bpfast" in (folder / f"{name}-{level}.md").read_text(encoding="utf-8")
    rows = [
        {"case": "nielsen30", "product": "forward", "m": 10, "k": 784, "n": 30, "dtype": "float32"}
        | {"bpfast": 30.0, "gemm": 20.0, "matrixmultiply": 10.0}
    ]
    (folder / f"kernels-{level}.json").write_text(json.dumps(rows), encoding="utf-8")
    printed = run("report", folder, "--input", str(folder))
    assert "not a whole run" in printed
    name, title = PAGES[result["machine"]["widest"]]
    text = (folder / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {title}\n")
    for case in CASES:
        calls = 2 if case == "rl64-64" else 3  # at n = 1 it is rl64-1
        assert text.count(f"| {case} |") > 2 * calls * threads, case  # times and ratios
    assert "| 10×784×30 | float32 | **30.0** | 20.0 | 10.0 |" in text
    assert "Time of an epoch with 200 digits" in text
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings[:2] == ["## Summary", "## Goals"]
    for call in ("gradient", "forward", "forward at n = 1"):  # the summary is printed, too
        assert printed.count(f"| {level} | {call} |") == threads, call


def test_a_page_has_links_to_those_of_other_machines(tmp_path):
    assert "](" not in introduction(tmp_path, "avx512")
    for name, _ in PAGES.values():
        (tmp_path / f"{name}.md").touch()
    links = re.findall(r"\]\(([^)]*)\)", introduction(tmp_path, "avx2"))
    assert links == [f"{name}.md" for level, (name, _) in PAGES.items() if level != "avx2"]


def test_estimators_are_timed_beside_scikit_learns_own(tmp_path):
    table = run("sklearn_estimators", tmp_path, "--rounds", "1", "--cases", "digits_quick")
    (row,) = [line for line in table.splitlines() if line.startswith("| digits")]
    assert re.findall(r"= [\d.]+×", row)[2:], row
    theirs, ours = map(float, re.search(r"([\d.]+) / ([\d.]+) \|", row).groups())
    assert abs(theirs - ours) < 0.1  # they learn the same
