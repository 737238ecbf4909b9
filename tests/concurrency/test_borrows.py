"""Arrays that several calls use at once: a call is refused, or sees them whole; and forks."""

import os
import threading
import time

import numpy as np
import pytest

import bpfast
from tests.helpers.child import run
from tests.helpers.messages import IN_USE, TRAINING, WRITTEN
from tests.helpers.processes.in_a_step import in_a_step, long_step, needs_timer, said
from tests.helpers.processes.python_threads import at_once

RNG = np.random.default_rng(0)
SHORT = 2e-4  # s: between two tries, so that they are spread over the other thread's calls


def a_net():
    return bpfast.Network([200, 300, 100], dtype="float32", seed=0)


def batches(net, count=2):
    n, (width, *_, outputs) = 500, net.sizes
    return [
        (RNG.standard_normal((n, width), "float32"), RNG.random((n, outputs), "float32"))
        for _ in range(count)
    ]


@pytest.mark.parametrize("how", ["as it is", "another dtype", "strides", "another order"])
def test_a_step_never_reads_a_partially_written_gradient(how):
    """Whether it reads the gradient in place or copies it."""
    net = a_net()
    both, g = batches(net), bpfast.Gradient(net)
    if how == "as it is":
        p, of = np.zeros(net.params.size, "float32"), lambda g: g.flat
    elif how == "another dtype":
        p, of = np.zeros(net.params.size), lambda g: g.flat
    elif how == "strides":
        p, of = np.zeros(net.params.size // 2, "float32"), lambda g: g.flat[::2]
    else:
        p, of = np.zeros((300, 200), "float32"), lambda g: g.weights[0]
    whole = {(-of(net.backprop(*batch)).astype(p.dtype)).tobytes() for batch in both}
    net.backprop(*both[0], out=g)
    turns = iter(range(10**9))

    def write():
        return net.backprop(*both[next(turns) % 2], out=g) is g

    def step():
        time.sleep(SHORT)
        p[...] = 0
        bpfast.SGD(1.0).step(p, of(g))
        return p.tobytes() in whole

    outcomes = at_once(write, step, times=200)
    assert outcomes[True] > 0
    assert outcomes.keys() <= {True, IN_USE.format("out"), WRITTEN.format("gradient")}


def test_steps_on_strided_parameters_are_counted_or_refused():
    p, one = np.zeros(200_000), np.ones(100_000)
    opts = bpfast.SGD(1.0), bpfast.SGD(1.0)
    steps = [lambda opt=opt: opt.step(p[::2], one) for opt in opts]
    outcomes = at_once(*steps, times=100)
    assert outcomes[None] == opts[0].steps + opts[1].steps > 0
    assert outcomes.keys() <= {None, IN_USE.format("params")}
    assert set(p[::2]) == {-float(opts[0].steps + opts[1].steps)}
    # The ranges of one call are disjoint, in any order of addresses.
    opts[0].step([p[::2], p[1::2]], [one, one])


def test_a_training_waits_for_readers(tmp_path):
    x, y = RNG.random((40, 200), "float32"), RNG.random((40, 100), "float32")
    net, alone = a_net(), a_net()
    alone.fit(x, y, epochs=60, batch_size=8, seed=1)
    begun, over, outcomes = threading.Event(), threading.Event(), set()

    def save():
        while not over.is_set():
            try:
                outcomes.add(net.save(tmp_path / "net.safetensors"))
            except ValueError as error:
                outcomes.add(str(error))
            begun.set()

    thread = threading.Thread(target=save)
    thread.start()
    try:
        begun.wait()
        net.fit(x, y, epochs=60, batch_size=8, seed=1)
    finally:
        over.set()
        thread.join()
    assert {None} <= outcomes <= {None, TRAINING.format("params")}
    assert net.params.tobytes() == alone.params.tobytes()


def test_readers_do_not_starve_a_training():
    """Where one thread's next prediction begins before the last ends, the training is next."""
    net, x = a_net(), RNG.random((2000, 200), "float32")
    begun, over, outcomes = threading.Barrier(4), threading.Event(), set()

    def predict():
        outcomes.add(net(x).shape)
        begun.wait()
        while not over.is_set():
            try:
                outcomes.add(net(x).shape)
            except ValueError as error:
                outcomes.add(str(error))

    threads = [threading.Thread(target=predict) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        begun.wait()
        net.fit(x, RNG.random((2000, 100), "float32"), epochs=5, batch_size=500)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert {(2000, 100)} <= outcomes <= {(2000, 100), TRAINING.format("params")}
    assert len(net.history) == 5


def test_a_gradient_is_of_one_state_of_the_parameters():
    net = a_net()
    (batch,) = batches(net, 1)
    net.params = np.round(net.params * 256) / 256  # what follows has no rounding
    change = RNG.integers(-3, 4, net.params.size).astype("float32") / 256
    whole = set()
    for sign in (1, -1):
        whole.add(net.backprop(*batch).flat.tobytes())
        bpfast.SGD(1.0).step(net.params, sign * change)
    assert len(whole) == 2
    state = [1]

    def step():
        time.sleep(SHORT)
        bpfast.SGD(1.0).step(net.params, state[0] * change)
        state[0] = -state[0]
        return True

    outcomes = at_once(step, lambda: net.backprop(*batch).flat.tobytes() in whole, times=200)
    assert outcomes[True] > 0
    assert outcomes.keys() <= {True, IN_USE.format("params"), WRITTEN.format("params")}


def test_a_loop_of_two_threads():
    """backprop(out=g) here and step(net.params, g.flat) there: errors that say why, or whole."""
    net, opt = a_net(), bpfast.Adam(1e-6)
    (batch,) = batches(net, 1)
    g = net.backprop(*batch)

    def step():
        time.sleep(SHORT)
        opt.step(net.params, g.flat)
        return "a step"

    def backprop():
        time.sleep(SHORT)
        return net.backprop(*batch, out=g) is g

    outcomes = at_once(backprop, step, times=200)
    refused = [IN_USE.format("out"), WRITTEN.format("gradient")]
    refused += [IN_USE.format("params"), WRITTEN.format("params")]
    assert outcomes.keys() <= {True, "a step", *refused}
    assert outcomes[True] > 0
    assert opt.steps == outcomes["a step"] > 0
    assert np.isfinite(net.params).all()
    assert net.backprop(*batch, out=g).flat.tobytes() == net.backprop(*batch).flat.tobytes()


@needs_timer
def test_arrays_of_a_training_are_refused_to_other_calls_until_it_ends():
    """In the middle of a step; between two steps nothing is in use."""
    net, x, y = long_step()
    other = bpfast.Network([200, 200], dtype="float32", seed=0)
    z, size = RNG.random(x.shape, "float32"), net.params.size
    calls = [
        (TRAINING.format("params"), lambda: net.forward(x)),
        (TRAINING.format("params"), lambda: bpfast.SGD(0.1).step(net.params, np.zeros(size, "f4"))),
        (TRAINING.format("params"), net.copy),
        (TRAINING.format("params"), lambda: net.astype("float64")),
        (TRAINING.format("params"), lambda: setattr(net, "params", np.zeros(size))),
        (TRAINING.format("weights[0]"), lambda: net.weights.__setitem__(0, np.zeros((300, 200)))),
        (IN_USE.format("out"), lambda: other.forward(z, out=x)),
        # Another optimizer's step on part of it: bytes are borrowed, not arrays.
        (IN_USE.format("params[0]"), lambda: bpfast.SGD(0.1).step([x[2]], [np.ones(200)])),
        (None, lambda: other.forward(x)),  # two readers do not conflict
    ]
    texts = in_a_step(lambda: [said(call) for _, call in calls], net, x, y)
    assert texts == [message for message, _ in calls]
    for _, call in calls:
        call()


def test_a_custom_cost_may_use_the_arrays_of_its_training():
    """It is called between two calls of Rust, when nothing is in use."""
    x, y = RNG.random((6, 3)), RNG.random((6, 2))

    def cost(a, y):
        assert net.forward(x).shape == net.copy().forward(x).shape == (6, 2)
        return ((a - y) ** 2).sum(axis=1) / 2, a - y

    net = bpfast.Network([3, 2], cost=cost, seed=0)
    plain = bpfast.Network([3, 2], seed=0)
    for one in (net, plain):
        one.fit(x, y, epochs=3, seed=0)
    np.testing.assert_allclose(net.params, plain.params, rtol=1e-12)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_child_may_use_arrays_that_threads_of_its_parent_used():
    assert run("forks_in_a_borrow") == [[0, 0, 0, 0], True]
