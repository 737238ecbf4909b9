"""`Ensemble`: what its networks predict together, its files, tables and plots."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

import bpfast
from bpfast._core import read_tensors, write_tensors
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import rounded

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 3))
Y = X[:, :1] ** 2
LABELS = (X[:, 0] > 0).astype(int)


def networks(count=5, **options):
    options = {"output": "identity"} | options
    return [bpfast.Network([3, 4 + k, 1], seed=k, **options) for k in range(count)]


def trained(**options):
    return bpfast.fit_many(networks(), X, Y, epochs=4, seed=0, **options)


def test_it_is_a_sequence_of_networks():
    nets = networks()
    ensemble = bpfast.Ensemble(nets)
    assert len(ensemble) == 5
    assert list(ensemble) == nets
    assert ensemble[1] is nets[1]
    assert ensemble[-1] in ensemble
    part = ensemble[1:3]
    assert isinstance(part, bpfast.Ensemble)
    assert list(part) == nets[1:3]
    assert repr(part) == "Ensemble(2 networks: 3-5-1, 3-6-1)"
    assert ensemble.histories == [None] * 5


def test_a_prediction():
    ensemble = trained()
    found = ensemble.predict(X, quantiles=[0.0, 0.5, 1.0])
    outputs = np.stack([net(X) for net in ensemble])
    assert found.outputs.tobytes() == outputs.tobytes()
    assert np.allclose(found.mean, outputs.mean(axis=0), rtol=1e-15)
    assert np.allclose(found.std, outputs.std(axis=0), rtol=1e-12)
    assert (found.quantiles[0] == outputs.min(axis=0)).all()
    assert (found.quantiles[2] == outputs.max(axis=0)).all()
    assert (found.quantiles[1] == np.median(outputs, axis=0)).all()


def test_votes():
    """Three constant networks, of which two choose class 1."""
    nets = [bpfast.Network([1, 3], output="softmax", cost="log_likelihood", init="zeros")
            for _ in range(3)]  # fmt: skip
    for net, label in zip(nets, (1, 1, 2), strict=True):
        net.biases[0][label] = 1
    assert bpfast.Ensemble(nets).predict([[0.0]]).votes == rounded(np.array([[0, 2, 1]]) / 3)
    ones = [bpfast.Network([1, 1], init="zeros") for _ in range(4)]
    ones[0].biases[0][:] = 1
    assert bpfast.Ensemble(ones).predict([[0.0]]).votes.tolist() == [[0.75, 0.25]]


def test_the_best():
    ensemble = trained(validation=0.3, metrics="r2")
    costs = [history.validation_cost[-1] for history in ensemble.histories]
    assert ensemble.best() is ensemble[int(np.argmin(costs))]
    assert ensemble.ranking() == np.argsort(costs).tolist()
    scores = [history.validation_r2[-1] for history in ensemble.histories]
    assert ensemble.best("validation_r2") is ensemble[int(np.argmax(scores))]
    with refuses(ValueError, r"^metric: expected a column of each history, got 'f1'; nets\[0\]"):
        ensemble.best("f1")
    with refuses(ValueError, r"^nets\[0\]: expected a network with a history, got none$"):
        bpfast.Ensemble(networks()).best()


def test_a_table():
    table = trained().to_pandas()
    assert table.index.names == ["net", "epoch"]
    assert len(table) == 20
    assert list(table.loc[3].index) == [1, 2, 3, 4]


def own_cost(a, y):
    return ((a - y) ** 2).sum(axis=1), 2 * (a - y)


def test_files(tmp_path):
    path = tmp_path / "ensemble.safetensors"
    nets = [*networks(2, dtype="float32", hidden="elu(0.5)"), bpfast.Network([3, 1], cost=own_cost)]
    ensemble = bpfast.fit_many(nets, X, Y / 100, epochs=2, learning_rate=1e-4, seed=0)
    ensemble.save(path)
    twin = bpfast.Ensemble.load(path, cost=own_cost)
    for net, other in zip(ensemble, twin, strict=True):
        assert net.config == other.config
        assert net.params.tobytes() == other.params.tobytes()
    assert [h.cost.tolist() for h in twin.histories] == [
        h.cost.tolist() for h in ensemble.histories
    ]
    assert load_file(path)["1.weights.0"].tobytes() == nets[1].weights[0].tobytes()
    with refuses(ValueError, "cost: expected the callable cost of the saved networks, as in load"):
        bpfast.Ensemble.load(path)
    bpfast.Ensemble(networks()).save(path)
    assert bpfast.Ensemble.load(path).histories == [None] * 5


def test_damaged_files(tmp_path):
    path = tmp_path / "ensemble.safetensors"
    trained().save(path)
    tensors, metadata = read_tensors(path)
    networks_text = json.loads(metadata["networks"])
    wrong = {
        "format: expected 'bpfast.ensemble'": (tensors, metadata | {"format": "other"}),
        "format_version: expected 1": (tensors, metadata | {"format_version": "2"}),
        "0.weights.0: expected a tensor": (
            {k: v for k, v in tensors.items() if k != "0.weights.0"}, metadata,
        ),
        "0.weights.0: expected shape": (tensors | {"0.weights.0": np.zeros(3)}, metadata),
        "extra: expected no tensor": (tensors | {"extra": np.zeros(3)}, metadata),
        "networks: expected a list": (tensors, metadata | {"networks": "[]"}),
        "": (tensors, metadata | {"networks": json.dumps(networks_text)[:-5]}),
        "networks: expected config and history in entry 0": (
            tensors, metadata | {"networks": "[{}]"},
        ),
    }  # fmt: skip
    for said, (found, text) in wrong.items():
        write_tensors(path, found, text)
        with refuses(ValueError, f"ensemble.safetensors: {said}"):
            bpfast.Ensemble.load(path)
    networks()[0].save(path)
    with refuses(ValueError, "got 'bpfast.network'; read a network with bpfast.load$"):
        bpfast.Ensemble.load(path)
    with pytest.raises(OSError, match="nowhere"):
        bpfast.Ensemble.load(tmp_path / "nowhere")


def test_plots():
    pytest.importorskip("matplotlib")
    ensemble = trained(validation=0.3, metrics="r2")
    axes = ensemble.plot()
    assert len(axes.lines) == 10
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert bpfast.plot.ensemble(ensemble, "r2").get_ylabel() == "r2"
    with refuses(ValueError, "^column: expected one of the histories of the networks, got 'f1'$"):
        ensemble.plot("f1")


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
    ({"folds": [[0], [80]]}, ValueError, r"validation_rows\[1\]: expected rows from 0 to 79"),
    ({"rows": [[0]]}, TypeError, "rows: expected none, as the folds determine it"),
]


@pytest.mark.parametrize(("wrong", "kind", "message"), WRONG)
def test_bad_folds(wrong, kind, message):
    net = bpfast.Network([3, 1], output="identity", seed=0)
    with refuses(kind, f"^{message}", net):
        bpfast.cross_validate(net, X, Y, **wrong)
