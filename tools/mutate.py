"""Break the Python side on purpose, one place at a time, and list what no test sees.

`python tools/mutate.py --count 100 --seed 0`, with the wheel and the extra `test` installed. Each
mutant is a copy of the installed package with one change, on which the tests of its module run. A
survivor is a change that all of them passed: a missing test, or a change of nothing.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import bpfast

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = Path(bpfast.__file__).parent
LIMIT = 900  # seconds; a mutant that never ends is seen
# Which tests a module has, by how its name begins; the first that fits.
TESTS = {
    "optimizers/": "optimizer",
    "schedules/": "schedule",
    "_history": "history fit_figures",
    "history": "history fit_figures",
    "_mode": "history fit_figures",
    "early_stopping": "history fit_figures resume odd",
    "_checkpoint": "checkpoint resume foreign",
    "_resume": "checkpoint resume",
    "_differences": "check_gradients",
    "testing": "check_gradients odd",
    "_reference": "reference parity same_errors bad_names",
    "reference": "reference parity equations",
    "_scipy": "scipy odd",
    "_progress": "progress",
    "_reach": "reach",
    "_touched": "touched sparse",
    "_sparse": "touched sparse",
    "_names": "bad_names fit_arguments optimizer_state",
    "_numbers": "schedule_input optimizer fit_arguments",
    "_show_config": "main",
    "__main__": "main",
    "": "fit tables",
}
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def changes(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Change one node at a time, in place, and put it back: the node, and what was done to it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
            old = node.ops[0]
            node.ops[0] = SWAPS[type(old)]()  # type: ignore[call-overload]
            yield node, "another comparison"
            node.ops[0] = old
        elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPS:
            operator = node.op
            node.op = SWAPS[type(operator)]()  # type: ignore[assignment]
            yield node, "another operator"
            node.op = operator
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            value = node.value
            node.value = not value if isinstance(value, bool) else value + 1
            yield node, "another constant"
            node.value = value
        elif isinstance(node, ast.If | ast.IfExp | ast.While):
            test = node.test
            node.test = ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
            yield node, "the condition turned round"
            node.test = test
        elif isinstance(node, ast.Return) and node.value is not None:
            value_, node.value = node.value, ast.copy_location(ast.Constant(None), node)
            yield node, "None returned"
            node.value = value_
        bodies = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
        for body in (body for body in bodies if isinstance(body, list)):
            for k, statement in enumerate(body):
                is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
                if is_call or isinstance(statement, ast.Raise | ast.AugAssign):
                    body[k] = ast.copy_location(ast.Pass(), statement)
                    yield statement, "left out"
                    body[k] = statement


def mutants(path: Path) -> list[tuple[str, str]]:
    """All mutants of a file: what was changed, and the text that it makes."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    typing = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = []
    lines = source.splitlines()
    for node, what in changes(tree):
        if id(node) not in typing:
            line = getattr(node, "lineno", 1)
            place = f"{path.relative_to(PACKAGE)}:{line}: {what}: {lines[line - 1].strip()}"
            found.append((place, ast.unparse(ast.fix_missing_locations(tree))))
    return found


def tests_of(module: str) -> list[str]:
    """The test files of a module."""
    words = next(words for start, words in TESTS.items() if module.startswith(start)).split()
    files = sorted((ROOT / "tests").glob("test_*.py"))
    return [str(file) for file in files if any(word in file.name for word in words)]


def survives(module: str, text: str) -> bool:
    """Whether the tests of `module` pass with `text` in its place."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(PACKAGE, Path(folder, "bpfast"), ignore=shutil.ignore_patterns("*.pyc"))
        Path(folder, "bpfast", module).write_text(text, encoding="utf-8")
        command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        environment = os.environ | {"PYTHONPATH": folder}
        try:
            done = subprocess.run(
                [*command, *tests_of(module)], cwd=ROOT, env=environment, capture_output=True,
                timeout=LIMIT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def main() -> None:
    """Draw mutants, and print the survivors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="how many (100)")
    parser.add_argument("--seed", type=int, default=0, help="draws them (0)")
    parser.add_argument("--module", help="of this file alone, such as schedules/_plateau.py")
    options = parser.parse_args()
    every = [
        (str(path.relative_to(PACKAGE)), *mutant)
        for path in sorted(PACKAGE.rglob("*.py"))
        if options.module in (None, str(path.relative_to(PACKAGE)))
        for mutant in mutants(path)
    ]
    drawn = random.Random(options.seed).sample(every, min(options.count, len(every)))
    survivors = 0
    for module, place, text in drawn:
        if survives(module, text):
            survivors += 1
            print(place, flush=True)
    print(f"{survivors} of {len(drawn)} mutants survived; there are {len(every)}")


if __name__ == "__main__":
    main()
