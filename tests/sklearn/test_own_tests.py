"""scikit-learn's tests of its MLPs pass with only the import changed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import sklearn.neural_network

IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor\n"
OURS = "from bpfast.sklearn import MLPClassifier, MLPRegressor\n"
# scikit-learn's conftest.py has this fixture.
CONFTEST = """
import pytest

@pytest.fixture
def global_random_seed():
    return 42
"""
# The tests that reach for private methods.
PRIVATE = {"test_gradient": "calls _loss_grad_lbfgs; tests/numerics checks our gradients"}


def test_only_the_import_is_changed(tmp_path):
    file = Path(sklearn.neural_network.__file__).parent / "tests" / "test_mlp.py"
    text = file.read_text(encoding="utf-8")
    assert text.count(IMPORT) == 1
    (tmp_path / "test_mlp.py").write_text(text.replace(IMPORT, OURS), encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "test_mlp.py"],
        cwd=tmp_path,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    failed = re.findall(r"^FAILED test_mlp\.py::(\w+)", done.stdout, re.MULTILINE)
    assert set(failed) == set(PRIVATE), done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 50, done.stdout
    assert "error" not in done.stdout.splitlines()[-1], done.stdout
