"""Training on shards in one process: what it equals, and what it refuses."""

import numpy as np
import pytest

import bpfast
from tests.distributed.case import METHODS, SHARD_ROWS, data, digest, network, train

X, Y, WEIGHT = data()
# A sum over shards differs from that over all examples by rounding: a few eps of its terms.
CLOSE = {"float32": 2e-5, "float64": 1e-12}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weights"])
@pytest.mark.parametrize("method", ["steps", "full"])
def test_equals_fit_up_to_rounding(method, weight, dtype):
    options = {"epochs": 3, "seed": 5, "l2": 1e-3, "l1": 1e-4, "max_norm": 1.0}
    options["clip_norm"] = 0.1 if weight is None else None  # clipped, a factor would not show
    ours, whole = network(dtype), network(dtype)
    size = {"batch_size": 100} if method == "steps" else {}
    found = bpfast.distributed.fit(
        ours, X, Y, sample_weight=weight, shard_rows=64, method=method,
        optimizer=bpfast.SGD(0.1, momentum=0.9), **size, **options,
    )  # fmt: skip
    more = {"batch_size": 100} if method == "steps" else {"batch_size": len(X), "shuffle": False}
    expected = whole.fit(
        X, Y, sample_weight=weight, optimizer=bpfast.SGD(0.1, momentum=0.9), **more, **options
    )
    np.testing.assert_allclose(ours.params, whole.params, rtol=0, atol=CLOSE[dtype])
    np.testing.assert_allclose(found.cost, expected.cost, rtol=CLOSE[dtype])


def test_lbfgs_equals_scipy_minimize():
    """In the first iterations; later rounding errors grow with the curvature."""
    ours, whole = network("float64"), network("float64")
    history = bpfast.distributed.fit(ours, X, Y, shard_rows=64, method="lbfgs", epochs=4, l2=0.01)
    found = bpfast.scipy_minimize(whole, X, Y, max_iterations=4, l2=0.01)
    np.testing.assert_allclose(ours.params, whole.params, rtol=0, atol=1e-8)
    assert len(history) == found.nit == 4
    np.testing.assert_allclose(history.cost[-1], whole.cost(X, Y), rtol=1e-8)


def test_local_with_one_shard_equals_fit_with_its_order():
    ours, whole = network("float64"), network("float64")
    bpfast.distributed.fit(
        ours, X, Y, shard_rows=len(X), method="local", batch_size=50, average_every=3, epochs=2,
        shuffle=False, sample_weight=WEIGHT,
    )  # fmt: skip
    whole.fit(X, Y, batch_size=50, epochs=2, shuffle=False, sample_weight=WEIGHT)
    np.testing.assert_allclose(ours.params, whole.params, rtol=0, atol=1e-12)


def test_local_is_the_mean_of_trainings_on_each_shard():
    ours, start = network("float64"), network("float64")
    options = {"learning_rate": 0.01, "shuffle": False, "epochs": 1}
    bpfast.distributed.fit(
        ours, X, Y, shard_rows=200, method="local", batch_size=50, average_every=4, **options
    )
    total = np.zeros_like(ours.params)
    for first in (0, 200, 400):
        rows, net = slice(first, min(first + 200, len(X))), start.copy()
        net.fit(X[rows], Y[rows], batch_size=50, **options)
        total += (rows.stop - rows.start) * net.params
    np.testing.assert_allclose(ours.params, total / len(X), rtol=0, atol=1e-13)
    assert ours.optimizer.steps == 4


def test_local_with_several_shards_learns():
    _, history = train("local", X, Y, epochs=20)
    assert history.cost[-1] < 0.7 * history.cost[0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("threads", [1, 2])
def test_bits_do_not_depend_on_the_source_or_threads(method, threads, tmp_path):
    parts = [
        tuple(array[start : start + SHARD_ROWS] for array in (X, Y, WEIGHT))
        for start in range(0, len(X), SHARD_ROWS)
    ]
    expected = digest(train(method, X, Y, WEIGHT)[0])
    paths = [tmp_path / f"{k}.npz" for k in range(len(parts))]
    for path, (x, y, weight) in zip(paths, parts, strict=True):
        np.savez(path, x=x, y=y, sample_weight=weight)
    np.save(tmp_path / "x.npy", np.asfortranarray(X))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    sources = {
        "mapped": (mapped, Y, WEIGHT),
        "shards": (bpfast.distributed.LocalShards(X, Y, WEIGHT, shard_rows=SHARD_ROWS),),
        "parts": (parts,),
        "callables": ([lambda part=part: part for part in parts],),
        "files": (paths,),
        "read again": (bpfast.distributed.LocalShards(paths, keep=False),),
    }
    with bpfast.num_threads(threads):
        for name, given in sources.items():
            rows = SHARD_ROWS if len(given) == 3 else None
            assert digest(train(method, *given, shard_rows=rows)[0]) == expected, name


def test_penalties_of_a_network_without_biases():
    """The mask of the weights follows the layers."""
    ours, whole = (
        bpfast.Network([6, 3, 2], hidden="tanh", output="identity", biases=[False, True], seed=0)
        for _ in range(2)
    )
    bpfast.distributed.fit(ours, X, Y, shard_rows=64, method="full", l2=0.1, epochs=2)
    whole.fit(X, Y, batch_size=len(X), shuffle=False, l2=0.1, epochs=2)
    np.testing.assert_allclose(ours.params, whole.params, rtol=0, atol=1e-12)
    bpfast.distributed.fit(ours, X, Y, shard_rows=64, method="lbfgs", l2=0.1, epochs=2)


def test_sparse_and_labels():
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(1)
    x = rng.standard_normal((90, 6)) * (rng.random((90, 6)) < 0.3)
    labels = rng.integers(0, 2, 90)
    nets = []
    for given in (x, sparse.csr_array(x)):
        net = bpfast.Network([6, 4, 2], output="softmax", cost="log_likelihood", seed=0)
        bpfast.distributed.fit(net, given, labels, shard_rows=20, batch_size=30, seed=0, epochs=2)
        nets.append(net)
    assert digest(nets[0]) == digest(nets[1])


@pytest.mark.parametrize("method", ["steps", "full", "local"])
def test_resumed_training_has_the_same_bits(method, tmp_path):
    path = tmp_path / "training"
    expected, history = train(method, X, Y, WEIGHT, epochs=4)
    train(method, X, Y, WEIGHT, epochs=2, checkpoint=path)
    net, found = train(method, X, Y, WEIGHT, epochs=4, resume=path)
    assert digest(net) == digest(expected)
    assert found.cost.tolist() == history.cost.tolist()
    with pytest.raises(ValueError, match=r"^shards: expected \[500, 8, \d+\] as in the checkpoint"):
        train(method, X, Y, WEIGHT, epochs=4, resume=path, shard_rows=65)
    with pytest.raises(ValueError, match="as in the checkpoint"):
        train("full" if method == "steps" else "steps", X, Y, WEIGHT, epochs=4, resume=path)


def test_early_stopping_callbacks_and_validation():
    rows = []
    net, history = train(
        "full", X, Y, epochs=9, validation=(X[:50], Y[:50]), metrics="r2", early_stopping=100,
        callbacks=lambda net, history: rows.append(len(history)) or len(history) == 3,
    )  # fmt: skip
    assert rows == [1, 2, 3]
    assert history.stopped == "callback"
    assert history.names[-2:] == ("validation_cost", "validation_r2")
    assert net.history is history
    assert net.optimizer.steps == 3


def test_lbfgs_stops_and_keeps_the_last_iteration():
    _, history = train("lbfgs", X, Y, epochs=9, callbacks=lambda _, history: len(history) == 2)
    assert (len(history), history.stopped) == (2, "callback")
    with pytest.raises(RuntimeError, match="mine"):
        train("lbfgs", X, Y, callbacks=lambda *_: (_ for _ in ()).throw(RuntimeError("mine")))


@pytest.mark.parametrize(
    ("options", "epoch", "step"),
    [
        ({"method": "full"}, 2, 0),
        ({"batch_size": 250}, 1, 1),
        ({"method": "local", "batch_size": 4, "average_every": 1}, 1, 1),
    ],
    ids=["full", "steps", "local"],
)
def test_divergence_keeps_the_parameters(options, epoch, step):
    net = network("float64")
    optimizer = bpfast.SGD(1e200)
    with pytest.raises(bpfast.DivergenceError) as caught:
        bpfast.distributed.fit(net, X, Y, shard_rows=64, optimizer=optimizer, **options)
    assert (caught.value.epoch, caught.value.step) == (epoch, step)
    assert np.isfinite(net.params).all()
    assert optimizer.steps == 1
    assert net.history.stopped == "diverged"
