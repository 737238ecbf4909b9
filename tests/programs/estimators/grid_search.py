"""Print the number of threads of each process of a grid search with n_jobs=-1, and its best score.

The callback writes to a file, because the processes of joblib have no pipe to this one.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV

import bpfast
from bpfast.sklearn import MLPClassifier

folder = tempfile.mkdtemp()


def record(net, history):
    Path(folder, str(os.getpid())).write_text(str(bpfast.get_num_threads()))


x = np.random.default_rng(0).standard_normal((200, 4))
y = np.where(x[:, 0] * x[:, 1] > 0, "same", "other")
mlp = MLPClassifier(
    (8,), solver="sgd", max_iter=3, n_iter_no_change=99, random_state=0, callbacks=record
)
search = GridSearchCV(mlp, {"alpha": [1e-4, 1.0]}, cv=2, n_jobs=int(sys.argv[1]), refit=False)
search.fit(x, y)
threads = {path.name: int(path.read_text()) for path in Path(folder).iterdir()}
scores = search.cv_results_["mean_test_score"].tolist()
print(json.dumps({"own": os.getpid(), "threads": threads, "scores": scores}))
