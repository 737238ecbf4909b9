"""A cost that is a Python callable: the gradient of the built-in it imitates, its own errors."""

import numpy as np
import pytest
import scipy.sparse as sp

import bpfast
from tests.helpers.invalid.bad_costs import WRONG
from tests.helpers.invalid.entry_points import CONFIGURES, ENTRY_POINTS, LOSSES, X, Y, call
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import close

TARGETS = np.zeros((4, 1))


def quadratic(a, y):
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


def huber(a, y):
    r = a - y
    near = np.abs(r) <= 1
    return np.where(near, r * r / 2, np.abs(r) - 0.5).sum(axis=1), np.where(near, r, np.sign(r))


def cross_entropy(a, y):
    return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=1), (a - y) / (a * (1 - a))


IMITATIONS = {"quadratic": quadratic, "huber": huber, "cross_entropy": cross_entropy}
BATCH = 300  # several chunks


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("output", ["sigmoid", "softmax", "identity"])
@pytest.mark.parametrize("name", IMITATIONS)
def test_a_substitute_behaves_as_the_original(name, output, weighted, reduction, dtype):
    if (name, output) == ("cross_entropy", "identity"):
        pytest.skip("not defined there")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(BATCH, 5)).astype(dtype), rng.uniform(size=(BATCH, 3)).astype(dtype)
    how = {"reduction": reduction, "sample_weight": rng.uniform(size=BATCH) if weighted else None}
    config = {"hidden": "tanh", "output": output, "dtype": dtype, "seed": 0}
    original = bpfast.Network([5, 4, 3], cost=name, **config)
    imitation = bpfast.Network([5, 4, 3], cost=IMITATIONS[name], **config)
    expected, got = (net.backprop(x, y, **how) for net in (original, imitation))
    assert close(got.flat, expected.flat, dtype)
    assert close(got.cost, expected.cost, dtype)
    assert close(imitation.cost(x, y, **how), expected.cost, dtype)
    errors = (net.errors(x, y, **how) for net in (original, imitation))
    for ours, theirs in zip(*errors, strict=True):
        assert close(theirs, ours, dtype)
    z = original.trace(x).z[-1]
    ours = bpfast.bp1(z, y, output=output, cost=name, **how)
    assert close(bpfast.bp1(z, y, output=output, cost=IMITATIONS[name], **how), ours, dtype)
    kinds = {"hidden": "tanh", "output": output}
    c, nabla_w, nabla_b = bpfast.backprop(
        original.weights, original.biases, x, y, **kinds, cost=IMITATIONS[name], **how
    )
    assert close(c, expected.cost, dtype)
    for parts, nabla in ((expected.weights, nabla_w), (expected.biases, nabla_b)):
        for ours, theirs in zip(parts, nabla, strict=True):
            assert close(theirs, ours, dtype)


def test_it_is_called_once_with_the_whole_batch():
    calls = []

    def cost(a, y):
        calls.append((a.shape, a.dtype, y))
        return quadratic(a, np.zeros_like(a))

    net = bpfast.Network([5, 3], cost=cost, dtype="float32", seed=0)
    x, y = np.ones((BATCH, 5)), np.arange(BATCH)
    for method in (net.cost, net.errors, net.backprop):
        method(x, y)
        ((shape, dtype, given),) = calls
        assert (shape, dtype) == ((BATCH, 3), np.float32)
        assert given is y  # as it was given, and of the shape that the callable wants
        calls.clear()
    net.forward(x)
    net.trace(x)
    assert not calls


def test_results_of_a_cost_may_be_any_array():
    x, y = np.ones((4, 3)), np.zeros((4, 2))
    expected = bpfast.Network([3, 2], seed=0).backprop(x, y).flat.tobytes()
    for change in (
        lambda c, d: (c.tolist(), d.tolist()),
        lambda c, d: (c, np.asfortranarray(d)),
        lambda c, d: (np.repeat(c, 2)[::2], np.repeat(d, 2, axis=1)[:, ::2]),
        lambda c, d: [c, d],
    ):
        net = bpfast.Network([3, 2], cost=lambda a, y: change(*quadratic(a, y)), seed=0)  # noqa: B023
        assert net.backprop(x, y).flat.tobytes() == expected


def test_a_cost_may_change_its_copy_of_a():
    def spoils(a, y):
        result = quadratic(a, y)
        a[:] = 7
        return result

    x, y = np.ones((4, 3)), np.zeros((4, 2))
    plain = bpfast.Network([3, 2], cost=quadratic, seed=0)
    spoilt = bpfast.Network([3, 2], cost=spoils, seed=0)
    assert spoilt.backprop(x, y).flat.tobytes() == plain.backprop(x, y).flat.tobytes()
    z = plain.trace(x).z[0]
    assert bpfast.bp1(z, y, cost=spoils).tobytes() == bpfast.bp1(z, y, cost=quadratic).tobytes()


def test_it_may_call_bpfast_itself():
    x, y = np.ones((BATCH, 3)), np.zeros((BATCH, 2))
    expected = bpfast.Network([3, 2], seed=0).backprop(x, y).flat

    def cost(a, y):
        assert net.forward(x).tobytes() == a.tobytes()
        assert plain.backprop(x, y).flat.tobytes() == expected.tobytes()
        return quadratic(a, y)

    net = bpfast.Network([3, 2], cost=cost, seed=0)
    plain = bpfast.Network([3, 2], seed=0)
    assert close(net.backprop(x, y).flat, expected, "float64")


class OwnError(Exception):
    pass


class OwnExit(BaseException):
    pass


@pytest.mark.parametrize("error", [OwnError("mine"), OwnExit(), KeyboardInterrupt(), KeyError(3)])
@pytest.mark.parametrize("entry_point", [*LOSSES, "bp1"])
def test_an_exception_of_a_callback_propagates(entry_point, error):
    def cost(a, y):
        raise error

    arguments = ENTRY_POINTS[entry_point]
    with refuses(type(error), "", *arguments.values()) as caught:
        call(entry_point, arguments, cost=cost)
    assert caught.value is error


@pytest.mark.parametrize(("cost", "kind", "message"), WRONG)
@pytest.mark.parametrize("entry_point", [*LOSSES, "bp1"])
def test_invalid_results_of_a_cost(entry_point, cost, kind, message):
    arguments = ENTRY_POINTS[entry_point]
    net = bpfast.Network([3, 2, 2], cost=cost, seed=0)
    keywords = {"net": net} if "Network" in entry_point else {"cost": cost}
    with refuses(kind, message, net, *arguments.values()):
        call(entry_point, arguments, **keywords)


CALLS_OF_A_COST = {
    "fit": lambda net: net.fit(X, Y, epochs=1),
    "fit, all examples": lambda net: net.fit(X, Y, epochs=1, batch_size=4),
    "partial_fit": lambda net: net.partial_fit(X, Y),
    "partial_fit, dropout": lambda net: net.partial_fit(X, Y, dropout=0.5, seed=0),
    "fit_many": lambda net: bpfast.fit_many([net], X, Y, epochs=1),
    "evaluate": lambda net: net.evaluate(X, Y),
    "per_example_gradients": lambda net: net.per_example_gradients(X, Y),
    "per_example_norms": lambda net: net.per_example_norms(X, Y),
    "clipped_backprop": lambda net: net.clipped_backprop(X, Y, 1.0),
    "gradient_statistics": lambda net: net.gradient_statistics(X, Y),
    "input_gradient": lambda net: net.input_gradient(X, Y),
    "empirical_fisher_vp": lambda net: net.empirical_fisher_vp(X, Y, net.params),
    "backprop_many": lambda net: bpfast.backprop_many([net], [X], [Y]),
    "scipy_minimize": lambda net: bpfast.scipy_minimize(net, X, Y),
    "check_gradients": lambda net: bpfast.testing.check_gradients(net, X, Y),
}


@pytest.mark.parametrize(("cost", "kind", "message"), WRONG)
@pytest.mark.parametrize("name", CALLS_OF_A_COST)
def test_invalid_results_of_a_cost_elsewhere(name, cost, kind, message):
    net = bpfast.Network([3, 2, 2], cost=cost, seed=0)
    with refuses(kind, message, net, X, Y):
        CALLS_OF_A_COST[name](net)


def test_after_its_error_out_is_as_it_was():
    def cost(a, y):
        raise OwnError

    net = bpfast.Network([3, 2], cost=cost, seed=0)
    g, out = bpfast.Gradient(net), np.full((4, 2), 3.0)
    g.flat[:] = 5
    with refuses(OwnError, "", g, net):
        net.backprop(np.ones((4, 3)), np.ones((4, 2)), out=g)
    with refuses(OwnError, "", out):
        bpfast.bp1(np.ones((4, 2)), np.ones((4, 2)), cost=cost, out=out)


@pytest.mark.parametrize("entry_point", CONFIGURES)
def test_a_class_is_a_callable_too(entry_point):
    class Quadratic:
        def __call__(self, a, y):
            return quadratic(a, y)

    from_class, from_function = (
        call(entry_point, ENTRY_POINTS[entry_point], cost=cost) for cost in (Quadratic(), quadratic)
    )
    if isinstance(from_class, bpfast.Network):
        batch = ENTRY_POINTS["cost"]["x"], ENTRY_POINTS["cost"]["y"]
        from_class, from_function = from_class.cost(*batch), from_function.cost(*batch)
    from_class, from_function = (
        g.flat if isinstance(g, bpfast.Gradient) else g for g in (from_class, from_function)
    )
    assert repr(from_class) == repr(from_function)


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_resizing_y_in_a_cost_is_an_error(call):
    x, y = np.ones((40, 3)), np.zeros((40, 2))

    def cost(a, targets):
        r = a - targets
        y.resize((1,), refcheck=False)
        return (r * r).sum(axis=1) / 2, r

    net = bpfast.Network([3, 2], cost=cost, seed=0)
    with pytest.raises(ValueError, match=r"^y: expected 40 examples until the call ends, got 1$"):
        getattr(net, call)(x, y, batch_size=10)


def changes(x):
    """A network whose cost writes to x."""
    numbers = x if isinstance(x, np.ndarray) else x.data

    def cost(a, y):
        numbers[:] = 5
        return ((a - y) ** 2).sum(axis=1) / 2, a - y

    return bpfast.Network([2, 3, 1], output="identity", cost=cost, seed=0)


UNCHANGED = r"^cost: expected to leave x unchanged, got other numbers$"


@pytest.mark.parametrize("x", [np.ones((4, 2)), sp.csr_array(np.eye(4, 2))], ids=["dense", "CSR"])
@pytest.mark.parametrize("call", ["cost", "errors", "backprop", "per_example_norms"])
def test_a_cost_that_changes_x_is_an_error(call, x):
    x = x.copy()
    net = changes(x)
    with pytest.raises(ValueError, match=UNCHANGED):
        getattr(net, call)(x, TARGETS)


def test_a_cost_that_changes_x_in_fit_is_an_error():
    x = np.ones((4, 2))
    net = changes(x)
    before = net.params.copy()
    with pytest.raises(ValueError, match=UNCHANGED):
        net.fit(x, TARGETS, epochs=1, batch_size=2)
    assert np.array_equal(net.params, before)
