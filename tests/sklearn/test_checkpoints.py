"""A training that continues from a checkpoint ends as one that was never stopped."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

import bpfast
from bpfast.sklearn import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
SETTINGS = {
    "adam": {},
    "no random_state": {"random_state": None},
    "early stopping": {"early_stopping": True, "random_state": None, "learning_rate_init": 0.1},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 2},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "dropout, short last step": {"dropout": 0.2, "batch_size": 40, "alpha": 1.0},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_resumed(name, tmp_path):
    settings = {"hidden_layer_sizes": (6,), "random_state": 1} | SETTINGS[name]
    file = tmp_path / "training.ckpt"
    MLPClassifier(max_iter=6, checkpoint=file, **settings).fit(X, NAMES)
    resumed = MLPClassifier(max_iter=14, checkpoint=file, resume=True, **settings).fit(X, NAMES)
    settings["random_state"] = resumed.network_.history.seed
    whole = MLPClassifier(max_iter=14, **settings).fit(X, NAMES)
    assert np.array_equal(resumed.network_.params, whole.network_.params)
    others = {"network_", "coefs_", "intercepts_", "classes_"}
    for attribute in {name for name in vars(whole) if name[-1] == "_"} - others:
        assert getattr(resumed, attribute) == getattr(whole, attribute), attribute
    assert resumed._no_improvement_count == whole._no_improvement_count
    assert resumed._optimizer.learning_rate == whole._optimizer.learning_rate
    if SETTINGS[name].get("random_state", 1) is None:  # from the file alone
        del settings["random_state"]
        again = MLPClassifier(max_iter=14, resume=file, **settings).fit(X, NAMES)
        assert np.array_equal(again.network_.params, whole.network_.params)
    loaded = bpfast.load(file)
    assert np.array_equal(loaded.params, whole.network_.params)


def test_another_training_is_refused(tmp_path):
    file = tmp_path / "training.ckpt"
    MLPClassifier((6,), max_iter=2, checkpoint=file, random_state=0).fit(X, NAMES)
    with pytest.raises(ValueError, match=r"dropout: expected .* as in the checkpoint"):
        MLPClassifier((6,), max_iter=4, resume=file, dropout=0.5, random_state=0).fit(X, NAMES)
    with pytest.raises(FileNotFoundError):
        MLPClassifier(resume=tmp_path / "none.ckpt").fit(X, NAMES)
