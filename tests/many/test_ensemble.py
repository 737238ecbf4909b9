"""`Ensemble`: what its networks predict together, its files, tables and plots."""

import json
import re

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


def constant(values, dtype="float64"):
    """Networks whose single outputs are these numbers."""
    nets = [bpfast.Network([1, 1], output="identity", init="zeros", dtype=dtype) for _ in values]
    for net, value in zip(nets, values, strict=True):
        net.biases[0][:] = value
    return bpfast.Ensemble(nets)


LARGE = [("float32", 3e38), ("float64", 1.7e308), ("float64", 1e-300), ("float64", 2.0)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("dtype", "size"), LARGE)
def test_statistics_are_finite_where_the_answer_is(dtype, size):
    size = np.dtype(dtype).type(size)
    found = constant([size, -size], dtype).predict([[0.0]], quantiles=[0, 0.25, 0.5, 0.75, 1])
    assert found.mean == 0
    assert found.std == size
    assert found.quantiles.ravel().tolist() == [-size, -size / 2, 0, size / 2, size]
    found = constant([size, size, size], dtype).predict([[0.0]], quantiles=[0, 0.3, 1])
    assert found.mean == size
    assert found.std == 0
    assert (found.quantiles == size).all()
    assert {array.dtype for array in (found.mean, found.std, found.quantiles)} == {np.dtype(dtype)}
    mean = constant([size, size / 2, size / 4, 0], dtype).predict([[0.0]]).mean
    assert mean == rounded(np.array([[size * 0.4375]]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [1 / 30, 0.1, 1e-310])
def test_many_equal_networks_have_their_own_mean_and_no_spread(dtype, value):
    value = np.dtype(dtype).type(value)
    found = constant([value] * 4999, dtype).predict([[0.0]])
    assert found.mean == value
    assert found.std == 0
    assert (found.quantiles == value).all()


@pytest.mark.filterwarnings("error")
def test_numbers_that_are_not_finite():
    """Mean and spread are those of NumPy. Quantiles that are no such number stay finite."""
    found = constant([np.inf, 1.0, 2.0]).predict([[0.0]], quantiles=[0, 0.5, 1])
    assert found.mean == np.inf
    assert np.isnan(found.std)
    assert found.quantiles.ravel().tolist() == [1, 2, np.inf]
    found = constant([np.nan, 1.0, 2.0]).predict([[0.0]], quantiles=[0, 0.5])
    assert np.isnan([found.mean, found.std, *found.quantiles]).all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_nan_has_no_vote(outputs):
    nets = [bpfast.Network([1, outputs], output="sigmoid", seed=seed) for seed in range(3)]
    nets[1].params[-1] = np.nan
    assert np.isnan(bpfast.Ensemble(nets).predict([[0.0]]).votes).all()
    assert np.isfinite(bpfast.Ensemble(nets[::2]).predict([[0.0]]).votes).all()


def test_one_quantile():
    ensemble = trained()
    found = ensemble.predict(X, quantiles=0.5)
    assert found.quantiles.shape == (80, 1)
    assert found.quantiles.tobytes() == ensemble.predict(X, quantiles=[0.5]).quantiles.tobytes()
    assert ensemble.predict(X, quantiles=()).quantiles.shape == (0, 80, 1)


WRONG_QUANTILES = [
    (1.5, ValueError, "quantiles: expected a number from 0 to 1, got 1.5"),
    ([0.5, -1], ValueError, r"quantiles\[1\]: expected a number from 0 to 1, got -1"),
    ([0.5, "a"], TypeError, r"quantiles\[1\]: expected a number, got str"),
    (None, TypeError, "quantiles: expected one number or several, from 0 to 1, got NoneType"),
    ("half", TypeError, "quantiles: expected one number or several, from 0 to 1, got str"),
]


@pytest.mark.parametrize(("quantiles", "kind", "message"), WRONG_QUANTILES)
def test_bad_quantiles(quantiles, kind, message):
    with refuses(kind, f"^{message}$"):
        bpfast.Ensemble(networks()).predict(X, quantiles=quantiles)


WRONG_INDICES = [
    ("a", TypeError, "index: expected an integer or a slice, got str"),
    ([0, 1], TypeError, "index: expected an integer or a slice, got list"),
    (1.0, TypeError, "index: expected an integer or a slice, got float"),
    (5, IndexError, "index: expected -5 to 4, got 5"),
    (-6, IndexError, "index: expected -5 to 4, got -6"),
]


@pytest.mark.parametrize(("place", "kind", "message"), WRONG_INDICES)
def test_bad_places(place, kind, message):
    with refuses(kind, f"^{message}$"):
        bpfast.Ensemble(networks())[place]


@pytest.mark.parametrize("output", ["identity", "relu", "tanh", "elu(0.5)"])
def test_there_are_no_votes_without_classes(output):
    assert bpfast.Ensemble(networks(output=output)).predict(X).votes is None
    mixed = [*networks(output="sigmoid"), *networks(1, output=output)]
    assert bpfast.Ensemble(mixed).predict(X).votes is None
    assert bpfast.Ensemble(networks(output="hard_sigmoid")).predict(X).votes.shape == (80, 2)


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


def test_a_table():
    table = trained().to_pandas()
    assert table.index.names == ["net", "epoch"]
    assert len(table) == 20
    assert list(table.loc[3].index) == [1, 2, 3, 4]
    with refuses(ValueError, "^nets: expected a network with a history, got none$"):
        bpfast.Ensemble(networks()).to_pandas()


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


@pytest.mark.parametrize("load", [bpfast.load, bpfast.Ensemble.load])
def test_the_cost_of_a_file(load, tmp_path):
    path, net = tmp_path / "file", bpfast.Network([3, 1], seed=0)
    save = net.save if load is bpfast.load else bpfast.Ensemble([net]).save
    save(path)
    load(path, cost="quadratic")
    for cost, got in ((own_cost, "a callable"), ("huber", "'huber'")):
        expected = "'quadratic', the cost in the file, or none"
        with refuses(ValueError, f"cost: expected {expected}, got {got}$"):
            load(path, cost=cost)
    with refuses(TypeError, "^cost: expected a name or a callable, got int$"):
        load(path, cost=3)


def test_a_changed_bit_is_refused(tmp_path):
    path = tmp_path / "ensemble.safetensors"
    ensemble = trained()
    ensemble.save(path)
    content, params = path.read_bytes(), ensemble[1].params
    cost = repr(float(ensemble.histories[0].cost[0])).encode()
    for number in (params[:1].tobytes(), cost):
        place = content.index(number) + len(number) - 3
        damaged = bytearray(content)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(
            ValueError, match=f"^{re.escape(str(path))}: check: expected "
        ) as caught:
            bpfast.Ensemble.load(path)
        hint = "; if the file was changed on purpose, remove check from its metadata"
        assert str(caught.value).endswith(hint)


def test_files_without_a_checksum_are_read(tmp_path):
    """Those of older versions, or changed on purpose."""
    path = tmp_path / "ensemble.safetensors"
    trained().save(path)
    tensors, metadata = read_tensors(path)
    tensors["1.weights.0"][0, 0] = 7
    write_tensors(path, tensors, {k: v for k, v in metadata.items() if k != "check"})
    assert bpfast.Ensemble.load(path)[1].weights[0][0, 0] == 7


def test_damaged_files(tmp_path):
    path = tmp_path / "ensemble.safetensors"
    trained().save(path)
    tensors, metadata = read_tensors(path)
    del metadata["check"]  # so that it is not what is refused
    networks_text = json.loads(metadata["networks"])
    wrong = {
        "format: expected 'bpfast.ensemble'": (tensors, metadata | {"format": "other"}),
        "format_version: expected 1, or an earlier one, got 2: a newer bpfast wrote the file": (
            tensors, metadata | {"format_version": "2"},
        ),
        "format_version: expected 1, or an earlier one, got ' 1'": (
            tensors, metadata | {"format_version": " 1"},
        ),
        "0.weights.0: expected a tensor": (
            {k: v for k, v in tensors.items() if k != "0.weights.0"}, metadata,
        ),
        "0.weights.0: expected shape": (tensors | {"0.weights.0": np.zeros(3)}, metadata),
        r"extra: expected no tensor of this name, got one of shape \(3,\)": (
            tensors | {"extra": np.zeros(3)}, metadata,
        ),
        "networks: expected a list with one network or more, got an empty list": (
            tensors, metadata | {"networks": "[]"},
        ),
        "networks: expected JSON, got": (
            tensors, metadata | {"networks": json.dumps(networks_text)[:-5]},
        ),
        "networks: expected JSON, got text that is none: maximum recursion depth": (
            tensors, metadata | {"networks": "[" * 100_000},
        ),
        "networks: expected config, history, validation_set in entry 0, got ": (
            tensors, metadata | {"networks": "[{}]"},
        ),
    }  # fmt: skip
    for said, (found, text) in wrong.items():
        write_tensors(path, found, text)
        with refuses(ValueError, f"ensemble.safetensors: {said}"):
            bpfast.Ensemble.load(path)
    net = networks()[0]
    net.save(path)
    with refuses(ValueError, "got 'bpfast.network'; read a network with bpfast.load$"):
        bpfast.Ensemble.load(path)
    net.fit(X, Y, epochs=1, checkpoint=path)
    hint = "read the network of a checkpoint with bpfast.load"
    with refuses(ValueError, f"got 'bpfast.checkpoint'; {hint}$"):
        bpfast.Ensemble.load(path)
    write_tensors(path, tensors, {})
    with refuses(ValueError, "got none; read it with bpfast.formats.from_torch if it is"):
        bpfast.Ensemble.load(path)
    with pytest.raises(OSError, match="nowhere"):
        bpfast.Ensemble.load(tmp_path / "nowhere")


def test_plots():
    pytest.importorskip("matplotlib")
    ensemble = trained(validation=0.3, metrics="r2")
    axes = ensemble.plot()  # without a warning, as it does not choose
    assert len(axes.lines) == 10
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert bpfast.plot.ensemble(ensemble, "r2").get_ylabel() == "r2"
    alone = bpfast.plot.ensemble(ensemble, "validation_cost")
    assert alone.get_ylabel() == "validation cost"
    assert [text.get_text() for text in alone.get_legend().get_texts()] == ["validation"]
    assert len(alone.lines) == 5
    assert {line.get_linestyle() for line in alone.lines} == {"--"}
    assert {line.get_color() for line in alone.lines} == {axes.lines[-1].get_color()}
    mine = trained(metrics={"mine": lambda a, y: 0.5})  # low or high may be better
    assert len(mine.plot("mine").lines) == 5
    with refuses(ValueError, "^column: expected one of the histories of the networks, got 'f1'$"):
        ensemble.plot("f1")
    with refuses(TypeError, "^column: expected a str, got int$"):
        ensemble.plot(3)
