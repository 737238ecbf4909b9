"""Check the walls of the house (docs/architecture.md): `python tools/check_walls.py [ROOT]`.

Prints a line for each breach and exits 1 if there is one.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Rooms of src/, lowest first. A room imports rooms of its own level and of lower ones.
LEVELS = (
    "allocator error line names < interrupt random sum < scalar reserve sparse kernels store"
    " < activation cost fused < network < labels rows < examples plan layout saved dropout"
    " < workspace < pairwise compensated < forward < backward < pool < optimizer < batch"
    " < equations train < python"
)
RANKS = {room: rank for rank, level in enumerate(LEVELS.split("<")) for room in level.split()}
UNSAFE_ALLOWED = (
    "allocator.rs",
    "kernels/",
    "pool/helper.rs",
    "pool/process.rs",
    "python/borrow/",
)
LONGEST = 400

# A Rust comment, string (raw ones too) or character; a lifetime has no closing quote.
COMMENT = r"//[^\n]*|/\*.*?\*/"
STRING = r"""\bb?r(?P<hashes>\#*)".*?"(?P=hashes)|"(?:\\.|[^"\\])*"|'(?:\\.[^\n']*|[^\\'\n])'"""
TOKEN = re.compile(f"(?P<comment>{COMMENT})|{STRING}", re.DOTALL)
# `unsafe fn(..)` is a type and promises nothing.
UNSAFE = re.compile(r"\bunsafe\b(?!\s+(?:extern\s+)?fn\s*\()")
# A function asks for a promise, in its documentation; who calls it gives one.
PROMISE = re.compile(r"\bunsafe\b(?!\s+(?:extern\s+)?fn\b)")
THREADS = re.compile(r"\brayon(?:_core)?\b|\bthread::\{?(?:spawn|scope|Builder)\b")
# The borrows of the crate numpy, which know nothing of ours: safe code would get two `&mut`.
FOREIGN_BORROWS = re.compile(r"\.(?:try_)?(?:readonly|readwrite)\(")
SAFETY = re.compile(r"// SAFETY:|/// # Safety")

Breach = tuple[Path, int, str]


def blank(text: str, *, strings: bool) -> str:
    """Replace comments, and strings if asked, by spaces; every line keeps its number."""

    def spaces(match: re.Match[str]) -> str:
        gone = strings or match["comment"] is not None
        return re.sub(r"[^\n]", " ", match[0]) if gone else match[0]

    return TOKEN.sub(spaces, text)


def find(pattern: re.Pattern[str] | str, text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield each match with its line number."""
    for match in re.finditer(pattern, text):
        yield text.count("\n", 0, match.start()) + 1, match


def has_safety(lines: list[str], line: int) -> bool:
    """Tell whether the statement at `line` has its SAFETY comment on it or just above."""
    for index in range(line - 1, -1, -1):
        bare = lines[index].strip()
        if SAFETY.search(bare):
            return True
        comment = bare.startswith(("//", "#["))
        if index < line - 1 and (not bare or (not comment and bare[-1] in ";{},")):
            return False  # an earlier statement ended here
    return False


def imported(code: str, depth: int) -> Iterator[tuple[int, str, bool]]:
    """Yield line, first name and whether `crate` leads, of each path from the crate's root."""
    root = rf"(?:(?<!\$)\bcrate::|(?<!::)\b(?:super::){{{depth}}})\s*"
    for line, match in find(rf"{root}(?P<name>\w+!?|\{{)", code):
        by_crate, start, level = match[0].startswith("crate"), match.end(), 1
        if match["name"] != "{":
            yield line, match["name"], by_crate
            continue
        for part in re.finditer(r"[{},]|\w+", code[start:]):  # use crate::{a::X, b::{Y, Z}};
            level += {"{": 1, "}": -1}.get(part[0], 0)
            if level == 0:
                break
            if level == 1 and code[: start + part.start()].rstrip()[-1] in "{," and part[0] != ",":
                yield code.count("\n", 0, start + part.start()) + 1, part[0], by_crate


def check_rust(src: Path) -> Iterator[Breach]:
    """Check the Rust rooms."""
    for path in sorted(src.rglob("*.rs")):
        text, where = path.read_text(encoding="utf-8"), path.relative_to(src)
        code, name = blank(text, strings=True), where.as_posix()
        room = where.parts[0].removesuffix(".rs")
        if room != "python":
            for line, match in find(r"\b(?:pyo3|numpy)\b", code):
                yield path, line, f"{match[0]} is named outside src/python/"
            features = [*find(r'feature\s*=\s*"python"', blank(text, strings=False))]
            for line, _ in features[room == "lib" :]:  # lib.rs switches the border on, once
                yield path, line, "the python feature is named outside src/python/"
        for line, _ in find(UNSAFE, code):
            if not name.startswith(UNSAFE_ALLOWED):
                yield path, line, f"unsafe outside {' and '.join(UNSAFE_ALLOWED)}"
        for line, _ in find(PROMISE, code):
            if name.startswith(UNSAFE_ALLOWED) and not has_safety(text.splitlines(), line):
                yield path, line, "unsafe without a // SAFETY: comment just above"
        if room == "python":
            for line, match in find(FOREIGN_BORROWS, code):
                yield path, line, f"{match[0]}) of numpy: borrow by src/python/borrow/"
        if room != "pool":
            for line, match in find(THREADS, code):
                yield path, line, f"{match[0]} outside pool/: only the pool starts threads"
        if room not in RANKS and room != "lib":
            yield path, 1, f"room {room} has no level in tools/check_walls.py"
        depth = len(where.parts) - (where.name == "mod.rs")
        for line, other, by_crate in imported(code, depth) if room in RANKS else ():
            if RANKS.get(other, -1) > RANKS[room]:
                yield path, line, f"{room} imports {other}, which stands above it"
            elif by_crate and room != "python" and other not in RANKS and other[-1] != "!":
                yield path, line, f"crate::{other} hides its room: import it from there"


def check_python(package: Path) -> Iterator[Breach]:
    """Check that __init__.py is a list and that the reference stands alone."""
    front = package / "__init__.py"
    for index, part in enumerate(ast.parse(front.read_text(encoding="utf-8")).body):
        names = {ast.unparse(t) for t in part.targets} if isinstance(part, ast.Assign) else set()
        docstring = index == 0 and isinstance(part, ast.Expr)
        listed = isinstance(part, ast.Import | ast.ImportFrom) or names & {"__all__", "__version__"}
        if not (docstring or listed):
            yield front, part.lineno, "only docstring, imports, __all__ and __version__ stand here"
    for path in sorted(package.glob("*reference*.py")):  # its own parts are _reference_*.py
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = ast.unparse(node).split()[1] if isinstance(node, ast.ImportFrom) else ""
                for name in (".".join(filter(None, (module, a.name))) for a in node.names):
                    own = name.startswith("bpfast._reference_")
                    if not own and name.split(".")[0] not in sys.stdlib_module_names:
                        yield path, node.lineno, f"{name} is not standard library"


def check_length(root: Path) -> Iterator[Breach]:
    """Check that no file has outgrown its one concept."""
    for folder in ("src", "python", "tests", "benches", "examples", "tools"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".rs", ".py"}:
                lines = len(path.read_text(encoding="utf-8").splitlines())
                if lines > LONGEST:
                    yield path, lines, f"{lines} lines, at most {LONGEST}: split it by concept"


def main(root: Path) -> int:
    """Print every breach under `root`."""
    checks = check_rust(root / "src"), check_python(root / "python/bpfast"), check_length(root)
    breaches = [breach for check in checks for breach in check]
    for path, line, text in breaches:
        print(f"{path.relative_to(root).as_posix()}:{line}: {text}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()))
