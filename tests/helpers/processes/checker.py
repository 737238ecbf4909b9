"""Programs of tools/ that check a tree of files, on this tree and on small ones."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.helpers.paths import ROOT


def verdict(name: str, root: Path) -> tuple[int, str]:
    """Run a program of tools/ on the tree `root`: its exit code and what it says."""
    command = [sys.executable, "-m", f"tools.{name}", str(root)]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert run.stderr == ""
    return run.returncode, run.stdout


def written(root: Path, files: Mapping[str, str]) -> Path:
    """The folder `root`, with these files written to it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
