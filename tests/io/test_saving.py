"""A saved network comes back bit for bit."""

import json
import os
import stat
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import bpfast
from bpfast._core import read_tensors
from tests.helpers.child import run
from tests.helpers.invalid.bad_names import ALLOWED
from tests.helpers.refuses import refuses

HIDDEN = [name for name in bpfast.ACTIVATIONS if name != "softmax"]
PAIRS = [
    (output, cost)
    for cost in bpfast.COSTS
    for output in bpfast.ACTIVATIONS
    if output in ALLOWED.get(cost, bpfast.ACTIVATIONS)
]


def net_of(**options):
    return bpfast.Network([3, 4, 2], hidden="tanh", seed=0, **options)


def cost(a, y):
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


def same(twin, net):
    assert type(twin) is bpfast.Network
    assert twin.config == net.config
    assert twin.params.tobytes() == net.params.tobytes()


def round_trip(net, path, **options):
    net.save(path)
    twin = bpfast.load(path, **options)
    same(twin, net)
    return twin


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_every_output_and_cost(path, output, cost, dtype):
    sizes = [2, *range(1, len(HIDDEN) + 1), 3]
    options = {"hidden": HIDDEN, "output": output, "cost": cost, "dtype": dtype}
    net = bpfast.Network(sizes, seed=0, **options)
    twin = round_trip(net, path)
    x = np.random.default_rng(0).normal(size=(5, 2))
    assert twin.forward(x).tobytes() == net.forward(x).tobytes()


@pytest.mark.parametrize("sizes", [[1, 1], [7, 1], [1, 70], [33, 64, 31], [2] * 150, [784, 300]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_shape(path, sizes, dtype):
    round_trip(bpfast.Network(sizes, dtype=dtype, seed=0), path)


@pytest.mark.parametrize(
    ("dtype", "bits"), [("float32", [0x7FC0DEAD, 0x7F800001]), ("float64", [0x7FF8 << 48 | 5])]
)
def test_nan_and_infinity_keep_their_bits(path, dtype, bits):
    net = bpfast.Network([3, 2], dtype=dtype)
    net.params[:] = [np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e-40, 0, 1]
    unsigned = f"u{net.dtype.itemsize}"
    net.params.view(unsigned)[-len(bits) :] = bits
    round_trip(net, path)
    net.params[:] = np.nan
    round_trip(net, path)


def test_a_network_that_was_trained(path):
    net = net_of()
    net.params -= 0.1 * net.backprop(np.ones((4, 3)), np.zeros((4, 2))).flat
    twin = round_trip(net, path)
    before = net.params.copy()
    twin.params += 1
    assert net.params.tobytes() == before.tobytes()
    round_trip(twin, path)  # over the file it came from


class Named(bpfast.Network):
    pass


def test_a_subclass_comes_back_as_a_network(path):
    net = Named([3, 2], seed=0)
    net.rate = 0.5
    round_trip(net, path)
    plain = bpfast.Network([3, 2], seed=0)
    plain.save(path.with_name("plain"))
    assert path.read_bytes() == path.with_name("plain").read_bytes()


def test_the_file_tells_other_readers_what_it_is(path):
    net = net_of(dtype="float32")
    net.save(path)
    tensors, metadata = read_tensors(path)
    assert list(tensors) == ["weights.0", "biases.0", "weights.1", "biases.1"]
    for k, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        np.testing.assert_array_equal(tensors[f"weights.{k}"], w, strict=True)
        np.testing.assert_array_equal(tensors[f"biases.{k}"], b, strict=True)
    assert (metadata["format"], metadata["format_version"]) == ("bpfast.network", "1")
    # Older versions know no biases.
    assert json.loads(metadata["config"]) | {"biases": True} == net.config
    assert bpfast.Network(**json.loads(metadata["config"])).same_config(net)


def test_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = net_of()
    for path in ("net", b"net", Path("net"), "ä ö 網", "./net", str(tmp_path / "net")):
        assert net.save(path) is None
        same(bpfast.load(path), net)
        Path(os.fsdecode(path)).unlink()
    if sys.platform == "linux":
        net.save(b"\xff")  # no UTF-8
        same(bpfast.load(b"\xff"), net)
        assert [os.fsencode(entry) for entry in tmp_path.iterdir()] == [bytes(tmp_path / "\udcff")]


class Unpathable:
    def __fspath__(self):
        raise LookupError("no path")


class Wrong:
    def __fspath__(self):
        return 3


def test_invalid_paths():
    net = net_of()
    for entry_point in (net.save, bpfast.load):
        for bad, name in ((3, "int"), (None, "NoneType"), (["x"], "list"), (str, "type")):
            message = f"^path: expected str, bytes or os.PathLike, got {name}$"
            with refuses(TypeError, message):
                entry_point(bad)
        with refuses(TypeError, "^path: expected Wrong.__fspath__"):
            entry_point(Wrong())
        with pytest.raises(LookupError, match="no path"):
            entry_point(Unpathable())
        with refuses(ValueError, r"^path: expected a path without null bytes, got 'a\\x00b'"):
            entry_point("a\0b")
        with refuses(ValueError, "^path: expected a path without null bytes, got .{100}…$"):
            entry_point("\0" * 1000)
        if sys.platform != "win32":  # any text is a path there
            with refuses(ValueError, r"^path: expected a path that .* can encode, got 'a\\ud800'$"):
                entry_point("a\ud800")
    with pytest.raises(TypeError):
        bpfast.load("net", cost)


def test_a_callable_cost_must_be_given(path):
    net = net_of(cost=cost)
    twin = round_trip(net, path, cost=cost)
    x, y = np.ones((4, 3)), np.zeros((4, 2))
    assert twin.backprop(x, y).flat.tobytes() == net.backprop(x, y).flat.tobytes()
    needed = "^cost: expected the callable that is the cost of the network, .*, got none$"
    with refuses(ValueError, needed):
        bpfast.load(path)
    assert bpfast.load(path, cost="huber").config == net.config | {"cost": "huber"}
    with refuses(ValueError, "output: expected 'softmax' with cost 'log_likelihood', got"):
        bpfast.load(path, cost="log_likelihood")
    with refuses(ValueError, "^cost: unknown name 'hubert'; did you mean 'huber'"):
        bpfast.load(path, cost="hubert")
    with refuses(TypeError, "^cost: expected a name or a callable, got int"):
        bpfast.load(path, cost=1)


def test_a_named_cost_is_the_files(path):
    net = net_of(cost="huber")
    net.save(path)
    same(bpfast.load(path, cost="huber"), net)
    for other, got in (("quadratic", "'quadratic'"), (cost, "a callable")):
        message = f"^cost: expected 'huber', the cost in the file, or none, got {got}$"
        with refuses(ValueError, message):
            bpfast.load(path, cost=other)


def test_threads_save_and_load_side_by_side(path):
    net = bpfast.Network([300, 300], dtype="float32", seed=0)
    failed = []

    def work(own):
        try:
            for _ in range(20):
                net.save(own)
                same(bpfast.load(own), net)
                net.save(path)
                same(bpfast.load(path), net)
        except BaseException as error:  # noqa: BLE001, told below
            failed.append(error)

    paths = [path.with_name(str(k)) for k in range(4)]
    threads = [threading.Thread(target=work, args=(own,)) for own in paths]
    for thread in threads:
        thread.start()
    x = np.ones((10, 300))
    while any(thread.is_alive() for thread in threads):
        net.forward(x)
    assert not failed
    assert sorted(path.parent.iterdir()) == sorted([path, *paths])


def test_a_file_has_one_state_of_the_parameters(path):
    net = bpfast.Network([1000, 1000], dtype="float32", init="zeros")
    before = net.params.tobytes()
    stop = threading.Event()

    def work():
        while not stop.is_set():
            net.params[:1] += 1
            net.params[-1:] = net.params[:1]

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(20):
            net.save(path)
            first, last = bpfast.load(path).params[[0, -1]]
            assert first - last in (0, 1)
    finally:
        stop.set()
        thread.join()
    assert before != net.params.tobytes()


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_loaded_network_is_independent(path):
    net = net_of()
    net.save(path)
    path.chmod(stat.S_IRUSR)
    twin = bpfast.load(path)
    path.unlink()
    same(twin, net)
    assert twin.params.flags.writeable


FORK = """
import json, os, sys
import bpfast
net = bpfast.Network([30, 20], seed=0)
child = os.fork()
net.save(f"{sys.argv[1]}/{child == 0}")
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
twins = [bpfast.load(f"{sys.argv[1]}/{name}") for name in (True, False)]
print(json.dumps([(twin.params == net.params).all().item() for twin in twins]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_saves_too(tmp_path):
    assert run(FORK, tmp_path) == [True, True]
