"""Costs of derivatives by x: when they are called, what they may do, and what is refused."""

import pickle

import numpy as np
import pytest

import bpfast
from bpfast import reference
from tests.helpers.refuses import refuses

WEIGHTS = [np.linspace(-1, 1, 6).reshape(3, 2), np.linspace(-1, 1, 3).reshape(1, 3)]
BIASES = [np.zeros(3), np.zeros(1)]
X, V = np.linspace(-1, 1, 10).reshape(5, 2), np.eye(2)


def network(**options):
    return bpfast.Network.from_parameters(
        WEIGHTS, BIASES, **({"hidden": "tanh", "output": "identity"} | options)
    )


def cost(taylor):
    shapes = [np.shape(part) for part in taylor if part is not None]
    return np.zeros(5), [np.zeros(shape) for shape in shapes]


def test_it_is_called_once_with_the_whole_batch():
    calls = []

    def counts(taylor):
        calls.append([None if part is None else (part.shape, part.dtype) for part in taylor])
        assert isinstance(taylor, bpfast.Taylor)
        return cost(taylor)

    net = network(dtype="float32")
    net.backprop_taylor(X, V, counts)
    net.backprop_taylor(X, V, counts, order=1)
    float32 = np.dtype("float32")
    first = [((5, 1), float32), ((2, 5, 1), float32)]
    assert calls == [[*first, ((2, 5, 1), float32)], [*first, None]]


def test_it_may_use_the_network_and_its_arrays():
    net = network()
    wanted = net.backprop_taylor(X, V, cost, reduction="sum").flat.tobytes()

    def uses(taylor):
        net.taylor(X, V)
        net.backprop_taylor(X, V, cost)
        returned = cost(taylor)
        for part in taylor:
            part[:] = 7
        return returned

    assert net.backprop_taylor(X, V, uses, reduction="sum").flat.tobytes() == wanted


def test_it_must_not_change_the_call():
    net, x, v = network(), X.copy(), V.copy()

    def changes_params(taylor):
        net.params[0] += 1
        return cost(taylor)

    def changes_x(taylor):
        x.shape = 10
        return cost(taylor)

    def changes_directions(taylor):
        v.shape = 4
        return cost(taylor)

    with refuses(ValueError, "cost: expected to leave net.params unchanged"):
        net.backprop_taylor(X, V, changes_params)
    with refuses(ValueError, r"x: expected shape \(5, 2\) until the call ends, got \(10,\)"):
        net.backprop_taylor(x, V, changes_x)
    with refuses(ValueError, r"directions: expected shape \(2, 2\) until the call ends"):
        net.backprop_taylor(X, v, changes_directions)


def test_its_errors_propagate_and_leave_the_network_usable():
    def fails(taylor):
        raise LookupError("mine")

    net = network()
    with pytest.raises(LookupError, match="mine"):
        net.backprop_taylor(X, V, fails)
    net.params[:] = 1  # nothing is borrowed
    net.backprop_taylor(X, V, cost)


PAIR = r"\(C_x, \(nabla_value, nabla_first, nabla_second\)\)"
SHAPE = r"shape \(2, 5, 1\)"
RETURNS = [
    (None, TypeError, f"cost: expected a pair {PAIR}, got NoneType"),
    ((np.zeros(5),), ValueError, f"cost: expected a pair {PAIR}, got 1 values"),
    ((np.zeros(5), np.zeros(5)), TypeError, "cost: nabla: expected .*, got ndarray"),
    ((np.zeros(5), (None, None)), ValueError, "cost: nabla: expected .*, got 2 values"),
    ((np.zeros(4), (None,) * 3), ValueError, r"cost: C_x: expected shape \(5,\), got \(4,\)"),
    ((np.zeros(5), (np.zeros(5), None, None)), ValueError, "cost: nabla_value: expected shape"),
    ((np.zeros(5), (None, np.zeros((5, 1)), None)), ValueError, f"nabla_first: expected {SHAPE}"),
    ((np.zeros(5), (None, None, np.zeros((1, 5, 1)))), ValueError, "nabla_second: expected"),
    ((np.zeros(5), (None, None, np.full((2, 5, 1), "a"))), TypeError, "cost: nabla_second"),
]


@pytest.mark.parametrize(("returned", "kind", "message"), RETURNS, ids=range(len(RETURNS)))
def test_what_it_returns_is_checked(returned, kind, message):
    with refuses(kind, message):
        network().backprop_taylor(X, V, lambda _: returned)
    with pytest.raises(kind):
        reference.backprop_taylor(
            WEIGHTS, BIASES, X, V, lambda _: returned, hidden="tanh", output="identity"
        )


def test_order_1_takes_two_parts_or_none_for_the_third():
    net, none = network(), (np.zeros(5), (None, None))
    for returned in (none, (np.zeros(5), (None, None, None)), list(none)):
        assert net.backprop_taylor(X, V, lambda _: returned, order=1).cost == 0  # noqa: B023
    with refuses(ValueError, "got 3 values"):
        zeros = np.zeros((2, 5, 1))
        net.backprop_taylor(X, V, lambda _: (np.zeros(5), (None, None, zeros)), order=1)


MANY = np.zeros((7, 2))
BAD = [
    ({"order": 3}, "order: expected 1 or 2, got 3"),
    ({"order": 0}, "order: expected 1 or 2, got 0"),
    ({"order": -1}, "order: expected 1 or 2, got -1"),
    ({"order": 2.0}, "order: expected an integer, got float"),
    ({"order": True}, "order: expected an integer, got bool"),
    ({"directions": np.eye(3)}, "directions: expected shape (3, 2), got (3, 3)"),
    ({"directions": [1.0]}, "directions: expected shape (1, 2), got (1, 1)"),
    ({"directions": 1.0}, "directions: expected shape (n_1,), (k, n_1) or (k, n, n_1), got ()"),
    ({"directions": np.zeros((0, 2))}, "directions: expected one direction or more, got none"),
    (
        {"directions": np.zeros((1, 4, 2))},
        "directions: expected shape (1, 5, 2), got (1, 4, 2)",
    ),
    (
        {"directions": X},
        (
            "directions: expected shape (1, 5, 2) for one direction of each example, "
            "directions[None], got (5, 2), which is 5 directions of all examples"
        ),
    ),
    ({"directions": [[0, np.nan]]}, "directions[0, 1]: expected a finite number, got nan"),
    (
        {"directions": np.full((1, 5, 2), -np.inf)},
        "directions[0, 0, 0]: expected a finite number, got -inf",
    ),
    ({"x": np.zeros((0, 2))}, None),
    ({"x": np.zeros((5, 3))}, None),
    ({"x": "a"}, None),
    ({"directions": "a"}, None),
    ({"directions": [["a", "b"]]}, None),
]


@pytest.mark.parametrize(("given", "message"), BAD, ids=range(len(BAD)))
def test_bad_arguments(given, message):
    """The reference refuses them in the same words."""
    arguments = {"x": X, "directions": V} | given
    names = {"hidden": "tanh", "output": "identity"}
    calls = [
        lambda: network().taylor(**arguments),
        lambda: network().backprop_taylor(**arguments, cost=cost),
        lambda: reference.taylor(WEIGHTS, BIASES, **arguments, **names),
        lambda: reference.backprop_taylor(WEIGHTS, BIASES, **arguments, cost=cost, **names),
    ]
    errors = []
    for call in calls:
        with pytest.raises((TypeError, ValueError)) as raised:
            call()
        errors.append(raised.value)
    assert len({type(error) for error in errors}) == 1
    if message:
        assert {str(error) for error in errors} == {message}


def test_many_directions_of_all_examples_are_allowed():
    """Unless they are as many as the examples, and more than a Hessian needs."""
    net = network()
    assert net.taylor(X, MANY).first.shape == (7, 5, 1)
    assert net.taylor(X[:3], MANY[:3]).first.shape == (3, 3, 1)


NAMES = "'identity', 'sigmoid', 'tanh', 'gelu', 'gelu_tanh', 'silu', 'mish', 'softplus', 'sin'"


@pytest.mark.parametrize(
    ("options", "argument", "name"),
    [
        ({"hidden": "relu"}, "hidden[0]", "relu"),
        ({"hidden": "leaky_relu"}, "hidden[0]", "leaky_relu"),
        ({"hidden": "elu"}, "hidden[0]", "elu"),
        ({"hidden": "elu(0.5)"}, "hidden[0]", "elu(0.5)"),
        ({"hidden": "selu"}, "hidden[0]", "selu"),
        ({"output": "hard_swish"}, "output", "hard_swish"),
        ({"output": "relu"}, "output", "relu"),
        ({"output": "elu"}, "output", "elu"),
        ({"output": "softmax"}, "output", "softmax"),
    ],
)
@pytest.mark.parametrize("order", [1, 2])
def test_activations_that_are_not_smooth(options, argument, name, order):
    names = {"hidden": "tanh", "output": "identity"} | options
    weights, biases = [WEIGHTS[0], np.ones((2, 3))], [BIASES[0], np.zeros(2)]
    net = bpfast.Network.from_parameters(weights, biases, **names)
    message = (
        f"{argument}: expected a smooth activation for derivatives by x, one of {NAMES}, "
        f"got '{name}'"
    )
    for call in (
        lambda: net.taylor(X, V, order),
        lambda: net.backprop_taylor(X, V, cost, order=order),
        lambda: reference.taylor(weights, biases, X, V, order=order, **names),
    ):
        with pytest.raises(ValueError) as raised:  # noqa: PT011, the whole message is compared
            call()
        assert str(raised.value) == message


def test_other_arguments():
    net = network()
    with refuses(TypeError, "cost: expected a callable, got str"):
        net.backprop_taylor(X, V, "quadratic")
    with refuses(ValueError, "sample_weight"):
        net.backprop_taylor(X, V, cost, sample_weight=np.zeros(5))
    with refuses(ValueError, "reduction: unknown name 'max'"):
        net.backprop_taylor(X, V, cost, reduction="max")
    with refuses(TypeError, "out: expected a Gradient, got ndarray"):
        net.backprop_taylor(X, V, cost, out=net.params)
    out = bpfast.Gradient(net)
    with refuses(ValueError, "out"):
        net.backprop_taylor(X, out.flat[:4].reshape(2, 2), cost, out=out)
    with refuses(TypeError, "self: expected a Network, got int"):
        bpfast.Network.taylor(1, X, V)


def test_masked_arrays():
    masked = np.ma.array(V, mask=[[True, False], [False, False]])
    got = "got 1 masked; fill them in"
    net = network()
    for given in (masked, [masked[0], V[1]], [masked[0], np.ones((5, 2))], masked[0]):
        with refuses(ValueError, f"directions: expected no missing values, {got}"):
            net.taylor(X, given)
    c = np.ma.array(np.zeros(5), mask=[True, *[False] * 4])
    with refuses(ValueError, f"cost: C_x: expected no missing values, {got}"):
        net.backprop_taylor(X, V, lambda _: (c, (None, None, None)))
    with refuses(ValueError, "cost: nabla_value: expected no missing values"):
        net.backprop_taylor(X, V, lambda _: (np.zeros(5), (c[:, None], None, None)))


def test_a_taylor_is_a_named_tuple():
    t = network().taylor(X, V)
    again = pickle.loads(pickle.dumps(t))
    assert type(again) is bpfast.Taylor
    assert again.second.tobytes() == t.second.tobytes()
    with pytest.raises(AttributeError):
        t.value = 1


def test_nan_in_x_stays_in_its_row():
    x = X.copy()
    x[2, 0] = np.nan
    for got, wanted in zip(network().taylor(x, V), network().taylor(X, V), strict=True):
        rows = [0, 1, 3, 4]
        assert np.isnan(got[..., 2, :]).all()
        assert got[..., rows, :].tobytes() == wanted[..., rows, :].tobytes()


@pytest.mark.parametrize("changed", ["x", "directions"])
def test_a_cost_that_changes_x_or_directions_is_an_error(changed):
    given = {"x": X.copy(), "directions": V.copy()}

    def changes(taylor):
        given[changed][:] = 5
        return cost(taylor)

    message = f"^cost: expected to leave {changed} unchanged, got other numbers$"
    with pytest.raises(ValueError, match=message):
        network().backprop_taylor(given["x"], given["directions"], changes)
