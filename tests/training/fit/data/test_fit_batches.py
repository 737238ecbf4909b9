"""Batches of an iterable: the same bits as arrays, every error in its place, nothing lost."""

import threading
import time

import numpy as np
import pytest

import bpfast
from tests.helpers.messages import EMPTY_BATCH
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((50, 3)), RNG.random((50, 2))
# Their mean is 1: what arrays divide by, and batches do not.
S = np.tile([0.5, 1.5, 1.0, 0.0, 2.0], 10)


def net_of(**options):
    return bpfast.Network([3, 5, 2], **{"hidden": "tanh", "seed": 0} | options)


def cut(size, *arrays):
    return [tuple(a[k : k + size] for a in arrays) for k in range(0, 50, size)]


def fitted(*data, net=None, **options):
    net = net or net_of()
    net.fit(
        *data, **{"epochs": 3, "shuffle": False, "optimizer": bpfast.Adam(), "seed": 1} | options
    )
    return net


KINDS = {
    "a list": lambda batches: batches,
    "a tuple": tuple,
    "lists in lists": lambda batches: [[part.tolist() for part in batch] for batch in batches],
    "a callable": lambda batches: lambda: iter(batches),
    "a generator function": lambda batches: lambda: (batch for batch in batches),
    "an object with a length": lambda batches: dict(enumerate(batches)).values(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_bits_of_the_arrays(kind):
    how = {"l2": 0.01, "dropout": 0.3, "clip_norm": 0.5}
    alone = fitted(X, Y, batch_size=8, sample_weight=S, **how)
    given = KINDS[kind](cut(8, X, Y, S))
    net = fitted(given, **how)
    assert net.params.tobytes() == alone.params.tobytes()
    assert net.history.cost.tolist() == alone.history.cost.tolist()
    assert net.optimizer.steps == 21


def test_labels_and_sparse_batches():
    sparse = pytest.importorskip("scipy.sparse")
    x, y = X * (RNG.random(X.shape) < 0.5), RNG.integers(0, 2, 50)
    config = {"output": "softmax", "cost": "log_likelihood"}
    nets = [net_of(**config) for _ in range(3)]
    fitted(sparse.csr_array(x), y, net=nets[0], batch_size=10)
    fitted([(sparse.csc_array(x), y) for x, y in cut(10, x, y)], net=nets[1])
    fitted(x, y, net=nets[2], batch_size=10, sparse=True)
    assert nets[0].params.tobytes() == nets[1].params.tobytes() == nets[2].params.tobytes()


def test_batches_of_any_size():
    net = fitted([(X[:1], Y[:1]), (X[1:40], Y[1:40]), (X[40:], Y[40:])], epochs=2)
    twin, optimizer = net_of(), bpfast.Adam()
    for _ in range(2):
        for rows in (slice(1), slice(1, 40), slice(40, 50)):
            twin.partial_fit(X[rows], Y[rows], optimizer=optimizer)
    assert net.params.tobytes() == twin.params.tobytes()


def test_weights_of_a_batch_may_be_zero():
    weights = S.copy()
    weights[:10] *= 2  # their mean stays 1
    weights[10:20] = 0
    net = fitted(cut(10, X, Y, weights), epochs=1)
    assert net.optimizer.steps == 5
    alone = fitted(X, Y, batch_size=10, epochs=1, sample_weight=weights)
    assert net.params.tobytes() == alone.params.tobytes()


def test_the_next_batch_is_fetched_during_a_step():
    """One ahead, and no more; by another thread."""
    fetched, threads = [], set()

    def batches():
        for k, batch in enumerate(cut(10, X, Y)):
            fetched.append(k)
            threads.add(threading.current_thread())
            yield batch

    def cost(a, y):
        deadline = time.monotonic() + 10
        while len(fetched) < min(len(seen) + 2, 5) and time.monotonic() < deadline:
            time.sleep(0.001)
        seen.append(len(fetched))
        return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

    seen = []
    fitted(batches(), net=net_of(cost=cost), epochs=1)
    assert seen == [2, 3, 4, 5, 5]
    assert threading.current_thread() not in threads
    assert not any(thread.is_alive() for thread in threads)


class OwnError(Exception):
    """An exception whose constructor takes what others do not."""

    def __init__(self, code, text):
        super().__init__(code, text)
        self.code = code


ERRORS = [
    OwnError(3, "mine"),
    ValueError("mine"),
    StopIteration("in vain"),
    SystemExit(2),
    OSError("disk"),
]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_iterator_that_raises(error):
    def batches():
        yield from cut(10, X, Y)[:3]
        raise error

    class Plain:
        """A generator would make a RuntimeError of a StopIteration."""

        def __init__(self):
            self.batches = batches()

        def __iter__(self):
            return self

        def __next__(self):
            return next(self.batches)

    net, twin = net_of(), net_of()
    fitted(cut(10, X, Y)[:3], net=twin, epochs=1)
    kind = RuntimeError if isinstance(error, StopIteration) else type(error)
    with pytest.raises(kind) as caught:
        fitted(Plain(), net=net)
    if kind is not RuntimeError:
        assert caught.value is error
    assert net.params.tobytes() == twin.params.tobytes()
    assert net.optimizer.steps == 3
    assert len(net.history) == 0
    assert net.history.stopped == kind.__name__


def test_a_callable_that_raises():
    def batches():
        if len(net.history):
            raise OwnError(1, "mine")
        return cut(10, X, Y)

    net = net_of()
    with pytest.raises(OwnError):
        fitted(batches, net=net)
    assert len(net.history) == 1


BAD = [
    (X[:5], TypeError, r"expected \(x, y\) or \(x, y, sample_weight\), got ndarray"),
    ((X[:5],), TypeError, r"expected \(x, y\) or .*, got tuple of 1"),
    ((X[:5], Y[:5], S[:5], S[:5]), TypeError, r"expected \(x, y\) or .*, got tuple of 4"),
    (None, TypeError, r"expected \(x, y\) or .*, got NoneType"),
    ((X[:0], Y[:0]), ValueError, EMPTY_BATCH.format("x")),
    ((X[:5, :2], Y[:5]), ValueError, r"x: expected shape \(5, 3\), got \(5, 2\)"),
    ((X[:5], Y[:4]), ValueError, r"y: expected shape \(5, 2\), got \(4, 2\)"),
    ((X[:5], Y[:5], S[:4]), ValueError, r"sample_weight: expected shape \(5,\), got \(4,\)"),
    ((X[:5], Y[:5], S[:5] + np.inf), ValueError, r"sample_weight\[0\]: expected a finite weight"),
    ((X[:5].astype(str), Y[:5]), TypeError, "x: expected real numbers, got dtype <U"),
    ((X[:5] * [1, 1, np.nan], Y[:5]), ValueError, r"x\[0\]: expected finite numbers, got nan"),
    ((X[:5], Y[:5] * np.inf), ValueError, r"y\[0\]: expected finite numbers, got inf"),
]


@pytest.mark.parametrize(("bad", "kind", "message"), BAD)
def test_a_bad_batch(bad, kind, message):
    net, twin = net_of(), net_of()
    fitted(cut(10, X, Y)[:2], net=twin, epochs=1)
    with refuses(kind, f"^batch 2 of epoch 1: {message}"):
        fitted([*cut(10, X, Y)[:2], bad], net=net)
    assert net.params.tobytes() == twin.params.tobytes()
    assert net.optimizer.steps == 2


def test_no_batch():
    net = net_of()
    message = "^x: expected one batch or more, got none in epoch {}; an iterator is used up"
    for empty in ([], iter([]), list):
        with refuses(ValueError, message.format(1), net):
            fitted(empty, net=net)
    with refuses(ValueError, message.format(2)):
        fitted(iter(cut(10, X, Y)), net=net)
    assert len(net.history) == 1
    assert net.optimizer.steps == 5
    for none in (3, np.array(3.0)):
        got = f"got {type(none).__name__}$"
        message = f"^x: expected a callable that gives an iterable of batches, {got}"
        with refuses(TypeError, message, net):
            fitted(lambda none=none: none, net=net)


def test_validation_and_figures():
    net = net_of()
    given = {"validation": (X[:9], Y[:9]), "metrics": "mean_squared_error"}
    fitted(cut(10, X, Y), net=net, **given)
    names = ("epoch", "cost", "seconds", "learning_rate", "validation_cost")
    assert net.history.names == (*names, "validation_mean_squared_error")
    assert net.history.validation_cost[-1] == net.cost(X[:9], Y[:9])


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_refilled_arrays(kind):
    """The next batch is fetched before this one is used up."""
    x_part, y_part = np.empty((10, 3)), np.empty((10, 2))
    if kind == "sparse":
        sparse = pytest.importorskip("scipy.sparse")
        x_part = sparse.csr_array(np.ones((10, 3)))
    filled, used = [], []

    def batches():
        for x, y in cut(10, X, Y):
            if kind == "sparse":
                x_part.data[:] = x.ravel()
            else:
                x_part[...] = x
            y_part[...] = y
            filled.append(x)
            yield x_part, y_part

    def cost(a, y):
        """Wait, in the middle of the step, until the arrays hold the next batch."""
        used.append(a)
        deadline = time.monotonic() + 10
        while len(filled) < min(len(used) + 1, 5) and time.monotonic() < deadline:
            time.sleep(0.001)
        return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

    again = fitted(batches, net=net_of(cost=cost), epochs=1)
    fresh = [(x if kind == "dense" else sparse.csr_array(x), y) for x, y in cut(10, X, Y)]
    assert again.params.tobytes() == fitted(fresh, net=net_of(cost=cost), epochs=1).params.tobytes()


def test_metrics_need_examples_to_measure():
    net = net_of()
    message = r"^metrics: expected validation=\(x, y\) with batches, which are not measured thems"
    with refuses(ValueError, message, net):
        fitted(cut(10, X, Y), net=net, metrics="r2")


def test_a_number_in_a_sparse_batch_that_would_not_fit_into_memory_as_an_array():
    sparse = pytest.importorskip("scipy.sparse")
    x = sparse.csr_array(([1.0, 2.0, np.nan], [3, 7, 5], [0, 1, 1, 3]), shape=(3, 10**5))
    net = bpfast.Network([10**5, 1], seed=0)
    for kind in ("csr", "csc", "coo"):
        with refuses(ValueError, r"^batch 0 of epoch 1: x\[2\]: expected finite numbers, got nan"):
            net.fit([(x.asformat(kind), np.zeros((3, 1)))], epochs=1)
