"""bpfast.optimizers: PyTorch's numbers, the formulas, every layout, the same bits everywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import bpfast
from tests.golden import TORCH, floats
from tests.helpers.cases.any_speed import ANY_SPEED
from tests.helpers.cases.training.every_optimizer import (
    CASES,
    START,
    STEPS,
    formula_steps,
    gradient,
)
from tests.helpers.child import run
from tests.helpers.processes.simd_levels import turns

DTYPES = ["float32", "float64"]
# Relative to the norm after 100 steps. float64: the same few operations in another order. float32:
# a hundred roundings of 6e-8, which partly cancel; against PyTorch's, which round much alike.
RELATIVE = {"float64": 1e-12, "float32": 3e-6}
AS_PYTORCH = {"float64": 1e-12, "float32": 1e-6}


def steps(case, start):
    """What the optimizer makes of `start`."""
    optimizer, p = case.make(), start.copy()
    for step in range(STEPS):
        optimizer.step(p, gradient(p, step))
    assert optimizer.steps == STEPS
    return p


def distance(got, expected):
    return np.linalg.norm(got - np.asarray(expected, np.float64)) / np.linalg.norm(expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_agrees_with_pytorch(case, dtype):
    golden = floats(TORCH["optimizers"][dtype][repr(case)])
    assert distance(steps(case, START.astype(dtype)), golden) < AS_PYTORCH[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_agrees_with_the_formulas(case, dtype):
    start = np.resize(START, (3, 33)).astype(dtype)
    assert distance(steps(case, start), formula_steps(case, start)) < RELATIVE[dtype]


class Subclass(np.ndarray):
    """An array that is not to be calculated with."""

    def __array_ufunc__(self, *args, **kwargs):
        raise AssertionError


def unaligned(a):
    memory = bytearray(a.nbytes + 1)
    odd = np.frombuffer(memory, a.dtype, offset=1, count=a.size).reshape(a.shape)
    odd[...] = a
    return odd


def flipped(a):
    return a[(..., *[slice(None, None, -1)] * a.ndim)]


# Writable copies of an array in every memory layout.
LAYOUTS = {
    "C": lambda a: a.copy(),
    "Fortran": lambda a: a.copy(order="F"),
    "every other number": lambda a: np.repeat(a[..., None], 2, axis=-1)[..., 1],
    "backwards": lambda a: flipped(flipped(a).copy()),
    "axes in another order": lambda a: np.moveaxis(np.moveaxis(a, -1, 0).copy(), 0, -1),
    "unaligned": unaligned,
    "unaligned Fortran": lambda a: unaligned(a.T).T,
    "subclass": lambda a: a.copy().view(Subclass),
    "matrix": lambda a: a.copy().view(np.matrix) if a.ndim == 2 else a.copy(),
}
# What a gradient may be besides.
GIVEN = LAYOUTS | {
    "list": lambda a: a.tolist(),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "float64": lambda a: a.astype(np.float64),
    "masked": np.ma.asarray,
    "read-only": lambda a: np.broadcast_to(a, a.shape),
}


@settings(ANY_SPEED, max_examples=100)
@given(
    shape=array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9),
    dtype=st.sampled_from(DTYPES),
    case=st.sampled_from(CASES),
    data=st.data(),
)
def test_any_layout_gives_the_bits_of_a_plain_array(shape, dtype, case, data):
    start = np.resize(START, shape).astype(dtype)
    gradients = [gradient(start, step) for step in range(3)]
    plain, optimizer = start.copy(), case.make()
    for g in gradients:
        optimizer.step(plain, g)
    expected = formula_steps(case, start, 3, of=lambda _, step: gradients[step])
    np.testing.assert_allclose(plain, expected, rtol=RELATIVE[dtype], atol=RELATIVE[dtype])

    layouts = [name for name in LAYOUTS if start.ndim or name != "axes in another order"]
    given = [name for name in GIVEN if name in layouts or name not in LAYOUTS]
    if not start.size:
        given.remove("list")  # it has another shape
    params = LAYOUTS[data.draw(st.sampled_from(layouts))](start)
    optimizer = case.make()
    for g in gradients:
        optimizer.step(params, GIVEN[data.draw(st.sampled_from(given))](g))
    assert params.tobytes() == plain.tobytes()


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_list_gives_the_bits_of_its_arrays(case):
    """The arrays of a list may differ in dtype, shape and order, and in their order from before."""
    starts = [np.resize(START, (4, 5)), START.astype("f4"), np.array(2.0), np.zeros((0, 3))]
    alone = [start.copy() for start in starts]
    for p in alone:
        optimizer = case.make()
        for step in range(3):
            optimizer.step(p, gradient(p, step))
    together, optimizer = [start.copy() for start in starts], case.make()
    for step in range(3):
        together[0] = together[0].copy(order="FCF"[step])
        optimizer.step(together, (gradient(p, step) for p in together))
    for p, expected in zip(together, alone, strict=True):
        assert p.tobytes() == expected.tobytes()


def test_views_of_one_array_that_share_nothing():
    whole = np.ones((4, 6))
    rows, columns = [whole[::2], whole[1::2]], [whole[:, :3], whole[:, 3:]]
    for parts in (rows, columns, [whole[:, 0], whole[:, 1:5:2], whole[:, 2]]):
        bpfast.SGD(1.0).step(parts, [np.ones(part.shape) for part in parts])
    assert whole.tolist() == [[-2.0, -2.0, -2.0, -2.0, -1.0, -1.0]] * 4
    bpfast.SGD(1.0).step(whole[0], whole[1])
    assert whole[0].tolist() == [0.0] * 6


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_network_whole_and_by_views(case):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 5)), rng.random((20, 3))
    whole, listed, parts = (bpfast.Network([5, 7, 3], seed=1) for _ in range(3))
    first, second, third, fourth = (case.make() for _ in range(4))
    for _ in range(5):
        first.step(whole.params, whole.backprop(x, y).flat)
        g = listed.backprop(x, y)
        second.step([*listed.weights, *listed.biases], [*g.weights, *g.biases])
        g = parts.backprop(x, y)
        third.step(parts.weights, g.weights)
        fourth.step(parts.biases, g.biases)
    assert listed.params.tobytes() == parts.params.tobytes() == whole.params.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_accepts_a_gradient(dtype):
    net = bpfast.Network([3, 2], dtype=dtype, seed=0)
    twin = net.copy()
    x, y = np.ones((4, 3)), np.zeros((4, 2))
    for network, optimizer in ((net, bpfast.Adam()), (twin, bpfast.Adam())):
        g = network.backprop(x, y)
        optimizer.step(network.params, g if network is net else g.flat)
    assert (net.params == twin.params).all()


def test_a_memory_map_is_changed_in_its_file(tmp_path):
    np.save(tmp_path / "p.npy", START)
    mapped, p = np.load(tmp_path / "p.npy", mmap_mode="r+"), START.copy()
    for optimizer, params in ((bpfast.Adam(), mapped), (bpfast.Adam(), p)):
        optimizer.step(params, START)
    mapped.flush()
    assert np.load(tmp_path / "p.npy").tobytes() == p.tobytes()


def test_the_same_bits_at_any_number_of_threads_and_any_level():
    first, *others = (
        run("bits_of_optimizers", BPFAST_SIMD=level, BPFAST_NUM_THREADS=str(threads))
        for level, threads in turns(1, 2, 3)
    )
    assert len(first) == 2 * 5 * len(CASES)
    for turn, other in zip(turns(1, 2, 3)[1:], others, strict=True):
        assert other == first, turn


def test_nan_and_infinity_stay_in_their_place():
    for case in CASES:
        p, optimizer = np.ones(40, np.float32), case.make()
        g = np.ones(40, np.float32)
        g[7], g[21] = np.nan, np.inf
        optimizer.step(p, g)
        assert np.flatnonzero(~np.isfinite(p)).tolist() in ([7], [7, 21]), case


def test_a_custom_training_loop_learns():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (400, 2)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] < 0).astype(int)
    for opt in (
        bpfast.SGD(0.5, momentum=0.9),
        bpfast.Adam(0.02),
        bpfast.AdamW(0.02),
        bpfast.RMSprop(0.01),
        bpfast.Adagrad(0.2),
    ):
        options = {"output": "softmax", "cost": "log_likelihood", "dtype": "float32"}
        net = bpfast.Network([2, 16, 2], hidden="tanh", seed=0, **options)
        g = net.backprop(x, y)
        for _ in range(400):
            opt.step(net.params, net.backprop(x, y, out=g).flat)
        assert (net(x).argmax(axis=1) == y).mean() > 0.95, opt


def test_the_defaults_are_those_of_the_docs():
    adam = {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    for kind, defaults in (
        (bpfast.SGD, {"learning_rate": 0.1, "momentum": 0, "nesterov": False, "weight_decay": 0}),
        (bpfast.Adam, adam | {"weight_decay": 0}),
        (bpfast.AdamW, adam | {"weight_decay": 0.01}),
        (
            bpfast.RMSprop,
            {"learning_rate": 0.01, "alpha": 0.99, "epsilon": 1e-8, "weight_decay": 0},
        ),
        (bpfast.Adagrad, {"learning_rate": 0.01, "epsilon": 1e-10, "weight_decay": 0}),
    ):
        assert kind().config == {"kind": kind.__name__.lower()} | defaults, kind
