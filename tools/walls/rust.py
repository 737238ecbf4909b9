"""The walls of Rust: imports, the border to Python, unsafe code and threads."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.walls.breach import Breach, find

# The modules of src/, lowest first. Each imports only itself and lower ones; likewise in python/.
MODULES = (
    *("base", "kernels", "model", "data", "pool", "engine", "inside", "train", "many", "io"),
    *("python/call", "python/borrow", "python/convert", "python/api", "python"),
)
UNSAFE_ALLOWED = (
    "kernels/",
    "pool/worker/",
    "pool/process.rs",
    "pool/huge_pages.rs",
    "pool/reserve_allocator.rs",
    "python/borrow/",
)

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
# A result that PyO3 makes an object of after the function has returned, where a lack of memory
# is a panic. The result of `__len__` remains a number.
LATE_RESULT = re.compile(
    r"\bfn (?!__len__)(?P<name>\w+)[^{};]*?->\s*(?:\w*Result<|Option<)*\s*"
    r"(?P<type>Vec\b|String\b|\w*Map\b|&[^{;>]*?\bstr\b|\((?!\))|[fiu](?:\d+|size)\b)[^{;]*\{"
)
# What Python calls: a function or method, or the methods of a block.
FOR_PYTHON = re.compile(r"#\[(?:pyo3::)?(?P<kind>pyfunction|pymethods)\b")
# From the file itself, and not from a module in it.
SUPER = re.compile(r"^(?:pub(?:\([^)]*\))? )?use super::|\bsuper::super::", re.MULTILINE)
SAFETY = re.compile(r"// SAFETY:|/// # Safety")


def blank(text: str, *, strings: bool) -> str:
    """Replace comments, and strings if asked, by spaces; every line keeps its number."""

    def spaces(match: re.Match[str]) -> str:
        gone = strings or match["comment"] is not None
        return re.sub(r"[^\n]", " ", match[0]) if gone else match[0]

    return TOKEN.sub(spaces, text)


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


def imported(code: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the names of each path that begins with `crate`."""
    for line, match in find(r"(?<!\$)\bcrate::(?P<names>(?:\w+::)*)(?P<last>\w+!?|\{)", code):
        path = match["names"].split("::")[:-1]
        if match["last"] != "{":
            yield line, [*path, match["last"]]
            continue
        stack = [path]  # use crate::{a::X, b::{Y, Z}};
        for token in re.finditer(r"[{},]|\w+", code[match.end() :]):
            if token[0] == "{":
                stack.append(path)
            elif token[0] not in "},":
                path = [*path, token[0]]
            else:
                if path != stack[-1]:
                    yield code.count("\n", 0, match.end() + token.start()) + 1, path
                if token[0] == "}" and len(stack) == 1:
                    break
                if token[0] == "}":
                    stack.pop()
                path = stack[-1]


def module_of(names: list[str]) -> str:
    """Name the module of src/ to which a module of these names belongs."""
    parts = names[:2] if names[0] == "python" and "/".join(names[:2]) in MODULES else names[:1]
    return "/".join(parts)


def check_circles(src: Path) -> Iterator[Breach]:
    """Check that files do not import each other in a circle; a folder's `mod.rs` is one with it."""
    files = {}
    for path in sorted(src.rglob("*.rs")):
        parts = path.relative_to(src).with_suffix("").parts
        files[parts[:-1] if parts[-1] in {"mod", "lib"} else parts] = path
    uses: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for module, path in files.items():
        code = blank(path.read_text(encoding="utf-8"), strings=True).split("#[cfg(test)]\nmod")[0]
        found = set()
        for _, names in imported(code):
            prefixes = (tuple(names[:k]) for k in range(len(names), 0, -1))
            other = next((prefix for prefix in prefixes if prefix in files), module)
            related = module[: len(other)] == other or other[: len(module)] == module
            found |= set() if related else {other}
        uses[module] = found
    for module, others in uses.items():
        seen, waiting = set(), [(module, other) for other in others]
        while waiting:
            via, other = waiting.pop()
            if other == module:
                there, here = ("::".join(names) for names in (via, module))
                yield files[module], 1, f"a circle: {here} uses {there} by others, which uses it"
                break
            if other not in seen:
                seen.add(other)
                waiting += [(other, further) for further in uses[other]]


def for_python(code: str) -> Iterator[tuple[int, str]]:
    """Yield the signatures of each function, or block of methods, that Python calls."""
    for line, match in find(FOR_PYTHON, code):
        depth, begun, signatures = 0, 1 if match["kind"] == "pymethods" else 0, ""
        for character in code[match.end() :]:
            depth -= character == "}"
            signatures += character if depth <= begun or character == "\n" else " "
            if character == "}" and depth == 0:
                break
            depth += character == "{"
        yield line, signatures


def check_modules(src: Path) -> Iterator[Breach]:
    """Check the Rust modules."""
    for path in sorted(src.rglob("*.rs")):
        text, where = path.read_text(encoding="utf-8"), path.relative_to(src)
        code, name = blank(text, strings=True), where.as_posix()
        names_of_file = [*where.parent.parts, where.stem]
        module = module_of(names_of_file)
        if names_of_file[0] != "python":
            for line, match in find(r"\b(?:pyo3|numpy)\b", code):
                yield path, line, f"{match[0]} is named outside src/python/"
            features = [*find(r'feature\s*=\s*"python"', blank(text, strings=False))]
            for line, _ in features[module == "lib" :]:  # lib.rs switches the border on, once
                yield path, line, "the python feature is named outside src/python/"
        for line, _ in find(UNSAFE, code):
            if not name.startswith(UNSAFE_ALLOWED):
                yield path, line, f"unsafe outside {' and '.join(UNSAFE_ALLOWED)}"
        for line, _ in find(PROMISE, code):
            if name.startswith(UNSAFE_ALLOWED) and not has_safety(text.splitlines(), line):
                yield path, line, "unsafe without a // SAFETY: comment just above"
        if names_of_file[0] == "python":
            for line, match in find(FOREIGN_BORROWS, code):
                yield path, line, f"{match[0]}) of numpy: borrow by src/python/borrow/"
            for first, part in for_python(code):
                for line, match in find(LATE_RESULT, part):
                    what = f"{match['name']} returns {match['type']}"
                    yield path, first + line - 1, f"{what}: make the object under the guard"
        if module != "pool":
            for line, match in find(THREADS, code):
                yield path, line, f"{match[0]} outside pool/: only the pool starts threads"
        if module == "lib":
            continue
        if module not in MODULES:
            yield path, 1, f"module {module} has no place in tools/walls/rust.py"
            continue
        for line, _ in find(SUPER, code):
            yield path, line, "a path out of this file begins with crate::"
        for line, names in imported(code):
            other = module_of(names)
            if other not in MODULES and names[0][-1] != "!":
                yield path, line, f"crate::{names[0]} hides its module: import it from there"
            elif other in MODULES and MODULES.index(other) > MODULES.index(module):
                yield path, line, f"{module} imports {other}, which comes after it"
