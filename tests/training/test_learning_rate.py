"""`learning_rate` of `fit` and `partial_fit`: that of an optimizer by name."""

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 3)), RNG.random((20, 2))
CLASSES = {
    "sgd": bpfast.SGD, "adam": bpfast.Adam, "adamw": bpfast.AdamW,
    "rmsprop": bpfast.RMSprop, "adagrad": bpfast.Adagrad,
}  # fmt: skip


def net_of():
    return bpfast.Network([3, 4, 2], seed=0)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("rate", [0.07, bpfast.schedules.Cosine(0.1, steps=9), lambda _: 0.2])
def test_it_is_that_of_the_optimizer_named(name, rate):
    short, long, part = net_of(), net_of(), net_of()
    short.fit(X, Y, epochs=2, seed=0, optimizer=name, learning_rate=rate)
    long.fit(X, Y, epochs=2, seed=0, optimizer=CLASSES[name](rate))
    np.testing.assert_array_equal(short.params, long.params)
    assert type(short.optimizer) is CLASSES[name]
    assert short.optimizer.learning_rate == rate
    np.testing.assert_array_equal(short.history.learning_rate, long.history.learning_rate)
    part.partial_fit(X, Y, optimizer=name, learning_rate=rate)
    assert (type(part.optimizer), part.optimizer.learning_rate) == (CLASSES[name], rate)


def test_a_schedule_can_be_given_again():
    """A training changes the rate of a Plateau: it gets a copy."""
    plateau = bpfast.schedules.Plateau(0.1, factor=0.5, patience=0, threshold=0.9)
    before = plateau.state
    first, second = net_of(), net_of()
    for net in (first, second):
        net.fit(X, Y, epochs=4, learning_rate=plateau, seed=0)
    assert first.history.learning_rate[-1] < 0.1
    np.testing.assert_array_equal(first.history.learning_rate, second.history.learning_rate)
    np.testing.assert_array_equal(first.params, second.params)
    assert plateau.state == before


def test_what_reports_to_a_schedule_keeps_it():
    """The callable within a WarmUp, which a callback may change; and a Plateau in `partial_fit`."""
    rate = {"now": 0.1}

    def halve(net, history):
        rate["now"] /= 2

    net = net_of()
    warm = bpfast.schedules.WarmUp(lambda step: rate["now"], steps=1, start=0.1)
    net.fit(X, Y, epochs=3, batch_size=20, learning_rate=warm, callbacks=halve, seed=0)
    assert net.history.learning_rate[-1] < 0.1
    plateau = bpfast.schedules.Plateau(0.1, factor=0.5, patience=0)
    for _ in range(3):
        net.partial_fit(X, Y, optimizer="sgd", learning_rate=plateau)
        plateau.report(1.0)
    assert net.optimizer.learning_rate is plateau


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_without_an_optimizer_it_is_the_rate_of_adam(method):
    net = net_of()
    getattr(net, method)(X, Y, learning_rate=0.5)
    assert net.optimizer.config == bpfast.Adam(0.5).config


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_rate_together_with_an_optimizer_is_refused(method):
    net, opt = net_of(), bpfast.SGD(0.1)
    message = "^learning_rate: expected no rate together with an optimizer object, got 0.5; set opt"
    with refuses(ValueError, message, net):
        getattr(net, method)(X, Y, optimizer=opt, learning_rate=0.5)
    assert net.optimizer is None
    assert opt.learning_rate == 0.1


@pytest.mark.parametrize("name", [None, "rmsprop"])
def test_partial_fit_sets_the_rate_of_the_continued_optimizer(name):
    net, twin, opt = net_of(), net_of(), bpfast.RMSprop(0.01)
    for rate in (0.02, 0.02, 0.005):
        net.partial_fit(X, Y, optimizer=name or "rmsprop", learning_rate=rate)
        opt.learning_rate = rate
        twin.partial_fit(X, Y, optimizer=opt)
        if name is None:
            net.partial_fit(X, Y, learning_rate=rate)
            twin.partial_fit(X, Y, optimizer=opt)
    assert net.optimizer.steps == opt.steps
    np.testing.assert_array_equal(net.params, twin.params)
    before = net.optimizer
    net.partial_fit(X, Y, optimizer="sgd", learning_rate=0.3)  # another kind: a new optimizer
    assert net.optimizer is not before
    assert net.optimizer.steps == 1


@pytest.mark.parametrize(
    "how", [{"learning_rate": 0}, {"learning_rate": 0.5, "sample_weight": [1]}]
)
def test_a_refused_call_does_not_change_the_rate(how):
    net = net_of()
    net.partial_fit(X, Y, learning_rate=0.02)
    with refuses(ValueError, "^(learning_rate|sample_weight): expected", net):
        net.partial_fit(X, Y, **how)
    assert net.optimizer.learning_rate == 0.02


def test_a_checkpoint_continues_with_the_same_rate(tmp_path):
    path, net, twin = tmp_path / "training.ckpt", net_of(), net_of()
    net.fit(X, Y, epochs=4, seed=0, learning_rate=0.02)
    for epochs in (2, 4):
        how = {"learning_rate": 0.02, "checkpoint": path, "resume": True}
        twin.fit(X, Y, epochs=epochs, seed=0, **how)
    np.testing.assert_array_equal(net.params, twin.params)
    with refuses(ValueError, "optimizer", twin):
        twin.fit(X, Y, epochs=6, seed=0, learning_rate=0.03, checkpoint=path, resume=True)
