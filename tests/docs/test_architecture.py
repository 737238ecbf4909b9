"""The tree in docs/architecture.md names every file of the crate and the package, and no other."""

import re

from tests.helpers.paths import ROOT
from tools.walls.rust import MODULES

# An entry: indentation and names. Deeper lines go on with what the names are for.
ENTRY = re.compile(r"^( {0,16})((?:[\w.]+/?, )*[\w./]+(?:/|\.\w+))(?:,|$| )")
# What a folder's own entry stands for.
UNNAMED = {"__init__.py", "mod.rs", "tests.rs", "lib.rs"}


def entries():
    """The path of each entry of the tree."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    folders = []
    for line in text.partition("```text\n")[2].partition("```")[0].splitlines():
        entry = ENTRY.match(line)
        if not entry:
            continue
        depth = len(entry[1])
        while folders and folders[-1][0] >= depth:
            folders.pop()
        above = folders[-1][1] if folders else ROOT
        for name in entry[2].split(", "):
            yield above / name
        folders.append((depth, above / name))


def test_every_entry_exists():
    found = list(entries())
    assert len(found) > 300
    assert [path for path in found if not path.exists()] == []


def test_every_file_has_an_entry():
    named = set(entries())
    # A folder without entries of its own is one entry.
    whole = named - {path.parent for path in named}

    def is_named(path):
        return path in named or any(folder in whole for folder in path.parents)

    files = [*(ROOT / "src").rglob("*.rs"), *(ROOT / "python/bpfast").rglob("*.py")]
    untold = [
        path
        for path in files
        if path.name not in UNNAMED and path.parent.name != "tests" and not is_named(path)
    ]
    assert untold == []


def test_the_order_of_imports_is_that_of_the_walls():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    core, binding = re.findall(r"\w+(?:\s*←\s*\w+){3,}", text)
    names = [re.split(r"\s*←\s*", chain) for chain in (core, binding)]
    assert names[0] == [name for name in MODULES if "/" not in name]
    assert [f"python/{name}" for name in names[1]] == [name for name in MODULES if "/" in name]
