"""Ctrl-C that Python drops in a `__del__` is raised when the engine's call ends."""

import signal
import sys
import threading
import weakref

import pytest

from bpfast.distributed._engines.interrupts import HeldInterrupts, kept_interrupts


class MineError(Exception):
    pass


class Noisy:
    """An object like Dask's futures: it is interrupted where it is deleted."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def default_handler(monkeypatch):
    """As in a terminal, and without what Python prints of an exception that it drops."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def drop():
    noisy = Noisy()
    del noisy


def drop_in_a_callback():
    noisy = threading.Event()
    kept = weakref.ref(noisy, lambda _: signal.raise_signal(signal.SIGINT))
    del noisy
    assert kept() is None


def within(*calls):
    with kept_interrupts():
        for call in calls:
            call()


@pytest.mark.parametrize("dropping", [drop, drop_in_a_callback])
def test_it_is_raised_at_the_end(dropping):
    done = []
    dropping()  # Python does drop it
    with pytest.raises(KeyboardInterrupt):
        within(dropping, lambda: done.append(0))
    assert done == [0]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_is_not_dropped_is_raised_at_once():
    done = []
    with pytest.raises(KeyboardInterrupt):
        within(lambda: signal.raise_signal(signal.SIGINT), lambda: done.append(0))
    assert not done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_error_is_raised_in_its_place():
    def fail():
        raise MineError

    with pytest.raises(MineError):
        within(drop, fail)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_a_handler_of_the_user_does():
    calls = []

    def raising(number, _):
        calls.append(number)
        raise MineError

    signal.signal(signal.SIGINT, lambda number, _: calls.append(number))
    with kept_interrupts():
        drop()
    signal.signal(signal.SIGINT, raising)
    with pytest.raises(MineError), kept_interrupts():
        drop()
    assert calls == [signal.SIGINT] * 2
    assert signal.getsignal(signal.SIGINT) is raising


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_handlers_of_the_system_stay(handler):
    signal.signal(signal.SIGINT, handler)
    with kept_interrupts():
        assert signal.getsignal(signal.SIGINT) is handler


def test_other_threads_have_no_handlers():
    found = []

    def work():
        with kept_interrupts():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_it_waits_until_messages_are_exchanged():
    interrupts, done = HeldInterrupts(), []

    def hold(*calls):
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            for call in calls:
                call()

    def fail():
        raise MineError

    with pytest.raises(KeyboardInterrupt):
        hold(lambda: done.append("held"))
    assert done == ["held"]
    with interrupts.held(until_next=True):
        signal.raise_signal(signal.SIGINT)
    with interrupts.held():
        with pytest.raises(KeyboardInterrupt), interrupts.opened():
            done.append("never")
        with pytest.raises(KeyboardInterrupt), interrupts.opened():
            signal.raise_signal(signal.SIGINT)
        done.append("after")
    assert done == ["held", "after"]
    with pytest.raises(MineError):
        hold(fail)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
