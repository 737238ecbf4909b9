"""`cross_validate`: the bits of a training on the rest of each fold."""

import numpy as np
import pytest
from sklearn.model_selection import KFold

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 3))
Y = X[:, :1] ** 2
LABELS = (X[:, 0] > 0).astype(int)


def test_cross_validation():
    net = bpfast.Network([3, 4, 2], output="softmax", cost="log_likelihood", seed=0)
    before = net.params.tobytes()
    found = bpfast.cross_validate(net, X, LABELS, 4, epochs=5, metrics="accuracy", seed=7)
    assert net.params.tobytes() == before
    assert np.sort(np.concatenate(found.rows)).tolist() == list(range(80))
    shares = [LABELS[rows].mean() for rows in found.rows]
    assert max(shares) - min(shares) <= 1 / 20
    for k, rows in enumerate(found.rows):
        twin, rest = net.copy(), np.setdiff1d(np.arange(80), rows)
        history = twin.fit(
            X[rest], LABELS[rest], validation=(X[rows], LABELS[rows]), epochs=5,
            metrics="accuracy", seed=7 + k,
        )  # fmt: skip
        assert twin.params.tobytes() == found.ensemble[k].params.tobytes()
        assert found.scores["validation_accuracy"][k] == history.validation_accuracy[-1]
        assert found.outputs[rows].tobytes() == twin(X[rows]).tobytes()


@pytest.mark.parametrize("dtype", [bool, float, "float32", "uint8"])
def test_labels_of_any_dtype_have_equal_shares(dtype):
    net = bpfast.Network([3, 4, 2], output="softmax", cost="log_likelihood", seed=0)
    found = bpfast.cross_validate(net, X, LABELS.astype(dtype), 4, epochs=1, seed=7)
    expected = bpfast.cross_validate(net, X, LABELS, 4, epochs=1, seed=7)
    for rows, others in zip(found.rows, expected.rows, strict=True):
        assert rows.tolist() == others.tolist()


def test_folds_of_the_user():
    net = bpfast.Network([3, 1], output="identity", seed=0)
    found = bpfast.cross_validate(net, X, Y, [[0, 1], [2, 3]], epochs=1, seed=0)
    assert [rows.tolist() for rows in found.rows] == [[0, 1], [2, 3]]
    assert np.isnan(found.outputs[4:]).all()
    assert not np.isnan(found.outputs[:4]).any()


WRONG = [
    ({"folds": 1}, ValueError, "folds: expected"),
    ({"folds": 81}, ValueError, "folds: expected at most 80, as many as examples, got 81"),
    ({"folds": [[0]]}, ValueError, "folds: expected two folds or more, got 1"),
    ({"folds": [[0], [80]]}, ValueError, r"folds\[1\]: expected rows from 0 to 79, got 80$"),
    ({"folds": [[0], [-1]]}, ValueError, r"folds\[1\]: expected rows from 0 to 79, got -1$"),
    ({"folds": [[0], [1.0]]}, TypeError, r"folds\[1\]: expected row numbers, or 80 of True and"),
    ({"folds": [[0], []]}, ValueError, r"folds\[1\]: expected one row or more, got none$"),
    ({"folds": [[0], [True, False]]}, TypeError, r"folds\[1\]: expected row numbers, or 80 of"),
    ({"folds": [[0], range(80)]}, ValueError, r"folds\[1\]: expected rows that leave others to"),
    (
        {"folds": None},
        TypeError,
        "folds: expected a number, or the rows of each fold, got NoneType$",
    ),
    ({"folds": "five"}, TypeError, "folds: expected a number, or the rows of each fold, got str$"),
    ({"folds": {0: [1], 1: [2]}}, TypeError, "folds: expected a number, or the rows .*, got dict$"),
    (
        {"folds": list(KFold(5).split(X))},
        TypeError,
        r"folds\[0\]: expected the rows of a fold, got a ",
    ),
    ({"folds": KFold(5)}, TypeError, "folds: expected .*, got a splitter: "),
    ({"folds": 2.5}, TypeError, "folds: expected an integer, got float$"),
    ({"keep": 0.5}, TypeError, "keep: expected none, as all folds train to the end, got float$"),
    ({"rows": [[0]]}, TypeError, "rows: expected none, as the folds determine it, got list$"),
]


@pytest.mark.parametrize(("wrong", "kind", "message"), WRONG)
def test_bad_folds(wrong, kind, message):
    net = bpfast.Network([3, 1], output="identity", seed=0)
    with refuses(kind, f"^{message}", net):
        bpfast.cross_validate(net, X, Y, **wrong)


@pytest.mark.parametrize("net", [3, None, [bpfast.Network([3, 1])]])
def test_no_network(net):
    with refuses(TypeError, f"^net: expected a Network, got {type(net).__name__}$"):
        bpfast.cross_validate(net, X, Y)


def test_folds_as_masks():
    net = bpfast.Network([3, 1], output="identity", seed=0)
    numbers = [np.arange(0, 40), np.arange(40, 80)]
    masks = [np.isin(np.arange(80), rows) for rows in numbers]
    found = bpfast.cross_validate(net, X, Y, masks, epochs=2, seed=0)
    other = bpfast.cross_validate(net, X, Y, numbers, epochs=2, seed=0)
    assert [rows.tolist() for rows in found.rows] == [rows.tolist() for rows in numbers]
    assert found.outputs.tobytes() == other.outputs.tobytes()


def test_scores_are_of_the_parameters_of_the_networks():
    net = bpfast.Network([3, 8, 1], hidden="tanh", output="identity", seed=0)
    options = {"epochs": 60, "learning_rate": 0.1, "early_stopping": 3, "metrics": "r2", "seed": 0}
    found = bpfast.cross_validate(net, X, Y, 3, **options)
    assert "early stopping" in {history.stopped for history in found.ensemble.histories}
    for k, rows in enumerate(found.rows):
        of_network = found.ensemble[k].cost(X[rows], Y[rows])
        assert found.scores["validation_cost"][k] == pytest.approx(of_network, rel=1e-12)
