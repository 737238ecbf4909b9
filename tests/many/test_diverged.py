"""Networks that diverge in their first epoch, whose history has no row."""

import re

import numpy as np
import pytest

import bpfast
from tests.helpers.many import X, Y, networks
from tests.helpers.messages import NO_COLUMN
from tests.helpers.refuses import refuses

# Row 3 is in fold 0 alone, so this cost diverges in the other folds.
FOLDS = [[3, 4, 5], [0, 1, 2], [6, 7, 8]]
ONE_LARGE = np.where(np.arange(120)[:, None] == 3, 1e100, X)


def diverging(rates, **options):
    with pytest.warns(UserWarning, match="stopped alone: epoch 1, step"):
        return bpfast.fit_many(
            networks(), X, Y, optimizer="sgd", learning_rate=rates, seed=0, epochs=3, **options
        )


def one(**options):
    """An ensemble of which network 1 has diverged in epoch 1."""
    return diverging([0.01, 1e30, 0.01, 0.01], **options)


def none_left(**options):
    return diverging([1e200, 1e30, 1e200, 1e200], **options)


@pytest.mark.parametrize("metrics", [(), "r2", ["r2", "mean_absolute_error"]])
def test_scores_of_folds_of_which_one_diverges(metrics):
    net = bpfast.Network([4, 3, 1], hidden="relu", output="identity", seed=0)
    options = {"epochs": 2, "batch_size": 1, "optimizer": "sgd", "learning_rate": 0.01, "seed": 0}
    with pytest.warns(UserWarning, match=r"nets\[[12]\].*stopped alone: epoch 1") as caught:
        found = bpfast.cross_validate(net, ONE_LARGE, Y, FOLDS, metrics=metrics, **options)
    assert len(caught) == 2
    given = [metrics] if isinstance(metrics, str) else metrics
    assert list(found.scores) == [f"validation_{name}" for name in ("cost", *given)]
    for score in found.scores.values():
        assert score.shape == (3,)
        assert np.isnan(score).tolist() == [False, True, True]
    for trained, rows in zip(found.ensemble, found.rows, strict=True):
        assert found.outputs[rows].tobytes() == trained(ONE_LARGE[rows]).tobytes()
    assert not np.isnan(found.outputs[:9]).any()


def test_scores_of_folds_that_all_diverge():
    net = bpfast.Network([4, 3, 1], output="identity", seed=0)
    with pytest.warns(UserWarning, match="stopped alone: epoch 1"):
        found = bpfast.cross_validate(
            net, X, Y, 3, optimizer="sgd", learning_rate=1e200, metrics="r2", seed=0
        )
    assert list(found.scores) == ["validation_cost", "validation_r2"]
    assert np.isnan(list(found.scores.values())).all()
    assert [history.stopped for history in found.ensemble.histories] == ["diverged"] * 3


def test_metrics_of_a_generator():
    net = bpfast.Network([4, 3, 1], output="identity", seed=0)
    names = (name for name in ["r2"])
    found = bpfast.cross_validate(net, X, Y, 3, epochs=1, metrics=names, seed=0)
    assert list(found.scores) == ["validation_cost", "validation_r2"]


@pytest.mark.parametrize(
    "options", [{}, {"validation": (X, Y)}, {"validation": (X, Y), "metrics": "r2"}]
)
def test_ranking(options):
    ensemble = one(**options)
    assert len(ensemble.histories[1]) == 0
    order = ensemble.ranking()
    assert order[-1] == 1
    column = "validation_cost" if options else "cost"
    last = [np.inf if k == 1 else ensemble.histories[k][column][-1] for k in range(4)]
    assert order == np.argsort(last).tolist()
    assert ensemble.best() is ensemble[order[0]]
    if "metrics" in options:
        assert ensemble.ranking("validation_r2")[-1] == 1
        assert ensemble.best("validation_r2") is not ensemble[1]
    with refuses(ValueError, "^" + re.escape(NO_COLUMN.format("f1"))):
        ensemble.best("f1")


def test_ranking_of_none_that_is_left():
    ensemble = none_left(validation=(X, Y))
    assert ensemble.ranking() == [0, 1, 2, 3]
    with refuses(ValueError, "^nets: expected one whose cost is a number, got NaN for all$"):
        ensemble.best()


@pytest.mark.parametrize("make", [one, none_left])
def test_files(make, tmp_path):
    ensemble = make()
    ensemble.save(tmp_path / "ensemble")
    twin = bpfast.Ensemble.load(tmp_path / "ensemble")
    assert twin.histories == ensemble.histories
    assert [history.stopped for history in twin.histories][1] == "diverged"
    assert twin.ranking() == ensemble.ranking()


def test_tables():
    pytest.importorskip("pandas")
    table = one(validation=(X, Y)).to_pandas()
    assert table.index.names == ["net", "epoch"]
    assert table.index.get_level_values("net").unique().tolist() == [0, 2, 3]
    assert table.dtypes.eq(float).all()
    empty = none_left().to_pandas()
    assert (len(empty), empty.index.names) == (0, ["net", "epoch"])
    assert "cost" in empty


def test_plots():
    pytest.importorskip("matplotlib")
    axes = one(validation=(X, Y)).plot()
    assert len(axes.lines) == 6
    assert sum(line.get_linewidth() > 2 for line in axes.lines) == 2  # the best
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    with refuses(ValueError, "^ensemble: expected a network with one epoch or more, got none$"):
        none_left().plot()


def test_halving():
    ensemble = one(keep=0.5, every=1)
    assert [h.stopped for h in ensemble.histories].count("halving") == 2
    assert ensemble.histories[1].stopped == "diverged"
