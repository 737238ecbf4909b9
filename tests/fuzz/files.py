"""Files that are almost right: networks, a checkpoint, an ensemble, tensors, with some damage."""

from __future__ import annotations

import functools
import itertools
import json
import pathlib
import random
import struct
import tempfile
import warnings
import zlib
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

import bpfast
from bpfast import schedules
from bpfast._core import read_tensors, write_tensors
from bpfast._training.checkpoint import file as _checkpoint_file

X = np.random.default_rng(0).normal(size=(20, 2))
Y = X[:, :1] > 0
# Wrong values of offsets, shapes and lengths.
WRONG_VALUES: list[Any] = [
    0, 1, -1, 2, 7, 8, 9, 255, 2**31 - 1, 2**31, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1,
    2**64, 10**30, 1.5, 1e308, True, None, "1", [], {}, [1], "F64", "F32", "I64", "BF16",
]  # fmt: skip


def trained(**options: Any) -> bpfast.Network:
    net = bpfast.Network([2, 2, 1], seed=0)
    optimizer = bpfast.Adam(schedules.Plateau(0.5))
    given: dict[str, Any] = {"epochs": 2, "batch_size": 10, "early_stopping": 5, "seed": 1}
    net.fit(X, Y, optimizer=optimizer, **given | options)
    return net


@functools.cache
def valid() -> list[bytes]:
    """Whole files: networks, a checkpoint, an ensemble, tensors of every dtype."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "file")
        found = []
        for dtype in ("float32", "float64"):
            bpfast.Network([3, 4, 2], hidden="tanh", dtype=dtype, seed=0).save(path)
            found.append(path.read_bytes())
        trained(checkpoint=path)
        found.append(path.read_bytes())
        nets = [bpfast.Network([2, k, 1], seed=k) for k in (1, 2)]
        bpfast.fit_many(nets, X, Y, epochs=2, batch_size=10, validation=0.5, seed=[1, 2]).save(path)
        found.append(path.read_bytes())
        shapes = {"f4": (2, 3), "f8": (), "i8": (0, 4), "u8": (5,), "u1": (3, 1), "?": (7,)}
        write_tensors(path, {k: np.zeros(shape, k) for k, shape in shapes.items()}, {"a": "b"})
        found.append(path.read_bytes())
    return found


class Damage:
    """Random changes of the bytes of a file."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def of(self, content: bytes) -> bytes:
        ways = [
            self.flipped,
            self.cut,
            self.spliced,
            self.with_other_length,
            self.edited,
            self.edited,
        ]
        for _ in range(self.rng.choice([1, 1, 1, 2, 3])):
            content = self.rng.choice(ways)(content)
        return content

    def flipped(self, content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(self.rng.choice([1, 1, 2, 8])):
            if changed:
                at = self.rng.randrange(min(len(changed), self.rng.choice([16, 2**20])))
                changed[at] ^= 1 << self.rng.randrange(8)
        return bytes(changed)

    def cut(self, content: bytes) -> bytes:
        at = self.rng.randrange(len(content) + 1)
        return content[:at] if self.rng.random() < 0.5 else content + bytes(at % 9)

    def spliced(self, content: bytes) -> bytes:
        """A part removed, duplicated, set to 0, or copied from another file."""
        other = self.rng.choice(valid())
        start = self.rng.randrange(len(content) + 1)
        stop = min(len(content), start + self.rng.choice([1, 4, 8, 64, 1000]))
        middle = [b"", content[start:stop] * 2, bytes(stop - start), other[start:stop]]
        return content[:start] + self.rng.choice(middle) + content[stop:]

    def with_other_length(self, content: bytes) -> bytes:
        length = self.rng.choice([0, 1, 2, 7, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 100_000_000])
        near = len(content) + self.rng.randrange(-10, 10)
        return struct.pack("<Q", self.rng.choice([length, max(near, 0)])) + content[8:]

    def edited(self, content: bytes) -> bytes:
        """Another header, of the right length."""
        try:
            size = struct.unpack("<Q", content[:8])[0]
            header = json.loads(content[8 : 8 + size])
            text = self.header(header)
        except (AttributeError, LookupError, RecursionError, struct.error, TypeError, ValueError):
            return content
        made = headed(text, content[8 + size :])
        return summed(header, made, content[8 + size :]) if self.rng.random() < 0.8 else made

    def header(self, header: dict[str, Any]) -> str:
        name = self.rng.choice(list(header))
        way = self.rng.randrange(8)
        if name == "__metadata__":
            texts = header[name]
            key = self.rng.choice(list(texts))
            if way < 3 and texts[key][:1] == "{":
                inner = json.loads(texts[key])
                self.change_number(inner)
                texts[key] = json.dumps(inner)
            elif way < 5:
                texts[key] = self.rng.choice(["", "2", "{}", "[" * 5000, "\ud800", "NaN", "null"])
            elif way < 7:
                texts[key] = self.rng.choice(WRONG_VALUES)
            else:
                header[name] = self.rng.choice(WRONG_VALUES)
        elif way < 5:
            self.change_number(header[name])
        elif way == 5:
            header[self.rng.choice(["weights.0", "__metadata__", "", "x" * 200])] = header.pop(name)
        elif way == 6:  # duplicate the part
            header[name + "+"] = dict(header[name])
        text = json.dumps(header)
        if way == 7:  # the same name twice
            text = text[:-1] + f", {json.dumps(name)}: {json.dumps(header[name])}}}"
        return text

    def change_number(self, container: Any) -> None:
        """Put something else in the container of something in there."""
        while True:
            keys = list(container) if isinstance(container, dict) else list(range(len(container)))
            if not keys:
                return
            key = self.rng.choice(keys)
            if not isinstance(container[key], dict | list) or self.rng.random() < 0.2:
                break
            container = container[key]
        old, way = container[key], self.rng.randrange(4)
        if way == 0 and isinstance(old, int):
            container[key] = old + self.rng.choice([-8, -1, 1, 8])
        elif way == 1 and isinstance(container, dict):
            del container[key]
        else:
            container[key] = self.rng.choice(WRONG_VALUES)


def headed(text: str, numbers: bytes) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(data)) + data + numbers


def summed(header: dict[str, Any], content: bytes, numbers: bytes) -> bytes:
    """The same file with a check sum that fits, if it can have one: else only that is seen."""
    try:
        text, tensors = header["__metadata__"], safetensors.numpy.load(content)
        if "networks" in text:
            text["check"] = _checkpoint_file.checksum(text["networks"], tensors)
        elif "training" in text:
            text["check"] = _checkpoint_file._check(text["config"], text["training"], tensors)
        else:
            text["check"] = network_check(text["config"], header, numbers)
    except (AttributeError, KeyError, TypeError, ValueError, safetensors.SafetensorError):
        return content
    return headed(json.dumps(header), numbers)


def network_check(config: str, header: dict[str, Any], numbers: bytes) -> str:
    """The checksum of a network file."""
    found = zlib.crc32(config.encode())
    names = ((f"weights.{k}", f"biases.{k}") for k in itertools.count())
    for layer in itertools.takewhile(lambda layer: layer[0] in header, names):
        for name in layer:
            if name in header:
                entry = header[name]
                start, stop = entry["data_offsets"]
                found = zlib.crc32(f"{name} {entry['dtype']} {entry['shape']}".encode(), found)
                found = zlib.crc32(numbers[start:stop], found)
    return f"{found:08x}"


def program(seed: int, folder: pathlib.Path, *, loud: bool = False) -> list[str]:
    """Damage a file, and read it: what was wrong with that."""
    rng = random.Random(seed)
    path, content = folder / "file", rng.choice(valid())
    damaged = Damage(rng).of(content)
    path.write_bytes(damaged)
    if loud:
        print(f"{seed}: {damaged!r}", flush=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for check in (check_tensors, check_network, check_checkpoint, check_ensemble):
                check(path, damaged)
    except BaseException as error:
        if loud:
            raise
        return [f"files, seed {seed}: {type(error).__name__}: {error}"]
    return []


def refused(path: pathlib.Path, read: Any) -> Any:
    """What `read` gives; None where it refuses the file in a ValueError that names it."""
    try:
        return read(path)
    except ValueError as error:
        if str(path) not in str(error) and "as in the checkpoint" not in str(error):
            raise
    except MemoryError:
        pass
    return None


def check_tensors(path: pathlib.Path, content: bytes) -> None:
    """The contents equal those that safetensors reads, and are the same if written again."""
    found = refused(path, read_tensors)
    if found is None:
        return
    tensors, metadata = found
    theirs = safetensors.numpy.load(content)
    same(tensors, theirs)
    with safetensors.safe_open(path, "numpy") as file:
        assert (file.metadata() or {}) == metadata
    assert sum(array.nbytes for array in tensors.values()) <= len(content)
    write_tensors(path, tensors, metadata)
    same(read_tensors(path)[0], tensors)
    path.write_bytes(content)


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].shape, found[name].dtype) == (array.shape, array.dtype), name
        assert found[name].tobytes() == array.tobytes(), name


def check_network(path: pathlib.Path, content: bytes) -> None:
    """A network that is read is whole: it computes, and what it saves is read as the same."""
    net = refused(path, bpfast.load)
    if net is None:
        return
    net.forward(np.zeros((1, net.sizes[0])))
    net.save(path)
    again = bpfast.load(path)
    assert again.config == net.config
    assert again.params.tobytes() == net.params.tobytes()
    path.write_bytes(content)


def check_checkpoint(path: pathlib.Path, content: bytes) -> None:
    """A training continues, or is refused and has changed nothing."""
    net = bpfast.Network([2, 2, 1], seed=0)
    before = net.params.copy()
    optimizer = bpfast.Adam(schedules.Plateau(0.5))
    options: dict[str, Any] = {"batch_size": 10, "early_stopping": 5, "optimizer": optimizer}

    def resume(path: pathlib.Path) -> Any:
        return net.fit(X, Y, epochs=3, seed=1, resume=path, **options)

    if refused(path, resume) is None:
        assert net.params.tobytes() == before.tobytes()
        assert optimizer.state["steps"] == 0
        assert net.history is None
    else:
        assert net.history is not None
        assert len(net.history) >= 3


def check_ensemble(path: pathlib.Path, content: bytes) -> None:
    """Each network of an ensemble that is read computes, and what it saves is read as the same."""
    found = refused(path, bpfast.Ensemble.load)
    if found is None:
        return
    for net in found:
        net.forward(np.zeros((1, net.sizes[0])))
    found.save(path)
    again = bpfast.Ensemble.load(path)
    assert [net.config for net in again] == [net.config for net in found]
    assert [net.params.tobytes() for net in again] == [net.params.tobytes() for net in found]
    assert again.histories == found.histories
    path.write_bytes(content)
