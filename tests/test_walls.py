"""tools/check_walls.py sees each wall of the house fall, and the house as it is stands."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A small house in which every wall stands.
SOUND = {
    "src/lib.rs": 'pub mod error;\n#[cfg(feature = "python")]\nmod python;\n',
    "src/error.rs": "//! Knows no pyo3, no numpy, no unsafe.\npub enum Error {}\n",
    "src/scalar.rs": "use crate::error::Error;\n",
    "src/kernels/mod.rs": "pub mod product;\nuse super::error::Error;\n",
    "src/kernels/product.rs": """use super::super::scalar::Real;
/// # Safety
/// The CPU must have AVX2.
#[target_feature(enable = "avx2")]
pub unsafe fn product() {}
type Kernel = unsafe fn(*const f32);
pub fn call(a: &[f32]) -> f32 {
    // SAFETY: the caller's slice is not empty
    // (checked at the door).
    let first =
        unsafe { *a.get_unchecked(0) };
    first
}
""",
    "src/activation.rs": "use crate::{error::Error, scalar::{Real, batch}};\n",
    "src/cost.rs": "use crate::activation::Activation;\n/* unsafe rayon pyo3 */\n",
    "src/forward.rs": "fn f<'a>(c: &'a str) -> char { let s = \"crate::batch\"; '\"' }\n",
    "src/pool/mod.rs": "use std::thread::Builder;\nfn f() { std::thread::spawn(|| ()); }\n",
    "src/python/arrays.rs": "fn f() { readonly(a); scope.read(a); }\n",
    "src/python/mod.rs": "use pyo3::prelude::*;\nuse crate::{Cost, pool::Team};\n",
    "src/python/borrow/array.rs": "// SAFETY: the borrow is held.\nunsafe impl Send for X {}\n",
    "python/bpfast/__init__.py": '"""Doc."""\nfrom bpfast._core import f\n__all__ = ["f"]\n'
    '__version__ = "0"\n',
    "python/bpfast/reference.py": "import math\nfrom bpfast import _reference_checks as check\n"
    "from bpfast._reference_checks import Array\n",
    "python/bpfast/_reference_checks.py": "from collections.abc import Callable\n",
}


def walls(root):
    """Run the script on `root`: its exit code and what it says."""
    command = [sys.executable, ROOT / "tools/check_walls.py", root]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert run.stderr == ""
    return run.returncode, run.stdout


def build(root, files):
    """Write the sound house with `files` changed."""
    for name, text in (SOUND | files).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_the_house_stands():
    assert walls(ROOT) == (0, "")


def test_a_sound_house_passes(tmp_path):
    assert walls(build(tmp_path, {})) == (0, "")


BROKEN = {
    "the core names pyo3": ("src/cost.rs", "//! Cost\nuse pyo3::prelude::*;\n", 2, "pyo3"),
    "the core names numpy": ("src/error.rs", "impl From<numpy::E> for E {}\n", 1, "numpy"),
    "lib.rs names pyo3": ("src/lib.rs", "#[pyo3::pymodule]\nmod m {}\n", 1, "pyo3"),
    "the core asks for the feature": (
        "src/cost.rs",
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
    "unsafe in the core": ("src/forward.rs", "fn f() {\n    unsafe { g() }\n}\n", 2, "unsafe"),
    "unsafe at the border": (
        "src/python/mod.rs",
        "// SAFETY: none\nunsafe impl Sync for X {}\n",
        2,
        "unsafe",
    ),
    "unsafe without a word": (
        "src/kernels/product.rs",
        "// SAFETY: of f alone\nlet a = unsafe { f() };\nlet b = unsafe { g() };\n",
        3,
        "SAFETY",
    ),
    "unsafe far from its word": (
        "src/kernels/product.rs",
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
    "rayon outside the pool": ("src/batch.rs", "use rayon_core::join;\n", 1, "rayon_core"),
    "a thread outside the pool": (
        "src/python/mod.rs",
        "fn f() { std::thread::spawn(|| ()); }\n",
        1,
        "thread::spawn",
    ),
    "an import goes up": (
        "src/activation.rs",
        "use crate::network::Network;\n",
        1,
        "activation imports network",
    ),
    "an import in braces goes up": (
        "src/workspace.rs",
        "use crate::{\n    error::{Error, Result},\n    batch::Chunk,\n};\n",
        3,
        "workspace imports batch",
    ),
    "a path goes up": (
        "src/error.rs",
        "fn f(s: crate::scalar::S) {}\n",
        1,
        "error imports scalar",
    ),
    "super goes up": (
        "src/kernels/product.rs",
        "use super::super::cost::Cost;\n",
        1,
        "kernels imports cost",
    ),
    "the core knows the border": (
        "src/batch.rs",
        "use crate::python::arrays;\n",
        1,
        "batch imports python",
    ),
    "an import hides its room": ("src/forward.rs", "use crate::Network;\n", 1, "crate::Network"),
    "a room without a level": ("src/helpers.rs", "\n", 1, "helpers"),
    "a room too long": ("src/backward.rs", "//\n" * 401, 401, "401 lines"),
    "a test too long": ("tests/test_long.py", "#\n" * 401, 401, "401 lines"),
    "__init__ has logic": (
        "python/bpfast/__init__.py",
        '"""Doc."""\n\n\ndef f():\n    pass\n',
        4,
        "__all__",
    ),
    "__init__ has a constant": ("python/bpfast/__init__.py", "LIMIT = 3\n", 1, "__all__"),
    "the reference imports NumPy": (
        "python/bpfast/reference.py",
        "def f():\n    import numpy.linalg\n",
        2,
        "numpy.linalg",
    ),
    "the reference imports bpfast": (
        "python/bpfast/reference.py",
        "from ._core import f\n",
        1,
        "._core",
    ),
    "the reference's checks import the fast path": (
        "python/bpfast/_reference_checks.py",
        "import math\nfrom bpfast import forward\n",
        2,
        "bpfast.forward",
    ),
}


@pytest.mark.parametrize(("path", "text", "line", "word"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_wall_is_seen(tmp_path, path, text, line, word):
    code, said = walls(build(tmp_path, {path: text}))
    assert code == 1
    assert len(said.splitlines()) == 1, said
    assert said.startswith(f"{path}:{line}: ")
    assert word in said
