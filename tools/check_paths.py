"""Check that what texts name is there: `python tools/check_paths.py [ROOT]`.

Texts are the pages, the comments and the docstrings. Checked are paths, in backticks or bare,
targets of `make` and modules of `python -m`. Prints a line for each name that leads nowhere, and
exits 1 if there is one.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

READ = (".md", ".py", ".pyi", ".rs", ".toml", ".yml", ".sh")
# A path has a folder, or the ending of a file of this tree. No commands, globs or addresses.
NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`")
# Without backticks, but for strings of programs: a whole path of a file.
BARE = re.compile(
    r"(?<![\w/.`\"'-])((?:src|python|bpfast|tests|tools|docs|benches|examples)/[\w./-]+"
    r"\.(?:rs|py|pyi|md|toml|yml|sh|ipynb))\b"
)
FILE = re.compile(r"\.(?:rs|py|pyi|md|toml|yml|sh|ipynb)$")
# In prose: what a shell or CI runs is not read, and Makefile has its own.
TARGET = re.compile(r"`make ([a-z][a-z-]*)")
MODULE = re.compile(r"`(?:\.venv/bin/)?python -m ([\w.]+)")
# Its strings are texts with dead names.
NOT_READ = "tests/packaging/test_paths.py"
# Folders that commands write to, and files that are not of this tree.
WRITTEN = ("target", "docs/_build")
OTHERS = {"folder/name", "test_mlp.py"}


def tree(root: Path) -> set[str]:
    """Every file and folder that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    files = {name for name in listed.splitlines() if (root / name).exists()}
    return files | {str(above) for name in files for above in PurePosixPath(name).parents}


def leads_somewhere(name: str, text: str, there: set[str]) -> bool:
    """Tell whether a path, from the root, from its text or from a folder of the tree, exists."""
    path = name.rstrip("/")
    if name in OTHERS or "NAME" in name or path.startswith(WRITTEN):
        return True
    beside = str(PurePosixPath(text).parent / path)
    return path in there or beside in there or any(known.endswith("/" + path) for known in there)


def is_module(name: str, there: set[str]) -> bool:
    """Tell whether `python -m` finds a module: of this tree, or of a package that is none of it."""
    path = name.replace(".", "/")
    first = path.partition("/")[0]
    if first not in there and f"python/{first}" not in there:
        return True
    ends = (f"{path}.py", f"{path}/__main__.py")
    return any(end in there or f"python/{end}" in there for end in ends)


def dead_names(root: Path) -> Iterator[tuple[str, int, str]]:
    """Yield the text, the line and the name of each path, target or module that does not exist."""
    there = tree(root)
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    for text in sorted(name for name in there - {NOT_READ} if name.endswith(READ)):
        lines = (root / text).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            for name in NAMED.findall(line) + BARE.findall(line):
                is_path = "/" in name or FILE.search(name)
                if is_path and not leads_somewhere(name, text, there):
                    yield text, number, f"no file or folder {name}"
            for name in TARGET.findall(line):
                if name not in targets:
                    yield text, number, f"no target {name} in Makefile"
            for name in MODULE.findall(line):
                if not is_module(name, there):
                    yield text, number, f"no module {name}"


def main(root: Path) -> int:
    """Print every name that leads nowhere."""
    found = list(dead_names(root))
    for text, number, what in found:
        print(f"{text}:{number}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()))
