"""tools/check_paths.py finds each kind of dead name, and none in this tree."""

import subprocess

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.processes.checker import verdict, written

TREE = {
    "Makefile": "check: ## tests\n",
    "src/engine/plan.rs": "//! As `docs/plan.md` says, and `plan.rs`.\n",
    "python/bpfast/__main__.py": "# `python -m bpfast`, `python -m pytest`, src/engine/plan.rs.\n",
    "docs/plan.md": "`make check` reads `src/engine/`, writes `target/x.rs`; `examples/NAME.py`.\n",
}


def paths(root):
    """Run the script on `root`: its exit code and what it says."""
    return verdict("check_paths", root)


def build(root, files):
    """Write the files into a new repository, of which git has added none."""
    subprocess.run(["git", "init", "--quiet"], cwd=written(root, files), check=True)


def test_this_tree():
    if not (ROOT / ".git").exists():
        pytest.skip("a source distribution is no repository")
    assert paths(ROOT) == (0, "")


def test_names_that_lead_somewhere(tmp_path):
    build(tmp_path, TREE)
    assert paths(tmp_path) == (0, "")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("see `src/engine/layout.rs`", "no file or folder src/engine/layout.rs"),
        ("see `layout.rs`", "no file or folder layout.rs"),
        ("see `engine/old/`", "no file or folder engine/old/"),
        ("see src/engine/layout.rs.", "no file or folder src/engine/layout.rs"),
        ("run `make tests`", "no target tests in Makefile"),
        ("run `python -m bpfast.check`", "no module bpfast.check"),
    ],
)
def test_dead_names(tmp_path, text, what):
    build(tmp_path, TREE | {"docs/page.md": f"# Page\n\n{text}\n"})
    assert paths(tmp_path) == (1, f"docs/page.md:3: {what}\n")
