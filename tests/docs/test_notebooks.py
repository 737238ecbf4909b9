"""The notebooks of the examples: the same cells as their programs, and what a notebook shows."""

import itertools
import json

import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers.paths import ROOT
from tools.notebook import cells

EXAMPLES = ROOT / "examples"
NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.ipynb"))
# These run in some seconds.
SHORT = ["get_started", "from_scikit_learn"]
FIT = """
import bpfast
net = bpfast.Network([1, 2, 1], output="identity", seed=0)
history = net.fit([[1.0], [2.0]], [1.0, 2.0], epochs=3, progress=True, seed=0)
"""
AXES = "import matplotlib.pyplot as plt; figure, axes = plt.subplots(); history.plot(axes);"
# The code of a cell, and the kinds of what it shows.
SHOWN = [
    (FIT, ["application/vnd.jupyter.widget-view+json"]),
    ("history.plot()", ["image/png"]),
    ("history.plot();", ["image/png"]),
    ("figure = history.plot()", ["image/png"]),
    ("figure", ["image/png"]),
    ("history.plot(); history.plot()", ["image/png"] * 2),
    (AXES, ["image/png"]),
    ("bpfast.plot.network(net);", ["image/png"]),
    ("history.plot(); raise SystemError", []),
    ("1 + 1", ["text/plain"]),
    ("history", ["text/html"]),
    ("net", ["text/html"]),
]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_the_cells_of_its_program(path):
    """`make notebooks` writes it anew."""
    program = (EXAMPLES / f"{path.stem}.py").read_text(encoding="utf-8")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    found = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    assert found == cells(program)
    outputs = [out for cell in notebook["cells"] for out in cell.get("outputs", ())]
    assert outputs
    assert "error" not in {out["output_type"] for out in outputs}


def kinds(notebook):
    """The kinds of each cell's outputs. On a busy machine a text may come in pieces."""
    outputs = [[out["output_type"] for out in cell.get("outputs", ())] for cell in notebook.cells]
    return [[kind for kind, _ in itertools.groupby(cell)] for cell in outputs]


@pytest.mark.parametrize("name", SHORT)
def test_a_notebook_runs(name):
    notebook = nbformat.read(EXAMPLES / "notebooks" / f"{name}.ipynb", 4)
    was = kinds(notebook)
    folder = {"metadata": {"path": EXAMPLES / "notebooks"}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=folder).execute()
    assert kinds(notebook) == was


def test_what_a_notebook_shows():
    """A figure is shown once below its cell, also if the cell ends with a semicolon."""
    new = nbformat.v4
    notebook = new.new_notebook(cells=[new.new_code_cell(code) for code, _ in SHOWN])
    options = {"timeout": 600, "kernel_name": "python3", "allow_error_names": ["SystemError"]}
    NotebookClient(notebook, **options).execute()
    for cell, (code, kinds) in zip(notebook.cells, SHOWN, strict=True):
        shown = [list(out["data"]) for out in cell.outputs if "data" in out]
        richest = [next(kind for kind in [*kinds, *found] if kind in found) for found in shown]
        assert richest == kinds, code
