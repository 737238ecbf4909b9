"""`python -m bpfast` prints the properties of the installation, or an error in one line."""

import subprocess
import sys

import pytest

import bpfast
from tests.helpers.child import LIMIT, environment


def main(*arguments, **variables):
    """Exit status, stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bpfast", *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_main_prints_the_configuration():
    status, said, wrong = main(BPFAST_NUM_THREADS="3")
    assert (status, wrong) == (0, "")
    assert said.splitlines()[0].split() == ["bpfast", bpfast.__version__]
    assert "threads  3" in said


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"BPFAST_NUM_THREADS": "abc"},
            "BPFAST_NUM_THREADS: expected a positive integer, got 'abc'",
        ),
        (
            {"BPFAST_SIMD": "foo"},
            "BPFAST_SIMD: unknown name 'foo'; valid: 'avx512', 'avx2', 'neon', 'baseline'",
        ),
    ],
)
def test_an_invalid_environment_variable_is_a_one_line_error(variables, line):
    assert main(**variables) == (2, "", line + "\n")


def test_options():
    assert main("--version") == (0, f"bpfast {bpfast.__version__}\n", "")
    status, said, _ = main("--help")
    assert status == 0
    assert said.startswith("usage: python -m bpfast")
    status, said, wrong = main("check")
    assert (status, said) == (2, "")
    assert "unrecognized arguments: check" in wrong
