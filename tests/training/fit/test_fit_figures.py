"""What is measured after each epoch: validation, metrics, early stopping, learning rates."""

import re

import numpy as np
import pytest

import bpfast
from bpfast._training.metrics import named as _metrics
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import rounded

RNG = np.random.default_rng(0)
N = 60
X, OUTPUTS, LABELS = RNG.standard_normal((N, 4)), RNG.random((N, 3)), RNG.integers(0, 3, N)
S = RNG.random(N)
SOFTMAX = {"output": "softmax", "cost": "log_likelihood"}
ONE_HOT = np.eye(3)[LABELS]


def net_of(sizes=(4, 5, 3), **options):
    return bpfast.Network(sizes, **{"hidden": "tanh", "seed": 0} | options)


def fit(net, x, y, **options):
    return net.fit(x, y, **{"epochs": 3, "batch_size": 16, "seed": 2} | options)


def test_cost_is_that_of_the_steps():
    net, twin = net_of(), net_of()
    history = fit(net, X, OUTPUTS, epochs=1, batch_size=N, optimizer=bpfast.SGD(0.1))
    assert history.cost[0] == pytest.approx(twin.cost(X, OUTPUTS), rel=1e-14)
    assert history.learning_rate.tolist() == [0.1]
    assert history.seed == 2
    assert history.stopped is None
    assert (history.seconds > 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_validation_examples(dtype):
    for given in ((X, LABELS), [X.tolist(), LABELS.tolist()], (X, ONE_HOT), (X, LABELS, S)):
        net = net_of(dtype=dtype, **SOFTMAX)
        x, y, *weights = given
        history = fit(net, X[:30], LABELS[:30], validation=given)
        cost = net.cost(x, y, sample_weight=weights[0] if weights else None)
        assert history.validation_cost[-1] == cost
        assert history.names[4:] == ("validation_cost",)


def held_out(seed, share):
    order = bpfast._core.permutation(seed, 0, N)
    count = round(share * N)
    return np.sort(order[:count]), np.sort(order[count:])


@pytest.mark.parametrize("share", [0.1, 1 / 3, np.float32(0.75), 0.99])
@pytest.mark.parametrize("as_given", [np.asarray, np.ndarray.tolist, "csr_array", "coo_matrix"])
def test_a_fraction_is_held_out(as_given, share):
    x = X
    if isinstance(as_given, str):
        sparse = pytest.importorskip("scipy.sparse")
        x, as_given = X * (RNG.random(X.shape) < 0.5), getattr(sparse, as_given)
    net, twin = net_of(**SOFTMAX), net_of(**SOFTMAX)
    history = fit(net, as_given(x), LABELS, validation=share, sample_weight=S, metrics="accuracy")
    held, rest = held_out(2, float(share))
    assert 0 < len(held) < N
    given = [as_given(x[rows]) for rows in (rest, held)]
    other = fit(
        twin, given[0], LABELS[rest], sample_weight=S[rest],
        validation=(given[1], LABELS[held], S[held]), metrics="accuracy",
    )  # fmt: skip
    assert net.params.tobytes() == twin.params.tobytes()
    assert history.to_dict() | {"seconds": 0} == other.to_dict() | {"seconds": 0}


def test_class_weights_affect_only_the_steps():
    """What is held out counts as it does when it is given."""
    net = net_of(**SOFTMAX)
    history = fit(net, X, LABELS, validation=0.5, class_weight={0: 9.0})
    held, _ = held_out(2, 0.5)
    assert history.validation_cost[-1] == net.cost(X[held], LABELS[held])


def test_metrics():
    net = net_of(**SOFTMAX)
    names = ["accuracy", "mean_squared_error", "mean_absolute_error", "r2"]
    rows = []
    for y in (LABELS, ONE_HOT, LABELS.tolist(), np.uint8(LABELS)):
        net = net_of(**SOFTMAX)
        rows.append(fit(net, X, y, metrics=names, validation=(X[:9], y[:9])).to_dict())
        a, short = net(X), net(X)[:9]
        last = {name: values[-1] for name, values in rows[-1].items()}
        assert last["accuracy"] == (a.argmax(axis=1) == LABELS).mean()
        assert last["validation_accuracy"] == (short.argmax(axis=1) == LABELS[:9]).mean()
        assert last["mean_squared_error"] == rounded(((a - ONE_HOT) ** 2).mean())
        assert last["mean_absolute_error"] == rounded(np.abs(a - ONE_HOT).mean())
        total = ((ONE_HOT - ONE_HOT.mean(axis=0)) ** 2).sum(axis=0)
        assert last["r2"] == rounded((1 - ((a - ONE_HOT) ** 2).sum(axis=0) / total).mean())
    assert [*rows[0]][4:] == [*names, "validation_cost", *(f"validation_{name}" for name in names)]


def test_metrics_of_a_single_output():
    y = RNG.integers(0, 2, N)
    for given in (y, y[:, None], y.astype(bool), y[:, None].astype(float)):
        net = net_of((4, 1), output="sigmoid", cost="cross_entropy")
        history = fit(net, X, given, metrics=["accuracy", "mean_squared_error", "r2"])
        a = net(X)
        assert history.accuracy[-1] == ((a[:, 0] > 0.5) == y).mean()
        assert history.mean_squared_error[-1] == rounded(((a[:, 0] - y) ** 2).mean())
        residual = ((a[:, 0] - y) ** 2).sum()
        assert history.r2[-1] == rounded(1 - residual / ((y - y.mean()) ** 2).sum())


def test_a_custom_metric():
    def largest(a, y):
        seen.append((a.shape, a.dtype, y))
        return np.float32(a.max())

    class Smallest:
        def __call__(self, a, y):
            return a.min()

    seen = []
    net = net_of(dtype="float32")
    history = fit(net, X, OUTPUTS.tolist(), metrics=[largest, Smallest()], epochs=2)
    assert history.largest[-1] == net(X).max()
    assert history["Smallest"][-1] == net(X).min()
    assert len(seen) == 2
    for shape, dtype, y in seen:
        assert (shape, dtype) == ((N, 3), np.float32)
        np.testing.assert_array_equal(y, OUTPUTS)


def test_metrics_with_custom_names():
    net = net_of(**SOFTMAX)
    metrics = {"mine": lambda a, y: a.max(), "right": "accuracy"}
    history = fit(net, X, LABELS, metrics=metrics, validation=(X, LABELS))
    named = fit(net_of(**SOFTMAX), X, LABELS, metrics="accuracy")
    assert history.names[4:] == ("mine", "right", *history.names[6:])
    assert history.names[6:] == ("validation_cost", "validation_mine", "validation_right")
    assert history.right.tolist() == named.accuracy.tolist()
    assert history["validation_mine"][-1] == net.forward(X).max()
    with refuses(ValueError, r"^metrics: r: y: expected shape \(60, 3\), or labels, got"):
        one = net_of(cost=lambda a, y: (a.sum(axis=1), np.ones_like(a)))
        fit(one, X, OUTPUTS[:, :2], metrics={"r": "r2"})


def test_invalid_results_of_a_metric():
    def text(a, y):
        return "good"

    net = net_of()
    with refuses(TypeError, "^metrics: text: expected a number, got str$"):
        fit(net, X, OUTPUTS, metrics=text)
    assert net.optimizer.steps == 4
    assert net.history.stopped == "TypeError"

    def own(a, y):
        raise KeyError(3)

    with pytest.raises(KeyError, match="3"):
        fit(net, X, OUTPUTS, metrics=own)

    def cost(a, y):
        return a[:, 0], a

    odd = net_of(cost=cost)
    with refuses(
        ValueError, r"^metrics: r2: y: expected shape \(60, 3\), or labels, got \(60, 2\)"
    ):
        fit(odd, X, OUTPUTS[:, :2], metrics="r2")


class Costs:
    """Sets the validation cost of each epoch, through the only weight, which is a at x = 1."""

    def __init__(self, *costs):
        self.costs = costs

    def __call__(self, net, history):
        net.params[0] = self.costs[min(len(history), len(self.costs) - 1)]


def told(costs, **options):
    """Train a network whose validation cost is one of `costs` after the other."""

    def cost(a, y):
        return a[:, 0], np.zeros_like(a)

    net = bpfast.Network([1, 1], output="identity", cost=cost, init="zeros")
    net.params[0] = costs[0]
    zero, one = np.zeros((1, 1)), np.ones((1, 1))
    net.fit(zero, one, validation=(one, one), epochs=20, callbacks=Costs(*costs), **options)
    return net


def test_early_stopping():
    net = told([5, 3, 4, 3, 3, 6, 7], early_stopping=3)
    history = net.history
    assert history.validation_cost.tolist() == [5, 3, 4, 3, 3]
    assert history.stopped == "early stopping"
    assert net.params.tolist() == [3, 0]  # those of the second epoch
    assert history.best() == 2


def test_arguments_of_early_stopping():
    given = bpfast.EarlyStopping(2, "validation_cost", "max", restore_best=False)
    net = told([5, 6, 4, 3, 2], early_stopping=given)
    assert net.history.validation_cost.tolist() == [5, 6, 4, 3]
    assert net.params.tolist() == [2, 0]
    assert (given.best, given.best_epoch) == (6, 2)
    told([5, 6, 4, 3, 2], early_stopping=given)  # a new training resets it
    assert (given.best, given.best_epoch) == (6, 2)
    stop = bpfast.EarlyStopping(2, min_delta=1)
    assert len(told([5, 4.5, 3.9, 3.5, 3.0], early_stopping=stop).history) == 5
    assert stop.best_epoch == 3
    never = told([5, 4, 3, 2, 1], early_stopping=3)
    assert never.history.stopped == "early stopping"
    assert len(never.history) == 8
    training = bpfast.EarlyStopping(1, "cost")
    assert len(told([5, 6, 7], early_stopping=training).history) == 2


def test_nan_costs_are_no_improvement():
    nan = float("nan")
    assert len(told([nan, nan, nan, nan], early_stopping=2, check_finite=False).history) == 2
    history = told([nan, 5, nan, nan], early_stopping=2, check_finite=False).history
    assert len(history) == 4


def test_without_early_stopping_the_last_parameters_stay():
    assert told([5, 3, 4]).params.tolist() == [4, 0]


def test_a_plateau_gets_the_validation_cost():
    plateau = bpfast.schedules.Plateau(0.5, factor=0.1, patience=0)
    net = told([5, 4, 4, 3, 3], optimizer=bpfast.SGD(plateau))
    assert net.history.learning_rate[:5] == rounded(np.array([0.5, 0.5, 0.5, 0.05, 0.05]))


def test_progress(capsys):
    fit(net_of(), X, OUTPUTS, validation=0.2, progress=True)
    said = capsys.readouterr()
    assert "validation_cost" in said.err
    assert not said.out
    fit(net_of(), X, OUTPUTS)
    assert capsys.readouterr() == ("", "")


def test_a_plateau_falls_at_costs_below_zero():
    rates = {}
    for shift in (0, -10):
        plateau = bpfast.schedules.Plateau(0.5, factor=0.5, patience=1)
        net = told([cost + shift for cost in (5, 4, 4, 4, 4)], optimizer=bpfast.SGD(plateau))
        rates[shift] = net.history.learning_rate.tolist()
    assert rates[0] == rates[-10]
    assert rates[0][-1] < 0.01


def test_early_stopping_at_costs_below_zero():
    for min_delta, best in ((0.0, 5), (0.5, 2), (2.0, 1)):
        stop = bpfast.EarlyStopping(2, min_delta=min_delta)
        net = told([-5, -6, -6, -5.9, -6.4, -6.4, -6.3], early_stopping=stop)
        epochs = {0.0: 4, 0.5: 4, 2.0: 3}[min_delta]
        assert len(net.history) == epochs
        assert stop.best_epoch == min(best, 2 if min_delta < 1 else 1)


def test_the_mode_follows_from_the_name():
    named = dict.fromkeys((*_metrics.NAMED, "cost"), "max")
    named |= dict.fromkeys(("cost", "mean_squared_error", "mean_absolute_error"), "min")
    for name, mode in (named | {"f1_score": "max", "max_error": "min"}).items():
        for column in (name, f"validation_{name}"):
            assert bpfast.EarlyStopping(monitor=column).mode == mode
    assert bpfast.EarlyStopping().mode == "min"
    for name in (
        "neg_mean_squared_error", "inaccuracy", "misclassification_error_rate", "top_5_accuracy",
        "validation_f1", "neg_cost", "my_error", "score", "1 - accuracy", "my_r2", "not_r2",
        "validation_neg_log_likelihood_cost", "seconds", "Accuracy", "",
    ):  # fmt: skip
        expected = "mode='min' or mode='max'"
        said = re.escape(f"as {name!r} has no known direction, got None")
        message = f"^mode: expected {expected}, {said}$"
        with refuses(ValueError, message):
            bpfast.EarlyStopping(monitor=name)
        assert bpfast.EarlyStopping(monitor=name, mode="max").mode == "max"
    with refuses(ValueError, "^mode: expected 'min' or 'max' for 'r2', got 'high'$"):
        bpfast.EarlyStopping(monitor="r2", mode="high")


def test_a_callable_may_have_its_own_report_method():
    class Rate:
        def __call__(self, step):
            return 0.1

        def report(self):
            raise AssertionError

    fit(net_of(), X, OUTPUTS, optimizer=bpfast.SGD(Rate()))
    fit(net_of(), X, OUTPUTS, optimizer=bpfast.SGD(bpfast.schedules.WarmUp(Rate(), 2)))
