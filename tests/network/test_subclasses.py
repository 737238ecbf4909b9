"""Subclasses of `Network`: made by `__init__` or by `__new__`, copied and pickled."""

import copy
import gc
import inspect
import pickle

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

NO_CALL = r"^Network: expected super\(\).__init__\(sizes, ...\) in the __init__ of its subclass"
AGAIN = "^Network.__init__: expected one call for each network"


class ByInit(bpfast.Network):
    def __init__(self, width, code=2, *, rate=0.1):
        super().__init__([width, code, width], cost="cross_entropy", seed=0)
        self.rate = rate


class ByNew(bpfast.Network):
    def __new__(cls, width, code=2, *, rate=0.1):
        net = super().__new__(cls, [width, code, width], cost="cross_entropy", seed=0)
        net.rate = rate
        return net


class ByBoth(bpfast.Network):
    def __new__(cls, width, code=2, *, rate=0.1):
        return super().__new__(cls, [width, code, width], cost="cross_entropy", seed=0)

    def __init__(self, width, code=2, *, rate=0.1):
        super().__init__()
        self.rate = rate


class Mixin:
    def __init__(self, width, code=2, *, rate=0.1):
        super().__init__([width, code, width], cost="cross_entropy", seed=0)
        self.rate = rate


class ByMixin(Mixin, bpfast.Network):
    pass


class Deep(ByInit):
    pass


class Without(bpfast.Network):
    def __init__(self):
        self.rate = 0.1


CLASSES = [ByInit, ByNew, ByBoth, ByMixin, Deep]
PLAIN = bpfast.Network([4, 3, 4], cost="cross_entropy", seed=0)


@pytest.mark.parametrize("of", CLASSES)
def test_a_subclass_with_arguments_of_its_own(of):
    net = of(4, code=3, rate=0.5)
    assert (type(net), net.sizes, net.rate) == (of, (4, 3, 4), 0.5)
    assert net.params.tobytes() == PLAIN.params.tobytes()
    assert net.same_config(PLAIN)
    net.fit(np.eye(4), np.eye(4), epochs=1)
    assert net.optimizer.steps == 1
    with pytest.raises(TypeError, match="bogus"):
        of(4, bogus=1)


@pytest.mark.parametrize("of", CLASSES)
def test_a_copy_of_one(of):
    net = of(4, code=3, rate=0.5)
    net.params += 1
    ways = (copy.copy, copy.deepcopy, of.copy, lambda net: pickle.loads(pickle.dumps(net)))
    for way in ways:
        twin = way(net)
        assert (type(twin), twin.rate) == (of, 0.5)
        assert twin.params.tobytes() == net.params.tobytes()
    assert (type(net.astype("float32")), net.astype("float32").rate) == (of, 0.5)
    assert type(of.from_parameters(net.weights, net.biases)) is of


def test_a_wrong_argument_of_the_network():
    class Wrong(bpfast.Network):
        def __init__(self):
            super().__init__([4, 3], activation="tanh")

    with refuses(TypeError, "^Network: unknown argument 'activation'; did you mean 'hidden'"):
        Wrong()


def test_a_subclass_that_does_not_call_init():
    net = Without()
    gc.collect()
    calls = [
        lambda: net.sizes,
        lambda: net.params,
        lambda: net.dtype,
        lambda: net.config,
        lambda: net.weights,
        lambda: repr(net),
        lambda: net([[1.0]]),
        lambda: net.cost([[1.0]], [[1.0]]),
        lambda: net.backprop([[1.0]], [[1.0]]),
        lambda: net.fit([[1.0]], [[1.0]]),
        lambda: net.partial_fit([[1.0]], [[1.0]]),
        lambda: net.save("nowhere"),
        lambda: copy.copy(net),
        lambda: pickle.dumps(net),
        lambda: bpfast.Gradient(net),
        lambda: bpfast.scipy_minimize(net, [[1.0]], [[1.0]]),
        lambda: bpfast.testing.check_gradients(net, [[1.0]], [[1.0]]),
    ]
    for call in calls:
        with refuses(RuntimeError, NO_CALL):
            call()
    assert (net.rate, net == net, net.history) == (0.1, True, None)


def test_nothing_is_printed_of_it(capfd):
    with refuses(RuntimeError, NO_CALL):
        Without().forward([[1.0]])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("how", ["plain", "copied", "pickled", *CLASSES])
def test_init_is_called_once(how):
    net = PLAIN.copy() if isinstance(how, str) else how(4)
    if how == "plain":
        net = bpfast.Network([4, 3, 4], seed=0)
    if how == "pickled":
        net = pickle.loads(pickle.dumps(net))
    for arguments, options in (((), {}), (([5, 5, 5],), {}), (([5, 5, 5],), {"bogus": 3})):
        with refuses(RuntimeError, AGAIN, net):
            bpfast.Network.__init__(net, *arguments, **options)


def test_arguments_for_init_where_new_has_made_it():
    class Both(bpfast.Network):
        def __new__(cls):
            return super().__new__(cls, [3, 2])

        def __init__(self):
            super().__init__([4, 5])

    with refuses(RuntimeError, AGAIN):
        Both()


def test_signatures():
    assert str(inspect.signature(ByInit)) == "(width, code=2, *, rate=0.1)"
    assert [*inspect.signature(bpfast.Network).parameters][:3] == ["sizes", "hidden", "output"]


def test_the_base_class_is_not_for_users():
    base = bpfast.Network.__base__
    with refuses(TypeError, "^Network: expected a call of bpfast.Network"):
        base([3, 2])
    inner = base.from_parameters(PLAIN.weights, PLAIN.biases, cost="cross_entropy")
    for twin in (pickle.loads(pickle.dumps(inner)), copy.copy(inner)):
        assert type(twin) is bpfast.Network
        assert twin.params.tobytes() == PLAIN.params.tobytes()
    # A pickle that names the base class.
    restore, (_, config), state = inner.__reduce__()
    twin = restore(base, config)
    twin.__setstate__(state)
    assert type(twin) is bpfast.Network
    assert twin.params.tobytes() == PLAIN.params.tobytes()


@pytest.mark.parametrize("state", [None, 3, (), (1, 2, 3), {"a": 1}])
def test_an_invalid_state(state):
    net = PLAIN.copy()
    with refuses(TypeError, "^state: expected a pair of parameters and attributes, got ", net):
        net.__setstate__(state)


@pytest.mark.parametrize("other", [None, 3, "net", np.ones(3), bpfast.Gradient(PLAIN)])
@pytest.mark.parametrize(
    "method", ["fit", "partial_fit", "cost", "errors", "backprop", "backprop_touched", "taylor"]
)
def test_a_method_called_on_something_else(method, other):
    with refuses(TypeError, f"^self: expected a Network, got {type(other).__name__}$"):
        getattr(bpfast.Network, method)(other, [[1.0]], [[1.0]])
