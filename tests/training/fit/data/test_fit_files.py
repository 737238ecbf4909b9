"""Memory maps, read in place or in blocks, with the bits of arrays and little memory."""

import json
import sys

import numpy as np
import pytest

import bpfast
from bpfast._training.data import sources as _sources
from tests.helpers.child import run
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
N = 500
X, Y, S = RNG.standard_normal((N, 6)), RNG.random((N, 3)), RNG.random(N)
LABELS = RNG.integers(0, 3, N)


def mapped(path, array):
    np.save(path, array)
    return np.load(path, mmap_mode="r")


@pytest.fixture(params=[60, 3000], ids=["small blocks", "one block"])
def blocks(request, monkeypatch):
    """Blocks of some numbers, so that there are several in an epoch."""
    monkeypatch.setattr(_sources, "ELEMENTS_PER_FETCH", request.param)


def fitted(x, y, dtype="float32", **options):
    config = {"output": "softmax", "cost": "log_likelihood"}
    net = bpfast.Network([6, 8, 3], hidden="tanh", dtype=dtype, seed=0, **config)
    net.fit(x, y, **{"epochs": 3, "batch_size": 7, "optimizer": bpfast.Adam(), "seed": 1} | options)
    return net


def same(net, twin):
    assert net.params.tobytes() == twin.params.tobytes()
    rows, others = net.history.to_dict(), twin.history.to_dict()
    assert rows | {"seconds": 0} == others | {"seconds": 0}


HOW = {
    "shuffled": {},
    "in order": {"shuffle": False},
    "weighted": {"sample_weight": S},
    "with dropout": {"dropout": 0.2},
    "held out": {"validation": 0.3, "metrics": ["accuracy", "r2"], "sample_weight": S},
    "class weights": {"class_weight": {1: 3.0}, "validation": 0.1},
    "sparse": {"sparse": True},
    "one step an epoch": {"batch_size": 10_000},
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", ["float32", "float64", "int16", "Fortran", "every other", "view"])
def test_the_bits_of_arrays(tmp_path, blocks, kind, how):
    x = X if kind in ("float32", "float64") else np.round(9 * X)
    lay = {
        "Fortran": np.asfortranarray,
        "every other": lambda a: np.repeat(a, 2, axis=0),
        "view": np.float64,
    }.get(kind, lambda a: a.astype(kind))
    given = mapped(tmp_path / "x.npy", lay(x))
    if kind == "every other":
        given = given[::2]
    if kind == "view":
        given = np.asarray(given)[:]
    labels = mapped(tmp_path / "y.npy", LABELS.astype(np.int8))
    options = {"sparse": False} | HOW[how]
    same(fitted(given, labels, **options), fitted(x, LABELS, **options))


def test_y_in_a_file(tmp_path, blocks):
    y = mapped(tmp_path / "y.npy", np.eye(3)[LABELS])
    for options in ({}, {"validation": 0.2, "metrics": "accuracy"}, {"class_weight": "balanced"}):
        same(fitted(X, y, **options), fitted(X, np.eye(3)[LABELS], **options))


def test_validation_in_a_file(tmp_path, monkeypatch):
    from bpfast._training.data import examples as _data

    x = mapped(tmp_path / "x.npy", X)
    options = {"metrics": ["accuracy", "mean_squared_error"]}
    alone = fitted(X, LABELS, validation=(X, LABELS, S), **options)
    same(fitted(X, LABELS, validation=(x, LABELS, S), **options), alone)
    monkeypatch.setattr(_data, "ELEMENTS_AT_ONCE", 6 * 13)
    pieces = fitted(X, LABELS, validation=(x, LABELS, S), **options)
    for name in alone.history.names[3:]:
        np.testing.assert_allclose(pieces.history[name], alone.history[name], rtol=1e-12)
    assert pieces.params.tobytes() == alone.params.tobytes()


def test_partial_fit(tmp_path):
    x = mapped(tmp_path / "x.npy", X)
    nets = [bpfast.Network([6, 3], seed=0, dtype="float32") for _ in range(2)]
    costs = [
        net.partial_fit(given, Y, batch_size=9) for net, given in zip(nets, (x, X), strict=True)
    ]
    assert nets[0].params.tobytes() == nets[1].params.tobytes()
    assert costs[0] == pytest.approx(costs[1], rel=1e-12)


def test_the_example_that_is_not_finite_is_named(tmp_path, blocks):
    x = X.copy()
    x[317, 2] = np.nan
    for given in (mapped(tmp_path / "x.npy", x), x):
        for options in ({}, {"validation": 0.1, "seed": 5}):
            with refuses(ValueError, r"^x\[317\]: expected finite numbers, got nan$"):
                fitted(given, LABELS, **options)
    x[317, 2] = 1e300
    with refuses(ValueError, r"^x\[317\]: expected numbers that float32 can hold, got 1e\+300$"):
        fitted(mapped(tmp_path / "y.npy", x), LABELS)


def test_arrays_that_do_not_match(tmp_path, blocks):
    net = bpfast.Network([6, 3], output="softmax", cost="log_likelihood", seed=0, dtype="float32")
    x, labels = mapped(tmp_path / "x.npy", X), LABELS.copy()
    labels[400] = 3
    with refuses(ValueError, r"^y\[400\]: expected a label from 0 to 2, got 3$", net):
        net.fit(x, labels)
    with refuses(ValueError, r"^y: expected shape \(\d+, 3\), got \(\d+, 2\)$", net):
        net.fit(x, Y[:, :2])
    with refuses(TypeError, "^x: expected real numbers, got dtype complex128$", net):
        net.fit(mapped(tmp_path / "y.npy", X * 1j), LABELS)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
@pytest.mark.parametrize("validation", [None, 0.25])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_file_that_cannot_be_copied(tmp_path, dtype, validation):
    """float64: 0.4 GB; float32, which is read in place where nothing is held out: 0.2 GB."""
    arguments = json.dumps(dtype), json.dumps(validation), tmp_path / "x"
    # glibc reserves 64 MB for each thread otherwise.
    steps = run("fit_of_a_large_file", *arguments, BPFAST_NUM_THREADS="2", MALLOC_ARENA_MAX="1")
    assert steps == (75 if validation else 100)
