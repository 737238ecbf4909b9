"""Numbers that are no longer finite end a training, and the network keeps the last that were."""

import copy
import pickle

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 3)), RNG.random((40, 2))


def net_of(dtype="float64", **options):
    config = {"hidden": "relu", "output": "identity"} | options
    return bpfast.Network([3, 4, 2], dtype=dtype, seed=0, **config)


OPTIMIZERS = {"SGD": bpfast.SGD, "Adam": bpfast.Adam, "RMSprop": bpfast.RMSprop}


class Rates:
    """A small rate, and at one step a huge one."""

    def __init__(self, step, rate):
        self.step, self.rate = step, rate

    def __call__(self, step):
        return self.rate if step == self.step else 1e-3


# Too large for one step in either dtype: it overflows the parameters in the step, or the cost in
# the next one.
@pytest.mark.parametrize(
    ("rate", "dtype"),
    [(1e25, "float32"), (1e38, "float32"), (1e200, "float64"), (1e308, "float64")],
)
@pytest.mark.parametrize("step", [0, 3, 7, 13])
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("how", [{}, {"clip_norm": 1.0}, {"dropout": 0.2, "max_norm": 1e300}])
def test_the_last_finite_parameters_stay(name, step, rate, dtype, how):
    net = net_of(dtype)
    every = {"batch_size": 10, "shuffle": False, "seed": 0, **how}
    with pytest.raises(bpfast.DivergenceError) as caught:
        net.fit(X, Y, epochs=100, optimizer=OPTIMIZERS[name](Rates(step, rate)), **every)
    error = caught.value
    assert np.isfinite(net.params).all()
    done = 4 * (error.epoch - 1) + error.step
    assert net.optimizer.steps == done
    assert len(net.history) == error.epoch - 1
    assert net.history.stopped == "diverged"
    assert done >= step
    # The same steps one by one leave the same bits, in the optimizer too.
    twin, optimizer = net_of(dtype), OPTIMIZERS[name](Rates(step, rate))
    del every["batch_size"], every["shuffle"]
    for k in range(done):
        rows = slice(10 * (k % 4), 10 * (k % 4) + 10)
        twin.partial_fit(X[rows], Y[rows], optimizer=optimizer, **every)
    assert net.params.tobytes() == twin.params.tobytes()
    assert repr(net.optimizer.state) == repr(optimizer.state)
    rows = slice(10 * (done % 4), 10 * (done % 4) + 10)
    with pytest.raises(bpfast.DivergenceError, match=r"^step 0: the cost or a parameter is no"):
        twin.partial_fit(X[rows], Y[rows], optimizer=optimizer, **every)
    assert net.params.tobytes() == twin.params.tobytes()


def test_the_error():
    net = net_of()
    with refuses(
        bpfast.DivergenceError, "^epoch 1, step 1: the cost or a parameter is no long"
    ) as e:
        net.fit(X, Y, batch_size=10, optimizer=bpfast.SGD(1e300))
    error = e.value
    assert isinstance(error, ArithmeticError)
    assert (error.epoch, error.step) == (1, 1)
    for word in ("lower learning rate", "clip_norm", "scaled", "float64", "check_finite=False"):
        assert word in str(error)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(twin), twin.epoch, twin.step) == (str(error), 1, 1)


def test_a_custom_cost():
    def cost(a, y):
        calls.append(1)
        return np.full(len(a), np.nan if len(calls) == 6 else 1.0), a * 0

    calls = []
    net = net_of(cost=cost)
    before = net.params.tobytes()
    with pytest.raises(bpfast.DivergenceError, match=r"^epoch 2, step 1: the cost"):
        net.fit(X, Y, epochs=5, batch_size=10)
    assert net.params.tobytes() == before
    assert net.optimizer.steps == 5


class OwnError(Exception):
    pass


class Costs:
    """Quadratic, and finite for every a, so that only the parameters show a divergence.

    Raises OwnError at its call number `at`, and where a is not finite.
    """

    def __init__(self, at=None, checks=False):
        self.at, self.checks, self.calls = at, checks, 0

    def __call__(self, a, y):
        self.calls += 1
        if self.calls == self.at or (self.checks and not np.isfinite(a).all()):
            raise OwnError(self.calls)
        return np.ones(len(a)), a - y


# The step that makes the parameters infinite is number 6: the third of the second epoch.
WILD, EPOCH = 6, {"batch_size": 10, "shuffle": False, "seed": 0}


def wild():
    return bpfast.Adam(Rates(WILD, 1e308))


def after(steps):
    """The bits of network and optimizer after this many single steps."""
    net, optimizer = net_of(cost=Costs()), wild()
    for k in range(steps):
        rows = slice(10 * (k % 4), 10 * (k % 4) + 10)
        net.partial_fit(X[rows], Y[rows], optimizer=optimizer, seed=0)
    return net.params.tobytes(), repr(optimizer.state)


def left(net):
    assert np.isfinite(net.params).all()
    return net.params.tobytes(), repr(net.optimizer.state)


def test_a_divergence_with_a_custom_cost():
    """Found at once, and not after some steps more: the cost is called once a step."""
    cost = Costs(checks=True)
    net = net_of(cost=cost)
    with pytest.raises(bpfast.DivergenceError, match=r"^epoch 2, step 2: ") as caught:
        net.fit(X, Y, epochs=5, optimizer=wild(), **EPOCH)
    assert (caught.value.epoch, caught.value.step) == (2, 2)
    assert cost.calls == WILD + 1
    assert left(net) == after(WILD)
    assert (len(net.history), net.history.stopped) == (1, "diverged")


@pytest.mark.parametrize("call", [1, 5, 7])
def test_an_exception_of_a_cost_leaves_the_previous_steps(call):
    net = net_of(cost=Costs(at=call))
    with pytest.raises(OwnError, match=f"^{call}$"):
        net.fit(X, Y, epochs=5, optimizer=wild(), **EPOCH)
    assert net.optimizer.steps == call - 1
    assert left(net) == after(call - 1)
    assert (len(net.history), net.history.stopped) == (call // 5, "OwnError")
    net.fit(X, Y, epochs=1, optimizer="sgd", **EPOCH)  # as good as new


def test_without_check_finite_the_training_continues():
    net = net_of()
    history = net.fit(X, Y, epochs=3, optimizer=bpfast.SGD(1e300), check_finite=False)
    assert len(history) == 3
    assert history.stopped is None
    assert not np.isfinite(history.cost[-1])
    assert not np.isfinite(net.params).all()
    assert net.optimizer.steps == 6
    assert np.isnan(net.partial_fit(X, Y, check_finite=False))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_parameters_that_are_not_finite_at_the_start(bad):
    net = net_of()
    net.params[5] = bad
    message = rf"^params\[5\]: expected finite numbers, got {bad}$"
    with refuses(ValueError, message, net):
        net.fit(X, Y)
    with refuses(ValueError, message, net):
        net.partial_fit(X, Y)

    def spoil(net, history):
        net.params[5] = bad

    net.params[5] = 0
    with refuses(ValueError, message):
        net.fit(X, Y, callbacks=spoil)


SPOILT = {
    "x": (r"x\[17\]", np.where(np.arange(120).reshape(40, 3) == 52, np.nan, X), Y),
    "y": (r"y\[39\]", X, np.where(np.arange(80).reshape(40, 2) == 79, np.inf, Y)),
}


@pytest.mark.parametrize("name", SPOILT)
@pytest.mark.parametrize("as_given", [np.asarray, np.ndarray.tolist, np.float32])
def test_the_example_is_named(name, as_given):
    where, x, y = SPOILT[name]
    net, twin = net_of(), net_of()
    rows = [k for k in range(40) if k // 10 != int(where[3:5]) // 10]
    with refuses(ValueError, f"^{where}: expected finite numbers, got (nan|inf)$"):
        net.fit(as_given(x), as_given(y), batch_size=10, shuffle=False)
    assert np.isfinite(net.params).all()
    before = len(rows) if name == "y" else 10
    twin.fit(as_given(X[:before]), as_given(Y[:before]), batch_size=10, shuffle=False, epochs=1)
    assert net.params.tobytes() == twin.params.tobytes()
    with refuses(ValueError, f"^{where}: expected finite numbers, got (nan|inf)$"):
        net_of().partial_fit(as_given(x), as_given(y))


def test_the_example_is_named_as_the_user_counts():
    """Where some are held out, and where x is sparse."""
    sparse = pytest.importorskip("scipy.sparse")
    _, x, y = SPOILT["x"]
    for given in (x, sparse.csr_array(x), sparse.csc_matrix(x), sparse.coo_array(x)):
        for seed in range(4):  # in one of them it is held out
            with refuses(ValueError, r"^x\[17\]: expected finite numbers, got nan$"):
                net_of().fit(given, y, validation=0.25, batch_size=1, seed=seed)


def test_numbers_that_float32_cannot_hold():
    x = X.copy()
    x[3, 1] = 1e39
    with refuses(ValueError, r"^x\[3\]: expected numbers that float32 can hold, got 1e\+39$"):
        net_of("float32").partial_fit(x, Y)
