"""Each public docstring describes its parameters and does not refer to another docstring."""

import importlib
import inspect
import re

import pytest

from tools.api_index import MODULES, NOT_CALLED, members

PARAMETERS = re.compile(r"^Parameters\n-+\n(.*?)(?:^\w[\w ]*\n-+\n|\Z)", re.MULTILINE | re.DOTALL)
NAMES = re.compile(r"^((?:\*\*)?\w[\w, ]*?)(?: :.*)?$", re.MULTILINE)


def public():
    """Yield each public class, function and method, once."""
    for module in map(importlib.import_module, MODULES):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isroutine(value) or isinstance(value, type):
                yield f"{module.__name__}.{name}", value
            for member in members(value) if isinstance(value, type) else ():
                if inspect.isroutine(getattr(value, member)):
                    yield f"{module.__name__}.{name}.{member}", getattr(value, member)


PUBLIC = dict(public())
# Of dataclasses and named tuples, which describe what they hold; and of a short rule.
FIELDS = (
    "GradientReport", "Tally", "Trace", "Taylor", "DivergenceError", "Gradient", "num_threads",
    "Check", "Demon", "Finding", "NeuronFactors",
)  # fmt: skip


@pytest.mark.parametrize("path", PUBLIC)
def test_every_parameter_is_described(path):
    value = PUBLIC[path]
    if path.rpartition(".")[2] in (*NOT_CALLED, *FIELDS):
        return
    text = inspect.getdoc(value)
    section = PARAMETERS.search(text + "\n")
    described = set()
    for names in NAMES.findall(section[1] if section else ""):
        described |= {name.lstrip("*") for name in names.split(", ")}
    taken = set(inspect.signature(value).parameters) - {"self", "cls"}
    assert taken <= described, f"{sorted(taken - described)} in:\n{text}"


@pytest.mark.parametrize("path", PUBLIC)
def test_no_docstring_needs_another_one(path):
    assert "As for" not in inspect.getdoc(PUBLIC[path])
