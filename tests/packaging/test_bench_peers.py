"""The benchmark's cases, peers and tables in parts: sparse x, SIMD levels, leads."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benches.cases import truth
from benches.cases.cases import BY_NAME, Case, Problem
from benches.machine import levels
from benches.pages import goals, summary, tables
from benches.peers import PEERS
from benches.processes.workers import sleeps
from tests.helpers.paths import ROOT
from tests.helpers.tolerance import rounded

SPARSE = Case("small", (200, 16, 8, 1), 32, "float32", "relu", stored=5)


def answers(case, peers, level):
    """What each peer says of a case at a SIMD level: its distance from the equations, by call."""
    program = """
import json, sys
from benches.cases.cases import Case
from benches.processes.measure import Bench, can
from benches.peers import PEERS
from benches.processes.workers import sleeps
from benches.processes.workers import Team

case, names, level = json.loads(sys.argv[1])
case = Case.from_json(case)
with Team([(name, PEERS[name].place, 1) for name in names], level) as team:
    bench = Bench(team, 1, 1.0)
    rows = bench.time(case, case.calls, team.workers)
    kernels = {worker.peer: worker.ask("kernels")["kernels"] for worker in team.workers}
print(json.dumps([bench.checks, bench.left_out, rows, kernels]))
"""
    asked = json.dumps([case.to_json(), peers, level])
    command = [sys.executable, "-c", program, asked]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_case_survives_json():
    for case in (SPARSE, BY_NAME["mlp512-64"]):
        assert Case.from_json(json.loads(json.dumps(case.to_json()))) == case


def test_a_sparse_case_counts_stored_elements():
    # By hand: 5 · 16 + 16 · 8 + 8 · 1 = 216 products a row.
    assert SPARSE.flops("forward") == 2 * 32 * 216
    assert SPARSE.flops("gradient") == 2 * 32 * (3 * 216 - 5 * 16)
    dense = Case("dense", (200, 16, 8, 1), 32, "float32", "relu")
    assert dense.flops("forward") == 2 * 32 * dense.weights


def test_a_sparse_x_stores_so_many_elements_of_each_row_in_order():
    x = Problem.draw(SPARSE).x
    assert x.shape == (32, 200)
    assert np.diff(x.indptr).tolist() == [5] * 32
    assert x.has_canonical_format


def test_the_truth_of_a_sparse_x_is_that_of_the_same_numbers():
    problem = Problem.draw(SPARSE)
    dense = Problem(SPARSE, problem.weights, problem.biases, problem.x.toarray(), problem.y)
    for got, expected in zip(truth.solve(problem), truth.solve(dense), strict=True):
        # float64 sums of 200 terms, of which 195 are 0, in any order.
        assert truth.distance(got, expected) < 1e-14


def test_peers_compute_a_sparse_gradient():
    peers = [name for name in ("bpfast", "numpy", "sklearn") if PEERS[name].installed()]
    checks, left_out, rows, _ = answers(SPARSE, peers, levels.widest())
    assert left_out == []
    assert {(row["peer"], row["call"]) for row in rows} == {
        (peer, call) for peer in peers for call in ("gradient", "forward")
    }
    for check in checks:
        # float32 sums of at most 200 terms; no relu of this network falls to the other side.
        assert max(check["gradient"], check["forward"]) < 1e-5, check


def test_a_peer_is_not_asked_what_it_has_no_way_for():
    onnx = PEERS["onnxruntime"]
    assert onnx.can("forward", sparse=False)
    assert not onnx.can("gradient", sparse=False)
    assert not onnx.can("forward", sparse=True)


@pytest.mark.skipif(not PEERS["onnxruntime"].installed(), reason="needs onnxruntime and onnx")
def test_onnx_runtime_computes_the_forward_pass():
    checks, left_out, rows, _ = answers(
        BY_NAME["rl64-64"], ["bpfast", "onnxruntime"], levels.widest()
    )
    assert left_out == []
    assert [row["call"] for row in rows if row["peer"] == "onnxruntime"] == ["forward"]
    (check,) = (check for check in checks if check["peer"] == "onnxruntime")
    assert check["forward"] < 1e-5  # float32 sums of 64 terms
    assert "gradient" not in check


@pytest.mark.skipif("avx2" not in levels.available(), reason="needs a machine with AVX2")
def test_a_level_holds_bpfast_and_its_peers():
    *_, kernels = answers(BY_NAME["rl64-1"], ["bpfast", "numpy"], "avx2")
    assert kernels["bpfast"] == ["avx2"]
    if importlib.util.find_spec("threadpoolctl"):
        for blas in kernels["numpy"]:
            if levels.is_limit("avx2") and blas.startswith("openblas"):
                assert blas.endswith(": Haswell")


def row(peer, case, microseconds):
    seconds = microseconds * 1e-6
    where = {"peer": peer, "case": case, "batch": 1, "call": "forward", "threads": 1}
    return where | {"median": seconds, "low": seconds, "high": seconds}


def result_of(times, *, unlimited):
    """A result of forward passes: the microseconds by case and peer."""
    networks = dict(zip(times, ([k, 1] for k in range(2, 9)), strict=False))
    cases = [
        {"name": name, "sizes": sizes, "batch": 1, "dtype": "float32", "activation": "tanh"}
        | {"calls": ["forward"], "flops": {"forward": 2, "gradient": 2}}
        for name, sizes in networks.items()
    ]
    return {
        "level": "avx2",
        "threads": [1],
        "machine": {"widest": "avx512"},
        "peak": None,
        "cases": cases,
        "peers": {
            name: {"title": name, "lacks": {}, "unlimited": name in unlimited}
            for name in ("bpfast", "a", "b")
        },
        "times": [row(peer, case, t) for case in times for peer, t in times[case].items()],
    }


def test_the_summary_names_who_is_ahead_and_where():
    times = {
        "quick": {"bpfast": 1.0, "a": 4.0, "b": 8.0},
        "level": {"bpfast": 1.0, "a": 0.99, "b": 2.0},
        "slow": {"bpfast": 2.0, "a": 3.0, "b": 1.0},
    }
    result = result_of(times, unlimited=())
    assert summary.leads(result, "forward", 1) == {
        "quick": (4.0, "a"),
        "level": (rounded(0.99), "a"),
        "slow": (0.5, "b"),
    }
    assert summary.mean(result, "forward", 1) == rounded((4.0 * 0.99 * 0.5) ** (1 / 3))
    assert summary.behind(result, "forward", 1) == "slow (0.50, b)"  # 1 % is level


def test_a_peer_that_the_level_does_not_hold_is_marked_and_not_measured_against():
    times = {"case": {"bpfast": 2.0, "a": 3.0, "b": 1.0}}
    result = result_of(times, unlimited=("b",))
    assert summary.behind(result, "forward", 1) == "none"
    assert summary.mean(result, "forward", 1) == rounded(1.5)
    assert f"b{tables.MARK}" in tables.ratios(result, "forward", 1)
    table = tables.timing(result, "forward", 1)
    assert "**2.00 ±0.0%**" in table  # the best of those that are held
    assert f"0.50{tables.MARK}" in summary.markdown([result])


def test_a_goal_that_is_missed_is_in_bold():
    where = {"case": "mlp512", "threads": 1}
    steps = [where | {"call": c, "median": t} for c, t in (("gradient", 1.0), ("sgd", 1.05))]
    steps.append(where | {"call": "adam", "median": 1.2})
    fits = [{"level": "avx2", "threads": [1], "steps": steps}]
    lines = goals.markdown([], fits, []).splitlines()
    title = "step of `fit` over its gradient"
    assert f"| {title}, SGD, mlp512 | ≤ 1.10 | 1.05 |" in lines
    assert f"| {title}, Adam, mlp512 | ≤ 1.15 | **1.20** |" in lines


def test_goals_are_shares_of_the_peak_of_the_same_level():
    result = result_of({"wide": {"bpfast": 1.0, "a": 2.0}}, unlimited=())
    result["cases"][0] |= {"calls": ["gradient"], "flops": {"gradient": 90_000, "forward": 2}}
    result["times"] = [row | {"call": "gradient"} for row in result["times"]]
    result["peak"] = {"float32": {"1": 1e11}}  # 0.9 µs for these operations
    (found,) = goals.peak_shares(result, 1)
    assert (found.figure, found.reached) == ("90%", True)
    result["peak"] = {"float32": {"1": 2e11}}
    (found,) = goals.peak_shares(result, 1)
    assert (found.figure, found.reached) == ("45%", False)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("program", "asleep"), [("import time; time.sleep(60)", True), ("while 1: 0", False)]
)
def test_a_thread_that_computes_is_not_asleep(program, asleep):
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", f"print(flush=True)\n{program}"], stdout=-1
    )
    try:
        child.stdout.readline()
        task = Path(f"/proc/{child.pid}/task/{child.pid}")
        for _ in range(1000):  # until it has come from the line that it printed
            if sleeps(task) == asleep:
                break
            time.sleep(0.01)
        assert [sleeps(task) for _ in range(5)] == [asleep] * 5
    finally:
        child.kill()
        child.communicate()
