"""Estimators that train on Dask workers, and in this process: figures of both, as JSON."""

import json
import pickle
import sys
import warnings

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
from sklearn.base import clone

from bpfast.sklearn import MLPClassifier, MLPRegressor
from tests.distributed.clusters import cluster

COMMON = {
    "hidden_layer_sizes": (16,), "random_state": 0, "max_iter": 4, "batch_size": 300,
    "learning_rate_init": 0.02,
}  # fmt: skip
CLASSIFIERS = {
    "adam": {},
    "sgd": {"solver": "sgd", "learning_rate": "invscaling"},
    "penalties": {"alpha": 0.3, "l1": 0.01, "max_norm": 2.0},
    "dropout": {"dropout": 0.3},
    "balanced": {"class_weight": "balanced"},
    "class weights": {"class_weight": {"low": 3.0}},
    "own cost": {"cost": "quadratic"},
    "lbfgs": {"solver": "lbfgs", "class_weight": "balanced"},
}


def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1000, 6))
    labels = np.array(["low", "middle", "top"])[(x[:, 0] > 0) * 1 + (x[:, 1] > 0)]
    return x, labels, rng.random(1000)


def lazy(*arrays):
    return [da.from_array(array, chunks=(170, *array.shape[1:])) for array in arrays]


def difference(one, other):
    """The largest difference of the parameters and of the loss of the last epoch."""
    pairs = zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True)
    return max([abs(one.loss_ - other.loss_), *(float(abs(a - b).max()) for a, b in pairs)])


def fitted(kind, *given, client=None, validation_data=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that more epochs would be better
        estimator = kind(**COMMON | options, client=client)
        more = {} if validation_data is None else {"validation_data": validation_data}
        return estimator.fit(*given, **more)


def classifiers(client, names):
    """How far the results on workers are from those in this process."""
    given = data()
    found = {}
    for name in names:
        here = fitted(MLPClassifier, *given, **CLASSIFIERS[name])
        there = [
            fitted(MLPClassifier, *given, client=client, **CLASSIFIERS[name]),
            fitted(MLPClassifier, *lazy(*given), client=client, **CLASSIFIERS[name]),
            fitted(MLPClassifier, *lazy(*given), **CLASSIFIERS[name]),  # the current client
        ]
        found[name] = max(difference(here, estimator) for estimator in there)
        assert [list(e.classes_) for e in there] == [["low", "middle", "top"]] * 3
        assert [e.n_iter_ for e in there] == [here.n_iter_] * 3
    return found


def regressors(client):
    x, _, weight = data()
    targets = {"one": x[:, 0] ** 2, "two": np.tanh(x[:, :2])}
    found = {}
    for name, y in targets.items():
        for loss in ("squared_error", "poisson")[: 1 + (name == "one")]:
            here = fitted(MLPRegressor, x, y, weight, loss=loss)
            there = fitted(MLPRegressor, *lazy(x, y, weight), loss=loss, client=client)
            found[f"{name} {loss}"] = difference(here, there)
    return found


def frames(client):
    x, labels, _ = data()
    frame, series = pd.DataFrame(x, columns=list("uvwxyz")), pd.Series(labels)
    here = frame_here = fitted(MLPClassifier, frame, labels)
    given = dd.from_pandas(frame, npartitions=4), dd.from_pandas(series, npartitions=4)
    there = fitted(MLPClassifier, *given, client=client)
    assert list(there.feature_names_in_) == list("uvwxyz")
    assert (there.predict(given[0]) == here.predict(frame)).all()
    # Columns of several dtypes, and labels and weights that may be missing.
    mixed = frame.assign(u=frame["u"].astype("Float64"), v=frame["v"] > 0)
    codes = pd.Series(np.unique(labels, return_inverse=True)[1], dtype="Int64")
    weight = pd.Series(np.linspace(1, 2, len(x)), dtype="Float64")
    here = fitted(MLPClassifier, mixed, codes.astype(int), weight.astype(float))
    tables = (dd.from_pandas(table, npartitions=4) for table in (mixed, codes, weight))
    nullable = fitted(MLPClassifier, *tables, client=client)
    missing = dd.from_pandas(pd.Series(labels).where(x[:, 0] > x[:, 0].min()), npartitions=1)
    try:
        fitted(MLPClassifier, given[0], missing, client=client)
    except ValueError as error:
        return difference(frame_here, there), difference(here, nullable), str(error)
    return None


def validation(client):
    """The scores of held-out dask rows, of held-out arrays, and of given examples."""
    x, labels, _ = data()
    options = {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 30, "client": client}
    of_dask = fitted(MLPClassifier, *lazy(x, labels), **options)
    by_loss = fitted(MLPClassifier, *lazy(x, labels), scoring="loss", **options)
    number = fitted(MLPRegressor, *lazy(x, x[:, 0]), **options)
    here = fitted(MLPClassifier, x, labels, **options | {"client": None})
    there = fitted(MLPClassifier, x, labels, **options)
    given = {"validation_data": (x[:100], labels[:100]), "scoring": "balanced_accuracy"}
    pair = [
        fitted(MLPClassifier, *arrays, client=c, **given)
        for arrays, c in (((x, labels), None), (lazy(x, labels), client))
    ]
    best = of_dask.best_validation_score_
    return {
        "best": best == max(of_dask.validation_scores_) > 0.5,
        "score": abs(of_dask.score(x, labels) - best) < 0.2,
        "loss": np.allclose(by_loss.validation_scores_, -np.array(by_loss.validation_loss_curve_)),
        "r2": number.best_validation_score_ > 0.5,
        "arrays": difference(here, there),
        "given": difference(*pair),
        "scores": pair[0].validation_scores_ == pair[1].validation_scores_,
    }


def messages(client):
    """The errors of arguments that do not fit."""
    x, labels, _ = data()
    with_nan = x.copy()
    with_nan[300, 2] = np.nan
    named = pd.DataFrame({"a": x[:, 0], "b": ["t"] * len(x)})
    calls = {
        "text": lambda: fitted(
            MLPClassifier, dd.from_pandas(named, npartitions=2), lazy(x, labels)[1], client=client
        ),
        "client": lambda: fitted(MLPClassifier, x, labels, client=5),
        "scoring": lambda: fitted(
            MLPClassifier, *lazy(x, labels), client=client, early_stopping=True, scoring="f1_macro"
        ),
        "nan": lambda: fitted(MLPClassifier, *lazy(with_nan, labels), client=client),
        "axes": lambda: fitted(MLPClassifier, *lazy(x[:, 0], labels), client=client),
        "multilabel": lambda: fitted(
            MLPClassifier, *lazy(x, (x[:, :2] > 0) * 1), client=client
        ),
        "rows": lambda: fitted(MLPClassifier, *lazy(x, labels[:900]), client=client),
        "continuous": lambda: fitted(MLPClassifier, *lazy(x, x[:, 0]), client=client),
        "poisson": lambda: fitted(MLPRegressor, *lazy(x, x[:, 0]), loss="poisson", client=client),
        "class_weight": lambda: fitted(
            MLPClassifier, *lazy(x, labels), class_weight={"none": 1.0}, client=client
        ),
        "negative": lambda: fitted(
            MLPRegressor, *lazy(x, x[:, 0], x[:, 1]), solver="lbfgs", client=client
        ),
    }  # fmt: skip
    found = {}
    for name, call in calls.items():
        try:
            call()
        except (TypeError, ValueError) as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


def copies(client):
    """Clones use the same client, pickles have none."""
    x, labels, _ = data()
    estimator = fitted(MLPClassifier, *lazy(x, labels), client=client)
    loaded = pickle.loads(pickle.dumps(estimator))
    again = clone(estimator)
    return [
        again.client is client, not hasattr(again, "coefs_"), loaded.client is None,
        bool((loaded.predict(x) == estimator.predict(x)).all()),
        estimator.get_params()["client"] is client,
    ]  # fmt: skip


def resumed(client, folder):
    """A training that is continued from a file has the same bits."""
    given, path = lazy(*data()), f"{folder}/checkpoint"
    whole = fitted(MLPClassifier, *given, client=client)
    fitted(MLPClassifier, *given, client=client, max_iter=2, checkpoint=path)
    return difference(whole, fitted(MLPClassifier, *given, client=client, resume=path))


@dask.delayed
def one_block(model, x, y, classes):
    """What dask-ml's Incremental does with a block."""
    model.partial_fit(x, y, classes=classes)
    return model


def incremental():
    """`partial_fit` block by block, on workers, as dask-ml's Incremental calls it; and here."""
    x, labels, _ = data()
    classes, blocks = np.unique(labels), lazy(x, labels)
    model = MLPClassifier((16,), random_state=0)
    here = clone(model)
    for x_block, y_block in zip(*(array.to_delayed().ravel() for array in blocks), strict=True):
        model = one_block(model, x_block, y_block, classes)
    for start in range(0, len(x), 170):
        rows = slice(start, start + 170)
        here.partial_fit(x[rows], labels[rows], classes=classes)
    found = [difference(here, model.compute())]
    try:
        from dask_ml.wrappers import Incremental
    except ImportError:
        return found
    wrapped = Incremental(MLPClassifier((16,), random_state=0), shuffle_blocks=False)
    wrapped.fit(*blocks, classes=classes)
    assert (wrapped.predict(blocks[0]).compute() == here.predict(x)).all()
    return [*found, difference(here, wrapped.estimator_)]


def main(where, folder):
    in_threads = where == "threads"
    with cluster(3 if in_threads else 2, processes=not in_threads) as client:
        found = {"classifiers": classifiers(client, CLASSIFIERS if in_threads else ["dropout"])}
        found["incremental"] = incremental()
        found["copies"] = copies(client)
        if in_threads:
            found["regressors"] = regressors(client)
            found["frames"] = frames(client)
            found["validation"] = validation(client)
            found["messages"] = messages(client)
            found["resumed"] = resumed(client, folder)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
