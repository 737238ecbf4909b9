"""tools/check_walls.py detects each kind of breach, and finds none in this tree."""

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.processes.checker import verdict, written

# A small tree without a breach.
SOUND = {
    "src/lib.rs": 'pub mod base;\n#[cfg(feature = "python")]\nmod python;\n',
    "src/base/mod.rs": "pub mod error;\nmod tree;\n",
    "src/base/error.rs": "//! Knows no pyo3, no numpy, no unsafe.\npub enum Error {}\n",
    "src/base/sum.rs": "use crate::base::error::Error;\n",
    "src/kernels/mod.rs": "pub mod gemm;\nuse crate::base::error::Error;\n",
    "src/kernels/gemm.rs": """use crate::base::sum::Sum;
/// # Safety
/// The CPU must have AVX2.
#[target_feature(enable = "avx2")]
pub unsafe fn gemm() {}
type Kernel = unsafe fn(*const f32);
pub fn call(a: &[f32]) -> f32 {
    // SAFETY: the caller's slice is not empty
    // (checked at the door).
    let first =
        unsafe { *a.get_unchecked(0) };
    first
}
#[cfg(test)]
mod tests {
    use super::*;
}
""",
    "src/model/activation.rs": "use crate::{base::error::Error, kernels::{gemm, gemm::{call}}};\n",
    "src/model/cost.rs": "use crate::model::activation::Activation;\n/* unsafe rayon pyo3 */\n",
    "src/engine/forward.rs": "fn f<'a>(c: &'a str) -> char { let s = \"crate::train\"; '\"' }\n",
    "src/pool/mod.rs": "use std::thread::Builder;\nfn f() { std::thread::spawn(|| ()); }\n",
    "src/python/convert/arrays.rs": "fn f() { readonly(a); scope.read(a); }\n",
    "src/python/mod.rs": "use pyo3::prelude::*;\nuse crate::{model::cost::Cost, pool::Team};\n",
    "src/python/api/call.rs": "#[pymethods]\nimpl N {\n    fn f(&self) -> PyResult<()> {}\n"
    "    fn g(&self) -> Py<PyAny> { let n: Vec<f64> = h(|| -> f64 { 0.0 }); }\n"
    "    fn __len__(&self) -> usize { fn h() -> (f64, f64) { (0.0, 0.0) } 1 }\n}\n"
    "fn own() -> (usize, String) {}\n",
    "src/python/borrow/array.rs": "// SAFETY: the borrow is held.\nunsafe impl Send for X {}\n",
    "tests/io/test_sound.py": "from tests.helpers.child import run\n",
    "python/bpfast/__init__.py": '"""Doc."""\nfrom bpfast._core import f\n__all__ = ["f"]\n'
    '_LAZY = ("inside",)\n',
    "python/bpfast/reference/_forward_pass.py": "import math\n"
    "from bpfast.reference import _checks as check\n"
    "from bpfast.reference._checks import Array\n",
    "python/bpfast/reference/_checks/names.py": "from collections.abc import Callable\n",
}


def walls(root):
    """Run the script on `root`: its exit code and what it says."""
    return verdict("check_walls", root)


def build(root, files):
    """Write the tree with `files` changed."""
    return written(root, SOUND | files)


def test_the_source_tree_passes():
    assert walls(ROOT) == (0, "")


def test_a_valid_tree_passes(tmp_path):
    assert walls(build(tmp_path, {})) == (0, "")


BROKEN = {
    "the core names pyo3": ("src/model/cost.rs", "//! Cost\nuse pyo3::prelude::*;\n", 2, "pyo3"),
    "the core names numpy": ("src/base/error.rs", "impl From<numpy::E> for E {}\n", 1, "numpy"),
    "lib.rs names pyo3": ("src/lib.rs", "#[pyo3::pymodule]\nmod m {}\n", 1, "pyo3"),
    "a function's result becomes an object late": (
        "src/python/api/call.rs",
        '#[pyfunction]\n#[pyo3(name = "g")]\nfn f(\n    x: f64,\n) -> PyResult<(N, f64)> {}\n',
        3,
        "f returns (",
    ),
    "a method's result becomes an object late": (
        "src/python/api/call.rs",
        "#[pymethods]\nimpl N {\n    fn f(&self) {}\n    fn g(&self) -> Option<String> {}\n}\n",
        4,
        "g returns String",
    ),
    "the core asks for the feature": (
        "src/model/cost.rs",
        '#[cfg_attr(feature = "python", pyclass)]\nstruct C;\n',
        1,
        "python feature",
    ),
    "lib.rs asks for the feature twice": (
        "src/lib.rs",
        '#[cfg(feature = "python")]\nmod python;\n#[cfg(feature = "python")]\nfn f() {}\n',
        3,
        "python feature",
    ),
    "unsafe in the core": (
        "src/engine/forward.rs",
        "fn f() {\n    unsafe { g() }\n}\n",
        2,
        "unsafe",
    ),
    "unsafe at the border": (
        "src/python/mod.rs",
        "// SAFETY: none\nunsafe impl Sync for X {}\n",
        2,
        "unsafe",
    ),
    "unsafe without a word": (
        "src/kernels/gemm.rs",
        "// SAFETY: of f alone\nlet a = unsafe { f() };\nlet b = unsafe { g() };\n",
        3,
        "SAFETY",
    ),
    "unsafe far from its word": (
        "src/kernels/gemm.rs",
        "// SAFETY: too far away\n\nlet a = unsafe { f() };\n",
        3,
        "SAFETY",
    ),
    "a borrow of the crate numpy": (
        "src/python/mod.rs",
        "fn f() {\n    array.readwrite();\n}\n",
        2,
        "borrow",
    ),
    "rayon outside the pool": ("src/engine/batch.rs", "use rayon_core::join;\n", 1, "rayon_core"),
    "a thread outside the pool": (
        "src/python/mod.rs",
        "fn f() { std::thread::spawn(|| ()); }\n",
        1,
        "thread::spawn",
    ),
    "an import goes up": (
        "src/model/activation.rs",
        "use crate::data::Inputs;\n",
        1,
        "model imports data",
    ),
    "an import in braces goes up": (
        "src/engine/workspace.rs",
        "use crate::{\n    base::error::{Error, Result},\n    train::Run,\n};\n",
        3,
        "engine imports train",
    ),
    "a path goes up": (
        "src/base/tree.rs",
        "fn f(s: crate::kernels::S) {}\n",
        1,
        "base imports kernels",
    ),
    "a path without the root": (
        "src/kernels/gemm.rs",
        "use super::super::model::Cost;\n",
        1,
        "begins with crate::",
    ),
    "an import of a neighbour without the root": (
        "src/kernels/gemm.rs",
        "pub use super::spmm::call;\n",
        1,
        "begins with crate::",
    ),
    "the core knows the border": (
        "src/engine/batch.rs",
        "use crate::python::convert::arrays;\n",
        1,
        "engine imports python/convert",
    ),
    "a module of the binding imports a later one": (
        "src/python/borrow/array.rs",
        "use crate::python::{convert::arrays};\n",
        1,
        "python/borrow imports python/convert",
    ),
    "an import hides its module": (
        "src/engine/forward.rs",
        "use crate::Network;\n",
        1,
        "crate::Network",
    ),
    "a module that is not listed": ("src/helpers.rs", "\n", 1, "helpers"),
    "a file too long": ("src/engine/backward.rs", "//\n" * 376, 376, "376 lines"),
    "a test too long": ("tests/io/test_long.py", "#\n" * 376, 376, "376 lines"),
    "a test without a folder": ("tests/test_loose.py", "#\n", 1, "the folder of its concern"),
    "a test imports a test": (
        "tests/io/test_new.py",
        "import re\nfrom tests.io.test_old import X\n",
        2,
        "tests/helpers",
    ),
    "a test imports a test as a module": (
        "tests/io/test_new.py",
        "from tests.io import child, test_old as old\n",
        1,
        "tests/helpers",
    ),
    "a program in a test imports a test": (
        "tests/io/test_new.py",
        'PROGRAM = """\nimport re\nimport tests.io.test_old\n"""\n',
        3,
        "tests/helpers",
    ),
    "__init__ has logic": (
        "python/bpfast/__init__.py",
        '"""Doc."""\n\n\ndef f():\n    pass\n',
        4,
        "__all__",
    ),
    "__init__ has a constant": ("python/bpfast/__init__.py", "LIMIT = 3\n", 1, "__all__"),
    "the reference imports NumPy": (
        "python/bpfast/reference/_forward_pass.py",
        "def f():\n    import numpy.linalg\n",
        2,
        "numpy.linalg",
    ),
    "the reference imports bpfast": (
        "python/bpfast/reference/_forward_pass.py",
        "from ._core import f\n",
        1,
        "._core",
    ),
    "a function takes too many arguments": (
        "python/bpfast/_calls/many.py",
        "class Many:\n    def run(self, a, b, c, d, *, e, f, g):\n        pass\n",
        2,
        "run has 7 arguments, at most 6",
    ),
    "a constructor takes too many arguments by position": (
        "python/bpfast/_calls/many.py",
        "class Many:\n    def __init__(self, a, b, c, d, e, f, g, *, h, i):\n        pass\n",
        2,
        "__init__ has 7 arguments, at most 6",
    ),
    "a folder of the reference imports NumPy": (
        "python/bpfast/reference/_derivatives/taylor.py",
        "import numpy\n",
        1,
        "numpy",
    ),
    "the reference's checks import the fast path": (
        "python/bpfast/reference/_checks/names.py",
        "import math\nfrom bpfast import forward\n",
        2,
        "bpfast.forward",
    ),
}


@pytest.mark.parametrize(("path", "text", "line", "word"), BROKEN.values(), ids=BROKEN.keys())
def test_a_violation_is_reported(tmp_path, path, text, line, word):
    code, said = walls(build(tmp_path, {path: text}))
    assert code == 1
    assert len(said.splitlines()) == 1, said
    assert said.startswith(f"{path}:{line}: ")
    assert word in said


def test_arguments_that_users_see_are_not_counted(tmp_path):
    parameters = '"""Doc.\n\n    Parameters\n    ----------\n    a : int\n    """'
    of_class = parameters.replace("    ", " " * 4)
    files = {
        "python/bpfast/_calls/public.py": f"def f(a, b, c, d, e, f, g):\n    {parameters}\n\n\n"
        f"class Seen:\n    {of_class}\n\n    def __init__(self, a, b, c, d, e, f, g):\n"
        "        pass\n",
        "python/bpfast/_calls/settings.py": "class Settings:\n"
        "    def __init__(self, *, a, b, c, d, e, f, g):\n        pass\n",
    }
    assert walls(build(tmp_path, files)) == (0, "")


def test_a_crowded_folder_is_reported(tmp_path):
    files = {f"tests/io/test_{k}.py": "#\n" for k in range(13)} | {"tests/io/__init__.py": ""}
    code, said = walls(build(tmp_path, files))
    assert (code, said) == (1, "tests/io:1: 14 files, at most 13: give some a folder\n")


def test_an_import_cycle_is_reported(tmp_path):
    """Three files of one module, each of which uses the next; a fourth uses one of them."""
    files = {
        f"src/engine/{name}.rs": f"use crate::engine::{other}::F;\n"
        for name, other in {"one": "two", "two": "three", "three": "one", "four": "one"}.items()
    }
    code, said = walls(build(tmp_path, files))
    assert code == 1
    lines = said.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        f"src/engine/{name}.rs" for name in ("one", "three", "two")
    ]
    assert all("a circle" in line for line in lines)


def test_a_module_and_its_files_are_not_a_cycle(tmp_path):
    files = {
        "src/engine/batch/mod.rs": "use crate::engine::batch::chunk::f;\npub struct Call;\n",
        "src/engine/batch/chunk.rs": "use crate::engine::batch::Call;\npub fn f() {}\n",
    }
    assert walls(build(tmp_path, files)) == (0, "")
