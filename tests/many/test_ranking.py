"""`Ensemble.best` and `ranking`: by the epoch whose parameters the networks have."""

import re
import warnings
from functools import partial

import numpy as np
import pytest

import bpfast
from tests.helpers.many import X, Y, networks, own_cost
from tests.helpers.messages import NO_COLUMN
from tests.helpers.refuses import refuses

HELD = np.arange(0, 120, 3)


def stopped_early(validation=None, count=8):
    """Networks that go on for some epochs after their best one."""
    nets = [bpfast.Network([4, 6, 1], output="identity", seed=k) for k in range(count)]
    options = {"validation_rows": HELD} if validation is None else {"validation": validation}
    ensemble = bpfast.fit_many(
        nets, X, Y, epochs=60, learning_rate=0.3, early_stopping=3, metrics="r2", seed=0, **options
    )
    assert "early stopping" in {history.stopped for history in ensemble.histories}
    return ensemble


def test_the_best_after_early_stopping():
    ensemble = stopped_early()
    costs = [net.cost(X[HELD], Y[HELD]) for net in ensemble]
    assert ensemble.ranking() == np.argsort(costs).tolist()
    assert ensemble.best() is ensemble[int(np.argmin(costs))]
    last = [history.validation_cost[-1] for history in ensemble.histories]
    assert ensemble.ranking() != np.argsort(last).tolist()  # else this would show nothing
    scores = [1 - np.sum((net(X[HELD]) - Y[HELD]) ** 2) / np.var(Y[HELD]) for net in ensemble]
    assert ensemble.best("validation_r2") is ensemble[int(np.argmax(scores))]


def test_networks_that_fit_has_trained():
    nets = [bpfast.Network([4, 6, 1], output="identity", seed=k) for k in range(8)]
    for k, net in enumerate(nets):
        net.fit(X, Y, epochs=60, validation=(X, Y), learning_rate=0.3, early_stopping=3, seed=k)
    costs = [net.cost(X, Y) for net in nets]
    assert bpfast.Ensemble(nets).ranking() == np.argsort(costs).tolist()


def test_the_restored_epoch_of_a_history():
    for history in stopped_early().histories:
        assert history.restored_epoch == history.best()
        assert bpfast.History.from_state(history.state) == history
    net = networks()[0]
    stop = bpfast.EarlyStopping(2, restore_best=False)
    assert net.fit(X, Y, epochs=3, early_stopping=stop, seed=0).restored_epoch is None
    assert net.fit(X, Y, epochs=3, seed=0).restored_epoch is None


@pytest.mark.parametrize("epoch", [0, 4, -1, 1.5, "1", True])
def test_a_damaged_state(epoch):
    history = networks()[0].fit(X, Y, epochs=3, seed=0)
    with refuses(ValueError, "^state: restored_epoch: expected"):
        bpfast.History.from_state(history.state | {"restored_epoch": epoch})


CASES = {
    "a fraction": ({"validation": 0.3}, True),
    "a fraction of one seed": ({"validation": 0.3, "seed": [5] * 4}, False),
    "the same arrays": ({"validation": (X[:50], Y[:50])}, False),
    "other arrays": ({"validation": [(X[k:50], Y[k:50]) for k in range(4)]}, True),
    "rows of all": ({"validation_rows": HELD}, False),
    "the same rows": ({"validation_rows": [HELD, HELD[::-1], list(HELD), HELD]}, False),
    "other rows": ({"validation_rows": [HELD, HELD + 1, HELD, HELD]}, True),
    "other weights": (
        {"validation_rows": HELD, "sample_weight": [np.arange(1, 121) ** k for k in range(4)]},
        True,
    ),
    "no validation": ({}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_costs_of_different_examples(case, tmp_path):
    options, warns = CASES[case]
    options = {"epochs": 2, "metrics": "r2", "seed": 0} | options
    ensemble = bpfast.fit_many(networks(), X, Y, **options)
    ensemble.save(tmp_path / "ensemble")
    for one in (ensemble, bpfast.Ensemble.load(tmp_path / "ensemble")):
        for call in (one.best, one.ranking):
            if not warns:
                call()
                continue
            message = "^validation_cost: the networks were evaluated on different examples, so"
            with pytest.warns(UserWarning, match=message) as caught:
                call()
            assert caught[0].filename == __file__
        one.best("cost")  # is of the training
        one[1:2].best()
    if warns:
        with pytest.warns(UserWarning, match="^validation_r2: "):
            ensemble.best("validation_r2")


def test_folds_do_not_compare():
    found = bpfast.cross_validate(networks()[0], X, Y, 3, epochs=2, seed=0)
    with pytest.warns(UserWarning, match="^validation_cost: the networks were evaluated on"):
        found.ensemble.best()


def test_different_cost_functions():
    nets = [*networks()[:2], bpfast.Network([4, 1], output="identity", cost=own_cost)]
    ensemble = bpfast.fit_many(nets, X, Y, epochs=2, metrics="r2", seed=0)
    with pytest.warns(
        UserWarning, match="^cost: the networks have different costs, own_cost, quad"
    ):
        ensemble.best()
    ensemble.best("r2")


class OwnCost:
    """A callable without a name, whose instances are not hashable."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, a, y):
        return own_cost(a, y)


def test_costs_that_are_no_functions():
    """An object and a partial function have no name of their own."""
    for cost, name in ((OwnCost(), "OwnCost"), (partial(own_cost), "partial")):
        nets = [bpfast.Network([4, 1], output="identity", cost=c) for c in (cost, "quadratic")]
        ensemble = bpfast.fit_many(nets, X, Y, epochs=1, seed=0)
        with pytest.warns(UserWarning, match=f"^cost: .* different costs, {name}, quadratic;"):
            ensemble.best()


def test_costs_of_one_name():
    def scaled(factor):
        def cost(a, y):
            found = own_cost(a, y)
            return factor * found[0], factor * found[1]

        return cost

    def copied():
        return lambda a, y: own_cost(2 * a, y)

    for costs, differ in (
        ([scaled(1.0), scaled(9.0)], True),
        ([lambda a, y: own_cost(3 * a, y), lambda a, y: own_cost(2 * a, y)], True),
        ([copied(), copied()], False),
        ([own_cost, own_cost], False),
    ):
        nets = [bpfast.Network([4, 1], output="identity", cost=cost) for cost in costs]
        ensemble = bpfast.fit_many(nets, X, Y, epochs=1, seed=0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ensemble.best()
        assert ["different costs" in str(each.message) for each in caught] == [True] * differ


@pytest.mark.parametrize(("mode", "places"), [("min", [2, 1, 0, 3, 4]), ("max", [1, 2, 0, 3, 4])])
def test_values_that_are_not_finite_are_last(mode, places):
    histories = [bpfast.History() for _ in range(5)]
    costs = (np.nan, 2.0, 1.0, np.inf, -np.inf)
    for history, cost in zip(histories, costs, strict=True):
        history.append({"cost": cost, "seconds": 1, "learning_rate": 1})
    nets = [bpfast.Network([4, 1], seed=k) for k in range(5)]
    assert bpfast.Ensemble(nets, histories).ranking(mode=mode) == places


def test_bad_input():
    ensemble = stopped_early()
    with refuses(ValueError, "^" + re.escape(NO_COLUMN.format("f1"))):
        ensemble.best("f1")
    with refuses(TypeError, "^column: expected the name of a column, got list$"):
        ensemble.ranking(["cost"])
    with refuses(TypeError, "^histories: expected a list of histories, got int$"):
        bpfast.Ensemble(networks(), 3)
    with refuses(ValueError, "^mode: expected 'min' or 'max' for 'cost', got 'low'"):
        ensemble.ranking("cost", mode="low")
    with refuses(ValueError, r"^nets\[0\]: expected a network with a history, got none$"):
        bpfast.Ensemble(networks()).best()
