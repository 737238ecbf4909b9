"""A damaged or hostile checkpoint is refused, the path is named, and nothing is changed."""

import json
import re
import struct

import numpy as np
import pytest

import bpfast
from bpfast import schedules
from bpfast._core import read_tensors, write_tensors
from bpfast._training.checkpoint import file as _checkpoint_file
from tests.helpers.refuses import refuses

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 2)), rng.random((20, 1))


class Trained:
    """A network and what it was trained with, which a failed call must leave alone."""

    def __init__(self, epochs=1, **options):
        self.net = bpfast.Network([2, 2, 1], seed=0)
        self.optimizer = bpfast.Adam(schedules.Plateau(5.0))
        self.fit(epochs=epochs, **options)

    def fit(self, **options):
        given = {"optimizer": self.optimizer, "early_stopping": 5, "batch_size": 10, "seed": 1}
        return self.net.fit(X, Y, **given | {"metrics": "mean_squared_error"} | options)

    def bits(self):
        columns = self.net.history.state
        del columns["columns"]["seconds"]
        return (
            self.net.params.tobytes(),
            repr(self.optimizer),
            str(self.optimizer.state),
            str(columns),
        )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "training"


def saved(path):
    """A checkpoint of two epochs at `path`, whose last network is not its best."""
    Trained(2, checkpoint=path)
    assert LAST in read_tensors(path)[0]


def spoil(path, change):
    """Write the file anew with `change` made to what it says, its check sum made to fit."""
    tensors, metadata = read_tensors(path)
    text = json.loads(metadata["training"])
    check = metadata["check"]
    change(tensors, metadata, text)
    if "training" in metadata and metadata["training"][:1] == "{":
        metadata["training"] = json.dumps(text)
    if metadata.get("check") == check:
        config, training = metadata.get("config", ""), metadata.get("training", "")
        metadata["check"] = _checkpoint_file._check(config, training, tensors)
    write_tensors(path, tensors, metadata)


def at(*keys):
    """A change of one entry of the text: the last of `keys` is what is put there."""

    def change(tensors, metadata, text):
        *way, last, value = keys
        for key in way:
            text = text[key]
        text[last] = value

    return change


def tensor(name, value):
    return lambda t, m, x: t.pop(name) if value is None else t.update({name: value})


MEAN, LAST = "training.optimizer.mean", "training.params"
PLATEAU = {"rate": 0.01, "best": None, "bad": 0, "cooling": 0}
DEEP = "[" * 100_000
CHANGES = [
    (lambda t, m, x: m.clear(), "format: expected 'bpfast.checkpoint', got none"),
    (lambda t, m, x: m.update(format="bpfast.network"), "format: .*, got 'bpfast.network'"),
    (lambda t, m, x: m.pop("format_version"), "format_version: expected 1, or an .*, got ''"),
    (lambda t, m, x: m.update(format_version="+1"), r"format_version: .*, got '\+1'$"),
    (lambda t, m, x: m.update(format_version="²"), "format_version: .*, got '²'$"),
    (lambda t, m, x: m.update(format_version="2"), "format_version: .* a newer bpfast wrote"),
    (lambda t, m, x: m.pop("check"), "check: expected .*, got None"),
    (lambda t, m, x: m.update(check="0"), "check: expected .*, got 0"),
    (lambda t, m, x: m.pop("config"), "config: expected JSON, got"),
    (lambda t, m, x: m.update(config="[]"), "config: expected an object"),
    (lambda t, m, x: m.pop("training"), "training: expected JSON, got"),
    (
        lambda t, m, x: m.update(training="null"),
        "training: expected an object with arguments, .*, got NoneType$",
    ),
    (lambda t, m, x: m.update(training=DEEP), "training: expected JSON, got"),
    (lambda t, m, x: m.update(training="[" + "9" * 5000 + "]"), "training: expected JSON, got"),
    (lambda t, m, x: m.update(training="[NaN]"), "training: expected JSON, got NaN"),
    (
        lambda t, m, x: x.pop("state"),
        "training: expected an object with .*, got arguments, history$",
    ),
    (at("more", 1), "training: expected an object with arguments"),
    (at("history", []), "training: history: expected an object, got list"),
    (at("arguments", "seed", None), "seed: expected an integer, got NoneType"),
    (at("arguments", "seed", -1), "seed: expected an integer, 0 or above"),
    (at("arguments", "seed", 2), "history: expected seed 2, got 1"),
    (at("history", "columns", {}), "state: columns: expected"),
    (at("history", "columns", "cost", [1.0]), "state: columns: expected one length"),
    (at("history", "columns", "cost", [1.0, "low"]), r"state: cost\[1\]: expected a number"),
    (at("history", "columns", "r2", [1.0, 1.0]), "history: expected columns cost, .*, got .*r2"),
    (
        at("state", "more", 1),
        "state: expected optimizer, learning_rate and .*, got .*, more, optimizer$",
    ),
    (at("state", "optimizer", 3), "optimizer: expected a state, got 3"),
    (at("state", "optimizer", {}), "optimizer: steps: expected an integer, got NoneType"),
    (at("state", "optimizer", "steps", -1), "optimizer: steps: expected an integer, 0 or above"),
    (at("state", "optimizer", "steps", 2**70), "optimizer: steps: expected an integer below"),
    (at("state", "optimizer", "more", 1), "state: expected .*steps"),
    (at("state", "optimizer", "schedule", 3), "state: "),
    (at("state", "optimizer", "schedule", PLATEAU | {"rate": -1}), "state: .*rate: expected"),
    (at("state", "learning_rate", {"kind": "x"}), "config: unknown kind 'x'"),
    # A rate that goes with no Plateau's state: the optimizer has its own again.
    (at("state", "learning_rate", {"kind": "constant", "rate": 1}), "state: expected "),
    (at("state", "learning_rate", 3), "state: expected "),
    (at("state", "learning_rate", -3), "learning_rate: expected a positive number, got -3"),
    (at("state", "learning_rate", "3"), "config: expected a mapping, got str"),
    (
        at("state", "learning_rate", None),
        "learning_rate: .* the callable of a callback, got {'kind",
    ),
    (at("state", "early_stopping", None), "early_stopping: expected a state, got None"),
    (at("state", "early_stopping", {}), "state: expected best and best_epoch"),
    (at("state", "early_stopping", {"best": "x", "best_epoch": 1}), "best: expected a number"),
    (at("state", "early_stopping", {"best": 1, "best_epoch": 9}), "early_stopping: expected an ep"),
    (tensor(MEAN, None), "tensors: expected"),
    (tensor(LAST, np.zeros(8)), r"training.params: expected shape \(9,\) and dtype float64, got"),
    (tensor(MEAN, np.zeros(9, "f4")), r"training.optimizer.mean: expected shape .* float32"),
    (tensor("weights.0", np.zeros((2, 3))), r"weights.0: expected shape \(2, 2\)"),
    (tensor("weights.0", None), "tensors: expected"),
    (tensor("more", np.zeros(9)), "tensors: expected"),
    (tensor("training.optimizer.more", np.zeros(9)), "tensors: expected"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_files_that_are_not_checkpoints(path, change, message):
    saved(path)
    spoil(path, change)
    other = Trained()
    before, history = other.bits(), other.net.history
    with refuses(ValueError, f"^{re.escape(str(path))}: {message}"):
        other.fit(resume=path)
    assert other.bits() == before
    assert other.net.history is history


@pytest.mark.parametrize("name", ["batch_size", "metrics", "optimizer", "x"])
@pytest.mark.parametrize("value", [None, [], {}, {"kind": {}}, "x", -1, [[{}]]])
def test_invalid_arguments(path, name, value):
    saved(path)
    spoil(path, at("arguments", name, value))
    other = Trained()
    with refuses(ValueError, f"^{name}.* as in the checkpoint, got", other.net):
        other.fit(resume=path)


def test_a_state_without_its_argument(path):
    Trained(2, checkpoint=path, early_stopping=None)
    spoil(path, at("state", "early_stopping", {"best": 1}))
    other = Trained(early_stopping=None)
    with refuses(ValueError, ": early_stopping: expected no state, got {'best': 1}$", other.net):
        other.fit(resume=path, early_stopping=None)


def test_load_refuses_a_checkpoint_whose_numbers_changed(path):
    saved(path)
    content = bytearray(path.read_bytes())
    content[content.find(bpfast.load(path).params[:1].tobytes()) + 6] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: check: expected ") as caught:
        bpfast.load(path)
    assert "for what is in the file, got" in str(caught.value)


def test_a_network_file_is_not_a_checkpoint(path):
    other = Trained()
    other.net.save(path)
    with refuses(ValueError, f"^{re.escape(str(path))}: format: .*, got 'bpfast.network', a net"):
        other.fit(resume=path)
    path.write_bytes(b"")
    for options in ({"resume": path}, {"checkpoint": path, "resume": True}):
        with refuses(ValueError, re.escape(str(path)), other.net):
            other.fit(**options)


def test_every_truncation_is_seen(path):
    saved(path)
    whole, other = path.read_bytes(), Trained()
    before = other.bits()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with refuses(ValueError, f"^{re.escape(str(path))}: expected a safetensors file, got"):
            other.fit(resume=path)
    assert other.bits() == before


def test_every_flip_is_seen_or_harmless(path):
    saved(path)
    whole, other = path.read_bytes(), Trained()
    loaded, before = [], other.bits()
    masks = np.random.default_rng(0).choice([1, 2, 4, 8, 16, 32, 64, 128, 255], len(whole))
    for place in range(0, len(whole), 2):
        mask = int(masks[place])
        path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        try:
            other.fit(resume=path, epochs=2)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
            assert other.bits() == before
        else:
            loaded.append(other.bits())
            other = Trained()
            before = other.bits()
    path.write_bytes(whole)
    other.fit(resume=path, epochs=2)
    assert set(loaded) <= {other.bits()}
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    assert len(loaded) < 10  # white space in the header
    assert len(whole) - header > 100


def test_a_failure_after_reading_the_checkpoint_changes_nothing(path):
    saved(path)
    other = Trained()
    before = other.bits()
    for options in ({"sample_weight": [1]}, {"callbacks": [3]}, {"validation": (X, Y[1:])}):
        with pytest.raises((TypeError, ValueError)):
            other.fit(resume=path, **options)
        assert other.bits() == before


def forget_the_weighting(path):
    spoil(path, lambda tensors, metadata, text: text["arguments"].pop("weighting"))


@pytest.mark.parametrize("name", ["sample_weight", "class_weight"])
def test_a_checkpoint_whose_weights_counted_in_another_way(path, name):
    """Steps once divided by the weights of their own examples: no training is half of each."""
    y, weights = (Y > 0.5).astype(float), {"sample_weight": np.linspace(1, 2, 20)}
    if name == "class_weight":
        weights = {"class_weight": {1: 2.0}}
    nets = [bpfast.Network([2, 2, 1], seed=0) for _ in range(2)]
    nets[0].fit(X, y, epochs=1, seed=1, checkpoint=path, **weights)
    nets[1].fit(X, y, epochs=2, seed=1, checkpoint=path, resume=True, **weights)
    forget_the_weighting(path)
    message = f"^{name}: expected steps that divide by the weights of their own examples, as older"
    with refuses(ValueError, message, nets[1]):
        nets[1].fit(X, y, epochs=3, seed=1, resume=path, **weights)


def test_such_a_checkpoint_without_weights(path, recwarn):
    nets = [bpfast.Network([2, 2, 1], seed=0) for _ in range(2)]
    nets[0].fit(X, Y, epochs=1, seed=1, checkpoint=path)
    forget_the_weighting(path)
    nets[1].fit(X, Y, epochs=2, seed=1, resume=path)
    assert len(nets[1].history) == 2
    assert not recwarn.list


def test_such_a_checkpoint_of_batches(path):
    net, batches = bpfast.Network([2, 2, 1], seed=0), [(X, Y), (X, Y, np.ones(20))]
    net.fit(batches, epochs=1, checkpoint=path)
    forget_the_weighting(path)
    with pytest.warns(UserWarning, match="^x: batches with weights have other steps now") as caught:
        net.fit(batches, epochs=2, resume=path)
    assert caught[0].filename == __file__
    assert len(net.history) == 2
