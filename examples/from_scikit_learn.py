"""From scikit-learn: the same estimators, faster, with access to the network.

examples/from_scikit_learn.py is this text as a program, whose cells begin with `# %%`, and
examples/notebooks/from_scikit_learn.ipynb is the same as a notebook.
"""

# %% [markdown]
# ## Change the import
#
# `bpfast.sklearn` has two estimators, `MLPClassifier` and `MLPRegressor`, with the parameters,
# attributes and methods of those of scikit-learn.

# %%
import time
import warnings
from typing import Any

import numpy as np

import bpfast

try:
    import matplotlib.pyplot as plt
    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import GridSearchCV, train_test_split
    from sklearn.neural_network import MLPClassifier as Theirs
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from bpfast.sklearn import MLPClassifier
except ModuleNotFoundError as missing:
    raise SystemExit(
        f"This program needs {missing.name}: pip install matplotlib scikit-learn"
    ) from None

warnings.simplefilter("ignore", ConvergenceWarning)  # the numbers of epochs are fixed
x, y = load_digits(return_X_y=True)
x, test_x, y, test_y = train_test_split(x, y, random_state=0, stratify=y)

settings: dict[str, Any] = {
    "hidden_layer_sizes": (64,),
    "max_iter": 60,
    "tol": 0,
    "random_state": 0,
}
seconds = {}
for name, kind in (("scikit-learn", Theirs), ("bpfast", MLPClassifier)):
    model = make_pipeline(StandardScaler(), kind(**settings, n_iter_no_change=100))
    start = time.perf_counter()
    model.fit(x, y)
    seconds[name] = time.perf_counter() - start
    print(f"{name}: {seconds[name]:.2f} s, {model.score(test_x, test_y):.1%} of the test digits")
assert model.score(test_x, test_y) > 0.95

# %% [markdown]
# ## Search and pipelines
#
# The estimators can be cloned, searched and pickled like all others. In a search with several
# processes, each uses as many threads as joblib allows.

# %%
classifier = MLPClassifier(max_iter=30, early_stopping=True, random_state=0)
search = GridSearchCV(
    make_pipeline(StandardScaler(), classifier),
    {
        "mlpclassifier__hidden_layer_sizes": [(16,), (64,)],
        "mlpclassifier__alpha": [1e-4, 1e-2],
    },
    cv=3,
)
search.fit(x, y)
print(search.best_params_, f"{search.best_score_:.1%}")

# %% [markdown]
# ## More parameters
#
# An activation for each hidden layer, dropout, class weights, float32, and others.

# %%
model = MLPClassifier(
    (64, 32),
    hidden=["gelu", "tanh"],
    dropout=0.2,
    class_weight="balanced",
    max_iter=80,
    early_stopping=True,
    random_state=0,
)
model.fit(x.astype("float32") / 16, y)
print(f"{model.score(test_x.astype('float32') / 16, test_y):.1%} of the test digits")

figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
axes.plot(model.loss_curve_, label="loss")
axes.plot(1 - np.asarray(model.validation_scores_), "--", label="1 - validation score")
axes.set(xlabel="epoch", yscale="log")
axes.legend()
plt.show()

# %% [markdown]
# ## The network inside
#
# `network_` is the `bpfast.Network`: gradients, errors and curvature are one call away.

# %%
net = model.network_
print(net)
norms = net.per_example_norms(x.astype("float32") / 16, y)
print("digits with the largest gradients:", np.argsort(norms)[-5:][::-1])
bpfast.plot.confusion(net, test_x.astype("float32") / 16, test_y)
