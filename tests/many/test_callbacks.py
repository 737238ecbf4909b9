"""Callbacks of `fit_many`: those of `fit`, network by network, and what they raise."""

import threading
from _thread import interrupt_main

import numpy as np
import pytest

import bpfast
from tests.helpers.many import X, Y, assert_same, networks, own_cost
from tests.helpers.processes.ctrl_c import ctrl_c_raises
from tests.helpers.refuses import refuses


class Changes:
    """A callback that changes what `fit` lets it change, and notes its calls."""

    def __init__(self, stop=None):
        self.calls, self.stop = [], stop

    def __call__(self, net, history):
        self.calls.append((id(net), id(history), len(history), net.optimizer.steps))
        net.params[:] *= 0.99
        if len(history) == 2:
            net.optimizer.learning_rate = 0.02
        return len(history) == self.stop


CASES = {
    "alone": {},
    "validation": {"validation": 0.3, "metrics": "r2"},
    "early stopping": {"validation": 0.3, "early_stopping": 2, "learning_rate": 0.1, "epochs": 30},
    "dropout": {"dropout": 0.3, "batch_size": 7},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("threads", [1, 2])
def test_the_bits_of_a_training_alone(case, threads):
    options = {"epochs": 5} | CASES[case]
    nets, twins = networks(), networks()
    nets.append(bpfast.Network([4, 3, 1], output="identity", cost=own_cost, seed=0))
    twins.append(nets[-1].copy())
    calls = [Changes(stop) for stop in (None, 3, 1, None, 4)]
    with bpfast.num_threads(threads):
        ensemble = bpfast.fit_many(nets, X, Y, callbacks=calls, seed=3, **options)
    for k, (net, twin) in enumerate(zip(nets, twins, strict=True)):
        callback = Changes(calls[k].stop)
        history = twin.fit(X, Y, callbacks=callback, seed=3 + k, **options)
        assert_same(net, twin, ensemble.histories[k], history)
        assert [call[2:] for call in calls[k].calls] == [call[2:] for call in callback.calls]
        own = id(net), id(ensemble.histories[k])
        assert {call[:2] for call in calls[k].calls} == {own}
    assert ensemble.histories[2].stopped == "callback"


def test_one_for_all_or_several():
    one, two = [], []

    def first(net, history):
        one.append(net)

    def second(net, history):
        two.append(net)

    nets = networks()
    bpfast.fit_many(nets, X, Y, epochs=2, callbacks=first)
    assert one == nets * 2
    bpfast.fit_many(nets, X, Y, epochs=1, callbacks=(first, second))
    assert two == nets
    one.clear()
    bpfast.fit_many(nets, X, Y, epochs=1, callbacks=[None, first, [first, second], ()])
    assert one == nets[1:3]


@pytest.mark.parametrize("form", ["epochs", "steps"])
def test_monitors(form):
    def monitor():
        steps = {"every_steps": 2} if form == "steps" else {}
        return bpfast.inside.Monitor(X, Y, warn=False, **steps)

    nets, twins = networks()[:3], networks()[:3]
    monitors = [monitor(), None, monitor()]
    ensemble = bpfast.fit_many(nets, X, Y, epochs=3, callbacks=monitors, seed=0)
    for k, twin in enumerate(twins):
        own = monitor()
        history = twin.fit(X, Y, epochs=3, callbacks=own if monitors[k] else (), seed=k)
        assert_same(nets[k], twin, ensemble.histories[k], history)
        if monitors[k]:
            for name in own.names:
                assert monitors[k][name].tobytes() == own[name].tobytes(), name


def raises_at(epoch, error, places):
    """Callbacks, of which some raise after an epoch."""

    def callback(net, history):
        if len(history) == epoch:
            raise error

    return [callback if k in places else lambda net, history: None for k in range(4)]


def test_an_exception_names_the_network():
    error = KeyError("mine")
    nets = networks()
    with pytest.raises(KeyError) as caught:
        bpfast.fit_many(nets, X, Y, epochs=5, callbacks=raises_at(2, error, {1, 3}), seed=0)
    assert caught.value is error
    assert error.__notes__[0] == "This happened in nets[1]."
    for k, net in enumerate(nets):
        assert len(net.history) == 2
        assert net.history.stopped == "KeyError"
        twin = networks()[k]  # the others end after the same epoch, with all of their steps
        twin.fit(X, Y, epochs=2, seed=k)
        assert net.params.tobytes() == twin.params.tobytes()
    bpfast.fit_many(nets, X, Y, epochs=1)  # nothing is locked


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(2)])
def test_what_is_no_error_ends_all_at_once(error):
    nets = networks()
    with pytest.raises(type(error)):
        bpfast.fit_many(nets, X, Y, epochs=5, callbacks=raises_at(2, error, {0}), seed=0)
    name = "interrupted" if isinstance(error, KeyboardInterrupt) else "SystemExit"
    assert {net.history.stopped for net in nets} == {name}


def fails(*_):
    raise ZeroDivisionError("mine")


@pytest.mark.parametrize("what", ["metrics", "cost", "learning_rate"])
def test_other_code_of_the_user(what):
    """A division by zero of the user is no divergence."""
    nets, options = networks(), {what: fails}
    if what == "cost":
        nets[2], options = bpfast.Network([4, 1], output="identity", cost=fails), {}
    if what == "learning_rate":
        options = {what: [0.1, 0.1, fails, 0.1]}
    with pytest.raises(ZeroDivisionError) as caught:
        bpfast.fit_many(nets, X, Y, epochs=5, seed=0, **options)
    place = 0 if what == "metrics" else 2
    assert caught.value.__notes__ == [f"This happened in nets[{place}]."]
    assert nets[place].history.stopped == "ZeroDivisionError"


def test_ctrl_c():
    """Soon, and every epoch of a history has had its callbacks."""
    nets, calls = networks(), []

    def callback(net, history):
        if not calls:
            threading.Timer(0.2, interrupt_main).start()
        calls.append(net)

    with ctrl_c_raises(), pytest.raises(KeyboardInterrupt):
        bpfast.fit_many(nets, X, Y, epochs=10**6, callbacks=callback, batch_size=1, seed=0)
    for net in nets:
        assert net.history.stopped == "interrupted"
        assert len(net.history) == calls.count(net)
        assert 0 <= net.optimizer.steps - 120 * len(net.history) <= 120


def test_ctrl_c_after_an_early_stop():
    """The network that has ended before has its best parameters."""
    nets = networks()[:2]

    def callback(net, history):
        if net is nets[1] and len(history) == 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bpfast.fit_many(nets, X, Y, epochs=100, validation=(X, Y), early_stopping=[1, 100],
                        callbacks=callback, learning_rate=0.5, seed=0)  # fmt: skip
    history = nets[0].history
    assert history.stopped == "early stopping"
    assert history.restored_epoch == history.best() < len(history)
    assert nets[0].cost(X, Y) == history.validation_cost.min()
    assert nets[1].history.stopped == "interrupted"


def test_ctrl_c_in_the_callback_of_one_network_keeps_the_epochs_of_the_others():
    """They have done all of theirs in the same round."""
    nets = networks()[:3]

    def callback(net, history):
        raise KeyboardInterrupt

    stops = [None, None, 1]
    with pytest.raises(KeyboardInterrupt):
        bpfast.fit_many(nets, X, Y, epochs=50, callbacks=[callback, None, None], seed=0,
                        validation=(X, Y), early_stopping=stops, learning_rate=0.5)  # fmt: skip
    assert (len(nets[0].history), nets[0].history.stopped) == (1, "interrupted")
    for k in (1, 2):
        twin = networks()[k]
        twin.fit(X, Y, epochs=50, validation=(X, Y), early_stopping=stops[k], learning_rate=0.5,
                 seed=k)  # fmt: skip
        assert nets[k].history.cost.tolist() == twin.history.cost.tolist()
        assert nets[k].history.stopped == twin.history.stopped
        assert nets[k].history.restored_epoch == twin.history.restored_epoch
        assert nets[k].params.tobytes() == twin.params.tobytes()
    assert nets[2].history.stopped == "early stopping"


WRONG = [
    (3, TypeError, "callbacks: expected a callable or several, got int"),
    ([3, None, None, None], TypeError, r"nets\[0\]: callbacks: expected a callable or several"),
    (
        [None, None, [3], None],
        TypeError,
        r"nets\[2\]: callbacks\[0\]: expected a callable, got int",
    ),
    ([print], ValueError, "callbacks: expected one value, or a list of 4, one for each network"),
    (
        bpfast.inside.Monitor(X, Y),
        ValueError,
        r"nets\[1\]: callbacks: expected one for each network",
    ),
]


@pytest.mark.parametrize(("callbacks", "kind", "message"), WRONG)
def test_bad_input(callbacks, kind, message):
    nets = networks()
    with refuses(kind, f"^{message}", nets):
        bpfast.fit_many(nets, X, Y, callbacks=callbacks)


def test_a_callback_may_not_train_a_network_of_the_call():
    nets = networks()

    def callback(net, history):
        nets[0].fit(X, Y)

    with pytest.raises(ValueError, match="expected one that no other training uses") as caught:
        bpfast.fit_many(nets, X, Y, callbacks=callback, seed=0)
    assert caught.value.__notes__ == ["This happened in nets[0]."]
    assert np.isfinite(nets[0].params).all()
