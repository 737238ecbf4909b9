"""User code that runs during a step must not change the data of the step."""

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X, Y = RNG.random((12, 3)), RNG.random((12, 2))
PARAMS = "^cost: expected to leave net.params unchanged, got other numbers$"
STATE = "^{}: expected to leave the optimizer unchanged, got another state, of {} steps$"
RATE = "^cost: expected to leave the optimizer unchanged, got another learning_rate$"


def quadratic(a, y):
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


def network(change, at=3):
    """A network whose cost calls `change(net)` in its call number `at`."""
    calls = []

    def cost(a, y):
        calls.append(len(calls))
        if len(calls) == at:
            change(net)
        return quadratic(a, y)

    net = bpfast.Network([3, 4, 2], cost=cost, seed=0)
    return net


def assign(net):
    net.params = net.params + 1


def assign_weights(net):
    net.weights[0] = np.zeros((4, 3))


def write_in_place(net):
    net.biases[1][-1] *= 1 + 1e-15


OF_PARAMS = [assign, assign_weights, write_in_place]


def step_on_it(net):
    net.optimizer.step(net.params, np.ones_like(net.params))


def step_elsewhere(net):  # parameters of the same shape
    net.optimizer.step(net.params.copy(), np.ones_like(net.params))


def assign_state(net):
    net.optimizer.state = net.optimizer.state


OF_STATE = {step_on_it: 3, step_elsewhere: 3, assign_state: 2}


def assign_rate(net):
    net.optimizer.learning_rate = 0.5


def scale_rate(net):
    net.optimizer.learning_rate *= 0.5


def report(net):
    net.optimizer.learning_rate.report(7.0)


@pytest.mark.parametrize("change", OF_PARAMS)
@pytest.mark.parametrize("check_finite", [True, False])
def test_a_cost_that_changes_the_parameters(change, check_finite):
    net = network(change)
    with refuses(ValueError, PARAMS):
        net.fit(X, Y, batch_size=4, epochs=2, optimizer="adam", seed=0, check_finite=check_finite)
    assert net.optimizer.steps == 2
    net = network(change, at=1)
    with refuses(ValueError, PARAMS):
        net.partial_fit(X, Y)
    batches = [(X[:6], Y[:6]), (X[6:], Y[6:])]
    with refuses(ValueError, PARAMS):
        network(change, at=2).fit(iter(batches), epochs=1)


@pytest.mark.parametrize("change", OF_PARAMS)
@pytest.mark.parametrize("call", ["cost", "errors", "backprop"])
def test_a_cost_that_changes_the_parameters_in_a_call(change, call):
    with refuses(ValueError, PARAMS):
        getattr(network(change, at=1), call)(X, Y)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("change", OF_STATE)
def test_a_cost_that_changes_the_optimizers_state(change, optimizer):
    if optimizer == "sgd" and change is assign_state:
        pytest.skip("nothing is kept, so nothing changes")
    net = network(change)
    with refuses(ValueError, STATE.format("cost", OF_STATE[change])):
        net.fit(X, Y, batch_size=4, epochs=2, optimizer=optimizer, seed=0)
    assert net.optimizer.steps == OF_STATE[change]


@pytest.mark.parametrize("at", [1, 3])
def test_a_cost_that_resets_the_optimizer(at):
    net, opt = network(lambda net: net.optimizer.reset(), at), bpfast.Adam()
    opt.step(net.params, np.ones_like(net.params))
    before = net.params.copy()
    with refuses(ValueError, STATE.format("cost", 0)):
        net.fit(X, Y, batch_size=4, optimizer=opt, seed=0)
    assert (opt.steps, set(opt.state)) == (0, {"steps"})  # not the old state on top
    assert (net.params == before).all() == (at == 1)


@pytest.mark.parametrize("change", [assign_rate, scale_rate, report])
def test_a_cost_that_changes_the_learning_rate(change):
    rate = bpfast.schedules.Plateau(0.1) if change is report else 0.1
    net = network(change)
    with refuses(ValueError, RATE):
        net.fit(X, Y, batch_size=4, optimizer=bpfast.SGD(rate), seed=0)


def test_a_cost_may_read_everything_and_change_other_objects():
    def look(net):
        twin = net.copy()
        twin.params += 1
        assert net.forward(X).shape == twin.forward(X).shape
        assert net.optimizer.state["steps"] == 2
        bpfast.Adam().step(twin.params, np.ones_like(twin.params))
        net.params = net.params.copy()  # the same numbers

    plain = bpfast.Network([3, 4, 2], seed=0)
    net = network(look)
    for one in (net, plain):
        one.fit(X, Y, batch_size=4, epochs=2, seed=0)
    np.testing.assert_allclose(net.params, plain.params, rtol=1e-12)


def test_a_network_that_is_not_finite_may_be_trained_with_a_cost():
    net = network(lambda net: None)
    net.params[0] = np.nan
    net.fit(X, Y, batch_size=4, check_finite=False, epochs=1)
    assert net.optimizer.steps == 3


def test_a_schedule_that_changes_the_optimizer():
    def schedule(step):
        if step == 3:
            opt.reset()
        return 0.1

    opt, net = bpfast.Adam(schedule), bpfast.Network([3, 2], seed=0)
    with refuses(ValueError, STATE.format("learning_rate", 0)):
        net.fit(X, Y, batch_size=6, epochs=3, optimizer=opt, shuffle=False)
    # By hand the rate is asked for before anything else.
    opt, p = bpfast.Adam(schedule), np.zeros(2)
    for _ in range(4):
        opt.step(p, [1.0, 2.0])
    assert opt.steps == 1
    fresh, q = bpfast.Adam(0.1), np.zeros(2)
    fresh.step(q, [1.0, 2.0])
    np.testing.assert_array_equal(opt.state["mean"], fresh.state["mean"])


def test_a_gradient_whose_conversion_changes_the_optimizer():
    class Gradient:
        def __init__(self, change):
            self.change = change

        def __array__(self, dtype=None, copy=None):
            self.change()
            return np.ones(2)

    for kind in (bpfast.SGD, bpfast.Adam):
        opt, p = kind(0.1), np.zeros(2)
        opt.step(p, [1.0, 2.0])
        before = p.copy()
        for change in (opt.reset, lambda opt=opt: opt.step(np.zeros(2), [1.0, 1.0])):
            expected = "^optimizer: expected unchanged until its step is done, got another state$"
            with refuses(ValueError, expected, p):
                opt.step(p, Gradient(change))
        assert (opt.steps, (p == before).all()) == (1, True)


def stop(*_):
    raise StopIteration("enough")


class Unread:
    """An array that cannot be had."""

    def __array__(self, dtype=None, copy=None):
        stop()


def behind_a_ramp():
    return bpfast.SGD(bpfast.schedules.WarmUp(stop, 2))


STOPS = {
    "cost": lambda: bpfast.Network([3, 2], cost=stop).fit(X, Y),
    "metric": lambda: bpfast.Network([3, 2]).fit(X, Y, metrics={"m": stop}),
    "callback": lambda: bpfast.Network([3, 2]).fit(X, Y, callbacks=stop),
    "schedule": lambda: bpfast.Network([3, 2]).fit(X, Y, optimizer=bpfast.SGD(stop)),
    "ramp": lambda: bpfast.Network([3, 2]).fit(X, Y, optimizer=behind_a_ramp()),
    "rates": lambda: bpfast.schedules.rates(stop, 0, 3),
    "factory": lambda: bpfast.Network([3, 2]).fit(stop),
    "batch": lambda: bpfast.Network([3, 2]).fit(iter([(X, Y), (Unread(), Y)]), epochs=1),
    "list": lambda: bpfast.Network([3, 2]).fit([(X, Y), (X, Unread())], epochs=1),
    "step": lambda: bpfast.SGD(stop).step(np.zeros(2), np.ones(2)),
    "gradient": lambda: bpfast.SGD(0.1).step(np.zeros(2), Unread()),
    "cost of scipy_minimize": lambda: bpfast.scipy_minimize(
        bpfast.Network([3, 2], cost=stop), X, Y
    ),
}


@pytest.mark.parametrize("where", STOPS)
def test_a_stop_iteration_propagates(where):
    with pytest.raises((StopIteration, RuntimeError)) as caught:
        STOPS[where]()
    assert "enough" in str(caught.value) or "StopIteration" in str(caught.value)


def test_callbacks_may_change_parameters_rate_and_state():
    """Parameters, rate and state may be changed; the next epoch continues from them."""

    def callback(net, history):
        if len(history) == 1:
            net.params = start
            net.optimizer.reset()
            net.optimizer.learning_rate = 0.05

    net, plain = (bpfast.Network([3, 2], seed=0) for _ in range(2))
    start = net.params.copy()
    net.fit(X, Y, epochs=2, shuffle=False, callbacks=callback, optimizer=bpfast.Adam(0.5))
    plain.fit(X, Y, epochs=1, shuffle=False, optimizer=bpfast.Adam(0.05))
    np.testing.assert_array_equal(net.params, plain.params)
    assert net.optimizer.steps == plain.optimizer.steps == 1


@pytest.mark.parametrize("wrap", [lambda own: own, lambda own: bpfast.schedules.WarmUp(own, 2)])
@pytest.mark.parametrize("change", OF_PARAMS)
def test_a_schedule_that_changes_the_parameters(change, wrap):
    """Rates are computed before the steps, so the change would come at another step."""
    net = bpfast.Network([3, 4, 2], seed=0)

    def schedule(step):
        if step == 4:
            change(net)
        return 0.1

    message = "^learning_rate: expected to leave net.params unchanged, got other numbers$"
    with refuses(ValueError, message):
        net.fit(X, Y, epochs=5, batch_size=6, learning_rate=wrap(schedule))
    assert net.optimizer.steps < 10
