"""The walls of Python: the front door, the reference, arguments, and imports of tests."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.walls.breach import Breach, find

# The most arguments of a function that users do not see, without `self`.
MAX_ARGUMENTS = 6
# By text and not by syntax: programs in strings import too.
TEST_IMPORT = re.compile(
    r"^[ \t]*(?:(?:from|import) tests(?:\.\w+)*\.test_\w+"
    r"|from tests(?:\.\w+)* import (?:\([^)]*?|.*)\btest_\w+)",
    re.MULTILINE,
)


def check_imports(package: Path) -> Iterator[Breach]:
    """Check that __init__.py only exports, and that the reference is independent."""
    front = package / "__init__.py"
    for index, part in enumerate(ast.parse(front.read_text(encoding="utf-8")).body):
        names = {ast.unparse(t) for t in part.targets} if isinstance(part, ast.Assign) else set()
        docstring = index == 0 and isinstance(part, ast.Expr)
        listed = isinstance(part, ast.Import | ast.ImportFrom) or names & {"__all__", "_LAZY"}
        # Modules that are imported on their first use, and for type checkers at once.
        lazy = isinstance(part, ast.FunctionDef) and part.name in ("__getattr__", "__dir__")
        for_types = isinstance(part, ast.If) and ast.unparse(part.test) == "_t.TYPE_CHECKING"
        if not (docstring or listed or lazy or for_types):
            yield front, part.lineno, "only docstring, imports and __all__ stand here"
    for path in sorted((package / "reference").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = ast.unparse(node).split()[1] if isinstance(node, ast.ImportFrom) else ""
                for name in (".".join(filter(None, (module, a.name))) for a in node.names):
                    own = name.startswith("bpfast.reference")
                    if not own and name.split(".")[0] not in sys.stdlib_module_names:
                        yield path, node.lineno, f"{name} is not standard library"


def functions(node: ast.AST, owner: ast.ClassDef | None = None) -> Iterator[tuple[Any, str]]:
    """Yield each function with the docstring that describes its arguments."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            of_class = owner if part.name == "__init__" else None
            yield part, ast.get_docstring(of_class or part) or ""
        inner = part if isinstance(part, ast.ClassDef) else None
        yield from functions(part, inner)


def check_arguments(package: Path) -> Iterator[Breach]:
    """Check that functions that users do not see have few arguments.

    Those that they see have a section Parameters. Arguments of a constructor that are only by name,
    such as settings, are not counted.
    """
    for path in sorted(package.rglob("*.py")):
        for function, text in functions(ast.parse(path.read_text(encoding="utf-8"))):
            if "Parameters\n---" in text or any(
                ast.unparse(each) == "overload" for each in function.decorator_list
            ):
                continue
            args = function.args
            found = args.posonlyargs + args.args
            found += [] if function.name == "__init__" else args.kwonlyargs
            count = sum(arg.arg not in ("self", "cls", "ctx") for arg in found)
            if count > MAX_ARGUMENTS:
                what = f"{function.name} has {count} arguments, at most {MAX_ARGUMENTS}"
                yield path, function.lineno, f"{what}: pass the object that holds them"


def check_tests(tests: Path) -> Iterator[Breach]:
    """Check that tests lie in folders, and import no other test; programs in strings too."""
    for path in sorted(tests.rglob("*.py")):
        if path.parent == tests and path.name.startswith("test_"):
            yield path, 1, "a test stands in the folder of its concern"
        for line, match in find(TEST_IMPORT, path.read_text(encoding="utf-8")):
            yield path, line, f"a test is imported ({match[0].strip()}): share it by tests/helpers"
