"""Run scikit-learn's checks of estimators on both, with the scikit-learn that is first on sys.path.

Prints its version, the number of checks passed, and what failed.
"""

import json
import warnings
from unittest import SkipTest

import sklearn
from sklearn.utils.estimator_checks import check_estimator

from bpfast.sklearn import MLPClassifier, MLPRegressor

warnings.simplefilter("ignore")
passed, failed = [], []
for class_ in (MLPClassifier, MLPRegressor):
    # As scikit-learn sets it for its own MLPs in its own tests.
    for estimator, check in check_estimator(class_(max_iter=100), generate_only=True):
        name = f"{class_.__name__}: {getattr(check, 'func', check).__name__}"
        try:
            check(estimator)
            passed.append(name)
        except SkipTest:
            pass
        except Exception as error:
            failed.append(f"{name}: {error!r}")
print(json.dumps({"version": sklearn.__version__, "passed": passed, "failed": failed}))
