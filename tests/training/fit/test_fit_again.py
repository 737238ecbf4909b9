"""Several trainings of one network, one after the other: what each counts, and leaves."""

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((50, 3)), RNG.random((50, 2))
HOW = {"batch_size": 20, "seed": 0}  # 3 steps an epoch
COLUMNS = ("epoch", "cost", "seconds", "learning_rate")


def net_of(**options):
    return bpfast.Network([3, 4, 2], seed=0, **{"hidden": "tanh"} | options)


def shape(history):
    """Its epochs; every column is as long."""
    assert all(len(history[name]) == len(history) for name in history.names)
    assert history.epoch.tolist() == list(range(1, len(history) + 1))
    return len(history)


def test_each_fit_has_a_new_history():
    net = net_of()
    first = net.fit(X, Y, epochs=2, **HOW)
    assert net.history is first
    columns = first.to_dict()
    second = net.fit(X, Y, epochs=3, metrics="r2", validation=(X, Y), **HOW)
    assert net.history is second
    assert second is not first
    assert (shape(first), shape(second)) == (2, 3)
    assert first.names == COLUMNS
    assert second.names == (*COLUMNS, "r2", "validation_cost", "validation_r2")
    assert first.to_dict() == columns  # the second has added nothing to it
    assert net.optimizer.steps == 9  # a new "adam" for each fit


def test_the_steps_of_an_optimizer_go_on_and_the_epochs_begin_anew():
    net, seen = net_of(), []

    def rate(step):
        seen.append(step)
        return 0.01

    optimizer = bpfast.Adam(rate)
    for epochs, steps in ((2, 6), (1, 9), (3, 18)):
        history = net.fit(X, Y, epochs=epochs, optimizer=optimizer, **HOW)
        assert shape(history) == epochs
        assert net.optimizer is optimizer
        assert optimizer.steps == steps
    assert seen == list(range(18))


def test_two_fits_of_one_optimizer_have_the_epochs_of_each():
    """The order of an epoch is that of seed and epoch, so the second fit repeats it."""
    net, twin = net_of(), net_of()
    optimizers = bpfast.Adam(), bpfast.Adam()
    for _ in range(2):
        net.fit(X, Y, epochs=2, optimizer=optimizers[0], **HOW)
    for _ in range(2):
        for epoch in (1, 2):
            order = bpfast._core.permutation(0, epoch, 50)
            for at in range(0, 50, 20):
                rows = order[at : at + 20]
                twin.partial_fit(X[rows], Y[rows], optimizer=optimizers[1])
    assert net.params.tobytes() == twin.params.tobytes()


def test_partial_fit_does_not_add_to_the_history():
    net = net_of()
    net.partial_fit(X, Y)
    assert net.history is None
    history, optimizer = net.fit(X, Y, epochs=2, **HOW), net.optimizer
    for _ in range(4):
        cost = net.partial_fit(X, Y)
        assert np.isfinite(cost)
    assert net.history is history
    assert shape(history) == 2
    assert net.optimizer is optimizer
    assert optimizer.steps == 6 + 4
    net.partial_fit(X, Y, batch_size=20)
    assert optimizer.steps == 13
    assert shape(net.history) == 2
    # Another kind starts a new optimizer; the history is still that of the last fit.
    net.partial_fit(X, Y, optimizer="sgd")
    assert net.optimizer is not optimizer
    assert (net.optimizer.kind, net.optimizer.steps) == ("sgd", 1)
    assert net.history is history
    again = net.fit(X, Y, epochs=1, optimizer=net.optimizer, **HOW)
    assert shape(again) == 1
    assert net.optimizer.steps == 4


@pytest.mark.parametrize("at", [3, 5])
def test_after_a_divergence(at):
    """Step 3 is the first of the second epoch, step 5 its last; the one after it cannot be done."""
    net = net_of(hidden="relu", output="identity")
    start = net.params.copy()

    def wild(step):
        return 1e300 if step == at else 0.001

    with pytest.raises(bpfast.DivergenceError) as caught:
        net.fit(X, Y, epochs=5, optimizer=bpfast.SGD(wild), metrics="r2", **HOW)
    first = net.history
    done = at + 1
    assert divmod(done, 3) == (caught.value.epoch - 1, caught.value.step)
    assert net.optimizer.steps == done
    assert shape(first) == done // 3
    assert first.stopped == "diverged"
    assert np.isfinite(first.cost).all()
    # Gone on with: the steps are counted on, the epochs are not.
    net.params = start
    net.optimizer.learning_rate = 0.001
    optimizer = net.optimizer
    second = net.fit(X, Y, epochs=2, optimizer=optimizer, **HOW)
    assert second is net.history is not first
    assert shape(second) == 2
    assert second.stopped is None
    assert second.names == COLUMNS
    assert optimizer.steps == done + 6
    assert (shape(first), first.stopped) == (done // 3, "diverged")
    # partial_fit continues too, and its divergence does not change the history.
    net.partial_fit(X, Y)
    optimizer.learning_rate = 1e300

    def a_few():
        for _ in range(3):
            net.partial_fit(X, Y)

    for _ in range(2):
        with pytest.raises(bpfast.DivergenceError):
            a_few()
        assert np.isfinite(net.params).all()
    assert net.history is second
    assert (shape(second), second.stopped) == (2, None)


def test_a_refused_fit_changes_nothing():
    net = net_of()
    history, optimizer = net.fit(X, Y, epochs=2, **HOW), net.optimizer
    with refuses(ValueError, "^y: ", net):
        net.fit(X, Y[:7], epochs=1)
    assert net.history is history
    assert net.optimizer is optimizer
    assert (shape(history), optimizer.steps) == (2, 6)
