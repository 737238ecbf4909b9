"""Code in the middle of a step of a training: in a signal handler, which Python runs there."""

import signal

import numpy as np
import pytest

import bpfast

needs_timer = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="needs a timer of signals"
)
SOON = 0.005  # s


def long_step():
    """A network, x and y of which a step takes so long that a signal comes in its middle."""
    rng = np.random.default_rng(0)
    net = bpfast.Network([200, 300, 100], dtype="float32", seed=0)
    return net, rng.random((8_000, 200), "float32"), rng.random((8_000, 100), "float32")


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
        while not found:
            signal.setitimer(signal.ITIMER_REAL, SOON)
            net.partial_fit(x, y, **options)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return found[0]


def said(call):
    """The text of the ValueError that `call` raises, if it does."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return None
