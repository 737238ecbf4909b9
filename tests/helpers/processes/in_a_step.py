"""Code in the middle of a step of a training: in a signal handler, which Python runs there."""

import functools
import signal
import timeit

import numpy as np
import pytest

import bpfast

needs_timer = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="needs a timer of signals"
)
SOON = 0.005  # s
# s: a call looks for signals every 25 ms, so a step of this length does so more than once.
LONG = 0.15
TRIES = 100


@functools.cache
def examples_of_a_long_step():
    """How many examples make a step that is long on this machine when nothing else runs."""
    n = 8_000
    while min(timeit.repeat(functools.partial(step, *step_of(n)), number=1, repeat=3)) < LONG:
        n *= 2
    return n


def step_of(n):
    rng = np.random.default_rng(0)
    net = bpfast.Network([200, 300, 100], dtype="float32", seed=0)
    return net, rng.random((n, 200), "float32"), rng.random((n, 100), "float32")


def step(net, x, y, **options):
    net.partial_fit(x, y, **options)


def long_step():
    """A network, x and y whose step takes long enough for a signal to arrive during it."""
    return step_of(examples_of_a_long_step())


def in_a_step(call, net, x, y, **options):
    """What `call` returns in the middle of a step of ``net.partial_fit(x, y, **options)``."""
    found = []

    def handle(*_):
        try:
            net.copy()
        except ValueError:  # the step is at work
            found.append(call())
        else:
            signal.setitimer(signal.ITIMER_REAL, SOON)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        for _ in range(TRIES):
            signal.setitimer(signal.ITIMER_REAL, SOON)
            step(net, x, y, **options)
            if found:
                return found[0]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    raise AssertionError(f"no signal came in the middle of {TRIES} steps")


def said(call):
    """The text of the ValueError that `call` raises, if it does."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return None
