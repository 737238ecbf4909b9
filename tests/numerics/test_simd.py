"""BPFAST_SIMD: the same bits at every level with fused multiply-add, close to them without it."""

import json
import platform
import subprocess
import sys

import pytest

from tests.helpers.child import environment, run
from tests.helpers.paths import ROOT
from tests.helpers.processes.simd_levels import CONFIG, FUSED, IN_USE, LEVELS, NAMES, turns

# Widths on both sides of every register; the large one sums in blocks of 4096 rows.
SIZES = {
    "one": [1, 1],
    "odd": [3, 5, 7, 1],
    "edges": [17, 31, 33, 65, 129, 10],
    "large": [31, 520, 251, 3],
}
EVERY_BATCH = [1, 3, 17, 64, 600, 5000]
BATCHES = {"large": [1, 5, 33, 4100]}
CASES = [(sizes, n) for name, sizes in SIZES.items() for n in BATCHES.get(name, EVERY_BATCH)]
COSTS = [
    ("sigmoid", "quadratic"),
    ("sigmoid", "cross_entropy"),
    ("softmax", "log_likelihood"),
    ("identity", "huber"),
    ("tanh", "absolute"),
    ("softplus", "poisson"),
]


def test_names_of_levels():
    """What this machine has is used, by default the widest."""
    assert "baseline" in LEVELS
    for level in LEVELS:
        assert run(CONFIG, BPFAST_SIMD=level) == level
        assert run(CONFIG, BPFAST_SIMD=f" {level.upper()} ") == level
    for unset in ("", " "):
        assert run(CONFIG, BPFAST_SIMD=unset) == LEVELS[-1]
    if platform.machine() in ("x86_64", "AMD64"):
        assert "neon" not in LEVELS
    if platform.machine() in ("aarch64", "arm64"):
        assert LEVELS == ["baseline", "neon"]


@pytest.fixture(scope="module")
def found():
    """What processes find at each level with fused multiply-add, and at any number of threads."""
    program = "bits_of_everything", json.dumps([CASES, COSTS])
    return {
        (level, threads): run(*program, BPFAST_SIMD=level, BPFAST_NUM_THREADS=str(threads))
        for level, threads in turns(1, 2, 5)
    }


def test_the_same_bits_at_every_level_and_number_of_threads(found):
    first, *others = found
    assert len(others) >= 1
    for turn in others:
        for case, outcome in found[first].items():
            assert found[turn][case] == outcome, f"{case}: {turn}, not as {first}"


# With fused multiply-add the bits are those of this run's level, as the test above shows.
OTHERS = [
    pytest.param(level, marks=[pytest.mark.slow] * (level in FUSED and IN_USE in FUSED))
    for level in LEVELS
    if level != IN_USE
]


@pytest.mark.parametrize("level", OTHERS)
def test_every_level_is_right(level):
    """The tests against the reference and against exact σ pass at levels other than this run's."""
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [
            *command,
            "tests/numerics/reference/test_parity.py",
            "tests/numerics/activations/test_activations.py",
            "tests/numerics/test_equations.py",
        ],
        cwd=ROOT,
        env=environment(BPFAST_SIMD=level),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("level", ["avx9", "AVX-512", "1", *sorted(set(NAMES) - set(LEVELS))])
def test_an_unknown_level(level):
    for entry_point, said in run("calls_at_no_level", BPFAST_SIMD=level).items():
        assert said.startswith("BPFAST_SIMD: "), f"{entry_point}: {said}"
        assert f"'{level}'" in said


def test_python_m_bpfast():
    def prints(level):
        command = [sys.executable, "-P", "-m", "bpfast"]
        env = environment(BPFAST_SIMD=level)
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    for level in LEVELS:
        assert level in prints(level).stdout
    wrong = prints("avx9")
    assert wrong.returncode == 2
    assert "BPFAST_SIMD: unknown name 'avx9'" in wrong.stderr
