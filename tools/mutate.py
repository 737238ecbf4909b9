"""Break the Python side on purpose, one place at a time, and list what no test sees.

`python -m tools.mutate --count 100 --seed 0`, with the wheel and the extra `test` installed. Each
mutant is a copy of the installed package with one change, on which the tests of its module run. A
survivor is a change that all of them passed: a missing test, or a change of nothing.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import bpfast
from tools.tests_of_modules import ROOT, stale, tests_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKAGE = Path(bpfast.__file__).parent
LIMIT = 600  # seconds; a mutant that never ends is seen
SWAPS: dict[type[ast.AST], Any] = {
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
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutant(NamedTuple):
    """A file with `text` in the place of its bytes from `start` to `end`."""

    module: str
    line: int
    start: int
    end: int
    text: str
    what: str


def changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    """What is replaced in `node`, by which text, and what that does."""
    other: ast.expr
    match node:
        case ast.Compare(ops=operators):
            for k, operator in enumerate(operators):
                if type(operator) in SWAPS:
                    swapped = [*operators[:k], SWAPS[type(operator)](), *operators[k + 1 :]]
                    other = ast.Compare(node.left, swapped, node.comparators)
                    yield node, f"({ast.unparse(other)})", "another comparison"
        case ast.BinOp(op=operator) if type(operator) in SWAPS:
            other = ast.BinOp(node.left, SWAPS[type(operator)](), node.right)
            yield node, f"({ast.unparse(other)})", "another operator"
        case ast.BoolOp(op=operator, values=values):
            other = ast.BoolOp(SWAPS[type(operator)](), values)
            yield node, f"({ast.unparse(other)})", "another operator"
            for k in range(len(values)):
                rest = ast.BoolOp(operator, values[:k] + values[k + 1 :])
                yield node, f"({ast.unparse(rest)})", "an operand left out"
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield node, f"({ast.unparse(operand)})", "the sign left out"
        case ast.Constant(value=bool(value)):
            yield node, repr(not value), "another constant"
        case ast.Constant(value=int(value) | float(value)):
            yield node, repr(value + 1), "another constant"
        case ast.Call(func=ast.Name(name) as function) if name in FUNCTIONS:
            yield function, FUNCTIONS[name], "another function"
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield test, f"(not ({ast.unparse(test)}))", "the condition turned round"
        case ast.Return(value=ast.expr()):
            yield node, "return None", "None returned"
        case ast.Expr(ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Break() | ast.Continue():
            yield node, "pass", "left out"


def running(node: ast.AST) -> Iterator[ast.AST]:
    """What is in `node` and runs: not annotations, nor what is for type checkers alone."""
    match node:
        case ast.If(test=ast.Name("TYPE_CHECKING")) | ast.keyword(arg="strict"):
            return  # `strict` of zip: the lengths are equal in any case
        case ast.JoinedStr():
            return  # Python 3.11 does not say where its parts are
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.AST):
                    yield from running(part)


def mutants(path: Path) -> Iterator[Mutant]:
    """All mutants of a file."""
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in running(ast.parse(source)):
        for old, text, what in changes(node):
            start = starts[old.lineno - 1] + old.col_offset
            end = starts[(old.end_lineno or old.lineno) - 1] + (old.end_col_offset or 0)
            yield Mutant(str(path.relative_to(PACKAGE)), old.lineno, start, end, text, what)


def passes(tests: Iterable[str], mutant: Mutant | None) -> bool:
    """Whether `tests` pass on a mutant, or on the package as it is."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(PACKAGE, Path(folder, "bpfast"), ignore=shutil.ignore_patterns("*.pyc"))
        if mutant is not None:
            path = Path(folder, "bpfast", mutant.module)
            source = path.read_bytes()
            path.write_bytes(source[: mutant.start] + mutant.text.encode() + source[mutant.end :])
        command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        child = subprocess.Popen(
            [*command, *tests], cwd=ROOT, env=os.environ | {"PYTHONPATH": folder},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            return child.wait(LIMIT) == 0
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)  # with the children of the tests
            child.wait()
            return False


def main() -> None:
    """Draw mutants, and print the survivors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="how many (100)")
    parser.add_argument("--seed", type=int, default=0, help="draws them (0)")
    parser.add_argument("--module", help="of this file alone, such as schedules/_plateau.py")
    options = parser.parse_args()
    if found := stale(PACKAGE):
        sys.exit(f"TESTS has entries without a module or a test: {', '.join(found)}")
    # Where it is ignored, as in the background of a shell, tests of Ctrl-C fail on everything.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    every = [
        mutant
        for path in sorted(PACKAGE.rglob("*.py"))
        if options.module in (None, str(path.relative_to(PACKAGE)))
        for mutant in mutants(path)
    ]
    drawn = random.Random(options.seed).sample(every, min(options.count, len(every)))
    if not passes(sorted({test for mutant in drawn for test in tests_of(mutant.module)}), None):
        sys.exit("these tests fail without a mutant too: they would tell nothing")
    survivors = 0
    for mutant in drawn:
        if passes(tests_of(mutant.module), mutant):
            survivors += 1
            module, number, *_, text, what = mutant
            line = (PACKAGE / module).read_text("utf-8").splitlines()[number - 1].strip()
            print(f"{module}:{number}: {what}: {line}  ->  {text}", flush=True)
    print(f"{survivors} of {len(drawn)} mutants survived; there are {len(every)}")


if __name__ == "__main__":
    main()
