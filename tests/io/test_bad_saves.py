"""A file that is no saved network, or a damaged one, is refused: what is wrong is said."""

import json
import re
import struct

import numpy as np
import pytest

import bpfast
from bpfast._core import read_tensors, write_tensors
from tests.helpers.refuses import refuses


def net_of(**options):
    return bpfast.Network([3, 4, 2], hidden="tanh", seed=0, **options)


def same(twin, net):
    assert twin.config == net.config
    assert twin.params.tobytes() == net.params.tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def spoil(path, net, change):
    """Save `net`, then write the file anew with `change` made to its tensors and metadata."""
    net.save(path)
    tensors, metadata = read_tensors(path)
    del metadata["check"]  # so that it is not what is refused
    before = metadata["config"]
    config = json.loads(before)
    change(tensors, metadata, config)
    if metadata.get("config") == before:
        metadata["config"] = json.dumps(config)
    write_tensors(path, tensors, metadata)


def one_softmax(tensors, config):
    tensors.update({"weights.1": np.ones((1, 4)), "biases.1": np.ones(1)})
    config.update(sizes=[3, 4, 1], output="softmax")


HUGE = 2**62
CHANGES = [
    (lambda t, m, c: m.clear(), "format: expected a network that bpfast saved, got none; read "),
    (lambda t, m, c: m.update(format="pt"), "format: expected a network .*, got 'pt'"),
    (lambda t, m, c: m.pop("format_version"), "format_version: expected 1, .*, got ''"),
    (lambda t, m, c: m.update(format_version="x"), "format_version: expected 1, .*, got 'x'"),
    (lambda t, m, c: m.update(format_version="0"), "format_version: expected 1, .*, got '0'"),
    *[
        (
            lambda t, m, c, text=text: m.update(format_version=text),
            f"format_version: .*, got '{got}'$",
        )
        for text, got in (("+1", r"\+1"), (" 1", " 1"), ("01", "01"), ("1.0", "1.0"), ("¹", "¹"))
    ],
    (
        lambda t, m, c: m.update(format_version="2"),
        "format_version: expected 1, or an earlier one, got 2: a newer bpfast wrote the file",
    ),
    (lambda t, m, c: m.pop("config"), "config: expected the configuration of a network, got none$"),
    *[
        (lambda t, m, c, text=text: m.update(config=text), f"config: .*, got {got}$")
        for text, got in (
            ("[]", "no JSON object"),
            ("null", "no JSON object"),
            ("", "no JSON object"),
            (" {", "EOF .*"),
        )
    ],
    (lambda t, m, c: c.pop("hidden"), "config: .* missing field `hidden`"),
    (lambda t, m, c: c.update(dropout=1), "config: .* unknown field `dropout`"),
    (lambda t, m, c: c.update(sizes=[3, -4, 2]), "config: .* invalid value"),
    (lambda t, m, c: c.update(sizes=[3, 2**70, 2]), "config: "),
    (lambda t, m, c: c.update(sizes="342"), "config: .* invalid type"),
    (lambda t, m, c: c.update(hidden=["tanhh"]), r"hidden\[0\]: unknown name 'tanhh'; did you"),
    (lambda t, m, c: c.update(hidden=["softmax"]), r"hidden\[0\]: expected an activation that"),
    (lambda t, m, c: c.update(hidden=[]), "hidden: expected 1 activations"),
    (
        lambda t, m, c: one_softmax(t, c),
        "output: expected 'sigmoid' .*for one neuron, got 'softmax'",
    ),
    (lambda t, m, c: c.update(output="x"), "output: unknown name 'x'"),
    (lambda t, m, c: c.update(cost="x"), "cost: unknown name 'x'"),
    (lambda t, m, c: c.update(cost="log_likelihood"), "output: expected 'softmax'"),
    (lambda t, m, c: c.update(dtype="int64"), "dtype: unknown name 'int64'"),
    (lambda t, m, c: c.update(dtype="float32"), "weights.0: expected dtype F32, got F64"),
    (
        lambda t, m, c: c.update(sizes=[]),
        "tensors: expected tensors of 0 layers, .*, got 'weights.0' too$",
    ),
    (
        lambda t, m, c: c.update(sizes=[3, 4]),
        "tensors: expected tensors of 1 layers, .*, got 'w.*.1'",
    ),
    (lambda t, m, c: (c.update(sizes=[3]), t.clear()), "sizes: expected two layers or more"),
    (
        lambda t, m, c: c.update(sizes=[HUGE, HUGE, 2]),
        rf"weights.0: expected shape \({HUGE}, {HUGE}\), got \(4, 3\)",
    ),
    (lambda t, m, c: t.pop("biases.1"), "biases.1: expected a tensor of this name, got none$"),
    (lambda t, m, c: t.update(more=t["biases.0"]), "tensors: .* of 2 layers, .*, got 'more' too$"),
    (lambda t, m, c: t.update(more=t.pop("biases.0")), "biases.0: .* of this name, got none"),
    (
        lambda t, m, c: t.update({"weights.1": t["weights.1"].T}),
        r"weights.1: expected shape \(2, 4\), got \(4, 2\)",
    ),
    (
        lambda t, m, c: t.update({"biases.1": t["biases.1"].astype("f4")}),
        "biases.1: expected dtype F64, got F32",
    ),
    (
        lambda t, m, c: (
            c.update(sizes=[0, 4, 2]),
            t.update({"weights.0": np.zeros((4, 0))}),
        ),
        r"sizes\[0\]: expected a positive number of neurons, got 0",
    ),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_files_that_are_not_networks(path, change, message):
    spoil(path, net_of(), change)
    with refuses(ValueError, f"^{re.escape(str(path))}: {message}"):
        bpfast.load(path)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("biases", [True, [True, False], False])
def test_a_changed_bit_of_a_parameter_is_refused(path, dtype, biases):
    bpfast.Network([2, 3, 2], dtype=dtype, biases=biases, seed=0).save(path)
    whole = path.read_bytes()
    size = 8 + struct.unpack("<Q", whole[:8])[0]
    for place in range(size, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ValueError, match=r"check: expected .*; if the file was"):
            bpfast.load(path)


def test_a_network_without_a_checksum_is_read(path):
    """Of an older version, or changed on purpose."""
    net = net_of()
    spoil(path, net, lambda tensors, metadata, config: tensors["weights.0"].fill(2))
    assert (bpfast.load(path).weights[0] == 2).all()


def test_unknown_metadata_is_ignored(path):
    net = net_of()
    spoil(path, net, lambda tensors, metadata, config: metadata.update(note="mine"))
    same(bpfast.load(path), net)


def test_every_flip_in_the_header_is_seen_or_harmless(path):
    net = bpfast.Network([2, 2, 2], hidden="elu", cost="huber", dtype="float32", seed=0)
    net.save(path)
    whole = path.read_bytes()
    size = 8 + struct.unpack("<Q", whole[:8])[0]
    loaded = 0
    for place in range(size):
        for mask in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
            try:
                twin = bpfast.load(path)
            except ValueError as error:
                assert str(path) in str(error)  # noqa: PT017
            else:
                same(twin, net)
                loaded += 1
    assert loaded < 100  # white space, and what JSON says in two ways


def test_every_truncation_is_seen(path):
    net_of(dtype="float32").save(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with refuses(ValueError, f"^{re.escape(str(path))}: expected a safetensors file, got"):
            bpfast.load(path)
