"""What a callback may do; one training at a time; what copies of a network take along."""

import copy
import gc
import pickle
import sys
import threading
import weakref

import numpy as np
import pytest

import bpfast
from tests.helpers.child import run
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 3)), RNG.random((40, 2))


def net_of():
    return bpfast.Network([3, 4, 2], hidden="tanh", seed=0)


def fit(net, **options):
    return net.fit(X, Y, **{"epochs": 4, "batch_size": 10, "seed": 1} | options)


def test_labels_whose_dtype_is_changed():
    net = bpfast.Network([3, 4, 2], output="softmax", cost="log_likelihood", seed=0)
    labels = RNG.integers(0, 2, 40)

    def change(net, history):
        labels.dtype = np.float64

    with refuses(TypeError, "^y: expected int64 labels, got dtype float64$"):
        net.fit(X, labels, epochs=3, callbacks=change)


def test_callbacks_are_called_after_each_epoch():
    calls = []

    def one(net, history):
        calls.append(("one", len(history), net.optimizer.steps))

    net = net_of()
    history = fit(net, epochs=2, callbacks=[one, lambda *given: calls.append(given)])
    assert calls == [("one", 1, 4), (net, history), ("one", 2, 8), (net, history)]
    assert net.history is history


@pytest.mark.parametrize("answer", [True, np.True_])
def test_returning_true_ends_the_training(answer):
    history = fit(net_of(), callbacks=[lambda net, h: len(h) == 2 and answer, lambda *_: None])
    assert len(history) == 2
    assert history.stopped == "callback"


@pytest.mark.parametrize("answer", [None, False, 1, "yes", np.False_])
def test_only_true_ends_the_training(answer):
    assert len(fit(net_of(), callbacks=lambda *_: answer)) == 4


@pytest.mark.parametrize("error", [KeyError(3), SystemExit(2), KeyboardInterrupt(), OSError()])
def test_an_exception_of_a_callback_propagates(error):
    def callback(net, history):
        if len(history) == 2:
            raise error

    net, twin = net_of(), net_of()
    with pytest.raises(type(error)) as caught:
        fit(net, callbacks=callback)
    assert caught.value is error
    fit(twin, epochs=2)
    assert net.params.tobytes() == twin.params.tobytes()
    assert (len(net.history), net.optimizer.steps) == (2, 8)
    interrupted = isinstance(error, KeyboardInterrupt)
    assert net.history.stopped == ("interrupted" if interrupted else type(error).__name__)
    fit(net)


def test_a_callback_may_change_parameters_and_rate():
    def halve(net, history):
        net.params *= 0.5
        net.optimizer.learning_rate = 0.5 / (len(history) + 1)

    net, twin = net_of(), net_of()
    history = fit(net, callbacks=halve, optimizer=bpfast.SGD(0.5), shuffle=False)
    for k in range(4):
        twin.fit(X, Y, epochs=1, batch_size=10, shuffle=False, optimizer=bpfast.SGD(0.5 / (k + 1)))
        twin.params *= 0.5
    assert net.params.tobytes() == twin.params.tobytes()
    assert history.learning_rate.tolist() == [0.5, 0.25, 0.5 / 3, 0.125]


def test_a_callback_may_reset_the_optimizer():
    def anew(net, history):
        net.optimizer.reset()

    net, twin = net_of(), net_of()
    fit(net, callbacks=anew, shuffle=False)
    for _ in range(4):
        twin.fit(X, Y, epochs=1, batch_size=10, shuffle=False)
    assert net.params.tobytes() == twin.params.tobytes()
    assert net.optimizer.steps == 0


def test_a_callback_may_train_another_network():
    def other(net, history):
        fit(twin, epochs=1)

    net, twin, alone = net_of(), net_of(), net_of()
    fit(net, callbacks=other)
    fit(alone)
    assert net.params.tobytes() == alone.params.tobytes()


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_callback_must_not_train_the_same_network(method):
    def again(net, history):
        with refuses(
            ValueError, "^network: expected one that no other training uses, got one", net
        ):
            getattr(net, method)(X, Y)
        with refuses(ValueError, "^optimizer: expected one that no other training uses", net):
            getattr(net_of(), method)(X, Y, optimizer=net.optimizer)
        calls.append(1)

    calls = []
    net, alone = net_of(), net_of()
    history = fit(net, callbacks=again)
    fit(alone)
    assert len(calls) == 4
    assert net.params.tobytes() == alone.params.tobytes()
    assert net.history is history


def test_an_early_stopping_is_for_one_training():
    stopping = bpfast.EarlyStopping(3)

    def again(net, history):
        with refuses(ValueError, "^early_stopping: expected one that no other training uses", net):
            fit(net_of(), early_stopping=stopping)

    fit(net_of(), callbacks=again, early_stopping=stopping)


def test_two_threads_and_one_network():
    """The second is refused, and the first is not disturbed."""
    begun, over = threading.Event(), threading.Event()

    def wait(net, history):
        begun.set()
        over.wait(20)

    net, alone = net_of(), net_of()
    first = threading.Thread(target=fit, args=(net,), kwargs={"callbacks": wait})
    first.start()
    try:
        assert begun.wait(20)
        for method in (net.fit, net.partial_fit):
            with refuses(ValueError, "^network: expected one that no other training uses"):
                method(X, Y)
    finally:
        over.set()
        first.join()
    fit(alone)
    assert net.params.tobytes() == alone.params.tobytes()
    assert len(net.history) == 4


def test_many_threads_at_once():
    """As many trainings of one network as there are threads: each is done whole, or refused."""
    net, found = net_of(), []
    others = [net_of() for _ in range(4)]
    barrier = threading.Barrier(8)

    def attempt(net):
        barrier.wait(20)
        try:
            fit(net, epochs=200)
            found.append("done")
        except ValueError as error:
            found.append(str(error)[:8])

    threads = [threading.Thread(target=attempt, args=(n,)) for n in [net] * 4 + others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) <= {"done", "network:"}
    alone = net_of()
    fit(alone, epochs=200)
    assert all(other.params.tobytes() == alone.params.tobytes() for other in others)
    assert found.count("done") >= 5


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "method": lambda net: net.copy(),
    "astype": lambda net: net.astype("float32").astype("float64"),
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_has_only_the_parameters(name):
    net = net_of()
    history = fit(net)
    twin = COPIES[name](net)
    assert twin.same_config(net)
    assert (twin.history, twin.optimizer) == (None, None)
    fit(twin, epochs=1)
    assert net.history is history
    assert len(history) == 4


def test_the_optimizer_and_history_are_kept_by_the_network():
    net = net_of()
    assert (net.history, net.optimizer) == (None, None)
    for name in ("history", "optimizer"):
        with pytest.raises(AttributeError):
            setattr(net, name, None)


def test_a_network_is_freed_with_what_it_was_trained_with():
    """Also where its optimizer's rate holds the network itself."""

    def trained():
        net = net_of()
        history = fit(net, optimizer=bpfast.SGD(lambda step: 0.1 / len(net.sizes)))
        return weakref.ref(net), weakref.ref(net.optimizer.learning_rate), history

    net, rate, history = trained()
    gc.collect()
    assert net() is None
    assert rate() is None
    assert len(history) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_fork_in_a_callback():
    assert run("forks_in_a_callback") == [True, [0, 0]]
