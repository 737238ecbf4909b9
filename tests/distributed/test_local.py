"""Training on shards in one process: what it equals, and what it refuses."""

import numpy as np
import pytest

import bpfast
from tests.distributed.case import CASES, SHARD_ROWS, data, digest, examples, network, train

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


@pytest.mark.parametrize("exponent", [-900, -150, 140, 900])
@pytest.mark.parametrize("case", CASES)
def test_only_the_ratios_of_weights_matter(case, exponent):
    """Also beyond the range of float32. A power of 2 changes no bit."""
    x, y, weight = examples(case)
    expected, found = (train(case, x, y, s)[0] for s in (weight, np.ldexp(weight, exponent)))
    assert digest(found) == digest(expected)


@pytest.mark.parametrize("method", ["steps", "full"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weights"])
@pytest.mark.parametrize("class_weight", [None, "balanced", {1: 3.0}], ids=str)
def test_dropout_class_weights_and_held_out_rows_are_those_of_fit(method, weight, class_weight):
    options = {"dropout": 0.4, "class_weight": class_weight, "validation": 0.2, "seed": 5}
    options |= {"metrics": "accuracy", "epochs": 3, "early_stopping": 100}
    labels = Y.argmax(1)
    ours, whole = (network("float64", output="softmax", cost="log_likelihood") for _ in range(2))
    size = {"batch_size": 100} if method == "steps" else {}
    found = bpfast.distributed.fit(
        ours, X, labels, sample_weight=weight, shard_rows=64, method=method, **size, **options
    )
    more = {"batch_size": 100} if method == "steps" else {"batch_size": len(X), "shuffle": False}
    expected = whole.fit(X, labels, sample_weight=weight, **more, **options)
    np.testing.assert_allclose(ours.params, whole.params, rtol=0, atol=1e-12)
    for name in ("cost", "validation_cost", "validation_accuracy"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)


@pytest.mark.parametrize("form", ["array", "frame", "csr"])
@pytest.mark.parametrize("keep", [True, False])
def test_callables_may_fill_one_buffer(keep, form):
    """Each shard has the numbers that were there when its callable returned."""
    parts = [slice(start, start + 50) for start in range(0, 150, 50)]
    x, y, weight = np.empty((50, X.shape[1])), np.empty((50, Y.shape[1])), np.empty(50)
    given = {
        "array": lambda: x,
        "frame": lambda: pytest.importorskip("pandas").DataFrame(x, copy=False),
        "csr": lambda: pytest.importorskip("scipy.sparse").csr_array(np.ones_like(x)),
    }[form]()

    def filling(part):
        def fill():
            x[:], y[:], weight[:] = X[part], Y[part], WEIGHT[part]
            if form == "csr":
                given.data[:] = x.ravel()
            return given, y, weight

        return fill

    ours, expected = network("float64"), network("float64")
    shards = bpfast.distributed.LocalShards([filling(part) for part in parts], keep=keep)
    bpfast.distributed.fit(ours, shards, epochs=2, batch_size=40, seed=0)
    apart = [(X[part].copy(), Y[part].copy(), WEIGHT[part].copy()) for part in parts]
    bpfast.distributed.fit(expected, apart, epochs=2, batch_size=40, seed=0)
    np.testing.assert_allclose(ours.params, expected.params, rtol=0, atol=1e-12)


def test_dropout_with_a_callable_cost():
    nets = [network("float64", cost=cost) for cost in ("quadratic", quadratic)]
    for net in nets:
        bpfast.distributed.fit(net, X, Y, shard_rows=64, batch_size=100, dropout=0.4, seed=5)
    np.testing.assert_allclose(nets[0].params, nets[1].params, rtol=0, atol=1e-12)


def quadratic(a, y):
    return ((a - y) ** 2).sum(1) / 2, a - y


def test_local_steps_drop_other_neurons_in_each_shard():
    """Two shards of equal rows, whose mean has another result than one of them alone."""
    nets = [network("float64") for _ in range(2)]
    options = {"method": "local", "batch_size": 50, "dropout": 0.4, "shuffle": False, "seed": 5}
    for net, parts in zip(nets, ([(X, Y)], [(X, Y)] * 2), strict=True):
        bpfast.distributed.fit(net, parts, epochs=1, **options)
    assert abs(nets[0].params - nets[1].params).max() > 1e-6


@pytest.mark.parametrize("method", ["steps", "full", "lbfgs", "local"])
def test_shards_of_one_row_of_which_half_are_held_out(method):
    ours, whole = network("float64"), network("float64")
    options = {"validation": 0.5, "metrics": "r2", "epochs": 2, "seed": 0}
    found = bpfast.distributed.fit(ours, X[:12], Y[:12], shard_rows=1, method=method, **options)
    assert np.isfinite([*found.cost, *found.validation_cost, *found.validation_r2]).all()
    if method == "full":
        whole.fit(X[:12], Y[:12], batch_size=12, shuffle=False, **options)
        np.testing.assert_allclose(ours.params, whole.params, rtol=0, atol=1e-12)


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


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("threads", [1, 2])
def test_bits_do_not_depend_on_the_source_or_threads(case, threads, tmp_path):
    x, y, weight = examples(case)
    parts = [
        tuple(array[start : start + SHARD_ROWS] for array in (x, y, weight))
        for start in range(0, len(x), SHARD_ROWS)
    ]
    expected = digest(train(case, x, y, weight)[0])
    paths = [tmp_path / f"{k}.npz" for k in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        np.savez(path, **dict(zip(("x", "y", "sample_weight"), part, strict=True)))
    np.save(tmp_path / "x.npy", np.asfortranarray(x))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    sources = {
        "mapped": (mapped, y, weight),
        "shards": (bpfast.distributed.LocalShards(x, y, weight, shard_rows=SHARD_ROWS),),
        "parts": (parts,),
        "callables": ([lambda part=part: part for part in parts],),
        "files": (paths,),
        "read again": (bpfast.distributed.LocalShards(paths, keep=False),),
    }
    with bpfast.num_threads(threads):
        for name, given in sources.items():
            rows = SHARD_ROWS if len(given) == 3 else None
            assert digest(train(case, *given, shard_rows=rows)[0]) == expected, name


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


@pytest.mark.parametrize("case", [name for name in CASES if not name.startswith("lbfgs")])
def test_resumed_training_has_the_same_bits(case, tmp_path):
    path, given = tmp_path / "training", examples(case)
    options = {"epochs": 4, "early_stopping": None}
    expected, _ = train(case, *given, **options)
    train(case, *given, **options | {"epochs": 2}, checkpoint=path)
    net, _ = train(case, *given, **options, resume=path)
    assert digest(net) == digest(expected)
    for rows, message in (
        (
            65,
            "shards with as many rows each as in the checkpoint, got 8 with other numbers of rows",
        ),
        (200, "8 shards as in the checkpoint, got 3"),
    ):
        with pytest.raises(ValueError, match=f"^shard_rows: expected {message}$"):
            train(case, *given, **options, resume=path, shard_rows=rows)
    with pytest.raises(
        ValueError, match=r"^x: expected \d+ examples as in the checkpoint, got \d+$"
    ):
        train(case, *(array[:400] for array in given), **options, resume=path)
    others = {"method": "steps", "average_every": None}
    if CASES[case]["method"] == "steps":
        others = {"batch_size": 251}
    with pytest.raises(ValueError, match="as in the checkpoint"):
        train(case, *given, **options | others, resume=path)


def test_checkpoints_of_shards_and_of_arrays_in_one_piece(tmp_path):
    in_shards, in_one = tmp_path / "shards", tmp_path / "one"
    options = {"epochs": 1, "seed": 0}
    bpfast.distributed.fit(network(), X, Y, checkpoint=in_shards, **options)
    network().fit(X, Y, checkpoint=in_one, **options)
    kinds = "a training in shards", "a training in one piece"
    for fit, path, (mine, other) in (
        (bpfast.distributed.fit, in_one, kinds),
        (bpfast.Network.fit, in_shards, kinds[::-1]),
    ):
        message = f"^resume: expected the checkpoint of {mine}, got that of {other}$"
        with pytest.raises(ValueError, match=message):
            fit(network(), X, Y, resume=path, **options)


def test_costs_of_steps_whose_sum_is_out_of_range():
    net = bpfast.Network([1, 1], output="identity", init="zeros")
    y = np.full((4, 1), 1e154)  # C_x = 5e307
    options = {"batch_size": 1, "epochs": 1, "optimizer": bpfast.SGD(1e-300)}
    with pytest.warns(UserWarning, match="^y: expected targets of about 1"):
        found = bpfast.distributed.fit(net, np.zeros((4, 1)), y, shard_rows=2, **options)
    assert found.cost[0] == pytest.approx(5e307, rel=1e-12)


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


def test_lbfgs_that_diverges():
    net = network("float64")
    net.params[...] = 1e200
    with pytest.raises(bpfast.DivergenceError):
        bpfast.distributed.fit(net, X, Y, shard_rows=64, method="lbfgs")
    assert (net.params == 1e200).all()
    assert net.history.stopped == "diverged"


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
