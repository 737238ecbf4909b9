"""`Network.evaluate` gives what `fit` writes into the validation columns."""

from functools import partial

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4))
LABELS = RNG.integers(0, 3, N)
ROWS = np.eye(3)[LABELS]
SEVERAL = (RNG.random((N, 3)) < 0.5).astype(float)
WEIGHTS = RNG.random(N)


def net_of(cost="cross_entropy", output="softmax", **kwargs):
    return bpfast.Network([4, 6, 3], cost=cost, output=output, seed=1, **kwargs)


def fitted(net, x, y, *weights, metrics):
    """The validation columns after an epoch that changes nothing."""
    history = net.fit(
        X, y, epochs=1, optimizer=bpfast.SGD(1e-300), validation=(x, y, *weights), metrics=metrics
    )
    return {name: history[f"validation_{name}"][-1] for name in ("cost", *metrics)}


CASES = {
    "labels": (net_of, LABELS, ["accuracy", "mean_squared_error"]),
    "rows": (net_of, ROWS, [*bpfast.METRICS]),
    "several": (lambda: net_of(output="sigmoid"), SEVERAL, [*bpfast.METRICS]),
    "signs": (lambda: net_of("quadratic", "tanh"), 2 * SEVERAL - 1, [*bpfast.METRICS]),
    "regression": (lambda: net_of("huber", "identity"), 3 * X[:, :3], ["r2"]),
    "float32": (lambda: net_of(dtype="float32"), ROWS, [*bpfast.METRICS]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_what_fit_measures(case, weighted):
    make, y, metrics = CASES[case]
    net, weights = make(), (WEIGHTS,) if weighted else ()
    before = net.params.copy()
    found = net.evaluate(X, y, metrics=metrics, sample_weight=WEIGHTS if weighted else None)
    assert [*found] == ["cost", *metrics]
    assert all(type(value) is float for value in found.values())
    assert found["cost"] == net.cost(X, y, sample_weight=WEIGHTS if weighted else None)
    np.testing.assert_array_equal(net.params, before)
    assert net.history is None
    assert fitted(net, X, y, *weights, metrics=metrics) == found


@pytest.mark.parametrize("case", CASES)
def test_the_public_functions_are_the_named_metrics(case):
    make, y, metrics = CASES[case]
    net = make()
    a = net(X)
    by_name = net.evaluate(X, y, metrics=metrics)
    functions = [getattr(bpfast.metrics, name) for name in metrics]
    assert net.evaluate(X, y, metrics=functions) == by_name
    for function in functions:
        assert function(a, y) == function(a.tolist(), y.tolist()) == by_name[function.__name__]


def test_accuracy_by_function_knows_the_output_too():
    net, y = net_of(), ROWS.copy()
    y[0] = (0.5, 0.5, 0)
    by_name = net.evaluate(X, y, metrics={"a": "accuracy"})
    assert net.evaluate(X, y, metrics={"a": bpfast.metrics.accuracy}) == by_name
    with pytest.raises(ValueError, match="one class in each row"):
        bpfast.metrics.accuracy(net(X), y)


def test_files_sparse_and_batches(tmp_path):
    sparse = pytest.importorskip("scipy.sparse")
    net = net_of()
    expected = net.evaluate(X, LABELS, metrics="accuracy", sample_weight=WEIGHTS)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    cases = [(mapped, {}), (mapped, {"batch_size": 7}), (sparse.csr_array(X), {"batch_size": 7})]
    for x, how in [*cases, (sparse.coo_matrix(X), {}), (X, {"batch_size": 7}), (X.tolist(), {})]:
        found = net.evaluate(x, LABELS, metrics="accuracy", sample_weight=WEIGHTS, **how)
        assert found == pytest.approx(expected, rel=1e-13)


def test_a_batch_whose_weights_are_all_zero():
    net, weights = net_of(), WEIGHTS.copy()
    weights[:7] = 0
    found = net.evaluate(X, LABELS, sample_weight=weights, batch_size=7)
    assert found["cost"] == pytest.approx(net.cost(X, LABELS, sample_weight=weights), rel=1e-13)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_count_with_a_weight_of_0(number):
    """In a batch of its own as well: a batch size changes results by rounding alone."""
    x, weights = X.copy(), WEIGHTS.copy()
    x[0, 0], weights[0] = number, 0
    net = bpfast.Network([X.shape[1], 3], output="identity", seed=0)
    with np.errstate(invalid="ignore"):
        for size in (None, 1, 7):
            y = np.zeros((len(x), 3))
            found = net.evaluate(x, y, sample_weight=weights, batch_size=size)
            assert np.isnan(found["cost"])


def test_a_cost_that_writes_to_y_changes_no_validation():
    def cost(a, y):
        difference = a - y
        y[:] = 0
        return 0.5 * np.square(difference).sum(axis=1), difference

    nets = [bpfast.Network([2, 1], output="identity", cost=c, seed=0) for c in (cost, "quadratic")]
    y = X[:, :1] + 1
    found = [
        net.fit(X[:, :2], y.copy(), epochs=3, validation=(X[:, :2], y.copy()), seed=0)
        for net in nets
    ]
    np.testing.assert_allclose(found[0].validation_cost, found[1].validation_cost, rtol=1e-12)


def test_a_callable_cost_gets_blocks_of_examples():
    sizes = []

    def quartic(a, y):
        sizes.append(len(y))
        return ((a - y) ** 4).sum(axis=1), 4 * (a - y) ** 3

    net = net_of(cost=quartic, output="tanh")
    expected = net.evaluate(X, ROWS)
    assert net.evaluate(X, ROWS, batch_size=25) == pytest.approx(expected, rel=1e-13)
    assert sizes == [N, 25, 25, 10]


def test_functions_of_scikit_learn_get_y_first():
    functions = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 2)), rng.random((50, 1))
    net = bpfast.Network([2, 4, 1], seed=0)
    names = ["r2_score", "explained_variance_score", "mean_absolute_percentage_error"]
    for name in names:
        function = getattr(functions, name)
        expected = function(y, net(x))
        assert expected != function(net(x), y)  # else this would show nothing
        for given in (function, {name: function}, partial(function)):
            found = net.evaluate(x, y, metrics=given)
            assert found[name] == expected
            history = net.fit(x, y, epochs=1, metrics=given, learning_rate=lambda step: 0.0)
            assert history[name][0] == expected
    labels = (y > 0.5).astype(int)
    found = net.evaluate(x, labels, metrics=functions.roc_auc_score)
    assert found["roc_auc_score"] == functions.roc_auc_score(labels, net(x))
    scorer = functions.get_scorer("r2")
    with refuses(TypeError, r"^metrics\[0\]: expected a function metric\(a, y\), .* got a scorer$"):
        net.evaluate(x, y, metrics=scorer)


def test_in_a_callback():
    net, seen = net_of(), []
    net.fit(X, LABELS, epochs=2, callbacks=lambda n, h: seen.append(n.evaluate(X, LABELS)))
    assert len(seen) == 2
    assert seen[1] == net.evaluate(X, LABELS)


def test_a_custom_metric_gets_outputs_and_y():
    net = net_of()
    a = net(X)

    def same(outputs, y):
        return float(np.array_equal(outputs, a) and np.array_equal(y, LABELS))

    assert net.evaluate(X, LABELS, metrics={"same": same})["same"] == 1


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ({"metrics": "acc"}, ValueError, r"^metrics\[0\]: unknown name 'acc'; did you mean 'acc"),
        ({"metrics": 3}, TypeError, "^metrics: expected names or callables, got int$"),
        ({"metrics": {"cost": "r2"}}, ValueError, "^metrics.*: expected a name that no column has"),
        ({"batch_size": 0}, ValueError, "^batch_size: expected a positive integer, got 0$"),
        ({"batch_size": 2.5}, TypeError, "^batch_size: expected an integer, got float$"),
        ({"sample_weight": [0] * N}, ValueError, "^sample_weight: "),
        ({"sample_weight": [1]}, ValueError, r"^sample_weight: expected shape \(60,\)"),
        ({"y": LABELS + 1}, ValueError, r"^y\[\d+\]: expected a label from 0 to 2, got 3"),
        ({"y": LABELS[1:]}, ValueError, r"^y: expected shape \(60,\), got \(59,\)$"),
        ({"x": X[:, 1:]}, ValueError, r"^x: expected shape \(60, 4\), got \(60, 3\)$"),
        ({"x": iter([(X, LABELS)])}, TypeError, "^y: expected none with x of type"),
        ({"weights": WEIGHTS}, TypeError, "unknown argument 'weights'; did you mean 'sample_we"),
    ],
)
def test_refused_arguments(how, kind, message):
    net = net_of()
    with refuses(kind, message, net):
        net.evaluate(**({"x": X, "y": LABELS} | how))


def test_weights_whose_products_with_costs_are_out_of_range():
    net = bpfast.Network([1, 1], output="identity", init="zeros")
    x, y = np.arange(4.0)[:, np.newaxis], np.full((4, 1), 100.0)
    for size in (None, 1, 3):
        found = net.evaluate(x, y, sample_weight=np.full(4, 1e307), batch_size=size)
        assert found["cost"] == pytest.approx(5000.0, rel=1e-15)
        with refuses(ValueError, "^sample_weight: expected a finite sum, got inf$", net):
            net.evaluate(x, y, sample_weight=np.full(4, 1e308), batch_size=size)


def test_a_metric_that_writes_to_what_it_gets():
    """The metrics after it, and y itself, stay as they were."""

    def centred(a, y):
        a -= a.mean(axis=0)
        y -= y.mean(axis=0)
        return float((a * y).mean())

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    net, before = bpfast.Network([3, 2], output="identity", seed=0), y.copy()
    expected = net.evaluate(x, y, metrics="mean_squared_error")["mean_squared_error"]
    found = net.evaluate(x, y, metrics=[centred, "mean_squared_error"])
    assert found["mean_squared_error"] == expected
    history = net.fit(x, y, epochs=1, metrics=[centred, "mean_squared_error"], seed=0)
    assert (
        history["mean_squared_error"][0]
        == net.evaluate(x, y, metrics="mean_squared_error")["mean_squared_error"]
    )
    assert y.tobytes() == before.tobytes()
