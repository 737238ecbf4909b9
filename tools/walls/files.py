"""The sizes of files and folders."""

from collections.abc import Iterator
from pathlib import Path

from tools.walls.breach import Breach

MAX_LINES = 340
# A folder with more has rooms of its own. Examples are programs, one beside the other.
MAX_FILES = 13
NOT_COUNTED = ("__init__.py", "__main__.py", "mod.rs", "lib.rs", "tests.rs", "conftest.py")


def check_length(root: Path) -> Iterator[Breach]:
    """Check that no file has outgrown its one concept."""
    for folder in ("src", "python", "tests", "benches", "examples", "tools"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".rs", ".py"}:
                lines = len(path.read_text(encoding="utf-8").splitlines())
                if lines > MAX_LINES:
                    yield path, lines, f"{lines} lines, at most {MAX_LINES}: split it by concept"


def check_folders(root: Path) -> Iterator[Breach]:
    """Check that no folder has so many files that a reader loses sight of them."""
    for top in ("src", "python", "tests", "benches", "tools"):
        folders = [root / top, *sorted(path for path in (root / top).rglob("*") if path.is_dir())]
        for folder in folders:
            files = [path for path in folder.glob("*.*") if path.suffix in {".rs", ".py"}]
            count = sum(path.name not in NOT_COUNTED for path in files)
            if count > MAX_FILES:
                yield folder, 1, f"{count} files, at most {MAX_FILES}: give some a folder"
