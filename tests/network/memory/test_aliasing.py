"""Arrays that a call changes must not share memory; undecided cases are refused."""

import pickle

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import bpfast
from tests.helpers.messages import INPUTS
from tests.helpers.refuses import refuses

X, Y = np.linspace(0, 1, 15).reshape(5, 3), np.linspace(1, 0, 10).reshape(5, 2)
STATEFUL = [lambda: bpfast.SGD(0.1, momentum=0.9), bpfast.Adam, bpfast.RMSprop, bpfast.Adagrad]


def a_net():
    return bpfast.Network([3, 2], seed=0)


def with_state_in(optimizer, *places):
    """The optimizer, its state now in the memory of `places`, by nothing but `pickle`."""
    buffers = []
    pickled = pickle.dumps(optimizer, protocol=5, buffer_callback=buffers.append)
    assert len(buffers) == len(places)
    for place, buffer in zip(places, buffers, strict=True):
        place.view(np.uint8)[:] = np.frombuffer(buffer, np.uint8)
    return pickle.loads(pickled, buffers=places)


def apart(argument, other):
    got = "one that shares memory with it"
    return f"^{argument}: expected an array that does not overlap {other}, got {got}$"


@pytest.mark.parametrize("kind", STATEFUL)
def test_state_that_shares_memory_with_parameters(kind):
    net, g, opt = a_net(), a_net().backprop(X, Y), kind()
    opt.step(net.params, g.flat)
    count = sum(isinstance(value, np.ndarray) for value in opt.state.values())
    places = [net.params, *(np.zeros(net.params.size) for _ in range(count - 1))]
    opt = with_state_in(opt, *places)
    with refuses(ValueError, apart("state", "params"), net):
        opt.step(net.params, g.flat)
    with refuses(ValueError, apart("state", "params"), net):
        net.fit(X, Y, epochs=1, optimizer=opt)
    with refuses(ValueError, apart("state", "params"), net):
        net.partial_fit(X, Y, optimizer=opt)


def test_state_that_shares_memory_with_the_gradient_or_other_state():
    p, g, opt = np.ones(4), np.ones(4), bpfast.Adam()
    opt.step(p, g)
    one = np.zeros(4)
    aliased = with_state_in(opt, g, one)
    with refuses(ValueError, apart("gradient", "state"), p, g):
        aliased.step(p, g)
    aliased = with_state_in(opt, one, one)
    with refuses(ValueError, apart("state", "state"), p, one):
        aliased.step(p, g)
    # In part, by the next array of a list.
    memory, opt = np.zeros(6), bpfast.SGD(0.1, momentum=0.9)
    opt.step([p, p + 1], [g, g])
    aliased = with_state_in(opt, memory[:4], memory[2:])
    with refuses(ValueError, apart("state", "state"), p, memory):
        aliased.step([p, p + 1], [g, g])


@pytest.mark.parametrize("name", ["x", "y"])
def test_state_that_shares_memory_with_examples(name):
    net, opt = a_net(), bpfast.SGD(0.1, momentum=0.9)
    opt.step(net.params, net.backprop(X, Y))
    memory = np.full(15, 0.5)
    given = {"x": X.copy(), "y": Y.copy()}
    given[name] = memory[: given[name].size].reshape(given[name].shape)
    opt = with_state_in(opt, memory[: net.params.size])
    with refuses(ValueError, "^state: expected an array that (does not overlap|no other)", net):
        net.fit(**given, epochs=1, shuffle=False, optimizer=opt)


def test_two_optimizers_with_state_in_one_array():
    """One after the other they may: nothing is at work at once."""
    p, g, memory = np.ones(4), np.ones(4), np.zeros(6)
    opts = []
    for part in (memory[:4], memory[2:]):
        opt = bpfast.SGD(0.1, momentum=0.5)
        opt.step(p, g)
        opts.append(with_state_in(opt, part))
    for opt in opts:
        opt.step(p, g)
    # v ← v / 2 + 1, and once more for the part that both have.
    assert memory.tolist() == [1.5, 1.5, 1.75, 1.75, 1.5, 1.5]


def hard_pair(dtype="f4", axes=14, seed=2):
    """Two arrays of which NumPy finds a byte that they share only after a long search.

    Each has many axes of two numbers, and no stride is related to another.
    """
    rng, strides, reach = np.random.default_rng(seed), [], 1
    for gap in rng.integers(1, 100, axes):
        strides.append(int(reach + gap))
        reach += strides[-1]
    factors = rng.uniform(0.8, 1.2, axes)
    others = [int(stride * factor) | 1 for stride, factor in zip(strides, factors, strict=True)]
    memory = np.zeros(2 * reach + 10, dtype)
    size = memory.itemsize
    one = as_strided(memory, (2,) * axes, [size * stride for stride in strides])
    return one, as_strided(memory[3:], (2,) * axes, [size * stride for stride in others])


HARD = "got strides for which this is too hard to tell"


def test_overlaps_that_take_too_long_to_decide_are_refused():
    """By a bound on the steps, after a fraction of a millisecond."""
    p, g = hard_pair()
    with pytest.raises(Exception, match="work") as caught:
        np.shares_memory(p, g, max_work=100_000)
    assert type(caught.value).__name__ == "TooHardError"
    plain, one, other = np.ones((3, *p.shape), p.dtype)
    for params, gradient, words in (
        (p, g, "gradient: expected an array that does not overlap params"),
        (
            [p, plain],
            [one, g],
            r"gradient\[1\]: expected an array that does not overlap params\[0\]",
        ),
        ([p, g], [one, other], r"params\[1\]: expected .*"),  # g may overlap itself, too
    ):
        with refuses(ValueError, f"^{words}, got (strides|one that overlaps itself)"):
            bpfast.SGD(0.1).step(params, gradient)
    with refuses(ValueError, f"^gradient: expected an array that does not overlap params, {HARD}$"):
        bpfast.Adam().step(p, g)
    assert not p.any()


def test_the_overlap_of_strided_slices_is_exact():
    """Of one array, in any number of axes: what people write."""
    rng = np.random.default_rng(0)
    for axes in range(1, 6):
        base = np.zeros((12,) * axes)
        for _ in range(40):
            steps = rng.integers(2, 4, axes)
            place = tuple(slice(None, None, int(step)) for step in steps)
            beside = (slice(1, None, int(steps[0])), *place[1:])
            one, other = base[place], base[beside][: base[place].shape[0]]
            one = one[: other.shape[0]]
            bpfast.SGD(0.1).step([one, other], [np.ones(one.shape), np.ones(other.shape)])
            with refuses(
                ValueError,
                "^params.1.: expected an array that does not overlap params.0., got one ",
            ):
                bpfast.SGD(0.1).step([one, one[::-1]], [np.ones(one.shape)] * 2)


class Liar(np.ndarray):
    """An array whose class has an answer of its own for each function of NumPy."""

    def __array_function__(self, function, types, arguments, options):
        return False


def test_overlap_is_determined_by_addresses_not_by_the_class():
    memory = np.ones(12)
    p, g = memory[::2].view(Liar), memory[2:8].view(Liar)
    with refuses(ValueError, apart("gradient", "params"), memory):
        bpfast.SGD(0.1).step(p, g)
    net = bpfast.Network([2, 2], seed=0)
    x, out = memory[:8].reshape(4, 2).view(Liar)[:, ::-1], memory[4:12].reshape(4, 2).view(Liar)
    with refuses(ValueError, f"^{INPUTS.format('out')}", memory, net):
        net.forward(x, out=out)


class Interface:
    """Some numbers at their address, with strides that lead far away."""

    def __init__(self, array, shape, strides):
        self.array = array
        address, readonly = array.__array_interface__["data"]
        self.__array_interface__ = {
            "data": (address, readonly),
            "shape": shape,
            "strides": strides,
            "typestr": array.dtype.str,
            "version": 3,
        }


FAR = [2**62, -(2**62), 2**63 - 8, -(2**63)]


@pytest.mark.parametrize("far", FAR)
def test_strides_that_leave_the_address_space(far):
    net, numbers = a_net(), np.ones(8)
    x = Interface(numbers, (9, 3), (far, 8))
    vector = np.asarray(Interface(numbers, (9,), (far,)))
    message = "expected strides that stay in the address space, got strides that leave it$"
    with refuses(ValueError, f"^x: {message}"):
        net.forward(x)
    with refuses(ValueError, f"^sample_weight: {message}"):
        net.cost(np.ones((9, 3)), np.ones((9, 2)), sample_weight=vector)
    with refuses(ValueError, f"^y: {message}"):
        net.cost(np.ones((9, 3)), Interface(numbers, (9, 2), (far, 8)))
    with refuses(ValueError, f"^params: {message}"):
        bpfast.SGD(0.1).step(vector, np.ones(9))
    with refuses(ValueError, f"^gradient: {message}"):
        bpfast.SGD(0.1).step(np.ones(9), vector)
    with refuses(ValueError, f"^params: {message}"):
        bpfast.Network([7, 1]).params = np.asarray(Interface(numbers, (8,), (far,)))
    # An axis of one number has no stride that counts.
    assert net.forward(Interface(numbers, (1, 3), (far, 8))).shape == (1, 2)


def test_arrays_that_are_not_numeric():
    """Whatever their strides and their places: they share no memory, and take steps."""
    empty = np.ones((0, 3))[:, ::-1]
    memory = np.ones(8)
    bpfast.Adam().step([empty, memory, memory[4:4]], [empty, np.ones(8), memory[2:2]])
    bpfast.Adam().step(np.zeros(1, "u1")[1:].view("f8"), np.empty(0))
    with refuses(ValueError, "^x: expected one example or more"):
        a_net().forward(np.empty((0, 3))[::-1])


def test_user_code_runs_before_anything_is_borrowed():
    """A gradient that changes parameters in place when it is asked for its numbers."""
    p, q, plain = np.ones(4), np.ones(4), np.ones(4)

    class Resizes:
        def __array__(self, dtype=None, copy=None):
            p.resize(100_000, refcheck=False)
            return np.ones(4)

    with refuses(ValueError, r"^gradient\[0\]: expected shape \(100000,\), got \(4,\)$", q, plain):
        bpfast.SGD(0.1).step([p, q], [plain, Resizes()])

    class Writes:
        def __array__(self, dtype=None, copy=None):
            q[:] = 5
            return np.ones(4)

    strided = np.ones(8)[::2]  # which is copied, stepped and copied back
    bpfast.SGD(1.0).step([q, strided], [plain, Writes()])
    assert q.tolist() == [4.0] * 4
    assert strided.tolist() == [0.0] * 4


CHANGES = {
    "resized": lambda s: s.resize(100_000, refcheck=False),
    "emptied": lambda s: s.resize(0, refcheck=False),
    "another dtype": lambda s: setattr(s, "dtype", "f4"),
    "another shape": lambda s: setattr(s, "shape", (5, 1)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.filterwarnings("ignore:Setting the")  # NumPy would rather not
def test_weights_that_a_cost_changes_in_place(change):
    s = np.ones(5)

    def cost(a, y):
        CHANGES[change](s)
        return ((a - y) ** 2).sum(axis=1) / 2, a - y

    net = bpfast.Network([3, 2], cost=cost, seed=0)
    for call in (net.cost, net.backprop, net.errors):
        s = np.ones(5)
        with refuses(ValueError, "^sample_weight: expected ", net):
            call(X, Y, sample_weight=s)
