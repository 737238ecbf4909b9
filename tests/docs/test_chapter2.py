"""examples/chapter2.py shows what its text claims, and the notebook is the same program."""

import json
import re
import subprocess
import sys

import pytest

from tests.helpers.child import environment, finished
from tests.helpers.paths import ROOT
from tests.helpers.processes.simd_levels import FUSED

EXAMPLES = ROOT / "examples"
PROGRAM = EXAMPLES / "chapter2.py"
NOTEBOOK = EXAMPLES / "notebooks" / "chapter2.ipynb"
FIGURES = {
    "equations", "demon", "saturation", "vanishing", "quiet_inputs", "saliency", "norms",
    "curvature",
}  # fmt: skip
# Runs the code cells of the notebook in its folder, without Jupyter.
RUN_CELLS = """
import json, os, sys
notebook, *sys.argv[1:] = sys.argv[1:]
os.chdir(os.path.dirname(notebook))
names = {"__name__": "__main__"}
for cell in json.load(open(notebook, encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), names)
"""


def run_program(*arguments):
    """Run the program as its users do: what it prints."""
    done = subprocess.run(
        [sys.executable, PROGRAM, *arguments],
        capture_output=True, encoding="utf-8", timeout=1200, check=False, env=environment(),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def table_rows(said, head):
    """The cells of each row of the table with this first head."""
    (rows,) = re.findall(rf"^\| {re.escape(head)} .*\n\| -.*\n((?:\|.*\n)+)", said, re.MULTILINE)
    # A | within a cell, as of |δ|, has no spaces on both sides.
    return [re.split(r"\s+\|\s+", row.strip("| ")) for row in rows.splitlines()]


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """What the program prints with --quick, and the folder of its figures."""
    folder = tmp_path_factory.mktemp("figures")
    return run_program("--quick", "--plots", folder), folder


def test_it_draws_every_figure(quick):
    _, folder = quick
    assert {path.name for path in folder.iterdir()} == {f"chapter2_{k}.png" for k in FIGURES}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in folder.iterdir())


def test_its_claims_hold(quick):
    said, _ = quick
    assert "nan" not in said
    (difference,) = re.findall(r"^largest difference: (\S+)$", said, re.MULTILINE)
    assert float(difference) < 1e-15  # a few roundings of numbers below 0.2
    demons = table_rows(said, "hidden neuron")
    true, predicted, small = ([float(row[k]) for row in demons] for k in (4, 5, 6))
    assert abs(small[0]) < 0.05 * abs(true[0])  # of second order, at Δz = 0.1
    assert abs(predicted[0]) > 10 * abs(predicted[3])
    assert said.count("saturated output neurons, layer 3 (BP1)") == 1
    errors = {(row[0], row[1]): float(row[3]) for row in table_rows(said, "cost")}
    assert errors["cross-entropy", "0"] > 100 * errors["quadratic", "0"]
    factors = [float(row[3]) for row in table_rows(said, "network")]
    assert max(factors[:-1]) < 0.3  # sigmoid: σ' is 1/4 at most, and weights of variance 1/n
    assert 0.5 < factors[-1] < 2  # relu
    before, after = (float(row[3].replace(",", "")) for row in table_rows(said, "inputs"))
    assert before > 10 * after
    assert "vanishing gradient, layer 2 (BP2)" in said


def test_the_notebook_has_its_results():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    outputs = [out for cell in notebook["cells"] for out in cell.get("outputs", [])]
    assert {out["output_type"] for out in outputs} == {"stream", "display_data"}
    assert all(out["name"] == "stdout" for out in outputs if out["output_type"] == "stream")
    images = [out for out in outputs if "image/png" in out.get("data", {})]
    assert len(images) == len(FIGURES)
    assert str(ROOT) not in NOTEBOOK.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_notebook_runs(quick, tmp_path):
    """Its cells are those of the program, as test_notebooks.py shows."""
    done = finished(RUN_CELLS, NOTEBOOK, "--quick", "--plots", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said, folder = quick
    assert done.stdout.replace(str(tmp_path), "") == said.replace(str(folder), "")


@pytest.mark.slow
@pytest.mark.skipif(not FUSED, reason="without fused multiply-add the bits may differ")
def test_the_page_has_the_figures_of_this_build(tmp_path):
    """`make examples` draws the figures; the tables of the page are those that it prints."""
    said = run_program("--plots", tmp_path)
    page = (ROOT / "docs" / "chapter2.md").read_text(encoding="utf-8")
    rows = [line for line in said.splitlines() if line.startswith("|")]
    assert len(rows) > 50
    assert [row for row in rows if row not in page] == []
