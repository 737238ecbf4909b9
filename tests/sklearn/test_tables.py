"""Tables of pandas, polars and Arrow, nullable columns, and what scikit-learn does with names."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

import bpfast
from bpfast.sklearn import MLPClassifier, MLPRegressor
from tests.helpers.refuses import refuses

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
COLUMNS = ["sepal length", "sepal width", "petal length", "petal width"]
TABLE = pd.DataFrame(X, columns=COLUMNS)
SPECIES = pd.Series(NAMES)

TABLES = {
    "pandas": (TABLE, SPECIES),
    "pandas, categories": (TABLE, SPECIES.astype("category")),
    "pandas, nullable": (TABLE.astype("Float64"), SPECIES.astype("string")),
    "pandas, of Arrow": tuple(t.convert_dtypes(dtype_backend="pyarrow") for t in (TABLE, SPECIES)),
    "polars": (pl.DataFrame(X, schema=COLUMNS), pl.Series(NAMES.tolist())),
    "Arrow": (pa.table({n: X[:, k] for k, n in enumerate(COLUMNS)}), pa.array(NAMES.tolist())),
}


def classifier(**parameters):
    return MLPClassifier((5,), max_iter=3, random_state=0, **parameters)


@pytest.mark.parametrize("kind", TABLES)
def test_tables(kind):
    table, species = TABLES[kind]
    expected = classifier().fit(X, NAMES)
    model = classifier().fit(table, species)
    assert model.feature_names_in_.tolist() == COLUMNS
    assert model.classes_.tolist() == expected.classes_.tolist()
    assert np.array_equal(model.predict_proba(table), expected.predict_proba(X))
    # Early stopping scores rows without names, and says nothing of it.
    classifier(early_stopping=True, scoring="accuracy").fit(table, species)


def test_nullable_targets():
    for dtype in ("Int64", "Float64"):
        y = pd.Series(Y).astype(dtype)
        assert (
            classifier().fit(TABLE, y).predict(TABLE) == classifier().fit(X, Y).predict(X)
        ).all()
        model, same = (MLPRegressor(max_iter=3, random_state=0) for _ in "12")
        assert np.array_equal(model.fit(TABLE, y).predict(TABLE), same.fit(X, Y).predict(X))
    with pytest.raises(ValueError, match="NaN"):
        MLPRegressor().fit(TABLE, pd.Series([None, *Y[1:]]).astype("Int64"))


def test_names_are_compared():
    model = classifier().fit(TABLE, SPECIES)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X[:1])
    with pytest.raises(ValueError, match="feature names should match those"):
        model.predict(TABLE[COLUMNS[::-1]])
    with pytest.raises(ValueError, match="feature names should match those"):
        model.fit(TABLE, SPECIES, validation_data=(TABLE[COLUMNS[::-1]], SPECIES))


def test_labels_keep_their_type():
    for labels in ([-1, 1, 5], [0.0, 1.0, 2.0], [False, True], ["a", "b", "c"]):
        y = np.array(labels)[Y % len(labels)]
        predicted = classifier().fit(X, y).predict(X)
        assert predicted.dtype == y.dtype
        assert set(predicted) <= set(y)


def test_metadata_is_routed():
    """`cross_validate` passes the weights on to `fit` and `score`."""
    weight = np.where(Y == 0, 1e-9, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        model = classifier().set_fit_request(sample_weight=True, validation_data=True)
        model.set_score_request(sample_weight=True)
        requests = get_routing_for_object(model)
        assert requests.consumes("fit", ["sample_weight", "validation_data"])
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        found = cross_validate(
            pipeline, X, NAMES, params={"sample_weight": weight}, return_estimator=True, cv=2
        )
    for fold in found["estimator"]:
        assert "setosa" not in fold.predict(X[Y > 0])
    pipeline.fit(X, NAMES, mlpclassifier__validation_data=(X[:5], NAMES[:5]))
    assert len(pipeline[-1].validation_loss_curve_) == 3


def test_output_of_pipelines_and_html():
    pipeline = make_pipeline(StandardScaler(), classifier()).set_output(transform="pandas")
    pipeline.fit(TABLE, SPECIES)
    assert list(pipeline[-1].feature_names_in_) == COLUMNS
    assert "MLPClassifier" in pipeline._repr_html_()
    assert "max_iter=3" in repr(pipeline[-1])


DAYS = np.array(["2024-01-02", "2024-01-03", "2024-01-04"], "M8[us]")
ONES = np.ones(3)
DATES = {
    "NumPy": np.column_stack([DAYS, DAYS]),
    "NumPy, durations": np.column_stack([DAYS, DAYS]) - DAYS[0],
    "pandas": pd.DataFrame({"a": ONES, "day": DAYS}),
    "pandas, dates alone": pd.DataFrame({"day": DAYS, "next": DAYS}),
    "polars": pl.DataFrame({"a": ONES, "day": DAYS}),
    "polars, durations": pl.DataFrame({"a": ONES, "day": DAYS - DAYS[0]}),
    "Arrow": pa.table({"a": ONES, "day": DAYS}),
    "Arrow, dates alone": pa.table({"day": DAYS, "next": DAYS}),
}


@pytest.mark.parametrize("kind", DATES)
def test_dates_are_no_numbers(kind):
    """scikit-learn and polars convert them to numbers of days or microseconds."""
    net = bpfast.Network([2, 1], seed=0)
    with refuses(TypeError, "^x: expected real numbers, got (columns? 'day' of|dtype)", net):
        net.forward(DATES[kind])
    with refuses(TypeError, "^X: expected real numbers, got (columns? 'day' of|dtype)"):
        MLPRegressor().fit(DATES[kind], ONES)


def test_dates_are_no_targets():
    for y in (DAYS, DAYS - DAYS[0], pd.Series(DAYS), pl.Series(DAYS)):
        with refuses(TypeError, "^y: expected real numbers, got dtype"):
            MLPRegressor().fit(ONES[:, np.newaxis], y)


@pytest.mark.parametrize("numbers", [[None, 1.0, 2.0], [None, 1, 2]])
@pytest.mark.parametrize("table", [pl.DataFrame, pa.table])
def test_missing_values_are_refused(table, numbers):
    """As those of pandas; polars and Arrow make NaN of them."""
    net = bpfast.Network([2, 1], seed=0)
    given, got = table({"a": numbers, "b": [1, 2, 3]}), "expected no missing values, got 1 missing"
    with refuses(ValueError, f"^x: {got}", net):
        net.forward(given)
    with refuses(ValueError, f"^y: {got}", net):
        net.cost(np.ones((3, 2)), table({"y": numbers}))
    with refuses(ValueError, f"^sample_weight: {got}", net):
        net.cost(np.ones((3, 2)), np.ones((3, 1)), sample_weight=pl.Series(numbers))
