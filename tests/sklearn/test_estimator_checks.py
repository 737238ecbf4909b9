"""All of scikit-learn's checks pass, with the newest and with the oldest release allowed."""

import os
import sys

import pytest
import sklearn
from sklearn.utils.estimator_checks import parametrize_with_checks

from bpfast.sklearn import MLPClassifier, MLPRegressor
from tests.helpers.child import run
from tests.helpers.paths import ROOT

# `make` installs it: a folder with scikit-learn alone.
OLDEST = ROOT / "target" / "sklearn-oldest"
# The oldest release with wheels for this Python.
VERSION = "1.5" if sys.version_info < (3, 14) else "1.7"


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([MLPClassifier(max_iter=100), MLPRegressor(max_iter=100)])
def test_newest(estimator, check):
    check(estimator)


def test_oldest():
    if not OLDEST.exists():
        pytest.skip("target/sklearn-oldest is not there: `make test-python` installs it")
    path = os.pathsep.join([str(OLDEST), *filter(None, [os.environ.get("PYTHONPATH")])])
    found = run("estimator_checks", PYTHONPATH=path)
    assert found["version"].startswith(f"{VERSION}."), found["version"]
    assert found["version"] != sklearn.__version__
    assert found["failed"] == []
    assert len(found["passed"]) > 100
    weighted = [name for name in found["passed"] if "sample_weight" in name]
    assert len(weighted) >= 10, weighted
