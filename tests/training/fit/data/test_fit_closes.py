"""A generator of batches is closed when `fit` is over, however that ends: its `finally` has run.

Each test runs with the thread that fetches batches, and without it, as where memory is short: it is
refused, or it starts and ends in silence.
"""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import bpfast
from bpfast._training.data import prefetch

X, Y = np.eye(3), np.eye(3)


class OwnError(Exception):
    pass


class Batches:
    """Batches without an end; notes when it is closed, which takes a while."""

    def __init__(self, raises=None, bad_at=None):
        self.is_closed, self.raises, self.bad_at = False, raises, bad_at

    def __call__(self):
        try:
            for k in range(10**9):
                yield (X[:, :2], Y) if k == self.bad_at else (X, Y)
        finally:
            time.sleep(3 * prefetch.POLL_SECONDS)
            self.is_closed = True
            if self.raises is not None:
                raise self.raises

    def __iter__(self):
        return self()


GIVEN = {
    "generator": lambda batches: batches(),
    "function": lambda batches: batches,
    "object": lambda batches: type("Loader", (), {"__iter__": lambda self: batches()})(),
}


def refuse_thread(*_):
    raise MemoryError


def refuse_lock():
    raise RuntimeError("can't allocate lock")  # CPython's words where memory is short


def end_at_once(*_):
    """A thread that ends before it does anything, as where memory is short."""


@pytest.fixture(params=["thread", "no thread", "no lock", "a thread that ends"], autouse=True)
def way(request, monkeypatch):
    if request.param == "no thread":
        monkeypatch.setattr(prefetch._thread, "start_new_thread", refuse_thread)
    elif request.param == "no lock":
        monkeypatch.setattr(prefetch, "threading", SimpleNamespace(Lock=refuse_lock))
    elif request.param == "a thread that ends":
        monkeypatch.setattr(prefetch._thread, "start_new_thread", end_at_once)
        monkeypatch.setattr(prefetch, "THREAD_START_POLLS", 1)
    yield request.param
    assert not [one for one in threading.enumerate() if one.name == "bpfast-prefetch"]


def net_of(error=None):
    """A network whose third step raises `error`."""
    steps = []

    def cost(a, y):
        steps.append(a)
        if error is not None and len(steps) == 3:
            raise error
        return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

    return bpfast.Network([3, 3], seed=0, cost=cost)


@pytest.mark.parametrize("error", [OwnError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("given", GIVEN)
def test_a_step_raises(given, error):
    batches = Batches()
    with pytest.raises(error):
        net_of(error()).fit(GIVEN[given](batches), epochs=1)
    assert batches.is_closed


@pytest.mark.parametrize("given", GIVEN)
def test_a_batch_is_refused(given):
    batches = Batches(bad_at=2)
    with pytest.raises(ValueError, match=r"^batch 2 of epoch 1: x: expected shape"):
        net_of().fit(GIVEN[given](batches), epochs=1)
    assert batches.is_closed


@pytest.mark.parametrize("given", GIVEN)
def test_a_diverging_training_raises(given):
    batches = Batches()
    net = bpfast.Network([3, 3], output="identity", seed=0, dtype="float32")
    with pytest.raises(bpfast.DivergenceError):
        net.fit(GIVEN[given](batches), epochs=1, optimizer=bpfast.SGD(1e30))
    assert batches.is_closed


def test_an_epoch_ends():
    closed = []

    def batches():
        try:
            yield X, Y
        finally:
            closed.append(len(closed))

    net_of().fit(batches, epochs=5, callbacks=lambda net, history: len(history) == 2)
    assert closed == [0, 1]


def test_exceptions_while_closing_propagate():
    batches = Batches(raises=OwnError("closing"))
    with pytest.raises(OwnError, match=r"^closing$"):
        net_of(ValueError("a step")).fit(batches(), epochs=1)


@pytest.mark.parametrize("way", ["a late thread"], indirect=True)
def test_a_thread_that_starts_late_fetches_nothing(way, monkeypatch):
    started, fetched_in = [], []
    monkeypatch.setattr(prefetch._thread, "start_new_thread", lambda *what: started.append(what))
    monkeypatch.setattr(prefetch, "THREAD_START_POLLS", 1)

    def batches():
        for _ in range(3):
            fetched_in.append(threading.current_thread())
            yield X, Y

    def start(net, history):
        monkeypatch.undo()
        ((work, arguments),) = started
        work(*arguments)

    net = net_of()
    net.fit(batches, epochs=1, callbacks=start)
    net.fit(batches, epochs=1)  # with a thread again
    assert fetched_in[:3] == [threading.current_thread()] * 3
    assert threading.current_thread() not in fetched_in[3:]
    assert len(fetched_in) == 6
