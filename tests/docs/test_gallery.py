"""The programs of the gallery run by themselves, and what they say of their plots is so."""

import re
import subprocess
import sys

import pytest

from tests.helpers.child import environment
from tests.helpers.paths import ROOT

PROGRAMS = sorted((ROOT / "examples" / "gallery").glob("*.py"))
# The figures that a program prints, and the range in which its text is true.
FIGURES = {
    "plot_boundary": (r"validation_accuracy (\S+?)\)", 0.9, 1.0),
    "plot_differential_equation": (r"largest error (\S+)", 0.0, 5e-3),
    "plot_least_squares": (r"Levenberg-Marquardt: largest error (\S+)", 0.0, 2e-2),
    "plot_wrong_labels": (r"wrong; (\d+) of the 61", 45, 61),
}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_of_the_gallery(program, tmp_path):
    done = subprocess.run(
        [sys.executable, program],
        capture_output=True, encoding="utf-8", timeout=600, check=False, cwd=tmp_path,
        env=environment() | {"MPLBACKEND": "agg"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    if program.stem in FIGURES:
        pattern, least, most = FIGURES[program.stem]
        (found,) = re.findall(pattern, done.stdout)
        assert least <= float(found) <= most
