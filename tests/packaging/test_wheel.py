"""What is tested is the installed wheel, and it is what its users were promised."""

import subprocess
import sys
import tomllib
import zlib
from importlib.metadata import distribution
from pathlib import Path

import pytest

import bpfast
from tests.helpers.paths import ROOT

WHEEL = distribution("bpfast")
MB = 1_000_000


def test_the_installed_package_is_tested():
    assert not Path(bpfast.__file__).is_relative_to(ROOT / "python")
    assert str(ROOT / "python") not in sys.path


def test_one_version():
    crate = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    assert WHEEL.version == bpfast.__version__ == crate


def test_the_wheel_needs_only_numpy():
    needs = [need for need in WHEEL.requires or [] if "extra ==" not in need]
    assert [need.split(">")[0] for need in needs] == ["numpy"]


def test_the_wheel_is_abi3():
    tags = [line for line in WHEEL.read_text("WHEEL").splitlines() if line.startswith("Tag: ")]
    assert tags
    assert all(tag.startswith("Tag: cp311-abi3-") for tag in tags)


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "_core.pyi",
        "reference/_forward_pass.py",
        "testing/_check_gradients.py",
        "optimizers/_adam.py",
        "schedules/_rates.py",
        "licenses/LICENSE",
    ],
)
def test_the_wheel_contains_license_and_types(name):
    assert [file for file in WHEEL.files if file.as_posix().endswith(f"/{name}")]


def test_the_wheel_is_small():
    # The wheel holds its files compressed like this.
    files = (file.read_binary() for file in WHEEL.files if file.suffix != ".pyc")
    assert sum(len(zlib.compress(content)) for content in files) < 4 * MB


def test_its_library_names_no_path_of_this_machine():
    (library,) = [file for file in WHEEL.files if file.suffix in {".so", ".pyd"}]
    assert str(ROOT).encode() not in library.read_binary()


def test_importing_it_imports_numpy_and_nothing_heavy():
    code = """
import sys
before = set(sys.modules)
import bpfast
new = {name.split(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names
new = {name for name in new if "cython" not in name}  # how older NumPys are built
assert new <= {"bpfast", "numpy"}, new
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True, timeout=600)


# What the package itself imports, all of it small; `mmap` and `queue` come with most NumPys too.
LIGHT = """
    __future__ collections contextlib copy dataclasses errno itertools json math mmap numbers
    operator os pathlib queue _queue secrets sys threading time types typing weakref
"""


def test_it_imports_few_standard_modules():
    """Beyond what NumPy has imported: a module that is new here is worth a look."""
    code = """
import sys
import numpy
before = set(sys.modules)
import bpfast
new = {name.split(".")[0] for name in set(sys.modules) - before}
heavy = (new & sys.stdlib_module_names) - set(sys.argv[1].split())
assert not heavy, heavy
"""
    command = [sys.executable, "-P", "-c", code, LIGHT]
    subprocess.run(command, check=True, timeout=600)


def test_training_imports_nothing_optional():
    code = """
import sys
from importlib.util import find_spec
others = {"scipy", "pandas", "matplotlib", "tqdm"}
assert all(map(find_spec, others)), "not installed, so this would prove nothing"
import numpy as np, bpfast
net = bpfast.Network([3, 2], seed=0)
x, y = np.ones((9, 3)), np.ones((9, 2))
net.backprop(x, y)
print(net.fit(x, y, epochs=2, validation=0.3, metrics="r2", optimizer=bpfast.SGD(0.1)))
net.partial_fit(x, y)
found = others & {name.split(".")[0] for name in sys.modules}
assert not found, found
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True, timeout=600)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_importing_it_starts_no_thread():
    code = """
import os, numpy
before = len(os.listdir("/proc/self/task"))
import bpfast
assert len(os.listdir("/proc/self/task")) == before
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True, timeout=600)
