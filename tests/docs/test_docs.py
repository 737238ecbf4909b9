"""The examples in the README, the manual and the docstrings run as they stand."""

import ast
import doctest
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import bpfast
import bpfast.distributed
import bpfast.formats
import bpfast.inside
import bpfast.jax
import bpfast.metrics
import bpfast.optimizers
import bpfast.plot
import bpfast.reference
import bpfast.schedules
import bpfast.sklearn
import bpfast.testing
import bpfast.torch
from tests.helpers.optional import LIBRARIES, missing
from tests.helpers.paths import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def docstrings():
    """Yield each public docstring: its path, its text, the names that it may use."""
    for module in (
        bpfast,
        bpfast.distributed,
        bpfast.formats,
        bpfast.inside,
        bpfast.jax,
        bpfast.metrics,
        bpfast.optimizers,
        bpfast.plot,
        bpfast.reference,
        bpfast.schedules,
        bpfast.sklearn,
        bpfast.testing,
        bpfast.torch,
    ):
        names = vars(module) | {"bpfast": bpfast, "np": np}
        yield module.__name__, module.__doc__, names
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value):
                yield f"{module.__name__}.{name}", value.__doc__, names
            classes = value.__mro__[:-1] if isinstance(value, type) else ()
            members = {k: v for owner in reversed(classes) for k, v in vars(owner).items()}
            for member, object_ in members.items():
                text = getattr(object_, "__doc__", None)
                yield f"{module.__name__}.{name}.{member}", text, names


def run(text, names, path, line=0):
    """Run the examples of `text`: what failed, as doctest tells it."""
    failures = []
    test = doctest.DocTestParser().get_doctest(text, names, path, path, line)
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=failures.append, clear_globs=False)
    return "".join(failures)


def written(node, place):
    """Yield each docstring of a syntax tree: its path and its text."""
    text = ast.get_docstring(node)
    if text:
        yield place, text
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from written(part, f"{place}.{part.name}")


def of_modules():
    """Yield each docstring of every module: its module, its path and its text.

    They are read and not imported: no library is loaded for tests that are not selected.
    """
    modules = ["bpfast", *(each.name for each in pkgutil.walk_packages(bpfast.__path__, "bpfast."))]
    for module in modules:
        origin = importlib.util.find_spec(module).origin
        if origin.endswith(".py"):
            tree = ast.parse(Path(origin).read_text(encoding="utf-8"))
            yield from ((module, *found) for found in written(tree, module))


EXAMPLES = {path: (text, names) for path, text, names in docstrings() if ">>>" in (text or "")}
PUBLIC = {inspect.cleandoc(text) for text, _ in EXAMPLES.values()}
PRIVATE = {
    path: (module, text)
    for module, path, text in of_modules()
    if ">>>" in text and text not in PUBLIC
}


def test_there_are_examples():
    assert EXAMPLES
    assert PRIVATE


@pytest.mark.parametrize("path", EXAMPLES)
def test_docstring(path):
    text, names = EXAMPLES[path]
    if libraries := missing(text):
        pytest.skip(f"needs {', '.join(libraries)}")
    failures = run(text, dict(names), path)
    assert not failures, failures


@pytest.mark.parametrize("path", PRIVATE)
def test_docstring_of_a_private_name(path):
    name, text = PRIVATE[path]
    if libraries := missing(text):
        pytest.skip(f"needs {', '.join(libraries)}")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES:
            raise
        pytest.skip(f"{name} needs {error.name}")
    failures = run(text, vars(module) | {"bpfast": bpfast, "np": np}, path)
    assert not failures, failures


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names = {"__name__": "__main__"}
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1))
        if missing(block[1]):
            continue
        if ">>>" in block[1]:
            failures = run(block[1], names, page.name, line)
            assert not failures, failures
        else:
            exec(compile("\n" * line + block[1], page, "exec"), names)
