"""tools/mutate.py runs tests for each module, and its table names only files that exist."""

from pathlib import Path

import bpfast
from tools import tests_of_modules

PACKAGE = Path(bpfast.__file__).parent


def test_each_entry_has_a_module_and_tests():
    assert tests_of_modules.stale(PACKAGE) == []


def test_entries_without_a_file_are_found(monkeypatch):
    gone = {"_training/gone": "public_names", "jax/": "as_callable nothing"}
    monkeypatch.setattr(tests_of_modules, "TESTS", gone | tests_of_modules.TESTS)
    monkeypatch.setitem(tests_of_modules.TESTS, "jax/", "as_callable nothing")
    assert tests_of_modules.stale(PACKAGE) == ["_training/gone", "nothing"]


def test_every_folder_has_an_entry():
    folders = [path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()]
    assert folders
    for folder in folders:
        assert any(start.startswith(f"{folder}/") for start in tests_of_modules.TESTS), folder
