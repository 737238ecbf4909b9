"""Tables of pandas: as arrays where they are of numbers, else an error that leads to an array."""

import re

import numpy as np
import pytest

import bpfast
from bpfast import reference
from tests.helpers.refuses import refuses

pandas = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((8, 2)), RNG.standard_normal((8, 1))
MIXED = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1].astype(object)})
WORDS = pandas.DataFrame({"a": X[:, 0], "b": list("abcdefgh")})


def net_of(**options):
    return bpfast.Network([2, 1], output="identity", seed=0, **options)


def test_tables_of_numbers():
    net, twin = net_of(), net_of()
    net.fit(pandas.DataFrame(X), pandas.DataFrame(Y), seed=0)
    twin.fit(X, Y, seed=0)
    assert (net.params == twin.params).all()
    assert (net(pandas.DataFrame(X)) == twin(X)).all()


CONVERT = "dtype object; x.to_numpy(dtype=float) converts it if all are numbers"
DAYS = pandas.to_datetime(["2026-01-01"] * 8)
NO_NUMBERS = [
    (MIXED, CONVERT),
    (WORDS, f"column 'b' of dtype {WORDS['b'].dtype}"),
    (MIXED.assign(b=pandas.Categorical(list("abcdefgh"))), "column 'b' of dtype category"),
    (WORDS.assign(a=DAYS), f"columns 'a' of dtype {DAYS.dtype}, 'b' of dtype {WORDS['b'].dtype}"),
    (pandas.DataFrame({3: DAYS, ("b", 1): DAYS}),
     f"columns 3 of dtype {DAYS.dtype}, ('b', 1) of dtype {DAYS.dtype}"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "got"), NO_NUMBERS)
def test_columns_that_are_no_numbers(x, got):
    net = net_of()
    message = f"^{re.escape(f'x: expected real numbers, got {got}')}$"
    entry_points = [net, net.trace, lambda x: net.backprop(x, Y), lambda x: net.cost(x, Y)]
    entry_points += [lambda x: net.fit(x, Y), lambda x: net.partial_fit(x, Y)]
    entry_points += [
        lambda x: net.fit([(x, Y)]),
        lambda x: bpfast.forward(net.weights, net.biases, x),
    ]
    for entry_point in entry_points:
        with refuses(TypeError, message.replace("^", "^(batch 0 of epoch 1: )?"), net):
            entry_point(x)
    assert (net(MIXED.to_numpy(dtype=float)) == net(X)).all()


NULLABLE = {
    "Float64": pandas.DataFrame(X).astype("Float64"),
    "Float32": pandas.DataFrame(X.round(1)).astype("Float32"),
    "Int64 beside float": pandas.DataFrame({"a": pandas.array(range(8), "Int64"), "b": X[:, 1]}),
    "boolean": pandas.DataFrame(X > 0).astype("boolean"),
    "bool beside float": pandas.DataFrame({"a": X[:, 0], "b": X[:, 1] > 0}),
}


@pytest.mark.parametrize("name", NULLABLE)
def test_nullable_columns(name):
    table = NULLABLE[name]
    net, twin, x = net_of(), net_of(), table.to_numpy(dtype=float)
    assert (net(table) == net(x)).all()
    net.fit(table, Y, seed=0)
    twin.fit(x, Y, seed=0)
    assert (net.params == twin.params).all()
    column = table.iloc[:, 1]
    assert net.cost(X, column) == net.cost(X, x[:, 1:])
    weight = column.abs() if column.dtype.kind == "f" else column
    assert net.cost(X, Y, sample_weight=weight) == net.cost(X, Y, sample_weight=np.abs(x[:, 1]))


def test_missing_values_of_nullable_columns():
    table = NULLABLE["Int64 beside float"].copy()
    table.loc[[2, 3], "a"] = pandas.NA
    net = net_of()
    message = r"x: expected no missing values, got 2 missing; fill them in with .fillna\(value\)$"
    for call in (net, lambda x: net.fit(x, Y), lambda x: net.backprop(x, Y)):
        with refuses(ValueError, message, net):
            call(table)


@pytest.mark.parametrize("kind", ["Float64", "Int64"])
def test_missing_values_of_one_nullable_column(kind):
    """From pandas 3 on NumPy makes NaN of them."""
    array = pandas.array([1, None, *range(6)], dtype=kind)
    net = net_of()
    message = r"expected no missing values, got 1 missing; fill them in with .fillna\(value\)$"
    for y in (array, pandas.Series(array), pandas.DataFrame({"a": array})):
        for call in (net.cost, net.backprop, net.fit, net.evaluate):
            with refuses(ValueError, f"^y: {message}", net):
                call(X, y)
    with refuses(ValueError, f"^sample_weight: {message}", net):
        net.cost(X, Y, sample_weight=pandas.Series(array))


def test_nan_beside_a_nullable_column_is_no_missing_value():
    table = pandas.DataFrame({"a": pandas.array(range(8), "Int64"), "b": X[:, 1]})
    table.loc[3, "b"] = np.nan
    found = net_of()(table)
    assert np.isnan(found[3]).all()
    assert np.isfinite(np.delete(found, 3, axis=0)).all()


def test_errors_name_some_of_many_columns():
    table = pandas.DataFrame({f"c{k}": list("abcdefgh") for k in range(7)})
    table.insert(0, "n", 1.0)
    net = bpfast.Network([8, 1], seed=0)
    of = f" of dtype {table['c0'].dtype}"
    named = ", ".join(f"'c{k}'{of}" for k in range(5))
    for entry_point in (net, lambda x: net.fit(x, Y)):
        with refuses(TypeError, f"^x: expected real numbers, got columns {named} and 2 more$", net):
            entry_point(table)


def test_a_column_of_words_becomes_labels():
    words = ["cat", "dog", "cow", "cat", "dog", "cow", "cat", "cat"]
    net = bpfast.Network([2, 3], output="softmax", cost="log_likelihood", seed=0)
    call = "names, y = np.unique(y, return_inverse=True)"
    hint = (
        re.escape(f"; for cross_entropy and log_likelihood convert names to labels: {call}") + "$"
    )
    columns = [pandas.Series(words), pandas.Series(words, dtype="category")]
    for y in (words, np.array(words), np.array(words, object), np.array(words, "S3"), *columns):
        for entry_point in (net.cost, net.backprop, net.fit, net.partial_fit):
            with refuses(TypeError, f"^y: expected real numbers, got dtype .*{hint}", net):
                entry_point(X, y)
        for entry_point in (
            lambda y: net.fit([(X, y)]),
            lambda y: net.fit(X, [0] * 8, validation=(X, y)),
        ):
            with refuses(TypeError, f"(batch|validation).* y: expected real numbers.*{hint}", net):
                entry_point(y)
        scope = {"np": np, "y": y}
        exec(call, scope)
        assert np.isfinite(net.cost(X, scope["y"]))


def test_numbers_as_text_are_no_names():
    texts = ["0.5", "2.5", "1", "2", "3", "4", "5", "6"]
    net = bpfast.Network([2, 1], output="identity", seed=0)
    columns = (pandas.Series(texts, dtype=object), "to_numpy"), (np.array(texts, object), "astype")
    for y, call in columns:
        message = rf"; y.{call}\(.*float\) converts it if all are numbers$"
        with refuses(TypeError, message, net):
            net.fit(X, y)
    table = pandas.DataFrame({"a": texts, "b": range(8)})
    message = r"got column 'a' of dtype .*; x.to_numpy\(dtype=float\) converts it"
    with refuses(TypeError, message, net):
        net(table)
    assert np.isfinite(net(table.to_numpy(dtype=float))).all()


def test_numbers_as_text_can_be_converted():
    net = net_of()
    message = r"^x: .*, got dtype <U.*; x.astype\(float\) converts it if all are numbers$"
    for entry_point in (net, lambda x: net.fit(x, Y)):
        with refuses(TypeError, message, net):
            entry_point(X.astype(str))
    assert (net(X.astype(str).astype(float)) == net(X)).all()


def test_columns_and_arrays_of_objects():
    """Everywhere, and in the words of the reference."""
    net = net_of()
    said = "y: expected real numbers, got dtype object; y.{} converts it if all are numbers"
    column = pandas.Series(Y[:, 0], dtype=object)
    for y, call in ((column, "to_numpy(dtype=float)"), (Y.astype(object), "astype(float)")):
        message = f"^{re.escape(said.format(call))}$"
        for entry_point in (net.backprop, net.cost, net.fit, net.partial_fit):
            with refuses(TypeError, message, net):
                entry_point(X, y)
        for module in (bpfast, reference):
            with refuses(TypeError, message):
                module.backprop(net.weights, net.biases, X, y)
    with refuses(TypeError, "^y: expected real numbers, got dtype object$", net):
        net.fit(X, [[None, 1]] * 8)


def test_a_table_without_y_is_no_iterable_of_batches():
    net = net_of()
    for x in (pandas.DataFrame(X), pandas.Series(X[:, 0])):
        message = f"^y: expected with x of type {type(x).__name__}; without y, x is an iterable of"
        with refuses(TypeError, message, net):
            net.fit(x)
